//! What needs the writer in hand: who is in a group with whom, and commits that fail.

mod closing;
mod compacting;
mod log;

use std::path::Path;

use pdb_model::{
    EncodedItem, EpochMillis, Item, KeyAttribute, KeyBytes, KeySchema, ScalarType, TableDefinition, TableName,
};
use proptest::prelude::*;

use super::*;
use crate::{
    Durability, Pending, Store, StoreOptions, Tx, driver::Driver, error::StoreError, sqlite::checkpoint,
};

fn definition(name: &str) -> TableDefinition {
    let key = KeyAttribute { name: "pk".to_owned(), scalar_type: ScalarType::S };
    let key_schema = KeySchema::simple(key, None);
    TableDefinition::minimal(name.parse().unwrap(), "id".to_owned(), EpochMillis(0), key_schema)
}

fn orders() -> TableName {
    "orders".parse().unwrap()
}

fn with_orders(options: &StoreOptions) -> Store {
    let store = Store::open(options).unwrap();
    store.write(|tx| tx.create_table(&definition("orders"))).unwrap();
    store
}

fn on_disk(directory: &Path) -> Store {
    with_orders(&StoreOptions::file(directory.join("test.db")).with_durability(Durability::Full))
}

fn put(tx: &mut Tx<'_>, pk: &str, value: &str) -> Result<(), StoreError> {
    let table = tx.table(&orders())?;
    let item = Item::new().with("pk", pk).with("value", value);
    let key = table.definition.key_schema.extract(&item).unwrap().encode();
    let old = tx.lock_item(&table, &key)?.map(|(row, _)| row);
    tx.put_item(&table, &key, old, &EncodedItem::from(&item), None)
}

fn key(pk: &str) -> KeyBytes {
    let item = Item::new().with("pk", pk);
    definition("orders").key_schema.extract(&item).unwrap().encode()
}

fn get(store: &Store, pk: &str) -> Option<String> {
    let item = store.read(|tx| {
        let table = tx.table(&orders())?;
        tx.get_item(&table, &key(pk))
    });
    let item: Result<_, StoreError> = item;
    item.unwrap().map(|item| item.decode().unwrap()["value"].as_s().unwrap().to_owned())
}

fn not_synced(directory: &Path) -> Store {
    with_orders(&StoreOptions::file(directory.join("test.db")).with_durability(Durability::Normal))
}

#[test]
fn an_idle_writer_is_taken_by_the_thread_that_waits_for_an_answer() {
    let here = std::thread::current().id();
    let ran_here = |store: &Store| {
        let thread: Result<_, StoreError> = store.submit(|_| Ok(std::thread::current().id())).wait();
        thread.unwrap() == here
    };
    assert!(ran_here(&with_orders(&StoreOptions::memory())));
    let directory = tempfile::tempdir().unwrap();
    assert!(ran_here(&not_synced(directory.path())));
    let directory = tempfile::tempdir().unwrap();
    assert!(!ran_here(&on_disk(directory.path())), "nobody but the writer waits for a disk");

    // A writer that is held back pauses on its own thread, and does what there is.
    let directory = tempfile::tempdir().unwrap();
    let store = not_synced(directory.path());
    let held_back = |is_held_back| {
        store.sqlite_engine().core.is_held_back.store(is_held_back, Ordering::Relaxed);
    };
    held_back(true);
    let pending = ["a", "b", "c"].map(|pk| store.submit(move |tx| put(tx, pk, "x")));
    pending.into_iter().for_each(|pending| pending.wait().unwrap());
    store.write(|tx| put(tx, "d", "x")).unwrap();
    assert!(!ran_here(&store));
    assert_eq!(counts(&store).0, 4);
    held_back(false);
    assert!(ran_here(&store));

    // A submission from inside a read, which has the writer of a database in memory, is no deadlock.
    let store = with_orders(&StoreOptions::memory());
    let pending = store.read(|_| Ok::<_, StoreError>(store.submit(|tx| put(tx, "a", "1"))));
    pending.unwrap().wait().unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
}

