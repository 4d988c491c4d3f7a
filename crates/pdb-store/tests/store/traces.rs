//! The spans of transactions and commits.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use pdb_store::{Durability, Pending, Store, StoreError, StoreOptions, Tx};
#[cfg(feature = "postgres")]
use pdb_testkit::Schema;
use tracing::{
    Dispatch, Event, Metadata, Span, Subscriber,
    dispatcher::with_default,
    field::{Field, Visit},
    info_span,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_core::span::Current;

/// A subscriber that keeps all spans of traces.
#[derive(Default)]
struct Recorder(Arc<Mutex<Spans>>);

#[derive(Default)]
struct Spans {
    all: Vec<Recorded>,
    /// The spans that a thread is in.
    entered: BTreeMap<String, Vec<Id>>,
}

struct Recorded {
    metadata: &'static Metadata<'static>,
    parent: Option<u64>,
    fields: String,
    follows: Vec<u64>,
    handles: usize,
}

/// Writes the fields of a span as `name=value`, separated by spaces.
struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

fn thread() -> String {
    format!("{:?}", std::thread::current().id())
}

fn number(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pretender::traces"
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut spans = self.0.lock().unwrap();
        let current = spans.entered.get(&thread()).and_then(|entered| entered.last()).cloned();
        let parent = attributes.parent().cloned().or(current.filter(|_| attributes.is_contextual()));
        let mut fields = String::new();
        attributes.record(&mut Fields(&mut fields));
        spans.all.push(Recorded {
            metadata: attributes.metadata(),
            parent: parent.map(|parent| parent.into_u64()),
            fields,
            follows: Vec::new(),
            handles: 1,
        });
        Id::from_u64(spans.all.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap().all[number(span)].fields));
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let mut spans = self.0.lock().unwrap();
        assert!(spans.all[number(follows)].handles > 0, "a link needs a span that is open");
        spans.all[number(span)].follows.push(follows.into_u64());
    }

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.entry(thread()).or_default().push(span.clone());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.0.lock().unwrap().entered.get_mut(&thread()).unwrap().pop(), Some(span.clone()));
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.0.lock().unwrap().all[number(span)].handles += 1;
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let handles = &mut self.0.lock().unwrap().all[number(&span)].handles;
        *handles -= 1;
        *handles == 0
    }

    fn current_span(&self) -> Current {
        let spans = self.0.lock().unwrap();
        match spans.entered.get(&thread()).and_then(|entered| entered.last()) {
            Some(id) => Current::new(id.clone(), spans.all[number(id)].metadata),
            None => Current::none(),
        }
    }
}

/// Runs `work` on this thread with a recorder, and returns what it recorded: one line for each span, with the numbers of its parent
/// and of the spans from which it follows.
fn recorded(work: impl FnOnce()) -> Vec<String> {
    let spans: Arc<Mutex<Spans>> = Arc::default();
    with_default(&Dispatch::new(Recorder(spans.clone())), work);
    let spans = spans.lock().unwrap();
    let lines = spans.all.iter().map(|span| {
        assert_eq!(span.handles, 0, "{} is still open", span.metadata.name());
        let mut line = span.metadata.name().to_owned();
        line.extend(span.parent.map(|parent| format!(" of {parent}")));
        line.extend((!span.follows.is_empty()).then(|| format!(" after {:?}", span.follows)));
        line + &span.fields
    });
    lines.collect()
}

fn request() -> Span {
    info_span!(target: "pretender::traces", "request")
}

fn put(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.put_document("trace", name, "{}")
}

fn submit_put(store: &Store, name: &'static str) -> Pending<Result<(), StoreError>> {
    request().in_scope(|| store.submit(move |tx| put(tx, name)))
}

const SQLITE: &str = r#"db.system.name="sqlite" db.operation.name="COMMIT""#;

#[test]
fn a_job_and_its_commit_belong_to_the_span_of_the_caller() {
    let directory = tempfile::tempdir().unwrap();
    let file = StoreOptions::file(directory.path().join("test.db"));
    // On the last one the thread of the writer runs jobs, which has no subscriber.
    for options in [StoreOptions::memory(), file.clone(), file.with_durability(Durability::Full)] {
        let store = Store::open(&options).unwrap();
        let spans = recorded(|| {
            request().in_scope(|| store.write(|tx| put(tx, "a"))).unwrap();
            submit_put(&store, "b").wait().unwrap();
        });
        let commit = |parent| format!("commit of {parent} {SQLITE} pretender.jobs=1");
        let expected = [
            "request".to_owned(),
            "transaction of 1".to_owned(),
            commit(1),
            "request".to_owned(),
            "transaction of 4".to_owned(),
            commit(4),
        ];
        assert_eq!(spans, expected, "{options:?}");
    }
}

