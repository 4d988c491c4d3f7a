//! A database with all kinds of data, and its answers.
//!
//! The answers are stored beside the database file. A later version must give the same answers as the version that wrote the file. All
//! requests go through `pdb-wire`, as those of a client.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use pdb_wire::{Reply, Request, Wire};
use pretender::errors::StoreError;
use pretender::model::{CountingIds, Operation};
use pretender::streams::StreamArn;
use pretender::time::{EpochMillis, ManualClock};
use pretender::{Builder, Pretender};
use serde_json::{Value, json};

const START: EpochMillis = EpochMillis(1_772_356_542_017);
const MINUTE: Duration = Duration::from_secs(60);

/// A question and the answer to it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The operation's name.
    pub operation: String,
    /// The body of the request.
    pub request: Value,
    /// The body of the answer.
    pub answer: Value,
}

impl Exchange {
    /// Returns it as it is kept.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!([self.operation, self.request, self.answer])
    }

    /// Reads it as it is kept.
    ///
    /// # Panics
    ///
    /// If it is not an exchange.
    #[must_use]
    pub fn from_json(json: &Value) -> Self {
        let [operation, request, answer] = json.as_array().unwrap().as_slice() else {
            panic!("an exchange has three parts: {json}")
        };
        Self {
            operation: operation.as_str().unwrap().to_owned(),
            request: request.clone(),
            answer: answer.clone(),
        }
    }
}

/// An open database whose time stands still.
pub struct World {
    /// The database.
    pub db: Pretender,
    wire: Wire,
    clock: Arc<ManualClock>,
}

impl World {
    /// Opens a database at a time.
    ///
    /// # Panics
    ///
    /// If it cannot, as everything here: a test has no use for an error.
    #[must_use]
    pub fn open(builder: Builder, now: EpochMillis) -> Self {
        Self::try_open(builder, now).unwrap()
    }