/// Polls once, and counts how often the task is woken.
fn poll_once<T>(pending: &mut Pending<T>, wakes: &Arc<Wakes>) -> std::task::Poll<T> {
    let waker = wakes.clone().into();
    std::pin::Pin::new(pending).poll(&mut std::task::Context::from_waker(&waker))
}

#[derive(Default)]
struct Wakes(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn jobs_of_tasks_that_are_ready_share_a_commit() {
    let directory = tempfile::tempdir().unwrap();
    for store in [with_orders(&StoreOptions::memory()), not_synced(directory.path())] {
        let before = store.commits();
        let mut pending = ["a", "b", "c"].map(|pk| store.submit(move |tx| put(tx, pk, "x")));
        let wakes = Arc::new(Wakes::default());
        // Each lets the others go first, once.
        for pending in &mut pending {
            assert!(poll_once(pending, &wakes).is_pending());
        }
        assert_eq!((wakes.0.load(Ordering::Relaxed), store.commits() - before), (3, 0));
        for pending in &mut pending {
            assert!(matches!(poll_once(pending, &wakes), std::task::Poll::Ready(Ok(()))));
        }
        assert_eq!((wakes.0.load(Ordering::Relaxed), store.commits() - before), (3, 1));
        assert_eq!(counts(&store).0, 3);
    }
}

#[test]
fn a_job_runs_even_if_nobody_waits_for_its_answer() {
    let directory = tempfile::tempdir().unwrap();
    for store in [with_orders(&StoreOptions::memory()), not_synced(directory.path())] {
        let is_there = |pk: &str| {
            let until = Instant::now() + Duration::from_secs(20);
            while get(&store, pk).is_none() && Instant::now() < until {
                std::thread::yield_now();
            }
            get(&store, pk).is_some()
        };
        drop(store.submit(|tx| put(tx, "dropped", "x")));
        assert!(is_there("dropped"));
        let mut begun = store.submit(|tx| put(tx, "begun", "x"));
        begun.begin();
        assert!(is_there("begun"));
        begun.wait().unwrap();
        let mut polled = store.submit(|tx| put(tx, "polled", "x"));
        assert!(poll_once(&mut polled, &Arc::default()).is_pending());
        drop(polled);
        assert!(is_there("polled"));
        // Jobs run in the order in which they were submitted, also if the later one is waited for first.
        let first = store.submit(|tx| put(tx, "twice", "first"));
        store.write(|tx| put(tx, "twice", "second")).unwrap();
        assert_eq!(get(&store, "twice").as_deref(), Some("second"));
        first.wait().unwrap();
    }
}

/// A task that finds jobs being run leaves its own to the thread that runs them, also if that has just committed.
#[test]
fn a_job_that_comes_after_a_commit_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    for store in [with_orders(&StoreOptions::memory()), not_synced(directory.path())] {
        let late = Arc::new(Mutex::new(None));
        let (submits, kept) = (store.clone(), late.clone());
        // Called after the commit, while the thread still counts as one that runs jobs.
        store.watch(move || {
            let mut job = submits.submit(|tx| put(tx, "late", "x"));
            let wakes = Arc::default();
            assert!(poll_once(&mut job, &wakes).is_pending());
            assert!(poll_once(&mut job, &wakes).is_pending(), "this thread has begun to run jobs");
            *kept.lock().unwrap() = Some(job);
            false
        });
        store.submit(|tx| put(tx, "first", "x")).wait().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while get(&store, "late").is_none() && Instant::now() < until {
            std::thread::yield_now();
        }
        assert_eq!(get(&store, "late").as_deref(), Some("x"));
        let mut late = late.lock().unwrap().take().unwrap();
        assert!(matches!(poll_once(&mut late, &Arc::default()), std::task::Poll::Ready(Ok(()))));
    }
}

