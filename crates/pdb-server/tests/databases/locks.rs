//! In which order operations lock things on PostgreSQL. Who waits for another must never be waited for by that one, whatever the
//! two do; so everybody locks in one order, which `docs/store.md` gives, and every operation that writes is in here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pdb_testpg::{Failure, Server, ServerOptions};
use pretender::Pretender;
use pretender::model::{Operation, TableName};
use pretender::objects::{MemoryObjects, ObjectStore};
use serde_json::{Value, json};

use crate::lock_order::{self, Transaction};
use crate::world::World;

/// Operations that lock nothing: those that read, and those that are always refused.
const WITHOUT_LOCKS: &[&str] = &[
    "GetItem",
    "Query",
    "Scan",
    "SearchVectors",
    "BatchGetItem",
    "TransactGetItems",
    "DescribeTable",
    "ListTables",
    "DescribeTimeToLive",
    "ListTagsOfResource",
    "DescribeLimits",
    "DescribeEndpoints",
    "DescribeBackup",
    "ListBackups",
    "DescribeContinuousBackups",
    "GetResourcePolicy",
    "DescribeKinesisStreamingDestination",
    "DescribeContributorInsights",
    "ListContributorInsights",
    "CreateGlobalTable",
    "UpdateGlobalTable",
    "DescribeGlobalTable",
    "ListGlobalTables",
    "DescribeGlobalTableSettings",
    "UpdateGlobalTableSettings",
    "DescribeTableReplicaAutoScaling",
    "UpdateTableReplicaAutoScaling",
    "DescribeImport",
    "ListImports",
    "DescribeBulkOperation",
    "ListBulkOperations",
    "DescribeExport",
    "ListExports",
    "ListStreams",
    "DescribeStream",
    "GetRecords",
    "GetShardIterator",
];

/// A server that logs every statement.
fn logging_server() -> Option<Server> {
    let options = ServerOptions::default()
        .with_setting("log_statement", "all")
        .with_setting("log_line_prefix", "<%p> ")
        .with_setting("log_parameter_max_length", "300");
    match Server::start(&options) {
        Ok(server) => Some(server),
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            None
        }
        Err(failure) => panic!("{failure}"),
    }
}

/// A database whose every transaction is checked.
struct Watched {
    world: World,
    server: Server,
    seen: usize,
    /// Operations that had a transaction which writes.
    wrote: BTreeSet<String>,
}

impl Watched {
    fn new(server: Server) -> Self {
        let objects = MemoryObjects::new();
        objects.create_bucket("bucket");
        let line = |n: u32| format!("{{\"Item\":{}}}\n", item(&format!("t{n}"), json!({})));
        let lines: String = (0..4_000).map(line).collect();
        objects
            .put("bucket", "lines.json", format!("nonsense\n{lines}").as_bytes())
            .expect("a bucket in memory");
        let builder = Pretender::builder().database(&server.url()).objects(Arc::new(objects));
        let world = World::open(builder);
        let seen = server.log().len();
        Self { world, server, seen, wrote: BTreeSet::new() }
    }

    /// Waits for what goes on in the background, and looks at it.
    #[track_caller]
    fn finish(&mut self, what: &str) {
        assert!(self.world.wire.pretender().wait_for_transfers(Duration::from_secs(60)));
        self.look(what);
    }

    /// The transactions since the last look, all of them in the right order.
    #[track_caller]
    fn look(&mut self, what: &str) -> Vec<Transaction> {
        let log = self.server.log();
        let transactions = lock_order::transactions(&log[self.seen..]);
        self.seen = log.len();
        for transaction in &transactions {
            if let Err(why) = lock_order::check(transaction) {
                panic!("{what}: {why}");
            }
        }
        transactions
    }

