//! Requests that manage tables, backups and what belongs to them.

use pdb_wire::Operation;
use serde_json::{Value, json};

use super::{Body, Memory, index, table};
use crate::Source;

const VIEW_TYPES: [&str; 4] = ["NEW_AND_OLD_IMAGES", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"];

/// Fills the request for any other operation: with members that several of them have, or with those of its own.
pub(super) fn fill(operation: Operation, body: &mut Body<'_, '_>, memory: &Memory) {
    match operation {
        Operation::CreateTable => create_table(body),
        Operation::UpdateTable => update_table(body, memory),
        Operation::ListTables | Operation::ListBackups | Operation::ListContributorInsights => {
            body.maybe(2, "Limit", |source| source.below(3));
            body.maybe(3, "MaxResults", |source| source.below(3));
            body.maybe(3, "ExclusiveStartTableName", |source| table(source, memory));
            body.maybe(3, "ExclusiveStartBackupArn", |source| memory.recall(source, &["BackupArn"]));
            body.maybe(3, "NextToken", |source| memory.recall(source, &["NextToken"]));
            body.maybe(2, "TableName", |source| table(source, memory));
        }
        Operation::TagResource
        | Operation::UntagResource
        | Operation::ListTagsOfResource
        | Operation::PutResourcePolicy
        | Operation::GetResourcePolicy
        | Operation::DeleteResourcePolicy => resource(body, memory),
        Operation::CreateBackup => {
            let of = table(body.source, memory);
            body.set("TableName", of);
            body.draw("BackupName", |source| source.pick(&["first", "second", "ab"]));
        }
        Operation::DescribeBackup | Operation::DeleteBackup => {
            let arn = memory.recall(body.source, &["BackupArn"]);
            body.set("BackupArn", arn);
        }
        Operation::RestoreTableFromBackup | Operation::RestoreTableToPointInTime => {
            body.draw("TargetTableName", |source| source.pick(&["New", "Other", "Orders"]));
            if operation == Operation::RestoreTableFromBackup {
                let arn = memory.recall(body.source, &["BackupArn"]);
                body.set("BackupArn", arn);
            } else {
                let of = table(body.source, memory);
                body.set("SourceTableName", of);
                body.set("UseLatestRestorableTime", true);
            }
            body.maybe(4, "GlobalSecondaryIndexOverride", |source| vec![global(source)]);
            body.maybe(4, "LocalSecondaryIndexOverride", |_| Value::from(Vec::<Value>::new()));
            body.maybe(4, "BillingModeOverride", |source| source.pick(&["PAY_PER_REQUEST", "PROVISIONED"]));
        }
        _ => settings(operation, body, memory),
    }
}

/// Operations that change or show one setting of a table.
fn settings(operation: Operation, body: &mut Body<'_, '_>, memory: &Memory) {
    let of = table(body.source, memory);
    body.set("TableName", of);
    match operation {
        Operation::UpdateTimeToLive => {
            let name = body.source.pick(&["n", "expires"]);
            let enabled = body.source.once_in(2);
            body.set("TimeToLiveSpecification", json!({"Enabled": enabled, "AttributeName": name}));
        }
        Operation::UpdateContinuousBackups => {
            let enabled = !body.source.once_in(3);
            body.set("PointInTimeRecoverySpecification", json!({"PointInTimeRecoveryEnabled": enabled}));
        }
        Operation::UpdateContributorInsights => {
            body.draw("ContributorInsightsAction", |source| source.pick(&["ENABLE", "DISABLE"]));
            body.maybe(3, "IndexName", index);
        }
        Operation::EnableKinesisStreamingDestination
        | Operation::DisableKinesisStreamingDestination
        | Operation::UpdateKinesisStreamingDestination => {
            body.set("StreamArn", "arn:aws:kinesis:us-east-1:000000000000:stream/orders");
            let precision = body.source.pick(&["MILLISECOND", "MICROSECOND"]);
            body.maybe(
                2,
                "UpdateKinesisStreamingConfiguration",
                |_| json!({"ApproximateCreationDateTimePrecision": precision}),
            );
        }
        _ => {
            body.maybe(8, "IndexName", index);
        }
    }
}

fn resource(body: &mut Body<'_, '_>, memory: &Memory) {
    let arn = memory.recall(body.source, &["TableArn", "LatestStreamArn"]);
    body.set("ResourceArn", arn);
    body.maybe(2, "Tags", |source| {
        source.up_to(3, |source| json!({"Key": source.pick(&["a", "b", ""]), "Value": source.text(4)}))
    });
    body.maybe(2, "TagKeys", |source| source.up_to(2, |source| source.pick(&["a", "b"])));
    body.maybe(2, "Policy", |source| {
        let effect = source.pick(&["Allow", "Deny"]);
        json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": "*", "Action": "dynamodb:*", "Resource": "*"}]}).to_string()
    });
    body.maybe(3, "ExpectedRevisionId", |source| memory.recall(source, &["RevisionId"]));
    body.maybe(4, "NextToken", |source| memory.recall(source, &["NextToken"]));
}

fn attribute_definition(source: &mut Source<'_>) -> Value {
    json!({"AttributeName": source.pick(&["pk", "sk", "a", "n"]), "AttributeType": source.pick(&["S", "N", "B"])})
}

fn projection(source: &mut Source<'_>) -> Value {
    match source.below(4) {
        0 | 1 => json!({"ProjectionType": "ALL"}),
        2 => json!({"ProjectionType": "KEYS_ONLY"}),
        _ => {
            json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": source.up_to(2, |source| source.pick(&["v", "b", "pk"]))})
        }
    }
}

fn key_schema(source: &mut Source<'_>) -> Value {
    let mut schema = vec![json!({"AttributeName": source.pick(&["pk", "a", "n"]), "KeyType": "HASH"})];
    if source.once_in(2) {
        schema.push(json!({"AttributeName": source.pick(&["sk", "a", "n", "pk"]), "KeyType": "RANGE"}));
    }
    Value::from(schema)
}

fn global(source: &mut Source<'_>) -> Value {
    let mut index = json!({"IndexName": source.pick(&["other", "third", "global"]), "KeySchema": key_schema(source), "Projection": projection(source)});
    if source.once_in(6) {
        index["ProvisionedThroughput"] =
            json!({"ReadCapacityUnits": source.below(3), "WriteCapacityUnits": 1});
    }
    index
}

fn stream(source: &mut Source<'_>) -> Value {
    if source.once_in(3) {
        json!({"StreamEnabled": false})
    } else {
        json!({"StreamEnabled": true, "StreamViewType": source.pick(&VIEW_TYPES)})
    }
}

fn create_table(body: &mut Body<'_, '_>) {
    body.draw("TableName", |source| source.pick(&["New", "Other", "Orders"]));
    body.set("BillingMode", "PAY_PER_REQUEST");
    let mut names = vec![json!({"AttributeName": "pk", "AttributeType": body.source.pick(&["S", "N", "B"])})];
    names.extend(body.source.up_to(2, attribute_definition));
    body.set("AttributeDefinitions", names);
    let schema = key_schema(body.source);
    body.set("KeySchema", schema);
    body.maybe(2, "StreamSpecification", stream);
    body.maybe(3, "GlobalSecondaryIndexes", |source| source.up_to(2, global));
    body.maybe(4, "LocalSecondaryIndexes", |source| source.up_to(2, global));
    body.maybe(6, "DeletionProtectionEnabled", |source| source.once_in(2));
    body.maybe(6, "TableClass", |source| source.pick(&["STANDARD", "STANDARD_INFREQUENT_ACCESS"]));
}

fn update_table(body: &mut Body<'_, '_>, memory: &Memory) {
    let of = table(body.source, memory);
    body.set("TableName", of);
    body.maybe(2, "StreamSpecification", stream);
    if body.source.once_in(2) {
        let names = body.source.up_to(3, attribute_definition);
        body.set("AttributeDefinitions", names);
        let update = match body.source.below(3) {
            0 => json!({"Create": global(body.source)}),
            1 => json!({"Delete": {"IndexName": index(body.source)}}),
            _ => {
                json!({"Update": {"IndexName": index(body.source), "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}}})
            }
        };
        body.set("GlobalSecondaryIndexUpdates", json!([update]));
    }
    body.maybe(6, "BillingMode", |source| source.pick(&["PAY_PER_REQUEST", "PROVISIONED"]));
    body.maybe(
        6,
        "ProvisionedThroughput",
        |source| json!({"ReadCapacityUnits": source.below(4), "WriteCapacityUnits": source.below(4)}),
    );
    body.maybe(6, "DeletionProtectionEnabled", |source| source.once_in(2));
}