    /// As [`open`](Self::open), of a database that may be damaged.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened.
    pub fn try_open(builder: Builder, now: EpochMillis) -> Result<Self, StoreError> {
        let clock = Arc::new(ManualClock::held_at(now));
        // Ids of a continuation must not meet those of the beginning.
        let ids = CountingIds::starting_at(now.0.unsigned_abs());
        let db = builder.clock(clock.clone()).ids(Arc::new(ids)).sweep_interval(None).open()?;
        Ok(Self { wire: Wire::new(db.clone()), db, clock })
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> EpochMillis {
        use pretender::time::Clock as _;
        self.clock.now()
    }

    /// Asks; returns the status and the answer, null if that is not JSON.
    pub fn try_call(&self, operation: &str, request: &Value) -> (u16, Value) {
        let operation = Operation::from_name(operation).unwrap();
        let Reply::Answer(answer) = self.wire.call(Request::of(operation, request.to_string())) else {
            panic!("no fault was asked for")
        };
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    /// Asks, and expects an answer that is no error.
    pub fn call(&self, operation: &str, request: &Value) -> Value {
        let (status, answer) = self.try_call(operation, request);
        assert_eq!(status, 200, "{answer} to {operation} {request}");
        answer
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.db.run_due_work().unwrap();
    }

    /// The ARN of the latest stream of a table.
    pub fn stream(&self, table: &str) -> StreamArn {
        let described = self.call("DescribeTable", &json!({ "TableName": table }));
        described["Table"]["LatestStreamArn"].as_str().unwrap().parse().unwrap()
    }
}

/// Makes the contents of a fixture.
pub fn build(builder: Builder) -> World {
    let world = World::open(builder, START);
    create_tables(&world);
    world.pass(MINUTE);
    write_past(&world);
    // What was written until now is trimmed, and most of the shards with it.
    world.pass(25 * 60 * MINUTE);
    write_present(&world);
    world
}

fn create_tables(world: &World) {
    world.call(
        "CreateTable",
        &json!({
            "TableName": "Orders",
            "AttributeDefinitions": [
                { "AttributeName": "customer", "AttributeType": "S" },
                { "AttributeName": "number", "AttributeType": "N" },
                { "AttributeName": "status", "AttributeType": "S" },
                { "AttributeName": "day", "AttributeType": "B" },
            ],
            "KeySchema": [
                { "AttributeName": "customer", "KeyType": "HASH" },
                { "AttributeName": "number", "KeyType": "RANGE" },
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-status",
                "KeySchema": [
                    { "AttributeName": "status", "KeyType": "HASH" },
                    { "AttributeName": "number", "KeyType": "RANGE" },
                ],
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"] },
            }],
            "LocalSecondaryIndexes": [{
                "IndexName": "by_day",
                "KeySchema": [
                    { "AttributeName": "customer", "KeyType": "HASH" },
                    { "AttributeName": "day", "KeyType": "RANGE" },
                ],
                "Projection": { "ProjectionType": "ALL" },
            }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            "Tags": [{ "Key": "team", "Value": "sales" }, { "Key": "stage", "Value": "test" }],
            "DeletionProtectionEnabled": true,
        }),
    );
    // A name that SQL does not take as it is.
    world.call(
        "CreateTable",
        &json!({
            "TableName": "articles",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "tenant", "AttributeType": "S" },
                { "AttributeName": "year", "AttributeType": "N" },
            ],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "VectorIndexes": [{
                "IndexName": "by.meaning",
                "VectorAttribute": { "AttributeName": "embedding" },
                "Dimensions": 3,
                "DistanceFunction": "COSINE",
                "SearchSchema": [
                    { "AttributeName": "tenant", "SearchSchemaElementType": "HASH" },
                    { "AttributeName": "year", "SearchSchemaElementType": "INLINE_FILTER" },
                ],
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["title", "embedding"] },
            }],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
    create_simple(world, "Keys.Only-Table", "B", "KEYS_ONLY");
    create_simple(world, "states", "S", "NEW_IMAGE");
    create_simple(world, "gone", "N", "OLD_IMAGE");
    world.call(
        "CreateTable",
        &json!({
            "TableName": "quiet",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "ProvisionedThroughput": { "ReadCapacityUnits": 7, "WriteCapacityUnits": 3 },
        }),
    );
    let arn = table_arn(world, "Orders");
    world.call(
        "UpdateTimeToLive",
        &json!({
            "TableName": "Orders",
            "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
        }),
    );
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"*"}]}"#;
    world.call("PutResourcePolicy", &json!({ "ResourceArn": arn, "Policy": policy }));
    world.call(
        "UpdateContinuousBackups",
        &json!({
            "TableName": "Orders",
            "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        }),
    );
}

fn create_simple(world: &World, table: &str, key_type: &str, view_type: &str) {
    world.call(
        "CreateTable",
        &json!({
            "TableName": table,
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": key_type }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view_type },
        }),
    );
}

fn table_arn(world: &World, table: &str) -> Value {
    world.call("DescribeTable", &json!({ "TableName": table }))["Table"]["TableArn"].clone()
}

fn order(customer: &str, number: u32, status: &str, more: &Value) -> Value {
    let mut item = json!({
        "customer": { "S": customer },
        "number": { "N": number.to_string() },
        "status": { "S": status },
    });
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "TableName": "Orders", "Item": item })
}

/// What is trimmed later: items that stay, records that go, a stream that is closed.
fn write_past(world: &World) {
    for number in 0..6 {
        let customer = ["ada", "grace", "Zoë"][number as usize % 3];
        world.call("PutItem", &order(customer, number, "open", &json!({ "total": { "N": "12.50" } })));
    }
    world.db.rotate_shards(&world.stream("Orders"), None).unwrap();
    world.call("PutItem", &order("ada", 100, "open", &json!({ "day": { "B": "AQI=" } })));
    world.call("PutItem", &json!({ "TableName": "states", "Item": { "pk": { "S": "old" } } }));
    world
        .call("PutItem", &json!({ "TableName": "quiet", "Item": { "pk": { "S": "a" }, "n": { "N": "1" } } }));
    world.call("CreateBackup", &json!({ "TableName": "Orders", "BackupName": "first" }));
}