    /// Calls an operation that succeeds, and writes.
    #[track_caller]
    fn call(&mut self, operation: &str, body: Value) -> Value {
        let answer = self.world.ok(operation, body.clone());
        let transactions = self.look(&format!("{operation} {body}"));
        assert!(!transactions.is_empty(), "{operation} {body} has locked nothing");
        self.wrote.insert(operation.to_owned());
        answer
    }

    /// Calls an operation that is refused, perhaps after it has locked something.
    #[track_caller]
    fn refused(&mut self, operation: &str, body: Value) {
        let (status, answer) = self.world.call(operation, &body);
        assert_eq!(status, 400, "{operation} {body}: {answer}");
        self.look(&format!("{operation} {body}, refused"));
    }

    /// Does something else that writes.
    #[track_caller]
    fn command<T>(&mut self, what: &str, command: impl FnOnce(&World) -> T) -> T {
        let done = command(&self.world);
        assert!(!self.look(what).is_empty(), "{what} has locked nothing");
        done
    }

    fn stream_of(&mut self, table: &str) -> pretender::streams::StreamArn {
        let arn = self.world.stream_of(table);
        self.look("DescribeTable");
        arn.as_str().unwrap().parse().unwrap()
    }

    fn put(&mut self, table: &str, pk: &str, more: Value) {
        let item = item(pk, more);
        self.call("PutItem", json!({"TableName": table, "Item": item}));
    }
}

fn item(pk: &str, more: Value) -> Value {
    let mut item = json!({"pk": {"S": pk}, "group": {"S": format!("g{pk}")}});
    for (name, value) in more.as_object().into_iter().flatten() {
        item[name] = value.clone();
    }
    item
}

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}})
}

