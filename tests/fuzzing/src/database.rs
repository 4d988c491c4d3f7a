//! The live databases of targets, and what must hold of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_wire::{Operation, Request, Wire};
use pretender::Pretender;
use pretender::maintenance::{CheckEvent, Finding};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::Value;

/// The moment at which the clock of every database stands: 2026-03-01T09:15:42.017Z.
pub(crate) const NOW: EpochMillis = EpochMillis(1_772_356_542_017);

/// The definitions of the tables, which between them have everything that a table can have.
const TABLES: [&str; 3] = [
    r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},
            {"AttributeName":"a","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
        "LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},
            {"AttributeName":"a","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
        "GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},
            {"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v"]}}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
    r#"{"TableName":"Plain","BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5},
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},"Tags":[{"Key":"a","Value":"b"}]}"#,
    r#"{"TableName":"Vectors","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"B"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},
        "VectorIndexes":[{"IndexName":"near","VectorAttribute":{"AttributeName":"e"},"Dimensions":2,
            "DistanceFunction":"COSINE","Projection":{"ProjectionType":"ALL"}}]}"#,
];

/// A database in memory with its clock, which stands still.
pub(crate) struct Live {
    pub(crate) wire: Wire,
    pub(crate) clock: Arc<ManualClock>,
}

impl Live {
    /// Returns a database with the tables `Orders`, `Plain` and `Vectors`.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(NOW));
        let db = Pretender::builder()
            .in_memory()
            .clock(clock.clone())
            .sweep_interval(None)
            .readers(1)
            .open()
            .unwrap();
        let live = Self { wire: Wire::new(db), clock };
        for table in TABLES {
            live.ok(Operation::CreateTable, table);
        }
        let ttl = r#"{"TableName":"Orders","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"n"}}"#;
        live.ok(Operation::UpdateTimeToLive, ttl);
        live
    }

    pub(crate) fn db(&self) -> &Pretender {
        self.wire.pretender()
    }

    /// Returns status and body of a call.
    pub(crate) fn call(&self, operation: Operation, body: &str) -> (u16, String) {
        let answer = self.wire.call(Request::of(operation, body)).answer().unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    fn ok(&self, operation: Operation, body: &str) -> Value {
        let (status, answer) = self.call(operation, body);
        assert_eq!(status, 200, "{}: {answer}", operation.name());
        if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }
}

/// The database check finds nothing: rows, keys, counts, indexes and streams fit together.
pub(crate) fn check_sound(db: &Pretender) {
    let mut findings: Vec<Finding> = Vec::new();
    let report = db.check(&mut |event| {
        if let CheckEvent::Finding(finding) = event {
            findings.push(finding);
        }
    });
    report.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
}

/// Returns all items of a table by their texts, read in pages through the API; `None` if there is no such table.
pub(crate) fn items(wire: &Wire, table: &str) -> Option<Vec<String>> {
    let mut items = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut body = serde_json::json!({"TableName": table, "ConsistentRead": true});
        if !start.is_null() {
            body["ExclusiveStartKey"] = start;
        }
        let answer = wire.call(Request::of(Operation::Scan, body.to_string())).answer().unwrap();
        if answer.status != 200 {
            return None;
        }
        let mut page: Value = serde_json::from_slice(&answer.body).unwrap();
        items.extend(page["Items"].as_array().unwrap().iter().map(Value::to_string));
        start = page["LastEvaluatedKey"].take();
        if start.is_null() {
            return Some(items);
        }
    }
}

/// The stream of a table that was empty when the stream began, replayed, gives the items of the table.
pub(crate) fn check_replay(wire: &Wire, table: &str) {
    let mut replayed: BTreeMap<String, Value> = BTreeMap::new();
    for change in wire.pretender().changes(table).unwrap() {
        let key = change.keys.to_string();
        let image = |item: &pretender::model::Item| serde_json::from_str::<Value>(&item.to_string()).unwrap();
        assert_eq!(
            replayed.get(&key),
            change.old_image.as_ref().map(image).as_ref(),
            "the old image of {change} is the new one of the record before"
        );
        assert_ne!(change.old_image, change.new_image, "{change} changes nothing");
        match &change.new_image {
            Some(new) => replayed.insert(key, image(new)),
            None => replayed.remove(&key),
        };
    }
    let mut stored = items(wire, table).unwrap();
    let mut expected: Vec<String> = replayed.values().map(Value::to_string).collect();
    stored.sort();
    expected.sort();
    assert_eq!(expected, stored, "the stream of {table}, replayed, and the table");
}