#[test]
fn jobs_that_share_a_commit_are_linked_to_it() {
    let store = Store::open(&StoreOptions::memory()).unwrap();
    let spans = recorded(|| {
        let pending = ["a", "b", "c"].map(|name| submit_put(&store, name));
        pending.into_iter().for_each(|pending| pending.wait().unwrap());
    });
    let transactions = ["transaction of 1", "transaction of 2", "transaction of 3"];
    assert_eq!(spans[3..6], transactions);
    assert_eq!(spans[6..], [format!("commit of 1 after [5, 6] {SQLITE} pretender.jobs=3")]);
}

#[test]
fn jobs_that_fail_have_no_part_in_the_commit() {
    let store = Store::open(&StoreOptions::memory()).unwrap();
    let fails = |wrote: bool| {
        request().in_scope(|| {
            store.submit(move |tx| -> Result<(), StoreError> {
                if wrote {
                    put(tx, "undone")?;
                }
                Err(StoreError::Conflict)
            })
        })
    };
    // The first writes nothing and runs once. The last has written when it fails, so the group runs again.
    let spans = recorded(|| {
        let (first, kept) = (fails(false), submit_put(&store, "kept"));
        assert!(first.wait().is_err());
        kept.wait().unwrap();
        let (kept, last) = (submit_put(&store, "kept"), fails(true));
        kept.wait().unwrap();
        assert!(last.wait().is_err());
    });
    let undone = |parent| format!("transaction of {parent} pretender.rolled_back=true");
    let expected = [
        "request".to_owned(),
        "request".to_owned(),
        undone(1),
        "transaction of 2".to_owned(),
        format!("commit of 2 {SQLITE} pretender.jobs=1"),
        "request".to_owned(),
        "request".to_owned(),
        undone(6),
        undone(7),
        "transaction of 6".to_owned(),
        undone(7),
        format!("commit of 6 {SQLITE} pretender.jobs=1"),
    ];
    assert_eq!(spans, expected);
}

#[test]
fn a_panic_is_an_error() {
    let store = Store::open(&StoreOptions::memory()).unwrap();
    let spans = recorded(|| {
        let panicking =
            request().in_scope(|| store.submit(|_| -> Result<(), StoreError> { panic!("a bug") }));
        assert!(panicking.wait().is_err());
    });
    assert_eq!(spans, ["request", r#"transaction of 1 pretender.rolled_back=true otel.status_code="ERROR""#]);
}

#[test]
fn work_in_the_background_belongs_to_the_span_of_the_caller() {
    let store = Store::open(&StoreOptions::memory()).unwrap();
    let spans = recorded(|| {
        let clone = store.clone();
        let work = move || clone.write(|tx| put(tx, "a"));
        request().in_scope(|| store.run_in_background(work)).wait().unwrap();
        // Without a span there is no parent.
        store.write(|tx| put(tx, "b")).unwrap();
    });
    let commit = |of: &str| format!("commit{of} {SQLITE} pretender.jobs=1");
    let expected =
        ["request", "transaction of 1", &commit(" of 1"), "transaction", &commit("")].map(str::to_owned);
    assert_eq!(spans, expected);
}

#[cfg(feature = "postgres")]
#[test]
fn each_job_has_its_own_commit_on_a_server() {
    let Some(schema) = Schema::new() else { return };
    let store = Store::open(&StoreOptions::postgres(schema.url())).unwrap();
    let spans = recorded(|| {
        submit_put(&store, "a").wait().unwrap();
        let failed = request().in_scope(|| {
            store.submit(|tx| -> Result<(), StoreError> {
                put(tx, "b")?;
                Err(StoreError::Conflict)
            })
        });
        assert!(failed.wait().is_err());
    });
    let expected = [
        "request",
        "transaction of 1",
        r#"commit of 1 db.system.name="postgresql" db.operation.name="COMMIT" pretender.jobs=1"#,
        "request",
        "transaction of 4 pretender.rolled_back=true",
    ];
    assert_eq!(spans, expected);
}
