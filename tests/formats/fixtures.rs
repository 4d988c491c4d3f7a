//! The fixtures, and the comparison of their answers with the stored ones.

use std::{fs, io::Read as _, path::PathBuf};

use flate2::read::GzDecoder;
use pretender::Builder;
use pretender::time::EpochMillis;
use pretender_tests::{
    formats::{Exchange, World},
    scan_order::in_order,
};
use serde_json::Value;

/// Members that descriptions of tables have had since the first fixture was kept.
const ADDED_TO_TABLES: &[&str] = &["TableThroughputModeSummary"];
/// Before this version, scans were in an order of our own.
const ORDERED_SINCE: u32 = 3;

/// Before this version, tables with point-in-time recovery had no history.
const HISTORIES_SINCE: u32 = 6;

/// A folder of `tests/fixtures`.
pub(crate) struct Fixture {
    folder: PathBuf,
}

/// All of them, the oldest first.
pub(crate) fn all() -> Vec<Fixture> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures: Vec<Fixture> =
        fs::read_dir(root).unwrap().map(|entry| Fixture { folder: entry.unwrap().path() }).collect();
    fixtures.sort_by_key(Fixture::version);
    let versions: Vec<u32> = fixtures.iter().map(Fixture::version).collect();
    // A version that wrote files and has no fixture is one whose files nobody tests.
    assert_eq!(versions, (1..=versions.len() as u32).collect::<Vec<_>>());
    fixtures
}

impl Fixture {
    pub(crate) fn version(&self) -> u32 {
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        name.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap()
    }

    /// A file of it, decompressed.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        GzDecoder::new(fs::File::open(self.folder.join(name)).unwrap()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// When the answers were given, and what was asked.
    pub(crate) fn answers(&self, name: &str) -> (EpochMillis, Vec<Exchange>) {
        let text = String::from_utf8(self.bytes(name)).unwrap();
        let mut lines = text.lines();
        let now = EpochMillis(lines.next().unwrap().parse().unwrap());
        let exchanges: Vec<Exchange> =
            lines.map(|line| Exchange::from_json(&serde_json::from_str(line).unwrap())).collect();
        // A fixture that asks nothing would prove nothing.
        for operation in ["Scan", "Query", "DescribeTable", "DescribeBackup", "DescribeStream", "GetRecords"]
        {
            let count = exchanges.iter().filter(|exchange| exchange.operation == operation).count();
            assert!(count >= 2, "{operation} is asked {count} times");
        }
        (now, exchanges)
    }
}

fn sort_items(answer: &mut Value) {
    answer["Items"].as_array_mut().unwrap().sort_by_cached_key(Value::to_string);
}

/// Earlier versions noted since when moments could be restored, and kept no history: nobody knows what was there.
fn forget_past(answer: &mut Value) {
    let recovery = &mut answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    if let Some(latest) = recovery.get("LatestRestorableDateTime").cloned() {
        recovery["EarliestRestorableDateTime"] = latest;
    }
}

/// Opens a database and asks what was asked of it before.
pub(crate) fn compare(builder: Builder, now: EpochMillis, exchanges: &[Exchange], fixture: &Fixture) {
    let world = World::open(builder, now);
    compare_in(&world, exchanges, fixture);
    world.db.close();
}

/// As [`compare`], of an open database.
pub(crate) fn compare_in(world: &World, exchanges: &[Exchange], fixture: &Fixture) {
    for Exchange { operation, request, answer } in exchanges {
        let (mut expected, mut found) = (answer.clone(), world.call(operation, request));
        // Each is another, but all are good: the old ones are asked with.
        for answer in [&mut expected, &mut found] {
            for name in ["ShardIterator", "NextShardIterator"] {
                if let Some(iterator) = answer.get_mut(name) {
                    *iterator = Value::Null;
                }
            }
        }
        // Where a fixture was kept before an answer had such a member, it says nothing of it.
        if let (Some(before), Some(Value::Object(now))) = (expected.get("Table"), found.get_mut("Table")) {
            now.retain(|name, _| !ADDED_TO_TABLES.contains(&name.as_str()) || before.get(name).is_some());
        }
        if operation == "DescribeContinuousBackups" && fixture.version() < HISTORIES_SINCE {
            forget_past(&mut expected);
        }
        if operation == "Scan" {
            let table =
                world.call("DescribeTable", &serde_json::json!({ "TableName": request["TableName"] }));
            let items = found["Items"].as_array().unwrap();
            let index = request.get("IndexName").map(|index| index.as_str().unwrap());
            assert_eq!(*items, in_order(&table, index, items), "v{}: {request}", fixture.version());
            if fixture.version() < ORDERED_SINCE {
                [&mut expected, &mut found].into_iter().for_each(sort_items);
            }
        }
        assert_eq!(found, expected, "v{}: {operation} {request}", fixture.version());
    }
}
