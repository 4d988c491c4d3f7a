//! Spans of transactions and commits, for those who trace requests.
//!
//! A job may run on another thread than the one that submitted it, and shares its commit with jobs of other callers. So it remembers where
//! it came from. Its `transaction` is a child of the span in which the job was made. The `commit` of a group is a child of the span in which
//! the first job was made that the group keeps, and follows from the transactions of the others: OpenTelemetry calls that links.
//!
//! Without a subscriber that wants these spans, a job pays for one relaxed load when it is made.

use std::fmt;

use tracing::{
    Dispatch, Level, Span,
    dispatcher::{get_default, with_default},
    field::Empty,
    info_span,
    level_filters::LevelFilter,
    span_enabled,
};

/// The target of the spans.
const TARGET: &str = "pretender::traces";

/// Where work came from, if anybody traces it.
#[derive(Clone, Default)]
pub(crate) struct Origin(Option<Box<Caller>>);

#[derive(Clone)]
struct Caller {
    /// The subscriber of the caller's thread. Another thread may have another one, which does not know the span.
    dispatch: Dispatch,
    span: Span,
}

/// What is traced of a job.
#[derive(Default)]
pub(crate) struct JobTrace {
    origin: Origin,
    /// From when the job has run until its commit begins, if it is kept.
    transaction: Option<Box<Span>>,
}

impl Origin {
    /// Returns the origin of work that this thread makes.
    #[inline]
    pub(crate) fn here() -> Self {
        if span_enabled!(target: TARGET, Level::INFO) { Self::caller() } else { Self(None) }
    }

    #[cold]
    fn caller() -> Self {
        Self(Some(Box::new(Caller { dispatch: get_default(Clone::clone), span: Span::current() })))
    }

    /// Does work on this thread as if it were done where it came from.
    pub(crate) fn resume<T>(self, work: impl FnOnce() -> T) -> T {
        match self.0 {
            Some(caller) => with_default(&caller.dispatch, || caller.span.in_scope(work)),
            None => work(),
        }
    }
}

impl JobTrace {
    /// Returns the trace of a job that has not run yet.
    #[inline]
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, transaction: None }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Runs the job in its transaction; what an earlier run did was undone. Returns what the job returns.
    pub(crate) fn transaction<T>(&mut self, job: impl FnOnce() -> T) -> T {
        self.rolled_back(false);
        let Some(caller) = &self.origin().0 else { return job() };
        let span = with_default(&caller.dispatch, || {
            info_span!(
                target: TARGET,
                parent: &caller.span,
                "transaction",
                "pretender.rolled_back" = Empty,
                "otel.status_code" = Empty
            )
        });
        let result = span.in_scope(job);
        self.transaction = Some(Box::new(span));
        result
    }

    /// Ends the transaction: nothing of it is kept, because the job failed or panicked, or has to run again.
    pub(crate) fn rolled_back(&mut self, has_panicked: bool) {
        let Some(span) = self.transaction.take() else { return };
        span.record("pretender.rolled_back", true);
        if has_panicked {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// Commits the transactions of a group that are to be kept, and returns what `work` returns.
pub(crate) fn commit<'t, E: fmt::Display>(
    engine: &str,
    jobs: impl Iterator<Item = &'t mut JobTrace>,
    work: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    if LevelFilter::current() < LevelFilter::INFO {
        return work();
    }
    let Some(span) = commit_span(engine, jobs) else { return work() };
    let result = span.in_scope(work);
    if let Err(error) = &result {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", tracing::field::display(error));
    }
    result
}

/// Ends the transactions of a group that are kept, and returns the span of their commit.
///
/// A link is right only if both callers have the same subscriber. Nothing tells whether they do, and nearly always there is one for the
/// whole program.
fn commit_span<'t>(engine: &str, jobs: impl Iterator<Item = &'t mut JobTrace>) -> Option<Span> {
    let mut commit: Option<Span> = None;
    let mut kept = 0_i64;
    for job in jobs {
        let (Some(caller), Some(transaction)) = (&job.origin.0, job.transaction.take()) else { continue };
        kept += 1;
        match &commit {
            Some(commit) => {
                commit.follows_from(transaction.id());
            }
            None => {
                commit = Some(with_default(&caller.dispatch, || {
                    info_span!(
                        target: TARGET,
                        parent: &caller.span,
                        "commit",
                        "db.system.name" = engine,
                        "db.operation.name" = "COMMIT",
                        "pretender.jobs" = Empty,
                        "otel.status_code" = Empty,
                        "otel.status_description" = Empty
                    )
                }));
            }
        }
    }
    if let Some(commit) = &commit {
        commit.record("pretender.jobs", kept);
    }
    commit
}
