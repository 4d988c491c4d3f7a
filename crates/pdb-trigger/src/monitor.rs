//! What a page or a metric shows of a trigger: its description, its state, its last notices, and its iterator age over time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pretender::time::EpochMillis;

use crate::state::{MAX_ERROR_CHARACTERS, Notice};
use crate::trigger_handle::TriggerHandle;

/// Describes a trigger for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriggerDescription {
    /// The table or stream, as it was given.
    pub target: String,
    /// The function: its name or its URL.
    pub function: String,
    /// The maximum number of records of one invocation.
    pub batch_size: u32,
    /// The other settings that were given, with their names and values.
    pub settings: Vec<(String, String)>,
}

/// Remembers what a trigger did lately. Its copies are the same monitor.
///
/// A program that runs a trigger makes a monitor, tells it what happens, and gives copies to those who show it. The monitor exists
/// before the trigger has started, and after it has ended.
///
/// # Examples
///
/// ```
/// use pdb_trigger::{MonitorPhase, Response, Settings, Trigger, TriggerDescription, TriggerMonitor};
/// use pretender::prelude::*;
///
/// let db = Pretender::in_memory()?;
/// db.create_table(CreateTableInput {
///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
///     ..CreateTableInput::new("orders".parse()?, ("id", ScalarType::S), None)
/// })?;
/// let monitor = TriggerMonitor::new(TriggerDescription {
///     target: "orders".to_owned(),
///     function: "billing".to_owned(),
///     batch_size: 100,
///     ..TriggerDescription::default()
/// });
/// let (noting, clock) = (monitor.clone(), db.env().clock.clone());
/// let trigger = Trigger::builder(&db, "orders")
///     .observe(move |notice| noting.note(clock.now(), notice))
///     .start(|_: &[u8]| Ok(Response::empty()))?;
/// monitor.set_phase(MonitorPhase::Running(trigger.handle()));
/// monitor.sample();
/// assert_eq!(monitor.iterator_ages(), [Some(0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TriggerMonitor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    description: TriggerDescription,
    recent: Mutex<Recent>,
}

#[derive(Debug)]
struct Recent {
    phase: MonitorPhase,
    /// The newest last.
    notices: VecDeque<RecentNotice>,
    /// The newest last; `None` while the trigger did not run.
    ages: VecDeque<Option<u64>>,
}

/// How far a monitored trigger has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MonitorPhase {
    /// It has not started, because of this.
    Waiting(String),
    /// It runs.
    Running(TriggerHandle),
    /// It has ended.
    Ended(TriggerHandle),
}

/// A notice, and its time by the clock of the trigger. Long texts are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentNotice {
    /// The time.
    pub at: EpochMillis,
    /// The notice.
    pub notice: Notice,
}

impl TriggerMonitor {
    /// How many notices a monitor remembers.
    pub const MAX_NOTICES: usize = 50;
    /// How many samples of the iterator age a monitor remembers: with one a second, those of ten minutes.
    pub const MAX_SAMPLES: usize = 600;

    /// Creates the monitor of a trigger that has not started.
    #[must_use]
    pub fn new(description: TriggerDescription) -> Self {
        let recent = Recent {
            phase: MonitorPhase::Waiting("it is being started".to_owned()),
            notices: VecDeque::new(),
            ages: VecDeque::new(),
        };
        Self(Arc::new(Inner { description, recent: Mutex::new(recent) }))
    }

    /// Returns the description of the trigger.
    #[must_use]
    pub fn description(&self) -> &TriggerDescription {
        &self.0.description
    }

    /// Returns how far the trigger has come.
    #[must_use]
    pub fn phase(&self) -> MonitorPhase {
        self.recent().phase.clone()
    }

    /// Sets how far the trigger has come.
    pub fn set_phase(&self, phase: MonitorPhase) {
        self.recent().phase = phase;
    }

    /// Returns the handle of the trigger; `None` if it has not started.
    #[must_use]
    pub fn handle(&self) -> Option<TriggerHandle> {
        match self.phase() {
            MonitorPhase::Waiting(_) => None,
            MonitorPhase::Running(handle) | MonitorPhase::Ended(handle) => Some(handle),
        }
    }

    /// Notes what the trigger reports, at a time by its clock.
    pub fn note(&self, at: EpochMillis, notice: &Notice) {
        let notice = RecentNotice { at, notice: shortened(notice) };
        push(&mut self.recent().notices, notice, Self::MAX_NOTICES);
    }

    /// Returns the last notices, the newest first.
    #[must_use]
    pub fn notices(&self) -> Vec<RecentNotice> {
        self.recent().notices.iter().rev().cloned().collect()
    }

    /// Remembers the iterator age at this moment. Call it at equal intervals.
    pub fn sample(&self) {
        let mut recent = self.recent();
        let age = match &recent.phase {
            MonitorPhase::Running(handle) => Some(handle.iterator_age_millis()),
            MonitorPhase::Waiting(_) | MonitorPhase::Ended(_) => None,
        };
        push(&mut recent.ages, age, Self::MAX_SAMPLES);
    }

    /// Returns the iterator ages that were sampled, in milliseconds, the newest last; `None` where the trigger did not run.
    #[must_use]
    pub fn iterator_ages(&self) -> Vec<Option<u64>> {
        self.recent().ages.iter().copied().collect()
    }

    // The data behind the lock is always consistent, so a panic of another holder does not matter.
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the newest, and forgets the oldest if there are too many.
fn push<T>(kept: &mut VecDeque<T>, newest: T, limit: usize) {
    if kept.len() >= limit {
        kept.pop_front();
    }
    kept.push_back(newest);
}

/// Cuts the text of a notice: a function may answer megabytes.
fn shortened(notice: &Notice) -> Notice {
    let short = |text: &str| text.chars().take(MAX_ERROR_CHARACTERS).collect();
    match notice {
        Notice::Failed { shard_id, error } => {
            Notice::Failed { shard_id: shard_id.clone(), error: short(error) }
        }
        Notice::Problem(text) => Notice::Problem(short(text)),
        Notice::Processed { .. } | Notice::Discarded { .. } | Notice::Trimmed { .. } => notice.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_forgets_the_oldest() {
        let monitor = TriggerMonitor::new(TriggerDescription::default());
        for n in 0..TriggerMonitor::MAX_NOTICES + 2 {
            let notice = Notice::Processed { shard_id: String::new(), records: n };
            monitor.note(EpochMillis(n as i64), &notice);
        }
        let notices = monitor.notices();
        assert_eq!(notices.len(), TriggerMonitor::MAX_NOTICES);
        assert_eq!((notices[0].at, notices.last().unwrap().at), (EpochMillis(51), EpochMillis(2)));
        for _ in 0..TriggerMonitor::MAX_SAMPLES + 2 {
            monitor.sample();
        }
        assert_eq!(monitor.iterator_ages(), [None; TriggerMonitor::MAX_SAMPLES]);
    }

    #[test]
    fn long_texts_are_cut() {
        let monitor = TriggerMonitor::new(TriggerDescription::default());
        let error = "\u{e9}".repeat(1_000_000);
        monitor.note(EpochMillis(0), &Notice::Failed { shard_id: "s".to_owned(), error: error.clone() });
        monitor.note(EpochMillis(0), &Notice::Problem(error));
        let cut = "\u{e9}".repeat(MAX_ERROR_CHARACTERS);
        let notices: Vec<Notice> = monitor.notices().into_iter().map(|recent| recent.notice).collect();
        let failed = Notice::Failed { shard_id: "s".to_owned(), error: cut.clone() };
        assert_eq!(notices, [Notice::Problem(cut), failed]);
    }
}