#[test]
fn more_jobs_than_may_wait_are_run_meanwhile() {
    let store = with_orders(&StoreOptions::memory());
    let pending: Vec<_> = (0..3000).map(|n| store.submit(move |tx| put(tx, &n.to_string(), "x"))).collect();
    pending.into_iter().for_each(|pending| pending.wait().unwrap());
    assert_eq!(counts(&store).0, 3000);
}

/// Items by count, as counted and as kept in the statistics.
fn counts(store: &Store) -> (u64, u64) {
    store
        .read(|tx| {
            let table = tx.table(&orders())?;
            let mut seen = (0, 0);
            let range = crate::KeyRange::all();
            tx.scan(&table, None, &range, crate::Direction::Forward, &mut |row| {
                seen.0 += 1;
                seen.1 += row.size_bytes;
                std::ops::ControlFlow::Continue(())
            })?;
            let kept = tx.table_statistics(&table)?;
            assert_eq!(seen, (kept.item_count, kept.size_bytes));
            Ok::<_, StoreError>(seen)
        })
        .unwrap()
}

/// Runs what `submit` hands in as one group.
fn in_one_group<T>(store: &Store, submit: impl FnOnce() -> T) -> T {
    let writer = store.sqlite_engine().core.lock_writer();
    let pending = submit();
    drop(writer);
    pending
}

#[test]
fn failures_and_panics_undo_only_themselves() {
    let store = with_orders(&StoreOptions::memory());
    let answers = in_one_group(&store, || {
        let fine = |pk: &'static str| store.submit(move |tx| put(tx, pk, "fine"));
        let first = store.submit(|tx| {
            put(tx, "first", "undone")?;
            Err::<(), _>(StoreError::Closed)
        });
        let a = fine("a");
        let failing = store.submit(|tx| {
            put(tx, "a", "undone")?;
            put(tx, "b", "undone")?;
            tx.create_table(&definition("undone"))?;
            Err::<(), _>(StoreError::TableNotFound(orders()))
        });
        let panicking = store.submit(|tx| {
            put(tx, "c", "undone")?;
            tx.drop_table(&orders(), EpochMillis(0))?;
            if tx.table(&orders()).is_err() {
                panic!("at the worst moment")
            }
            Ok::<(), StoreError>(())
        });
        [first, a, failing, panicking, fine("d")]
    });
    let answers = answers.map(|pending| pending.wait().map_err(|e| e.to_string()));
    assert_eq!(
        answers,
        [
            Err("the store is closed".to_owned()),
            Ok(()),
            Err("table `orders` does not exist".to_owned()),
            Err("the work on the store panicked: at the worst moment".to_owned()),
            Ok(()),
        ]
    );
    let values = ["first", "a", "b", "c", "d"].map(|pk| get(&store, pk));
    assert_eq!(values, [None, Some("fine".to_owned()), None, None, Some("fine".to_owned())]);
    assert_eq!(store.read(|tx| tx.table_names(None, 10)).unwrap(), [orders()]);
    assert_eq!(counts(&store).0, 2);
    // The name that was undone is free.
    store.write(|tx| tx.create_table(&definition("undone"))).unwrap();
}

#[test]
fn tables_are_seen_by_later_pieces_of_the_group() {
    let store = Store::open(&StoreOptions::memory()).unwrap();
    let (created, written, dropped, missed) = in_one_group(&store, || {
        (
            store.submit(|tx| tx.create_table(&definition("orders"))),
            store.submit(|tx| put(tx, "a", "x")),
            store.submit(|tx| tx.drop_table(&orders(), EpochMillis(0))),
            store.submit(|tx| put(tx, "b", "x")),
        )
    });
    created.wait().unwrap();
    written.wait().unwrap();
    dropped.wait().unwrap();
    assert!(matches!(missed.wait(), Err(StoreError::TableNotFound(_))));
    assert!(store.read(|tx| tx.table(&orders())).is_err());
}

