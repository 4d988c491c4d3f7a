//! Callers with limits: every operation, with a key that only reads and with one that uses only some tables.

use std::sync::Arc;

use pdb_wire::{Operation, Wire};
use pretender::access::Access;

use crate::harness::Client;

/// What an operation needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// To read the table.
    Read,
    /// To change the table.
    Write,
    /// To see more than one table.
    List,
    /// Nothing: the answer is always the same.
    Nothing,
}

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/TABLE";

/// Returns what an operation needs, and a body whose table is called `TABLE`. Each reaches the table, unless there is none.
fn case(operation: Operation) -> (Need, &'static str) {
    use Operation as O;
    const KEY: &str = r#"{"TableName":"TABLE","Key":{"id":{"S":"a"}}}"#;
    const TABLE: &str = r#"{"TableName":"TABLE"}"#;
    const RESOURCE: &str = r#"{"ResourceArn":"ARN"}"#;
    const BACKUP: &str = r#"{"BackupArn":"ARN/backup/01489173575360-b308cd7d"}"#;
    const KINESIS: &str =
        r#"{"TableName":"TABLE","StreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/events"}"#;
    match operation {
        O::GetItem => (Need::Read, KEY),
        O::PutItem => (Need::Write, r#"{"TableName":"TABLE","Item":{"id":{"S":"a"}}}"#),
        O::UpdateItem | O::DeleteItem => (Need::Write, KEY),
        O::BatchWriteItem => {
            (Need::Write, r#"{"RequestItems":{"TABLE":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}}"#)
        }
        O::TransactWriteItems => {
            (Need::Write, r#"{"TransactItems":[{"Put":{"TableName":"TABLE","Item":{"id":{"S":"a"}}}}]}"#)
        }
        O::Query => (
            Need::Read,
            r#"{"TableName":"TABLE","KeyConditionExpression":"id = :i","ExpressionAttributeValues":{":i":{"S":"a"}}}"#,
        ),
        O::Scan => (Need::Read, TABLE),
        O::SearchVectors => {
            (Need::Read, r#"{"TableName":"TABLE","IndexName":"near","SearchVector":[{"N":"1"}],"TopK":1}"#)
        }
        O::BatchGetItem => (Need::Read, r#"{"RequestItems":{"TABLE":{"Keys":[{"id":{"S":"a"}}]}}}"#),
        O::TransactGetItems => {
            (Need::Read, r#"{"TransactItems":[{"Get":{"TableName":"TABLE","Key":{"id":{"S":"a"}}}}]}"#)
        }
        O::ExecuteStatement => (Need::Write, r#"{"Statement":"DELETE FROM \"TABLE\" WHERE id = 'a'"}"#),
        O::BatchExecuteStatement => {
            (Need::Write, r#"{"Statements":[{"Statement":"UPDATE \"TABLE\" SET a = 1 WHERE id = 'a'"}]}"#)
        }
        O::ExecuteTransaction => (
            Need::Write,
            r#"{"TransactStatements":[{"Statement":"INSERT INTO \"TABLE\" VALUE {'id': 'z'}"}]}"#,
        ),
        O::CreateTable => (
            Need::Write,
            r#"{"TableName":"TABLE","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}"#,
        ),
        O::UpdateTable => (Need::Write, r#"{"TableName":"TABLE","DeletionProtectionEnabled":false}"#),
        O::DeleteTable => (Need::Write, TABLE),
        O::DescribeTable | O::DescribeTimeToLive | O::DescribeContinuousBackups => (Need::Read, TABLE),
        O::ListTables => (Need::List, "{}"),
        O::UpdateTimeToLive => (
            Need::Write,
            r#"{"TableName":"TABLE","TimeToLiveSpecification":{"AttributeName":"t","Enabled":true}}"#,
        ),
        O::TagResource => (Need::Write, r#"{"ResourceArn":"ARN","Tags":[{"Key":"k","Value":"v"}]}"#),
        O::UntagResource => (Need::Write, r#"{"ResourceArn":"ARN","TagKeys":["k"]}"#),
        O::ListTagsOfResource | O::GetResourcePolicy => (Need::Read, RESOURCE),
        O::PutResourcePolicy => (
            Need::Write,
            r#"{"ResourceArn":"ARN","Policy":"{\"Statement\":\"arn:aws:dynamodb:a:b:table/test-x\"}"}"#,
        ),
        O::DeleteResourcePolicy => (Need::Write, RESOURCE),
        O::DescribeLimits | O::DescribeEndpoints => (Need::Nothing, "{}"),
        O::CreateBackup => (Need::Write, r#"{"TableName":"TABLE","BackupName":"nightly"}"#),
        O::DescribeBackup => (Need::Read, BACKUP),
        O::DeleteBackup => (Need::Write, BACKUP),
        O::ListBackups => (Need::Read, TABLE),
        O::RestoreTableFromBackup => {
            (Need::Write, r#"{"TargetTableName":"TABLE2","BackupArn":"ARN/backup/01489173575360-b308cd7d"}"#)
        }
        O::RestoreTableToPointInTime => (
            Need::Write,
            r#"{"SourceTableName":"TABLE","TargetTableName":"TABLE2","UseLatestRestorableTime":true}"#,
        ),
        O::UpdateContinuousBackups => (
            Need::Write,
            r#"{"TableName":"TABLE","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#,
        ),
        O::EnableKinesisStreamingDestination | O::DisableKinesisStreamingDestination => {
            (Need::Write, KINESIS)
        }
        O::UpdateKinesisStreamingDestination => (
            Need::Write,
            r#"{"TableName":"TABLE","StreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/events","UpdateKinesisStreamingConfiguration":{"ApproximateCreationDateTimePrecision":"MICROSECOND"}}"#,
        ),
        O::DescribeKinesisStreamingDestination | O::DescribeContributorInsights => (Need::Read, TABLE),
        O::UpdateContributorInsights => {
            (Need::Write, r#"{"TableName":"TABLE","ContributorInsightsAction":"ENABLE"}"#)
        }
        O::ListContributorInsights => (Need::List, "{}"),
        // These always fail, because there are no such resources.
        O::CreateGlobalTable | O::UpdateGlobalTable | O::UpdateGlobalTableSettings => (Need::Write, "{}"),
        O::ImportTable => (
            Need::Write,
            r#"{"S3BucketSource":{"S3Bucket":"bucket"},"InputFormat":"ION","TableCreationParameters":{"TableName":"TABLE","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}}"#,
        ),
        O::StartBulkPutItems => (
            Need::Write,
            r#"{"TableName":"TABLE","InputS3Configuration":{"S3Bucket":"bucket","InputFormat":"ION"},"OutputS3Configuration":{"S3Bucket":"bucket","OutputType":["ERROR"]}}"#,
        ),
        O::CancelBulkOperation => {
            (Need::Write, r#"{"BulkOperationArn":"ARN/bulk-operation/01489173575360-b308cd7d"}"#)
        }
        O::DescribeBulkOperation => {
            (Need::Read, r#"{"BulkOperationArn":"ARN/bulk-operation/01489173575360-b308cd7d"}"#)
        }
        O::ListImports | O::ListExports | O::ListBulkOperations => (Need::List, "{}"),
        O::DescribeGlobalTable | O::DescribeGlobalTableSettings => {
            (Need::Read, r#"{"GlobalTableName":"TABLE"}"#)
        }
        O::DescribeTableReplicaAutoScaling | O::UpdateTableReplicaAutoScaling => (Need::Read, TABLE),
        O::ExportTableToPointInTime => (Need::Write, r#"{"TableArn":"ARN","S3Bucket":"bucket"}"#),
        O::DescribeImport => (Need::Read, r#"{"ImportArn":"ARN/import/01489173575360-b308cd7d"}"#),
        O::DescribeExport => (Need::Read, r#"{"ExportArn":"ARN/export/01489173575360-b308cd7d"}"#),
        O::ListGlobalTables => (Need::Nothing, "{}"),
        O::ListStreams => (Need::Read, TABLE),
        O::DescribeStream => (Need::Read, r#"{"StreamArn":"ARN/stream/2026-03-01T09:15:42.017"}"#),
        O::GetShardIterator => (
            Need::Read,
            r#"{"StreamArn":"ARN/stream/2026-03-01T09:15:42.017","ShardId":"shardId-00000001772356542017-00000000","ShardIteratorType":"LATEST"}"#,
        ),
        O::GetRecords => (
            Need::Read,
            r#"{"ShardIterator":"ARN/stream/2026-03-01T09:15:42.017|1|AAAAAAAAAAEkeOOCE15f3kgTJqM5"}"#,
        ),
    }
}

/// The owner of a database with two tables, and a caller of the same database.
struct Door {
    owner: Client,
    caller: Client,
}

impl Door {
    fn new(access: Access) -> Self {
        let owner = Client::new();
        for table in ["test-orders", "secret"] {
            owner.ok(
                "CreateTable",
                &format!(
                    r#"{{"TableName":"{table}","AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}}}"#
                ),
            );
            owner.ok("PutItem", &format!(r#"{{"TableName":"{table}","Item":{{"id":{{"S":"a"}}}}}}"#));
        }
        let caller: Wire = owner.wire.for_caller(&Arc::new(access));
        let caller = Client { wire: caller, clock: owner.clock.clone() };
        Self { owner, caller }
    }

    /// Returns whether a call with the operation's body is refused for lack of permission.
    fn is_denied(&self, operation: Operation, table: &str) -> bool {
        let body = case(operation).1.replace("ARN", ARN).replace("TABLE", table);
        let (status, answer) = self.caller.call(operation.name(), &body);
        let is_denied = answer.contains("AccessDeniedException");
        assert!(!is_denied || status == 400, "{operation:?}: {status}");
        assert!(!answer.contains("SerializationException"), "{operation:?} {body}: {answer}");
        is_denied
    }

    /// Returns all that the database contains: definitions, items and records.
    fn contents(&self) -> String {
        let mut contents = self.owner.ok("ListTables", "{}");
        for table in ["test-orders", "secret"] {
            let body = format!(r#"{{"TableName":"{table}"}}"#);
            for operation in
                ["DescribeTable", "Scan", "DescribeTimeToLive", "ListStreams", "DescribeContinuousBackups"]
            {
                contents.push_str(&self.owner.ok(operation, &body));
            }
        }
        contents
    }
}

#[test]
fn a_key_that_only_reads_changes_nothing() {
    let door = Door::new(Access::new("reader").read_only());
    let before = door.contents();
    for &operation in Operation::ALL {
        let needs_to_write = case(operation).0 == Need::Write;
        assert_eq!(door.is_denied(operation, "secret"), needs_to_write, "{operation:?}");
    }
    assert_eq!(door.contents(), before);
}

#[test]
fn a_key_for_some_tables_sees_no_others() {
    let door = Door::new(Access::new("tester").tables_with_prefixes(["test-".to_owned()]));
    let before = door.contents();
    for &operation in Operation::ALL {
        let is_free = case(operation).0 == Need::Nothing;
        assert_eq!(door.is_denied(operation, "secret"), !is_free, "{operation:?}");
    }
    assert_eq!(door.contents(), before);
    for &operation in Operation::ALL {
        // Operations that name no table are about all of them.
        let is_about_all = case(operation).0 == Need::List
            || (case(operation).0 == Need::Write && case(operation).1 == "{}");
        assert_eq!(door.is_denied(operation, "test-orders"), is_about_all, "{operation:?}");
    }
}

#[test]
fn the_answer_names_user_action_and_resource() {
    let door = Door::new(Access::new("ci").read_only().tables_with_prefixes(["test-".to_owned()]));
    let account = "arn:aws:dynamodb:us-east-1:000000000000";
    for (operation, body, action, resource) in [
        ("PutItem", r#"{"TableName":"test-orders","Item":{"id":{"S":"a"}}}"#, "PutItem", "table/test-orders"),
        ("GetItem", r#"{"TableName":"ARN","Key":{"id":{"S":"a"}}}"#, "GetItem", "table/secret"),
        ("Scan", r#"{"TableName":"secret","IndexName":"by-date"}"#, "Scan", "table/secret/index/by-date"),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"test-orders":{"Keys":[{"id":{"S":"a"}}]},"secret":{"Keys":[{"id":{"S":"a"}}]}}}"#,
            "BatchGetItem",
            "table/secret",
        ),
        (
            "TransactGetItems",
            r#"{"TransactItems":[{"Get":{"TableName":"test-orders","Key":{"id":{"S":"a"}}}},{"Get":{"TableName":"secret","Key":{"id":{"S":"a"}}}}]}"#,
            "GetItem",
            "table/secret",
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"ConditionCheck":{"TableName":"test-orders","Key":{"id":{"S":"a"}},"ConditionExpression":"attribute_exists(id)"}},{"Update":{"TableName":"test-orders","Key":{"id":{"S":"b"}},"UpdateExpression":"SET a = id"}}]}"#,
            "UpdateItem",
            "table/test-orders",
        ),
        ("ExecuteStatement", r#"{"Statement":"SELECT * FROM \"secret\""}"#, "PartiQLSelect", "table/secret"),
        (
            "ExecuteTransaction",
            r#"{"TransactStatements":[{"Statement":"SELECT * FROM \"test-orders\" WHERE id = 'a'"},{"Statement":"DELETE FROM \"test-orders\" WHERE id = 'a'"}]}"#,
            "PartiQLDelete",
            "table/test-orders",
        ),
        (
            "DescribeStream",
            r#"{"StreamArn":"ARN/stream/2026-03-01T09:15:42.017"}"#,
            "DescribeStream",
            "table/secret/stream/2026-03-01T09:15:42.017",
        ),
        ("ListStreams", r#"{"TableName":"secret"}"#, "ListStreams", "table/secret/stream/*"),
        // Texts that look like two ARNs, or like none.
        (
            "RestoreTableToPointInTime",
            r#"{"SourceTableArn":"arn:aws:dynamodb:table/test-orders/:000000000000:table/secret","TargetTableName":"test-new","UseLatestRestorableTime":true}"#,
            "RestoreTableToPointInTime",
            "*",
        ),
        (
            "RestoreTableToPointInTime",
            r#"{"SourceTableArn":"arn:aws:dynamodb:table/x:000000000000:table/secret","TargetTableName":"test-new","UseLatestRestorableTime":true}"#,
            "RestoreTableToPointInTime",
            "*",
        ),
        (
            "ListTagsOfResource",
            r#"{"ResourceArn":"arn:aws:dynamodb:table/test-orders/:000000000000:table/secret"}"#,
            "ListTagsOfResource",
            "*",
        ),
        ("ListTables", "{}", "ListTables", "*"),
        ("ListStreams", "{}", "ListStreams", "*"),
        ("ListBackups", "{}", "ListBackups", "*"),
    ] {
        let resource = if resource == "*" { "*".to_owned() } else { format!("{account}:{resource}") };
        let text = format!(
            "User: arn:aws:iam::000000000000:user/ci is not authorized to perform: dynamodb:{action} on resource: {resource} \
             because no identity-based policy allows the dynamodb:{action} action"
        );
        let body = body.replace("ARN", &ARN.replace("TABLE", "secret"));
        door.caller.refused(operation, &body, "AccessDeniedException", &text);
    }
    // A transaction that only checks is a read.
    door.caller.ok(
        "TransactWriteItems",
        r#"{"TransactItems":[{"ConditionCheck":{"TableName":"test-orders","Key":{"id":{"S":"a"}},"ConditionExpression":"attribute_exists(id)"}}]}"#,
    );
    door.caller.ok("ExecuteStatement", r#"{"Statement":"SELECT * FROM \"test-orders\""}"#);
}

#[test]
fn an_iterator_works_for_those_who_may_read_its_table() {
    let door = Door::new(Access::new("tester").tables_with_prefixes(["test-".to_owned()]));
    for (table, is_allowed) in [("test-orders", true), ("secret", false)] {
        let streams: serde_json::Value =
            serde_json::from_str(&door.owner.ok("ListStreams", &format!(r#"{{"TableName":"{table}"}}"#)))
                .unwrap();
        let arn = streams["Streams"][0]["StreamArn"].as_str().unwrap();
        let stream: serde_json::Value =
            serde_json::from_str(&door.owner.ok("DescribeStream", &format!(r#"{{"StreamArn":"{arn}"}}"#)))
                .unwrap();
        let shard = stream["StreamDescription"]["Shards"][0]["ShardId"].as_str().unwrap();
        let body =
            format!(r#"{{"StreamArn":"{arn}","ShardId":"{shard}","ShardIteratorType":"TRIM_HORIZON"}}"#);
        let iterator: serde_json::Value =
            serde_json::from_str(&door.owner.ok("GetShardIterator", &body)).unwrap();
        let read = serde_json::json!({ "ShardIterator": iterator["ShardIterator"] }).to_string();
        let (status, answer) = door.caller.call("GetRecords", &read);
        assert_eq!(status == 200, is_allowed, "{answer}");
        assert_eq!(answer.contains(r#""eventName":"INSERT""#), is_allowed, "{answer}");
    }
}
