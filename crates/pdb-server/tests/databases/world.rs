//! A database with something of everything, as the API shows it.

use std::sync::Arc;
use std::time::Duration;

use pdb_wire::{Request, Wire};
use pretender::Builder;
use pretender::model::CountingIds;
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

/// An open database, its time and its ids.
pub(crate) struct World {
    pub(crate) wire: Wire,
    pub(crate) clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
}

impl World {
    /// Opens a database at 2026-03-01T09:15:42.017Z, with ids that count from 1.
    pub(crate) fn open(builder: Builder) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        Self::with(builder, clock, Arc::new(CountingIds::starting_at(1)))
    }

    fn with(builder: Builder, clock: Arc<ManualClock>, ids: Arc<CountingIds>) -> Self {
        let db = builder.clock(clock.clone()).ids(ids.clone()).sweep_interval(None).open().unwrap();
        Self { wire: Wire::new(db), clock, ids }
    }

    /// Opens another database with the same time and ids.
    pub(crate) fn beside(&self, builder: Builder) -> Self {
        Self::with(builder, self.clock.clone(), self.ids.clone())
    }

    pub(crate) fn close(&self) {
        self.wire.pretender().close();
    }

    /// Status and answer of a call; the service follows from the operation's name.
    pub(crate) fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let service = match operation {
            "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => {
                "DynamoDBStreams_20120810"
            }
            _ => "DynamoDB_20120810",
        };
        let target = format!("{service}.{operation}");
        let answer = self.wire.call(Request::new(Some(&target), body.to_string())).answer().unwrap();
        // Some operations answer nothing.
        let body = if answer.body.is_empty() { &b"null"[..] } else { &answer.body };
        (answer.status, serde_json::from_slice(body).unwrap())
    }

    /// The answer of a call that succeeds.
    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.call(operation, &body);
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.wire.pretender().run_due_work().unwrap();
    }

    /// Makes something of everything a database can hold.
    pub(crate) fn fill(&self) {
        let orders = self.ok(
            "CreateTable",
            json!({
                "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
                    {"AttributeName": "status", "AttributeType": "S"}, {"AttributeName": "due", "AttributeType": "N"}],
                "GlobalSecondaryIndexes": [{"IndexName": "by-status", "Projection": {"ProjectionType": "ALL"},
                    "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}]}],
                "LocalSecondaryIndexes": [{"IndexName": "by-due", "Projection": {"ProjectionType": "KEYS_ONLY"},
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "due", "KeyType": "RANGE"}]}],
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                "Tags": [{"Key": "team", "Value": "shop"}],
            }),
        );
        let table_arn = orders["TableDescription"]["TableArn"].clone();
        self.ok(
            "UpdateTimeToLive",
            json!({"TableName": "Orders", "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true}}),
        );
        self.ok(
            "PutResourcePolicy",
            json!({"ResourceArn": table_arn, "Policy": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"}),
        );
        // More than one step of a copy, by rows and by bytes.
        for n in 0..40 {
            let puts: Vec<Value> =
                (0..25).map(|m| json!({"PutRequest": {"Item": order(n * 25 + m)}})).collect();
            self.ok("BatchWriteItem", json!({"RequestItems": {"Orders": puts}}));
        }
        let arn = self.stream_of("Orders");
        let stream_arn = arn.as_str().unwrap().parse().unwrap();
        self.wire.pretender().split_shards(&stream_arn, None).unwrap();
        for n in 0..30 {
            self.ok("DeleteItem", json!({"TableName": "Orders", "Key": key(&order(n))}));
        }
        self.wire.pretender().rotate_shards(&stream_arn, None).unwrap();
        self.pass(Duration::from_secs(7 * 3600));
        for n in 0..20 {
            let mut large = order(2_000 + n);
            large["text"] = json!({"S": "ä".repeat(150_000)});
            self.ok("PutItem", json!({"TableName": "Orders", "Item": large}));
        }
        for n in 30..60 {
            self.ok(
                "UpdateItem",
                json!({
                "TableName": "Orders", "Key": key(&order(n)), "UpdateExpression": "SET note = :n",
                "ExpressionAttributeValues": {":n": {"S": "seen"}}}),
            );
        }
        self.ok("CreateBackup", json!({"TableName": "Orders", "BackupName": "monday"}));
        self.toggled_and_gone();
        // Expires some items, and trims the oldest records.
        self.pass(Duration::from_secs(18 * 3600));
        self.transact();
    }

    /// Tables whose streams were disabled, or which are gone, and one with a name that is no SQL name.
    fn toggled_and_gone(&self) {
        for name in ["Odd.Name-WITH_Capitals", "odd.name-with_capitals", "gone", "plain"] {
            let stream = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
            let stream = if name == "plain" { json!({"StreamEnabled": false}) } else { stream };
            self.ok(
                "CreateTable",
                json!({
                "TableName": name, "BillingMode": "PAY_PER_REQUEST", "StreamSpecification": stream,
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "B"}]}),
            );
            for id in ["AAE=", "/w==", "AA=="] {
                self.ok("PutItem", json!({"TableName": name, "Item": {"id": {"B": id}, "n": {"N": "1.5"}}}));
            }
        }
        self.ok("DeleteTable", json!({"TableName": "gone"}));
        let name = "Odd.Name-WITH_Capitals";
        self.ok("UpdateTable", json!({"TableName": name, "StreamSpecification": {"StreamEnabled": false}}));
        self.clock.advance(Duration::from_secs(1));
        self.ok("UpdateTable", json!({
            "TableName": name, "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}}));
        self.ok("PutItem", json!({"TableName": name, "Item": {"id": {"B": "AAE="}, "n": {"N": "2"}}}));
    }

    /// A transaction under a token; said twice, it is done once.
    pub(crate) fn transact(&self) {
        self.ok(
            "TransactWriteItems",
            json!({
            "ClientRequestToken": "once-and-no-more",
            "TransactItems": [{"Update": {
                "TableName": "Orders", "Key": key(&order(500)), "UpdateExpression": "ADD times :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}}}}]}),
        );
    }

    /// The ARN of a table's latest stream.
    pub(crate) fn stream_of(&self, table: &str) -> Value {
        self.ok("DescribeTable", json!({"TableName": table}))["Table"]["LatestStreamArn"].clone()
    }

    /// All that the API shows, but for iterators, which never repeat.
    pub(crate) fn facts(&self) -> Vec<(String, Value)> {
        let mut facts = Vec::new();
        let mut tell = |what: String, fact: Value| facts.push((what, fact));
        let tables = self.ok("ListTables", json!({}));
        for table in tables["TableNames"].as_array().unwrap() {
            let name = table.as_str().unwrap();
            let description = self.ok("DescribeTable", json!({"TableName": name}));
            let arn = description["Table"]["TableArn"].clone();
            for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
                for index in description["Table"][kind].as_array().into_iter().flatten() {
                    let index = index["IndexName"].as_str().unwrap();
                    let scan = json!({"TableName": name, "IndexName": index});
                    tell(format!("index {index} of {name}"), self.pages("Scan", scan, "Items"));
                }
            }
            tell(format!("table {name}"), description);
            tell(format!("ttl of {name}"), self.ok("DescribeTimeToLive", json!({"TableName": name})));
            tell(format!("tags of {name}"), self.ok("ListTagsOfResource", json!({"ResourceArn": arn})));
            tell(format!("policy of {name}"), self.call("GetResourcePolicy", &json!({"ResourceArn": arn})).1);
            tell(format!("items of {name}"), self.pages("Scan", json!({"TableName": name}), "Items"));
        }
        let backups = self.ok("ListBackups", json!({}));
        for backup in backups["BackupSummaries"].as_array().unwrap() {
            let arn = &backup["BackupArn"];
            tell(format!("backup {arn}"), self.ok("DescribeBackup", json!({"BackupArn": arn})));
        }
        let streams = self.ok("ListStreams", json!({}));
        for stream in streams["Streams"].as_array().unwrap() {
            let arn = &stream["StreamArn"];
            let description = self.ok("DescribeStream", json!({"StreamArn": arn}));
            for shard in description["StreamDescription"]["Shards"].as_array().unwrap() {
                let id = &shard["ShardId"];
                let records = self.records(&self.iterator(arn, id, "TRIM_HORIZON"));
                tell(format!("records of {arn} {id}"), Value::Array(records.0));
            }
            tell(format!("stream {arn}"), description);
        }
        facts
    }

    /// What `ListStreams` shows.
    pub(crate) fn facts_of_streams(&self) -> Value {
        self.ok("ListStreams", json!({}))
    }

    fn pages(&self, operation: &str, mut body: Value, member: &str) -> Value {
        let mut all = Vec::new();
        loop {
            let mut page = self.ok(operation, body.clone());
            all.append(page[member].as_array_mut().unwrap());
            match page.get("LastEvaluatedKey") {
                Some(key) => body["ExclusiveStartKey"] = key.clone(),
                None => return Value::Array(all),
            }
        }
    }

    pub(crate) fn iterator(&self, stream_arn: &Value, shard: &Value, kind: &str) -> Value {
        let body = json!({"StreamArn": stream_arn, "ShardId": shard, "ShardIteratorType": kind});
        self.ok("GetShardIterator", body)["ShardIterator"].clone()
    }

    /// All records from an iterator on, and the iterator behind them if the shard is open.
    pub(crate) fn records(&self, iterator: &Value) -> (Vec<Value>, Option<Value>) {
        let (mut all, mut iterator) = (Vec::new(), iterator.clone());
        loop {
            let mut page = self.ok("GetRecords", json!({"ShardIterator": iterator}));
            let records = page["Records"].as_array_mut().unwrap();
            let is_last = records.is_empty();
            all.append(records);
            match page.get("NextShardIterator") {
                Some(next) if !is_last => iterator = next.clone(),
                next => return (all, next.cloned()),
            }
        }
    }
}

/// The order of this number.
pub(crate) fn order(n: u32) -> Value {
    json!({
        "pk": {"S": format!("customer {}", n % 17)}, "sk": {"N": n.to_string()},
        "status": {"S": if n.is_multiple_of(3) { "open" } else { "shipped" }}, "due": {"N": format!("-{n}.5")},
        // Some expire during `fill`, others never.
        "expires": {"N": if n.is_multiple_of(50) { "1772360000".to_owned() } else { "1900000000".to_owned() }},
    })
}

/// The key of an order.
pub(crate) fn key(order: &Value) -> Value {
    json!({"pk": order["pk"], "sk": order["sk"]})
}