#[test]
fn a_commit_that_fails_fails_all_of_its_group_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    store.write(|tx| put(tx, "before", "x")).unwrap();
    // A reference that is checked at commit, to nothing.
    store
        .sqlite_engine()
        .core
        .lock_writer()
        .as_ref()
        .unwrap()
        .connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; CREATE TABLE parent (x PRIMARY KEY);
             CREATE TABLE child (x REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let pending = in_one_group(&store, || {
        [
            store.submit(|tx| put(tx, "a", "x")),
            store.submit(|tx| tx.create_table(&definition("undone")).map(drop)),
            store.submit(|tx| tx.change("break the commit", "INSERT INTO child VALUES (1)", &[]).map(drop)),
            store.submit(|_| Err(StoreError::TableNotFound(orders()))),
        ]
    });
    for answer in pending.map(Pending::wait) {
        assert!(matches!(answer, Err(StoreError::Database { during: "commit", .. })), "{answer:?}");
    }
    assert_eq!(get(&store, "a"), None);
    assert_eq!(store.read(|tx| tx.table_names(None, 10)).unwrap(), [orders()]);
    store.write(|tx| put(tx, "after", "x")).unwrap();
    store.write(|tx| tx.create_table(&definition("undone"))).unwrap();
    assert_eq!(counts(&store).0, 2);
}

#[test]
fn a_full_disk_fails_writes_until_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    store.write(|tx| put(tx, "before", "x")).unwrap();
    let limit = |pages: u32| {
        let writer = store.sqlite_engine().core.lock_writer();
        let connection = &writer.as_ref().unwrap().connection;
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    limit(1);
    let pending = in_one_group(&store, || {
        ["a", "b", "c"].map(|pk| store.submit(move |tx| put(tx, pk, &"x".repeat(50_000))))
    });
    for answer in pending.map(Pending::wait) {
        assert!(matches!(answer, Err(StoreError::Database { .. })), "{answer:?}");
    }
    let alone = store.write(|tx| put(tx, "d", &"x".repeat(50_000)));
    assert!(matches!(&alone, Err(StoreError::Database { .. })), "{alone:?}");
    assert_eq!(get(&store, "before").as_deref(), Some("x"));
    limit(100_000);
    store.write(|tx| put(tx, "e", &"x".repeat(50_000))).unwrap();
    assert_eq!(counts(&store).0, 2);
}

#[test]
fn a_closed_store_refuses() {
    let store = with_orders(&StoreOptions::memory());
    let accepted = in_one_group(&store, || {
        let accepted = ["a", "b"].map(|pk| store.submit(move |tx| put(tx, pk, "x")));
        store.sqlite_engine().core.queue.close();
        accepted
    });
    for pending in accepted {
        pending.wait().unwrap();
    }
    store.close();
    store.close();
    assert!(matches!(store.write(|tx| put(tx, "c", "x")), Err(StoreError::Closed)));
    assert!(matches!(store.submit(|tx| put(tx, "c", "x")).wait(), Err(StoreError::Closed)));
    assert!(matches!(store.read(|tx| tx.table_names(None, 1)), Err(StoreError::Closed)));
}

#[test]
fn work_may_hold_the_last_clone() {
    let store = with_orders(&StoreOptions::memory());
    let clone = store.clone();
    let pending = in_one_group(&store, || {
        store.submit(move |tx| {
            let _held = &clone;
            put(tx, "a", "x")
        })
    });
    drop(store);
    pending.wait().unwrap();
}

#[test]
fn submitted_work_can_be_awaited() {
    let store = with_orders(&StoreOptions::memory());
    let pending = store.submit(|tx| put(tx, "a", "x"));
    let mut pending = std::pin::pin!(pending);
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let answer = loop {
        match pending.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => break answer,
            std::task::Poll::Pending => std::thread::park(),
        }
    };
    answer.unwrap();
}

#[test]
fn many_threads_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..50 {
                    let pk = format!("{thread}-{i}");
                    let seen = pk.clone();
                    store.write(move |tx| put(tx, &pk, "x")).unwrap();
                    // A client reads what it has been told is written.
                    assert_eq!(get(store, &seen).as_deref(), Some("x"));
                }
            });
        }
    });
    assert_eq!(counts(&store).0, 400);
}

