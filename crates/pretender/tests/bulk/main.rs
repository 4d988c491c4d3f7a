//! Bulk loads: they do what single calls do, leave room for others, and say what they refuse.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pretender::Pretender;
use pretender::bulk::{BulkChange, BulkCondition, BulkWrite};
use pretender::faults::{Fault, FaultKind};
use pretender::items::{DeleteItemInput, PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification};
use proptest::collection::vec;
use proptest::prelude::*;

fn orders() -> TableName {
    TableName::new("Orders").unwrap()
}

fn database() -> Pretender {
    let db = Pretender::in_memory().unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
        ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
    })
    .unwrap();
    db
}

fn item(id: u32, version: u32) -> Item {
    Item::new().with("id", format!("o{id}")).with("version", version)
}

fn items(db: &Pretender) -> Vec<String> {
    let page = db.scan(ScanInput::new(orders())).unwrap();
    page.items.unwrap().iter().map(|item| item.json().to_owned()).collect()
}

fn records(db: &Pretender) -> u64 {
    db.stream_reports().unwrap()[0].shards.iter().map(|shard| shard.backlog.records).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The same writes, one by one and in bulk, make the same items and as many records. Few keys: many writes meet.
    #[test]
    fn a_bulk_load_does_what_single_calls_do(writes in vec((0_u32..20, 0_u32..4, any::<bool>()), 0..1500)) {
        let (single, bulk) = (database(), database());
        let mut load = bulk.bulk_load(&orders());
        for (id, version, is_put) in writes {
            if is_put {
                single.put_item(PutItemInput::new(orders(), item(id, version))).unwrap();
                load.push((), BulkWrite::put(item(id, version))).unwrap();
            } else {
                let key = Item::new().with("id", format!("o{id}"));
                single.delete_item(DeleteItemInput::new(orders(), key.clone())).unwrap();
                load.push((), BulkWrite::delete(key)).unwrap();
            }
        }
        load.finish().unwrap();
        prop_assert_eq!(items(&bulk), items(&single));
        prop_assert_eq!(records(&bulk), records(&single));
        let mut read = Vec::new();
        let mut again = 0;
        bulk.read_whole_table(
            &orders(),
            &mut [
                &mut |json: &str| {
                    read.push(json.to_owned());
                    ControlFlow::Continue(())
                },
                &mut |_: &str| {
                    again += 1;
                    ControlFlow::Continue(())
                },
            ],
        )
        .unwrap();
        prop_assert_eq!(read.len(), again);
        prop_assert_eq!(read, items(&single));
    }
}

#[test]
fn what_is_refused_has_no_effect_and_a_reason() {
    let db = database();
    db.put_item(PutItemInput::new(orders(), item(1, 1))).unwrap();
    let condition = |expression: &str| {
        Some(BulkCondition { expression: expression.to_owned(), ..BulkCondition::default() })
    };
    let put = |item: Item, condition| BulkWrite { change: BulkChange::Put(item), condition };
    let deep = (0..33).fold(pretender::model::AttributeValue::Null, |value, _| vec![value].into());
    let mut load = db.bulk_load(&orders());
    for (tag, write) in [
        put(Item::new().with("no", 1), None),
        put(Item::new().with("id", 1), None),
        put(Item::new().with("id", ""), None),
        put(item(1, 2), condition("attribute_not_exists(id)")),
        put(item(2, 2), condition("attribute_not_exists(id)")),
        put(item(3, 2), condition("attribute_not_exists(")),
        put(item(4, 2).with("long", "x".repeat(410_000)), None),
        put(item(5, 2).with("deep", deep), None),
        BulkWrite::delete(item(1, 1)),
        put(item(6, 2), None),
    ]
    .into_iter()
    .enumerate()
    {
        load.push(tag, write).unwrap();
    }
    let report = load.finish().unwrap();
    assert_eq!((report.put, report.conditions_failed, report.refused), (2, 1, 7));
    let refused = load.take_refused();
    let tags: Vec<usize> = refused.iter().map(|refused| refused.tag).collect();
    assert_eq!(tags, [0, 1, 2, 3, 5, 6, 7, 8]);
    for (at, reason) in [
        (0, "Missing the key id in the item"),
        (1, "Type mismatch for key id expected: S actual: N"),
        (2, "empty string value. Key: id"),
        (3, "The conditional request failed"),
        (4, "Invalid ConditionExpression"),
        (5, "Item size has exceeded the maximum allowed size"),
        (6, "Nesting Levels have exceeded supported limits"),
        (7, "The provided key element does not match the schema"),
    ] {
        assert!(refused[at].reason.contains(reason), "{at}: {}", refused[at].reason);
    }
    assert_eq!(refused[3].existing.as_ref().unwrap().json(), item(1, 1).to_string());
    assert_eq!(items(&db).len(), 3);
    // A trial says the same, but for conditions, and changes nothing.
    let mut trial = db.bulk_trial(&orders());
    trial.push((), BulkWrite::put(Item::new().with("no", 1))).unwrap();
    trial.push((), BulkWrite::put(item(7, 1))).unwrap();
    let report = trial.finish().unwrap();
    assert_eq!((report.put, report.refused, items(&db).len()), (1, 1, 3));
}

#[test]
fn others_can_write_during_a_bulk_load() {
    let db = database();
    let (is_over, others) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for id in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                db.put_item(PutItemInput::new(orders(), item(1_000_000 + id, 0))).unwrap();
                others.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut load = db.bulk_load(&orders());
        for id in 0..20_000 {
            load.push((), BulkWrite::put(item(id, 1))).unwrap();
        }
        load.finish().unwrap();
        is_over.store(true, Ordering::Relaxed);
    });
    // A bulk load has 50 transactions; another writer gets a turn in most of them.
    let others = others.load(Ordering::Relaxed);
    assert!(others >= 10, "another writer has put {others} items only");
    assert_eq!(records(&db).min(10_000), 10_000);
}

#[test]
fn a_fault_stops_a_bulk_load_and_what_was_written_stays() {
    let db = database();
    db.faults().add(Fault::new(FaultKind::Throttling).skip(2)).unwrap();
    let mut load = db.bulk_load(&orders());
    let pushed =
        (0..2000).find_map(|id| load.push((), BulkWrite::put(item(id, 1))).err().map(|error| (id, error)));
    let (id, error) = pushed.unwrap();
    assert_eq!(error.code, pretender::errors::ErrorCode::ThrottlingException);
    assert_eq!(id, 3 * 400 - 1);
    db.faults().clear();
    let report = load.finish().unwrap();
    // The writes of the refused transaction were still waiting.
    assert_eq!(report.put, 1200);
}