fn write_present(world: &World) {
    write_values(world);
    // Deleted by TTL, with a record that says so: `expires` is long over.
    world.call("PutItem", &order("ada", 7, "late", &json!({ "expires": { "N": "1772356600" } })));
    // Not yet.
    world.call("PutItem", &order("ada", 8, "early", &json!({ "expires": { "N": "1900000000" } })));
    world.pass(MINUTE);
    write_shards(world);
    write_streams(world);
    write_rest(world);
}

/// All types, long keys, what needs escapes.
fn write_values(world: &World) {
    let values = json!({
        "total": { "N": "-1.0E-128" },
        "day": { "B": "AQIDBA==" },
        "text": { "S": "quote \" backslash \\ tab \t nul \u{0} é 東京 🦀" },
        "empty": { "S": "" },
        "nothing": { "NULL": true },
        "yes": { "BOOL": true },
        "big": { "N": "99999999999999999999999999999999999999" },
        "numbers": { "NS": ["1", "2.5", "-3E+100"] },
        "texts": { "SS": ["a", "b"] },
        "bytes": { "BS": ["AA==", "/w=="] },
        "list": { "L": [{ "N": "1" }, { "M": { "deep": { "L": [] } } }] },
        "map": { "M": { "a b": { "S": "blank" }, "x": { "M": {} } } },
    });
    world.call("PutItem", &order("Zoë", 7, "all types", &values));
    // Such a key has three parts on PostgreSQL.
    for tail in ["a", "b"] {
        let customer = format!("{}{tail}", "\u{0}".repeat(1900));
        world.call("PutItem", &order(&customer, 1, "long key", &json!({})));
    }
    for byte in ["AA==", "AAA=", "/w=="] {
        world.call("PutItem", &json!({ "TableName": "Keys.Only-Table", "Item": { "pk": { "B": byte } } }));
    }
    world.call(
        "UpdateItem",
        &json!({
            "TableName": "Keys.Only-Table",
            "Key": { "pk": { "B": "AAA=" } },
            "UpdateExpression": "SET filled = :true",
            "ExpressionAttributeValues": { ":true": { "BOOL": true } },
        }),
    );
    world.call(
        "UpdateItem",
        &json!({
            "TableName": "Orders",
            "Key": { "customer": { "S": "grace" }, "number": { "N": "1" } },
            "UpdateExpression": "SET #s = :done REMOVE #t",
            "ExpressionAttributeNames": { "#s": "status", "#t": "total" },
            "ExpressionAttributeValues": { ":done": { "S": "done" } },
        }),
    );
    let key = json!({ "customer": { "S": "Zoë" }, "number": { "N": "2" } });
    world.call("DeleteItem", &json!({ "TableName": "Orders", "Key": key }));
}

/// Closed shards with and without records, open ones, one partly trimmed, children of both kinds.
fn write_shards(world: &World) {
    let orders = world.stream("Orders");
    world.db.split_shards(&orders, None).unwrap();
    for number in 20..32 {
        let customer = format!("customer {number}");
        world.call("PutItem", &order(&customer, number, "split", &json!({})));
    }
    world.pass(MINUTE);
    let open = world.db.shards(&orders).unwrap().into_iter().find(|shard| shard.closed.is_none()).unwrap();
    world.db.rotate_shards(&orders, Some(&open.shard_id)).unwrap();
    // Children without a record.
    world.db.rotate_shards(&world.stream("states"), None).unwrap();
    for text in ["one", "two", "three", "four"] {
        world.call("PutItem", &json!({ "TableName": "states", "Item": { "pk": { "S": text } } }));
    }
    let records = records_of(world, &world.stream("states"));
    let third = records[2]["dynamodb"]["SequenceNumber"].as_str().unwrap();
    world.db.trim(&world.stream("states"), Some(third.parse().unwrap())).unwrap();
}

