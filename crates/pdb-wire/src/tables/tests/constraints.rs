//! What is refused before an operation begins.

use super::*;

/// Replaces members of the simplest CreateTable.
fn create_with(members: &str) -> String {
    let mut body: serde_json::Value = serde_json::from_str(SIMPLE).unwrap();
    let members: serde_json::Value = serde_json::from_str(members).unwrap();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[track_caller]
fn check_create(members: &str, text: &str) {
    check_refused("CreateTable", &create_with(members), text);
}

#[test]
fn tables_are_named() {
    let operations = [
        "CreateTable",
        "DescribeTable",
        "UpdateTable",
        "DeleteTable",
        "UpdateTimeToLive",
        "DescribeTimeToLive",
        "CreateBackup",
        "DescribeContinuousBackups",
        "UpdateContinuousBackups",
        "EnableKinesisStreamingDestination",
        "DescribeContributorInsights",
        "DescribeTableReplicaAutoScaling",
    ];
    for operation in operations {
        let named = |name: &str| format!(r#"{{"TableName":"{name}"}}"#);
        check_refused(
            operation,
            "{}",
            "The parameter 'TableName' is required but was not present in the request",
        );
        let too_short = |name: &str| {
            format!(
                "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must \
                 have length greater than or equal to 3"
            )
        };
        check_refused(operation, &named("ab"), &too_short("ab"));
        check_refused(operation, &named(""), &too_short(""));
        let long = "a".repeat(256);
        check_refused(
            operation,
            &named(&long),
            &format!(
                "1 validation error detected: Value '{long}' at 'tableName' failed to satisfy constraint: Member must \
                 have length less than or equal to 255"
            ),
        );
        check_refused(
            operation,
            &named("bad name!"),
            "1 validation error detected: Value 'bad name!' at 'tableName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        );
        check_refused(
            operation,
            &named("arn:aws:dynamodb:US:000000000000:table/Tbl"),
            "1 validation error detected: Invalid AWS region in 'arn:aws:dynamodb:US:000000000000:table/Tbl'",
        );
    }
}

#[test]
fn missing_tables_are_not_found() {
    let text = "Requested resource not found: Table: missing not found";
    let kinesis = r#""StreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/events""#;
    for (operation, members) in [
        ("DescribeTable", ""),
        ("DeleteTable", ""),
        ("UpdateTable", r#","DeletionProtectionEnabled":true"#),
        ("DescribeTimeToLive", ""),
        ("UpdateTimeToLive", r#","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"t"}"#),
        ("DescribeKinesisStreamingDestination", ""),
        ("EnableKinesisStreamingDestination", &format!(",{kinesis}")),
        ("DescribeContributorInsights", ""),
    ] {
        let body = format!(r#"{{"TableName":"missing"{members}}}"#);
        check_error(&wire(), operation, &body, "ResourceNotFoundException", text);
    }
    for (operation, members) in [
        ("CreateBackup", r#","BackupName":"name""#),
        ("DescribeContinuousBackups", ""),
        (
            "UpdateContinuousBackups",
            r#","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}"#,
        ),
    ] {
        let body = format!(r#"{{"TableName":"missing"{members}}}"#);
        check_error(&wire(), operation, &body, "TableNotFoundException", "Table not found: missing");
    }
    let arn = r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/missing"}"#;
    check_error(&wire(), "DescribeTable", arn, "ResourceNotFoundException", text);
}

#[test]
fn keys_of_new_tables() {
    check_refused(
        "CreateTable",
        r#"{"TableName":"Tbl"}"#,
        "2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not \
         be null; Value null at 'keySchema' failed to satisfy constraint: Member must not be null",
    );
    check_create(
        r#"{"KeySchema":[]}"#,
        "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length \
         greater than or equal to 1",
    );
    check_create(
        r#"{"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"},
            {"AttributeName":"c","KeyType":"RANGE"}]}"#,
        "1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), \
         KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, keyType=RANGE)]' at \
         'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2",
    );
    check_create(
        r#"{"KeySchema":[{"AttributeName":"a","KeyType":"hash"}],
            "AttributeDefinitions":[{"AttributeName":"a","AttributeType":"X"}]}"#,
        "2 validation errors detected: Value 'hash' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member \
         must satisfy enum value set: [HASH, RANGE]; Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to \
         satisfy constraint: Member must satisfy enum value set: [B, N, S]",
    );
    check_create(
        r#"{"KeySchema":[{}]}"#,
        "2 validation errors detected: Value null at 'keySchema.1.member.attributeName' failed to satisfy constraint: \
         Member must not be null; Value null at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must \
         not be null",
    );
}

#[test]
fn throughput_of_new_tables() {
    check_create(
        r#"{"BillingMode":"FREE"}"#,
        "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum \
         value set: [PROVISIONED, PAY_PER_REQUEST]",
    );
    check_create(
        r#"{"ProvisionedThroughput":{"ReadCapacityUnits":0}}"#,
        "2 validation errors detected: Value null at 'provisionedThroughput.writeCapacityUnits' failed to satisfy \
         constraint: Member must not be null; Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy \
         constraint: Member must have value greater than or equal to 1",
    );
    check_create(
        r#"{"TableClass":"CHEAP"}"#,
        "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, \
         STANDARD_INFREQUENT_ACCESS].",
    );
}

#[test]
fn indexes_of_new_tables() {
    check_create(
        r#"{"GlobalSecondaryIndexes":[{"IndexName":"x"}]}"#,
        "3 validation errors detected: Value 'x' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy \
         constraint: Member must have length greater than or equal to 3; Value null at \
         'globalSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: Member must not be null; Value null at \
         'globalSecondaryIndexes.1.member.projection' failed to satisfy constraint: Member must not be null",
    );
    check_create(
        r#"{"LocalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"SOME","NonKeyAttributes":[]}}]}"#,
        "2 validation errors detected: Value '[]' at 'localSecondaryIndexes.1.member.projection.nonKeyAttributes' failed to \
         satisfy constraint: Member must have length greater than or equal to 1; Value 'SOME' at \
         'localSecondaryIndexes.1.member.projection.projectionType' failed to satisfy constraint: Member must satisfy enum \
         value set: [ALL, INCLUDE, KEYS_ONLY]",
    );
    // At most ten are reported.
    let index = r#"{"IndexName":"x"}"#;
    let members = format!(r#"{{"GlobalSecondaryIndexes":[{index},{index},{index},{index}]}}"#);
    let (_, body) = call(&wire(), "CreateTable", &create_with(&members));
    assert!(body.contains("10 validation errors detected: "), "{body}");
}

#[test]
fn streams_and_encryption_of_new_tables() {
    let missing = "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to satisfy \
         constraint: Member must not be null";
    check_create(r#"{"StreamSpecification":{}}"#, missing);
    check_create(r#"{"StreamSpecification":{"StreamViewType":"KEYS_ONLY"}}"#, missing);
    check_create(
        r#"{"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"new_image"}}"#,
        "1 validation error detected: Value 'new_image' at 'streamSpecification.streamViewType' failed to satisfy \
         constraint: Member must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]",
    );
    check_create(
        r#"{"SSESpecification":{"SSEType":"DES"}}"#,
        "1 validation error detected: Value 'DES' at 'sSESpecification.sSEType' failed to satisfy constraint: Member must \
         satisfy enum value set: [AES256, KMS]",
    );
}

#[test]
fn changes_of_indexes() {
    check_refused(
        "UpdateTable",
        r#"{"TableName":"Tbl","GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"idx"}},{"Delete":{}},
            {"Update":{"IndexName":"idx","ProvisionedThroughput":{"ReadCapacityUnits":1}}}]}"#,
        "4 validation errors detected: Value null at 'globalSecondaryIndexUpdates.1.member.create.keySchema' failed to \
         satisfy constraint: Member must not be null; Value null at \
         'globalSecondaryIndexUpdates.1.member.create.projection' failed to satisfy constraint: Member must not be null; \
         Value null at 'globalSecondaryIndexUpdates.2.member.delete.indexName' failed to satisfy constraint: Member must \
         not be null; Value null at \
         'globalSecondaryIndexUpdates.3.member.update.provisionedThroughput.writeCapacityUnits' failed to satisfy \
         constraint: Member must not be null",
    );
    check_refused(
        "UpdateTable",
        r#"{"TableName":"Tbl","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]}"#,
        "One or more parameter values were invalid: ReplicaUpdates is not supported: there are no global tables here",
    );
}

#[test]
fn listing_tables() {
    let limit = |value: i32, constraint: &str| {
        check_refused(
            "ListTables",
            &format!(r#"{{"Limit":{value}}}"#),
            &format!(
                "1 validation error detected: Value '{value}' at 'limit' failed to satisfy constraint: Member must have \
                 value {constraint}"
            ),
        );
    };
    limit(0, "greater than or equal to 1");
    limit(101, "less than or equal to 100");
    check_refused(
        "ListTables",
        r#"{"ExclusiveStartTableName":"a!"}"#,
        "2 validation errors detected: Value 'a!' at 'exclusiveStartTableName' failed to satisfy constraint: Member must \
         have length greater than or equal to 3; Value 'a!' at 'exclusiveStartTableName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    );
}

#[test]
fn expiry_and_backups() {
    let ttl = |specification: &str, text: &str| {
        let body = format!(r#"{{"TableName":"Tbl"{specification}}}"#);
        check_refused("UpdateTimeToLive", &body, text);
    };
    ttl(
        "",
        "1 validation error detected: Value null at 'timeToLiveSpecification' failed to satisfy constraint: Member must \
         not be null",
    );
    ttl(
        r#","TimeToLiveSpecification":{"AttributeName":""}"#,
        "2 validation errors detected: Value '' at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: \
         Member must have length greater than or equal to 1; Value null at 'timeToLiveSpecification.enabled' failed to \
         satisfy constraint: Member must not be null",
    );
    check_refused(
        "UpdateContinuousBackups",
        r#"{"TableName":"Tbl","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,
            "RecoveryPeriodInDays":36}}"#,
        "1 validation error detected: Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to \
         satisfy constraint: Member must have value less than or equal to 35",
    );
    check_refused(
        "DescribeBackup",
        r#"{"BackupArn":"short"}"#,
        "1 validation error detected: Value 'short' at 'backupArn' failed to satisfy constraint: Member must have length \
         greater than or equal to 37",
    );
    check_refused(
        "EnableKinesisStreamingDestination",
        r#"{"TableName":"Tbl"}"#,
        "1 validation error detected: Value null at 'streamArn' failed to satisfy constraint: Member must not be null",
    );
    check_refused("TagResource", "{}", "Invalid TableArn");
}

#[test]
fn types_are_checked_first() {
    let check = |operation: &str, body: &str, text: &str| {
        check_error(&wire(), operation, body, "SerializationException", text);
    };
    check("CreateTable", r#"{"TableName":23}"#, "NUMBER_VALUE cannot be converted to String");
    check("CreateTable", r#"{"TableName":[]}"#, "Unrecognized collection type class java.lang.String");
    check("CreateTable", r#"{"KeySchema":"x"}"#, "Unexpected field type");
    check("CreateTable", r#"{"KeySchema":["x"]}"#, "Unexpected value type in payload");
    check(
        "CreateTable",
        r#"{"KeySchema":[[]]}"#,
        "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeySchemaElement",
    );
    check(
        "CreateTable",
        r#"{"ProvisionedThroughput":{"ReadCapacityUnits":"1"}}"#,
        "STRING_VALUE cannot be converted to Long",
    );
    check("CreateTable", r#"{"LocalSecondaryIndexes":[{"Projection":"x"}]}"#, "Unexpected field type");
    check("ListTables", r#"{"Limit":"1"}"#, "STRING_VALUE cannot be converted to Integer");
    check("TagResource", r#"{"Tags":[{"Key":true}]}"#, "TRUE_VALUE cannot be converted to String");
    check("UpdateTable", r#"{"TableName":{}}"#, "Start of structure or map found where not expected");
}