/// What a job of the property below does.
#[derive(Clone, Debug)]
struct Step {
    puts: Vec<u8>,
    creates: Option<u8>,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Ok,
    Err,
    Panic,
}

fn any_step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![3 => Just(End::Ok), 1 => Just(End::Err), 1 => Just(End::Panic)];
    let parts = (prop::collection::vec(0u8..6, 0..4), prop::option::weighted(0.3, 0u8..4), end);
    parts.prop_map(|(puts, creates, end)| Step { puts, creates, end })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(48), ..ProptestConfig::default() })]

    /// However jobs are grouped and whichever of them fail, what is there afterwards is what the others did.
    #[test]
    fn groups_are_the_sum_of_their_good_pieces(
        groups in prop::collection::vec(prop::collection::vec(any_step(), 1..6), 1..6),
        file in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = if file { on_disk(directory.path()) } else { with_orders(&StoreOptions::memory()) };
        let mut items = std::collections::BTreeMap::new();
        let mut tables = std::collections::BTreeSet::from(["orders".to_owned()]);
        let mut serial = 0;
        for group in groups {
            let steps: Vec<_> = group.into_iter().map(|step| { serial += 1; (serial, step) }).collect();
            let pending: Vec<_> = in_one_group(&store, || {
                steps.iter().cloned().map(|(serial, step)| store.submit(move |tx| {
                    for pk in &step.puts {
                        put(tx, &pk.to_string(), &serial.to_string())?;
                    }
                    if let Some(table) = step.creates {
                        tx.create_table(&definition(&format!("table{table}")))?;
                    }
                    match step.end {
                        End::Ok => Ok(()),
                        End::Err => Err(StoreError::Closed),
                        End::Panic => panic!("as told"),
                    }
                })).collect()
            });
            for ((serial, step), pending) in steps.into_iter().zip(pending) {
                let exists = step.creates.is_some_and(|table| tables.contains(&format!("table{table}")));
                let good = matches!(step.end, End::Ok) && !exists;
                prop_assert_eq!(pending.wait().is_ok(), good);
                if good {
                    items.extend(step.puts.iter().map(|pk| (pk.to_string(), serial.to_string())));
                    tables.extend(step.creates.map(|table| format!("table{table}")));
                }
            }
            for pk in 0..6u8 {
                prop_assert_eq!(get(&store, &pk.to_string()), items.get(&pk.to_string()).cloned());
            }
            let names = store.read(|tx| tx.table_names(None, 100)).unwrap();
            prop_assert!(names.iter().map(TableName::as_str).eq(tables.iter().map(String::as_str)));
            prop_assert_eq!(counts(&store).0, items.len() as u64);
        }
    }
}

/// With many tables, reads after a definition go to the writer, which knows the schema; not for ever, and not if it is busy.
#[test]
fn reads_make_a_detour_where_the_schema_is_long() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    let reads_via_writer = |store: &Store| {
        let published = store.sqlite_engine().core.published.read().unwrap();
        published.schema.reads_via_writer.load(Ordering::Relaxed)
    };
    store.write(|tx| put(tx, "a", "1")).unwrap();
    assert_eq!((get(&store, "a").as_deref(), reads_via_writer(&store)), (Some("1"), 0));
    let define = |name: String| store.write(move |tx| tx.create_table(&definition(&name))).unwrap();
    (0..MANY_TABLES).for_each(|n| drop(define(format!("table-{n}"))));
    store.write(|tx| put(tx, "a", "2")).unwrap();
    let tables = MANY_TABLES + 1;
    for read in 1..=tables + 3 {
        assert_eq!(get(&store, "a").as_deref(), Some("2"));
        // The last ones have found a reader of which SQLite has read the schema.
        assert_eq!(reads_via_writer(&store), read.min(tables + 1));
    }
    define("more".to_owned());
    let writer = store.sqlite_engine().core.lock_writer();
    assert_eq!(get(&store, "a").as_deref(), Some("2"));
    assert_eq!(reads_via_writer(&store), 1);
    drop(writer);
}