/// A stream that is disabled and followed by another, and the stream of a table that is deleted.
fn write_streams(world: &World) {
    let enable = |table: &str, specification: Value| {
        world.call("UpdateTable", &json!({ "TableName": table, "StreamSpecification": specification }))
    };
    enable("states", json!({ "StreamEnabled": false }));
    world.pass(MINUTE);
    enable("states", json!({ "StreamEnabled": true, "StreamViewType": "OLD_IMAGE" }));
    world.call("DeleteItem", &json!({ "TableName": "states", "Key": { "pk": { "S": "two" } } }));
    world.call("PutItem", &json!({ "TableName": "gone", "Item": { "pk": { "N": "1" } } }));
    let put = json!({ "TableName": "gone", "Item": { "pk": { "N": "1" }, "again": { "BOOL": true } } });
    world.call("PutItem", &put);
    world.call("DeleteTable", &json!({ "TableName": "gone" }));
}

/// A backup, a table made from it, an index made later, a transaction that can be repeated.
fn write_rest(world: &World) {
    let backup = world.call("CreateBackup", &json!({ "TableName": "Orders", "BackupName": "second" }));
    let arn = &backup["BackupDetails"]["BackupArn"];
    world.call("RestoreTableFromBackup", &json!({ "TargetTableName": "restored", "BackupArn": arn }));
    world.call(
        "UpdateTable",
        &json!({
            "TableName": "quiet",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "n", "AttributeType": "N" },
            ],
            "GlobalSecondaryIndexUpdates": [{ "Create": {
                "IndexName": "by_n",
                "KeySchema": [{ "AttributeName": "n", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "KEYS_ONLY" },
                "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 },
            } }],
        }),
    );
    for (number, tenant) in ["a", "b", "a", "a"].into_iter().enumerate() {
        let item = json!({
            "pk": { "S": format!("article {number}") },
            "tenant": { "S": tenant },
            "year": { "N": (2020 + number % 2).to_string() },
            "title": { "S": "\"quoted\"" },
            "body": { "S": "not projected" },
            "embedding": { "L": [{ "N": number.to_string() }, { "N": "0.1" }, { "N": "16777217" }] },
        });
        world.call("PutItem", &json!({ "TableName": "articles", "Item": item }));
    }
    world.call(
        "UpdateTable",
        &json!({
            "TableName": "articles",
            "VectorIndexUpdates": [{ "Create": {
                "IndexName": "everything",
                "VectorAttribute": { "AttributeName": "embedding" },
                "Dimensions": 3,
                "DistanceFunction": "EUCLIDEAN",
                "Projection": { "ProjectionType": "ALL" },
            } }],
        }),
    );
    world.pass(MINUTE);
    world.call("TransactWriteItems", &transaction("transacted"));
}

/// A transaction under a client's token.
pub fn transaction(status: &str) -> Value {
    let put = order("ada", 200, status, &json!({}));
    json!({ "ClientRequestToken": "token-of-a-client", "TransactItems": [{ "Put": put }] })
}