fn index(name: &str, key: &str) -> Value {
    json!({"IndexName": name, "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]})
}

fn vector_index(name: &str) -> Value {
    json!({"IndexName": name, "Projection": {"ProjectionType": "KEYS_ONLY"},
        "VectorAttribute": {"AttributeName": "v"}, "Dimensions": 1, "DistanceFunction": "COSINE"})
}

fn create(table: &str) -> Value {
    json!({
        "TableName": table, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "group", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [index("bygroup", "group")],
        "VectorIndexes": [vector_index("near")],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

#[test]
fn every_operation_locks_in_one_order() {
    let Some(server) = logging_server() else { return };
    let mut db = Watched::new(server);
    for table in ["alpha", "beta"] {
        db.call("CreateTable", create(table));
    }
    writes_of_items(&mut db);
    definitions(&mut db);
    backups(&mut db);
    transfers(&mut db);
    time_and_commands(&mut db);
    // Each operation there is has been looked at, or locks nothing.
    for operation in Operation::ALL {
        let name = operation.name();
        assert_ne!(
            db.wrote.contains(name),
            WITHOUT_LOCKS.contains(&name),
            "{name} writes, or it locks nothing"
        );
    }
    db.world.close();
}

/// Puts in a batch, in an order that is not that of the keys.
fn puts(keys: &[&str]) -> Value {
    keys.iter().map(|pk| json!({"PutRequest": {"Item": item(pk, json!({}))}})).collect()
}

fn writes_of_items(db: &mut Watched) {
    for pk in ["m", "c", "x"] {
        db.put("alpha", pk, json!({"n": {"N": "1"}}));
    }
    db.put("alpha", "m", json!({"n": {"N": "2"}, "group": {"S": "other"}}));
    for element in ["1", "2"] {
        db.put("alpha", "m", json!({"v": {"L": [{"N": element}]}, "group": {"S": "other"}}));
    }
    db.put("alpha", "m", json!({"n": {"N": "2"}}));
    db.call(
        "UpdateItem",
        json!({
        "TableName": "alpha", "Key": key("m"), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}),
    );
    db.call("UpdateItem", json!({"TableName": "alpha", "Key": key("new")}));
    db.call("DeleteItem", json!({"TableName": "alpha", "Key": key("new")}));
    db.refused("PutItem", json!({
        "TableName": "alpha", "Item": item("m", json!({})), "ConditionExpression": "attribute_not_exists(pk)"}));
    let requests = json!({"beta": puts(&["z", "a", "q", "b"]), "alpha": puts(&["y", "m", "d", "a"])});
    db.call("BatchWriteItem", json!({"RequestItems": requests}));
    // As above, with some that are there and some that are not, and without tables in their order.
    let update = json!({"Update": {
        "TableName": "beta", "Key": key("q"), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}});
    let check = json!({"ConditionCheck": {
        "TableName": "beta", "Key": key("absent"), "ConditionExpression": "attribute_not_exists(pk)"}});
    let put = |table: &str, pk: &str| json!({"Put": {"TableName": table, "Item": item(pk, json!({}))}});
    let delete = json!({"Delete": {"TableName": "alpha", "Key": key("y")}});
    let transaction = json!({
        "ClientRequestToken": "once",
        "TransactItems": [update, put("beta", "new2"), put("beta", "new1"), check, delete, put("alpha", "k"),
            put("alpha", "j")]});
    db.call("TransactWriteItems", transaction.clone());
    db.world.ok("TransactWriteItems", transaction);
    db.look("TransactWriteItems again");
    db.refused("TransactWriteItems", json!({"TransactItems": [
        put("beta", "v"), put("alpha", "v"),
        {"ConditionCheck": {"TableName": "alpha", "Key": key("u"), "ConditionExpression": "attribute_exists(pk)"}}]}));

    let insert = |pk: &str| json!({"Statement": format!("INSERT INTO \"alpha\" VALUE {{'pk': '{pk}', 'group': 'p'}}")});
    db.call("ExecuteStatement", insert("p5"));
    db.call("ExecuteStatement", json!({"Statement": "UPDATE \"alpha\" SET n = 7 WHERE pk = 'p5'"}));
    db.call("ExecuteStatement", json!({"Statement": "DELETE FROM \"alpha\" WHERE pk = 'p5'"}));
    // One fails, one is about an item that another has made, one about another table.
    db.call(
        "BatchExecuteStatement",
        json!({"Statements": [
        insert("p9"), insert("p1"), insert("m"),
        {"Statement": "UPDATE \"alpha\" SET n = 8 WHERE pk = 'p9'"},
        {"Statement": "DELETE FROM \"beta\" WHERE pk = 'a'"},
        {"Statement": "DELETE FROM \"alpha\" WHERE pk = 'a'"}, insert("p0")]}),
    );
    db.call(
        "ExecuteTransaction",
        json!({"ClientRequestToken": "once more", "TransactStatements": [
        {"Statement": "UPDATE \"beta\" SET n = 8 WHERE pk = 'q'"}, insert("t9"), insert("t1"),
        {"Statement": "DELETE FROM \"alpha\" WHERE pk = 'p0'"}]}),
    );
    db.refused("ExecuteTransaction", json!({"TransactStatements": [insert("w"), insert("m")]}));
}

fn update_index(change: Value) -> Value {
    json!({"TableName": "alpha", "GlobalSecondaryIndexUpdates": [change],
        "AttributeDefinitions": [
            {"AttributeName": "group", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}]})
}

fn definitions(db: &mut Watched) {
    db.call("UpdateTable", update_index(json!({"Create": index("byn", "n")})));
    db.put("alpha", "m", json!({"n": {"N": "3"}}));
    db.call("UpdateTable", update_index(json!({"Delete": {"IndexName": "bygroup"}})));
    db.put("alpha", "c", json!({"v": {"L": [{"N": "1"}]}}));
    for change in [json!({"Create": vector_index("far")}), json!({"Delete": {"IndexName": "near"}})] {
        db.call("UpdateTable", json!({"TableName": "alpha", "VectorIndexUpdates": [change]}));
    }
    for enabled in [true, false, true] {
        let specification = json!({"AttributeName": "expires", "Enabled": enabled});
        db.call("UpdateTimeToLive", json!({"TableName": "alpha", "TimeToLiveSpecification": specification}));
        db.put("alpha", "m", json!({"n": {"N": "4"}, "expires": {"N": "1772356540"}}));
    }
    for enabled in [false, true] {
        let mut specification = json!({"StreamEnabled": enabled});
        if enabled {
            specification["StreamViewType"] = "KEYS_ONLY".into();
        }
        db.world.clock.advance(Duration::from_secs(1));
        db.call("UpdateTable", json!({"TableName": "alpha", "StreamSpecification": specification}));
        db.put("alpha", "s", json!({"e": {"BOOL": enabled}}));
    }
    db.call("UpdateTable", json!({"TableName": "alpha", "DeletionProtectionEnabled": true}));
    db.refused("DeleteTable", json!({"TableName": "alpha"}));
    db.call("UpdateTable", json!({"TableName": "alpha", "DeletionProtectionEnabled": false}));
    let arn = db.world.ok("DescribeTable", json!({"TableName": "alpha"}))["Table"]["TableArn"].clone();
    db.call("TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}));
    db.call("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]}));
    let policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}";
    db.call("PutResourcePolicy", json!({"ResourceArn": arn, "Policy": policy}));
    db.call("DeleteResourcePolicy", json!({"ResourceArn": arn}));
    let insights = json!({"TableName": "alpha", "ContributorInsightsAction": "ENABLE"});
    db.call("UpdateContributorInsights", insights);
    let kinesis = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    let destination = json!({"TableName": "alpha", "StreamArn": kinesis});
    db.call("EnableKinesisStreamingDestination", destination.clone());
    db.call(
        "UpdateKinesisStreamingDestination",
        json!({
        "TableName": "alpha", "StreamArn": kinesis,
        "UpdateKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MICROSECOND"}}),
    );
    db.call("DisableKinesisStreamingDestination", destination);
}

fn backups(db: &mut Watched) {
    let made = db.call("CreateBackup", json!({"TableName": "alpha", "BackupName": "monday"}));
    let arn = &made["BackupDetails"]["BackupArn"];
    db.call("RestoreTableFromBackup", json!({"TargetTableName": "gamma", "BackupArn": arn}));
    db.call("DeleteBackup", json!({"BackupArn": arn}));
    db.call(
        "UpdateContinuousBackups",
        json!({
        "TableName": "alpha", "PointInTimeRecoverySpecification":
            {"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 1}}),
    );
    let put = |id: &str| json!({"Put": {"TableName": "alpha", "Item": item(id, json!({"n": {"N": "7"}}))}});
    db.call("TransactWriteItems", json!({"TransactItems": [put("y"), put("x")]}));
    for enabled in [true, false, true] {
        let recovery = json!({"PointInTimeRecoveryEnabled": enabled});
        db.call(
            "UpdateContinuousBackups",
            json!({"TableName": "gamma", "PointInTimeRecoverySpecification": recovery}),
        );
    }
    db.call(
        "RestoreTableToPointInTime",
        json!({
        "SourceTableName": "alpha", "TargetTableName": "delta", "UseLatestRestorableTime": true}),
    );
    db.call("DeleteTable", json!({"TableName": "gamma"}));
}

/// Imports, exports and bulk operations, with what they do in the background.
fn transfers(db: &mut Watched) {
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/alpha";
    db.call("ExportTableToPointInTime", json!({"TableArn": arn, "S3Bucket": "bucket", "S3Prefix": "export"}));
    db.finish("an export");
    let source = json!({"S3Bucket": "bucket", "S3KeyPrefix": "lines"});
    let mut table = create("imported");
    table.as_object_mut().expect("an object").remove("StreamSpecification");
    db.call(
        "ImportTable",
        json!({"S3BucketSource": source, "InputFormat": "DYNAMODB_JSON", "TableCreationParameters": table}),
    );
    db.finish("an import");
    let bulk = |units: u32| {
        json!({
            "TableName": "alpha", "MaxWriteRequestUnits": units,
            "InputS3Configuration": {"S3Bucket": "bucket", "S3KeyPrefix": "lines", "InputFormat": "DYNAMODB_JSON"},
            "OutputS3Configuration": {"S3Bucket": "bucket", "S3KeyPrefix": "report", "OutputType": ["ERROR"]},
        })
    };
    db.call("StartBulkPutItems", bulk(1_000_000));
    db.finish("a bulk operation");
    // Slow enough to be cancelled.
    let started = db.call("StartBulkPutItems", bulk(1024));
    let arn = &started["BulkOperationDescription"]["BulkOperationArn"];
    db.call("CancelBulkOperation", json!({"BulkOperationArn": arn}));
    db.finish("a bulk operation that is cancelled");
}

/// Rotation, which the first request after its time does; sweeps; and what the control interface commands.
fn time_and_commands(db: &mut Watched) {
    let rotated = Duration::from_secs(5 * 3600);
    let has_rotated = |transactions: &[Transaction]| {
        let closes = |transaction: &&Transaction| {
            transaction.iter().any(|statement| statement.sql.contains("SET closed_at"))
        };
        transactions.iter().filter(closes).count()
    };
    // A write finds its shard due.
    db.world.clock.advance(rotated);
    db.world.ok("PutItem", json!({"TableName": "alpha", "Item": item("r", json!({}))}));
    assert_eq!(has_rotated(&db.look("a put that rotates")), 1);
    // Several in one transaction.
    db.world.clock.advance(rotated);
    let put = |table: &str, pk: &str| json!({"Put": {"TableName": table, "Item": item(pk, json!({"r": {"N": "2"}}))}});
    db.world.ok(
        "TransactWriteItems",
        json!({"TransactItems": [
        put("beta", "r"), put("alpha", "r"), put("alpha", "c"), put("beta", "b")]}),
    );
    assert_eq!(has_rotated(&db.look("a transaction that rotates")), 2);
    // A read.
    db.world.clock.advance(rotated);
    let arn = db.stream_of("beta");
    db.world.ok("DescribeStream", json!({"StreamArn": arn.to_string()}));
    assert_eq!(has_rotated(&db.look("a read that rotates")), 1);
    db.command("rotate", |world| world.wire.pretender().rotate_shards(&arn, None).unwrap());
    db.command("split", |world| world.wire.pretender().split_shards(&arn, None).unwrap());
    for pk in ["a", "b", "c", "d", "e"] {
        db.put("beta", pk, json!({"after": {"S": "split"}}));
    }
    // One record each, of several shards, in one transaction.
    db.call("BatchWriteItem", json!({"RequestItems": {"beta": puts(&["e", "d", "c", "b", "a"])}}));
    db.command("trim", |world| world.wire.pretender().trim(&arn, None).unwrap());
    // Expires, trims, drops shards, forgets tokens; then drops a stream too.
    db.put("alpha", "past", json!({"expires": {"N": "1772356541"}}));
    db.command("a sweep", |world| world.pass(Duration::from_secs(30 * 3600)));
    db.call("DeleteTable", json!({"TableName": "beta"}));
    db.command("a sweep after a stream", |world| world.pass(Duration::from_secs(30 * 3600)));
    let alpha: TableName = "alpha".parse().unwrap();
    db.put("alpha", "again", json!({}));
    db.command("the reset of a table", |world| world.wire.pretender().reset_table(&alpha).unwrap());
    db.call("CreateTable", create("beta"));
    db.put("beta", "again", json!({}));
    db.put("alpha", "again", json!({}));
    db.call("CreateBackup", json!({"TableName": "alpha", "BackupName": "tuesday"}));
    db.command("a reset", |world| world.wire.pretender().reset().unwrap());
}
