//! Streams of many shards: what is done to all of them at once grows with their number, not with its square.

use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, Once},
};

use pdb_model::{Account, CountingIds, EpochMillis, ShardId, StreamLabel, StreamViewType, TableName};
use pdb_store::{NewShard, ShardRow, StoreError};
use pdb_testkit::{TestDb, definition, string_key};
use tracing::{
    field::{Field, Visit},
    span,
};

thread_local! {
    /// The statements of this thread's test, while it listens.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Listens in the whole process, for whichever thread wants to hear.
struct Statements;

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "pdb_store::statement"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        HEARD.with_borrow_mut(|heard| {
            if let Some(heard) = heard {
                let mut sql = Sql::default();
                event.record(&mut sql);
                heard.push(sql.0);
            }
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Sql(String);

impl Visit for Sql {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Runs something on this thread and returns the statements it took.
fn statements(run: impl FnOnce()) -> Vec<String> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Statements).expect("nobody else listens"));
    // Places reached while nobody listened yet are asked again.
    tracing::callsite::rebuild_interest_cache();
    HEARD.set(Some(Vec::new()));
    run();
    HEARD.take().expect("what this thread heard")
}

fn orders() -> TableName {
    "orders".parse().unwrap()
}

/// Enables a stream that has this many shards.
fn enable(db: &TestDb, label: i64, count: u64) {
    let created = EpochMillis(label);
    let shards: Vec<NewShard> = (0..count)
        .map(|i| NewShard {
            id: ShardId::at(created, i as u32),
            parent: None,
            hash_from: i << 32,
            hash_to: if i + 1 == count { u64::MAX } else { ((i + 1) << 32) - 1 },
            opened: created,
        })
        .collect();
    db.write(move |tx| {
        let table = tx.table(&orders())?;
        let arn = Account::default().stream_arn(&orders(), &StreamLabel::at(created));
        let (table, _) = tx.create_stream(&table, &arn, StreamViewType::NewImage, created)?;
        tx.create_shards(&table, &shards).map(drop)
    });
}

fn open_numbers(db: &TestDb) -> Vec<u64> {
    let table = db.table();
    table.stream.iter().flat_map(|stream| &stream.shards).map(|shard| shard.number).collect()
}

/// Splits all open shards at once, and returns their children.
fn split_all(db: &TestDb) -> Vec<ShardRow> {
    let (numbers, ids) = (open_numbers(db), Arc::new(CountingIds::starting_at(1)));
    db.write(move |tx| {
        let table = tx.table(&orders())?;
        Ok(tx.split_shards(&table, &numbers, &*ids, EpochMillis(9))?.1)
    })
}

/// The statements of each change of a stream that has so many shards.
fn costs(count: u64) -> [usize; 4] {
    let db = TestDb::new();
    db.create_table(&definition("orders", string_key("pk")));
    let on = statements(|| enable(&db, 1, count));
    let numbers = open_numbers(&db);
    let rotated = statements(|| {
        let ids = Arc::new(CountingIds::starting_at(7));
        db.write(move |tx| {
            let table = tx.table(&orders())?;
            tx.rotate_shards(&table, &numbers, &*ids, EpochMillis(5)).map(drop)
        });
    });
    let split = statements(|| drop(split_all(&db)));
    let off = statements(|| {
        db.write(|tx| {
            let table = tx.table(&orders())?;
            tx.close_stream(&table, EpochMillis(10)).map(drop)
        });
    });
    for all in [&on, &rotated, &split] {
        // It looks at all shards there are, or at one row a stream.
        assert_eq!(all.iter().filter(|sql| sql.contains("max(number)")).count(), 1, "{count}");
        assert!(!all.iter().any(|sql| sql.contains("WHERE stream_id = ?1 AND shard_id = ?2")), "{count}");
    }
    [on, rotated, split, off].map(|all| all.len())
}

#[test]
fn what_is_done_to_all_shards_takes_few_statements_a_shard() {
    let (few, many) = (costs(8), costs(64));
    let mut each = Vec::new();
    for (few, many) in few.into_iter().zip(many) {
        assert_eq!((many - few) % 56, 0, "{few} and {many}");
        each.push((many - few) / 56);
    }
    // Opened: a row. Rotated: the last record is looked for, a row is closed, one opened. Split: two are. Off: twice as many are
    // closed as there were.
    let closed = if pdb_testkit::on_postgres() { 1 } else { 2 };
    assert_eq!(each, [1, closed + 1, closed + 2, 2 * closed]);
}

#[test]
fn the_children_of_many_shards_are_their_own() {
    let db = TestDb::new();
    db.create_table(&definition("orders", string_key("pk")));
    enable(&db, 1, 5);
    let stream = db.read(|tx| tx.streams(Some(&orders()))).pop().unwrap();
    let parents = db.read(|tx| tx.shards(stream.id));
    let children = split_all(&db);
    assert_eq!(children.iter().map(|child| child.number).collect::<Vec<_>>(), (6..=15).collect::<Vec<u64>>());
    for (parent, pair) in parents.iter().zip(children.chunks(2)) {
        let [low, high] = pair else { panic!("{pair:?}") };
        assert_eq!((low.parent.as_ref(), high.parent.as_ref()), (Some(&parent.id), Some(&parent.id)));
        assert_eq!((low.hash_from, high.hash_to), (parent.hash_from, parent.hash_to));
        assert_eq!(low.hash_to + 1, high.hash_from);
        assert!(low.starting > parent.starting && high.starting > parent.starting);
        assert!(low.id.as_str() > parent.id.as_str() && low.id != high.id);
    }
    let stored = db.read(|tx| tx.shards(stream.id));
    assert_eq!(stored.iter().filter(|shard| shard.is_open()).count(), 10);
    assert_eq!(stored.iter().filter(|shard| shard.closed == Some(EpochMillis(9))).count(), 5);
    // Each token has its shard.
    let table = db.table();
    let open = table.stream.as_ref().unwrap();
    for shard in &open.shards {
        for token in [shard.hash_from, shard.hash_to] {
            assert_eq!(open.shard_of(token).unwrap().number, shard.number);
        }
    }

    // All or nothing, if one of them is not open any more.
    let ids = Arc::new(CountingIds::starting_at(1));
    let refused = db.store.write(move |tx| {
        let table = tx.table(&orders())?;
        tx.rotate_shards(&table, &[6, 1], &*ids, EpochMillis(11)).map(drop)
    });
    assert!(matches!(refused, Err(StoreError::ShardNotFound(_))), "{refused:?}");
    assert_eq!(open_numbers(&db).len(), 10);
}