/// Asks for everything that can be read.
pub fn answers(world: &World) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    let mut ask = |operation: &str, request: Value| {
        let answer = world.call(operation, &request);
        exchanges.push(Exchange { operation: operation.to_owned(), request, answer: answer.clone() });
        answer
    };
    let tables = ask("ListTables", json!({}));
    for table in tables["TableNames"].as_array().unwrap() {
        let named = json!({ "TableName": table });
        let described = ask("DescribeTable", named.clone());
        ask("DescribeTimeToLive", named.clone());
        ask("DescribeContinuousBackups", named.clone());
        ask("ListTagsOfResource", json!({ "ResourceArn": described["Table"]["TableArn"] }));
        ask("Scan", named.clone());
        for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in described["Table"][kind].as_array().into_iter().flatten() {
                ask("Scan", json!({ "TableName": table, "IndexName": index["IndexName"] }));
            }
        }
    }
    ask("GetResourcePolicy", json!({ "ResourceArn": table_arn(world, "Orders") }));
    let query = |index: &str, condition: &str, name: &str, value: Value| {
        json!({
            "TableName": "Orders",
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": { "#n": name },
            "ExpressionAttributeValues": { ":v": value },
        })
    };
    ask("Query", query("by-status", "#n = :v", "status", json!({ "S": "split" })));
    ask("Query", query("by_day", "#n = :v", "customer", json!({ "S": "Zoë" })));
    // Databases of versions before 5 have no vectors.
    if tables["TableNames"].as_array().unwrap().contains(&json!("articles")) {
        let vector = json!([{ "N": "1" }, { "N": "0" }, { "N": "16777217" }]);
        ask(
            "SearchVectors",
            json!({
                "TableName": "articles",
                "IndexName": "by.meaning",
                "SearchVector": vector,
                "TopK": 10,
                "SearchConditionExpression": "tenant = :tenant AND #year = :year",
                "ProjectionExpression": "pk, title, embedding",
                "ExpressionAttributeNames": { "#year": "year" },
                "ExpressionAttributeValues": { ":tenant": { "S": "a" }, ":year": { "N": "2020.0" } },
            }),
        );
        ask(
            "SearchVectors",
            json!({ "TableName": "articles", "IndexName": "everything", "SearchVector": vector, "TopK": 10 }),
        );
    }
    let backups = ask("ListBackups", json!({}));
    for backup in backups["BackupSummaries"].as_array().unwrap() {
        ask("DescribeBackup", json!({ "BackupArn": backup["BackupArn"] }));
    }
    let streams = ask("ListStreams", json!({}));
    for stream in streams["Streams"].as_array().unwrap() {
        let described = ask("DescribeStream", json!({ "StreamArn": stream["StreamArn"] }));
        for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
            let first = ask(
                "GetShardIterator",
                json!({
                    "StreamArn": stream["StreamArn"],
                    "ShardId": shard["ShardId"],
                    "ShardIteratorType": "TRIM_HORIZON",
                }),
            );
            let mut at = first["ShardIterator"].clone();
            // To the end of the shard; the last iterator of an open one is asked once more by whoever goes on.
            loop {
                let page = ask("GetRecords", json!({ "ShardIterator": at }));
                at = page["NextShardIterator"].clone();
                if at.is_null() || page["Records"].as_array().unwrap().is_empty() {
                    break;
                }
            }
        }
    }
    exchanges
}

/// The records of a stream, shard after shard.
pub fn records_of(world: &World, stream: &StreamArn) -> Vec<Value> {
    let described = world.call("DescribeStream", &json!({ "StreamArn": stream.to_string() }));
    let mut records = Vec::new();
    for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
        records.extend(records_of_shard(world, stream, shard));
    }
    records
}

/// The records of a shard, of which `DescribeStream` gave the description.
pub fn records_of_shard(world: &World, stream: &StreamArn, shard: &Value) -> Vec<Value> {
    let first = world.call(
        "GetShardIterator",
        &json!({
            "StreamArn": stream.to_string(),
            "ShardId": shard["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        }),
    );
    read_on(world, &first["ShardIterator"])
}

/// The records behind an iterator.
pub fn read_on(world: &World, iterator: &Value) -> Vec<Value> {
    let mut records = Vec::new();
    let mut at = iterator.clone();
    while !at.is_null() {
        let page = world.call("GetRecords", &json!({ "ShardIterator": at }));
        let found = page["Records"].as_array().unwrap();
        if found.is_empty() {
            break;
        }
        records.extend(found.iter().cloned());
        at = page["NextShardIterator"].clone();
    }
    records
}

/// Event ids, which are unique for ever.
pub fn event_ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["eventID"].as_str().unwrap().to_owned()).collect()
}
