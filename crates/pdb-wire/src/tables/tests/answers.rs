//! What operations answer, byte by byte where it is short.

use super::*;

#[test]
fn a_tables_life() {
    let wire = wire();
    check_answer(
        &wire,
        "CreateTable",
        SIMPLE,
        concat!(
            r#"{"TableDescription":{"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"#,
            r#""TableName":"Tbl","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"TableStatus":"CREATING","#,
            r#""CreationDateTime":1772356542.017,"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"#,
            r#""ReadCapacityUnits":0,"WriteCapacityUnits":0},"TableSizeBytes":0,"ItemCount":0,"#,
            r#""TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl","#,
            r#""TableId":"00000000-0000-0000-0000-000000000001","#,
            r#""BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},"#,
            r#""TableThroughputModeSummary":{"TableThroughputMode":"PAY_PER_REQUEST"},"#,
            r#""DeletionProtectionEnabled":false}}"#
        ),
    );
    let described = check_accepted(&wire, "DescribeTable", r#"{"TableName":"Tbl"}"#);
    for part in [
        r#"{"Table":{"#,
        r#""TableStatus":"ACTIVE""#,
        r#""LastUpdateToPayPerRequestDateTime":1772356542.017"#,
        r#""WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}"#,
    ] {
        assert!(described.contains(part), "{part} in {described}");
    }
    let by_arn = r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl"}"#;
    assert_eq!(check_accepted(&wire, "DescribeTable", by_arn), described);
    check_answer(&wire, "ListTables", "{}", r#"{"TableNames":["Tbl"]}"#);
    check_answer(
        &wire,
        "DeleteTable",
        r#"{"TableName":"Tbl"}"#,
        concat!(
            r#"{"TableDescription":{"TableName":"Tbl","TableStatus":"DELETING","#,
            r#""ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0},"#,
            r#""TableSizeBytes":0,"ItemCount":0,"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl","#,
            r#""TableId":"00000000-0000-0000-0000-000000000001","#,
            r#""BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST","#,
            r#""LastUpdateToPayPerRequestDateTime":1772356542.017},"#,
            r#""TableThroughputModeSummary":{"TableThroughputMode":"PAY_PER_REQUEST","#,
            r#""LastUpdateToPayPerRequestDateTime":1772356542.017},"DeletionProtectionEnabled":false}}"#
        ),
    );
    check_answer(&wire, "ListTables", "{}", r#"{"TableNames":[]}"#);
}

#[test]
fn streams_are_shown_at_once() {
    let wire = wire();
    check_accepted(&wire, "CreateTable", SIMPLE);
    let enabled = check_accepted(
        &wire,
        "UpdateTable",
        r#"{"TableName":"Tbl","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}"#,
    );
    let stream = concat!(
        r#""LatestStreamLabel":"2026-03-01T09:15:42.017","LatestStreamArn":"#,
        r#""arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/stream/2026-03-01T09:15:42.017""#
    );
    let specification = r#""StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}"#;
    assert!(enabled.contains(stream) && enabled.contains(specification), "{enabled}");
    assert!(enabled.contains(r#""TableStatus":"UPDATING""#), "{enabled}");
    let disabled = check_accepted(
        &wire,
        "UpdateTable",
        r#"{"TableName":"Tbl","StreamSpecification":{"StreamEnabled":false}}"#,
    );
    assert!(disabled.contains(stream) && !disabled.contains("StreamSpecification"), "{disabled}");
}

#[test]
fn indexes_are_shown_whole() {
    let wire = wire();
    let created = check_accepted(
        &wire,
        "CreateTable",
        r#"{"TableName":"Tbl","ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2},
            "AttributeDefinitions":[{"AttributeName":"b","AttributeType":"N"},{"AttributeName":"a","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}],
            "LocalSecondaryIndexes":[{"IndexName":"local","Projection":{"ProjectionType":"INCLUDE",
                "NonKeyAttributes":["y","x"]},
                "KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]}],
            "GlobalSecondaryIndexes":[{"IndexName":"global","Projection":{"ProjectionType":"KEYS_ONLY"},
                "ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4},
                "KeySchema":[{"AttributeName":"b","KeyType":"HASH"}]}]}"#,
    );
    let indexes = concat!(
        r#""LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},"#,
        r#"{"AttributeName":"b","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","#,
        r#""NonKeyAttributes":["x","y"]},"IndexSizeBytes":0,"ItemCount":0,"#,
        r#""IndexArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/index/local"}],"#,
        r#""GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"b","KeyType":"HASH"}],"#,
        r#""Projection":{"ProjectionType":"KEYS_ONLY"},"IndexStatus":"CREATING","#,
        r#""ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":3,"WriteCapacityUnits":4},"#,
        r#""IndexSizeBytes":0,"ItemCount":0,"#,
        r#""IndexArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/index/global"}]"#
    );
    assert!(created.contains(indexes), "{created}");
    assert!(!created.contains("ModeSummary"), "{created}");
}

#[test]
fn throughput_without_members_is_none() {
    let wire = wire();
    let index = r#""GlobalSecondaryIndexes":[{"IndexName":"idx","Projection":{"ProjectionType":"ALL"},
        "KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"WarmThroughput":{},"OnDemandThroughput":{}}],
        "OnDemandThroughput":{},"WarmThroughput":{},"KeySchema""#;
    let created = check_accepted(&wire, "CreateTable", &SIMPLE.replace(r#""KeySchema""#, index));
    assert!(!created.contains("OnDemandThroughput") && !created.contains("WarmThroughput"), "{created}");
    let update = |members: &str| format!(r#"{{"TableName":"Tbl",{members}}}"#);
    for members in [
        r#""WarmThroughput":{},"DeletionProtectionEnabled":false"#,
        r#""OnDemandThroughput":{},"TableClass":"STANDARD""#,
    ] {
        check_accepted(&wire, "UpdateTable", &update(members));
    }
    // AWS answers these with an internal error.
    for members in [r#""WarmThroughput":{}"#, r#""OnDemandThroughput":{}"#] {
        let (status, answer) = call(&wire, "UpdateTable", &update(members));
        assert!(status == 400 && answer.contains("WarmThroughput or TableClass is required"), "{answer}");
    }
    // An index that is updated must be given something; that is said before the table is looked up.
    let of_index = |members: &str| {
        format!(
            r#"{{"TableName":"missing","GlobalSecondaryIndexUpdates":[{{"Update":{{"IndexName":"idx",{members}}}}}]}}"#
        )
    };
    check_error(
        &wire,
        "UpdateTable",
        &of_index(r#""WarmThroughput":{}"#),
        "ValidationException",
        "One or more parameter values were invalid: WarmThroughput must have at least one of ReadUnitsPerSecond or \
         WriteUnitsPerSecond specified for index: idx",
    );
    check_error(
        &wire,
        "UpdateTable",
        &of_index(r#""OnDemandThroughput":{}"#).replace("missing", "Tbl"),
        "ValidationException",
        "One or more parameter values were invalid: The only Updates for index: idx when TableThroughputMode is \
         PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput",
    );
}

#[test]
fn the_throughput_mode_has_two_names() {
    let wire = wire();
    let other_name = SIMPLE.replace("BillingMode", "TableThroughputMode");
    let created = check_accepted(&wire, "CreateTable", &other_name);
    let on_demand = r#""BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"}"#;
    assert!(created.contains(on_demand), "{created}");

    // `BillingMode` decides where both are given.
    let both = r#"{"TableName":"Tbl","BillingMode":"PROVISIONED","TableThroughputMode":"PAY_PER_REQUEST",
        "ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2}}"#;
    let updated = check_accepted(&wire, "UpdateTable", both);
    for part in [
        r#""BillingModeSummary":{"BillingMode":"PROVISIONED","#,
        r#""TableThroughputModeSummary":{"TableThroughputMode":"PROVISIONED","#,
    ] {
        assert!(updated.contains(part), "{part} in {updated}");
    }
    let back = r#"{"TableName":"Tbl","TableThroughputMode":"PAY_PER_REQUEST"}"#;
    let updated = check_accepted(&wire, "UpdateTable", back);
    assert!(updated.contains(r#""TableThroughputMode":"PAY_PER_REQUEST","#), "{updated}");

    // A malformed one is refused, also beside a good `BillingMode`, and before the table is looked up.
    let enumerated = "1 validation error detected: Value 'FREE' at 'tableThroughputMode' failed to satisfy constraint: \
                      Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]";
    check_refused(
        "CreateTable",
        &SIMPLE.replace(r#""KeySchema""#, r#""TableThroughputMode":"FREE","KeySchema""#),
        enumerated,
    );
    check_refused("UpdateTable", r#"{"TableName":"missing","TableThroughputMode":"FREE"}"#, enumerated);
}

#[test]
fn settings_answer_as_aws_does() {
    let wire = wire();
    check_accepted(&wire, "CreateTable", SIMPLE);
    let table = r#"{"TableName":"Tbl"}"#;
    check_answer(
        &wire,
        "DescribeTimeToLive",
        table,
        r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}"#,
    );
    check_answer(
        &wire,
        "UpdateTimeToLive",
        r#"{"TableName":"Tbl","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"t"}}"#,
        r#"{"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"t"}}"#,
    );
    check_answer(
        &wire,
        "DescribeTimeToLive",
        table,
        r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"t"}}"#,
    );
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl";
    let tag = format!(r#"{{"ResourceArn":"{arn}","Tags":[{{"Key":"k","Value":"v"}}]}}"#);
    check_answer(&wire, "TagResource", &tag, "");
    let resource = format!(r#"{{"ResourceArn":"{arn}"}}"#);
    check_answer(&wire, "ListTagsOfResource", &resource, r#"{"Tags":[{"Key":"k","Value":"v"}]}"#);
    let untag = format!(r#"{{"ResourceArn":"{arn}","TagKeys":["k"]}}"#);
    check_answer(&wire, "UntagResource", &untag, "");
    check_answer(&wire, "ListTagsOfResource", &resource, r#"{"Tags":[]}"#);
    check_answer(
        &wire,
        "DescribeContinuousBackups",
        table,
        concat!(
            r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","#,
            r#""PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}"#
        ),
    );
    check_answer(
        &wire,
        "UpdateContinuousBackups",
        r#"{"TableName":"Tbl","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#,
        concat!(
            r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","#,
            r#""PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED","RecoveryPeriodInDays":35,"#,
            r#""EarliestRestorableDateTime":1772356542.017,"LatestRestorableDateTime":1772356542.017}}}"#
        ),
    );
    check_answer(
        &wire,
        "DescribeContributorInsights",
        table,
        r#"{"TableName":"Tbl","ContributorInsightsStatus":"DISABLED"}"#,
    );
    check_answer(
        &wire,
        "UpdateContributorInsights",
        r#"{"TableName":"Tbl","ContributorInsightsAction":"ENABLE"}"#,
        concat!(
            r#"{"TableName":"Tbl","ContributorInsightsStatus":"ENABLING","#,
            r#""ContributorInsightsMode":"ACCESSED_AND_THROTTLED_KEYS"}"#
        ),
    );
    check_accepted(&wire, "CreateTable", &SIMPLE.replace("Tbl", "Two"));
    check_accepted(
        &wire,
        "UpdateContributorInsights",
        r#"{"TableName":"Two","ContributorInsightsAction":"ENABLE"}"#,
    );
    let summary = |name: &str| {
        format!(
            r#"{{"TableName":"{name}","ContributorInsightsStatus":"ENABLED","ContributorInsightsMode":"ACCESSED_AND_THROTTLED_KEYS"}}"#
        )
    };
    let (one, two) = (summary("Tbl"), summary("Two"));
    check_answer(
        &wire,
        "ListContributorInsights",
        r#"{"MaxResults":1}"#,
        &format!(r#"{{"ContributorInsightsSummaries":[{one}],"NextToken":"1"}}"#),
    );
    check_answer(
        &wire,
        "ListContributorInsights",
        r#"{"NextToken":"1"}"#,
        &format!(r#"{{"ContributorInsightsSummaries":[{two}]}}"#),
    );
    let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/events";
    check_answer(
        &wire,
        "EnableKinesisStreamingDestination",
        &format!(r#"{{"TableName":"Tbl","StreamArn":"{stream}"}}"#),
        &format!(
            r#"{{"TableName":"Tbl","StreamArn":"{stream}","DestinationStatus":"ENABLING","EnableKinesisStreamingConfiguration":{{}}}}"#
        ),
    );
    check_answer(
        &wire,
        "DescribeKinesisStreamingDestination",
        table,
        &format!(
            r#"{{"TableName":"Tbl","KinesisDataStreamDestinations":[{{"StreamArn":"{stream}","DestinationStatus":"ACTIVE"}}]}}"#
        ),
    );
    check_error(
        &wire,
        "DisableKinesisStreamingDestination",
        &format!(
            r#"{{"TableName":"Tbl","StreamArn":"{stream}","EnableKinesisStreamingConfiguration":{{
                "ApproximateCreationDateTimePrecision":"MICROSECOND"}}}}"#
        ),
        "ValidationException",
        "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters",
    );
    check_answer(
        &wire,
        "DisableKinesisStreamingDestination",
        &format!(r#"{{"TableName":"Tbl","StreamArn":"{stream}"}}"#),
        &format!(r#"{{"TableName":"Tbl","StreamArn":"{stream}","DestinationStatus":"DISABLING"}}"#),
    );
    check_answer(
        &wire,
        "PutResourcePolicy",
        &format!(r#"{{"ResourceArn":"{arn}","Policy":"{{}}"}}"#),
        r#"{"RevisionId":"1772356542017"}"#,
    );
    check_answer(&wire, "GetResourcePolicy", &resource, r#"{"Policy":"{}","RevisionId":"1772356542017"}"#);
    check_answer(&wire, "DeleteResourcePolicy", &resource, r#"{"RevisionId":"1772356542017"}"#);
    check_answer(&wire, "DeleteResourcePolicy", &resource, "{}");
}

#[test]
fn backups_are_described_and_restored() {
    let wire = wire();
    check_accepted(&wire, "CreateTable", SIMPLE);
    let made = check_accepted(&wire, "CreateBackup", r#"{"TableName":"Tbl","BackupName":"first"}"#);
    assert!(
        made.contains(r#""BackupStatus":"CREATING","BackupType":"USER","BackupSizeBytes":0}}"#),
        "{made}"
    );
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let arn = made["BackupDetails"]["BackupArn"].as_str().unwrap();
    let described = check_accepted(&wire, "DescribeBackup", &format!(r#"{{"BackupArn":"{arn}"}}"#));
    for part in [
        r#""BackupStatus":"AVAILABLE""#,
        r#""SourceTableDetails":{"TableName":"Tbl""#,
        r#""BillingMode":"PAY_PER_REQUEST"}"#,
        r#""SourceTableFeatureDetails":{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}"#,
    ] {
        assert!(described.contains(part), "{part} in {described}");
    }
    let restore = format!(r#"{{"TargetTableName":"Copy","BackupArn":"{arn}"}}"#);
    let restored = check_accepted(&wire, "RestoreTableFromBackup", &restore);
    assert!(restored.contains(r#""RestoreInProgress":true"#), "{restored}");
    check_error(
        &wire,
        "RestoreTableFromBackup",
        &restore,
        "TableAlreadyExistsException",
        "Table already exists: Copy",
    );
    let listed = check_accepted(&wire, "ListBackups", r#"{"TableName":"Tbl","BackupType":"ALL"}"#);
    assert!(listed.contains(r#""BackupName":"first""#), "{listed}");
    check_answer(&wire, "ListBackups", r#"{"BackupType":"SYSTEM"}"#, r#"{"BackupSummaries":[]}"#);
    let deleted = check_accepted(&wire, "DeleteBackup", &format!(r#"{{"BackupArn":"{arn}"}}"#));
    assert!(deleted.contains(r#""BackupStatus":"DELETED""#), "{deleted}");
    check_error(
        &wire,
        "DescribeBackup",
        &format!(r#"{{"BackupArn":"{arn}"}}"#),
        "BackupNotFoundException",
        &format!("Backup not found: {arn}"),
    );
}

#[test]
fn what_is_not_here_says_so() {
    let wire = wire();
    check_answer(
        &wire,
        "DescribeLimits",
        "{}",
        concat!(
            r#"{"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,"#,
            r#""TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000}"#
        ),
    );
    let endpoints = check_accepted(&wire, "DescribeEndpoints", "{}");
    assert!(endpoints.ends_with(r#","CachePeriodInMinutes":1440}]}"#), "{endpoints}");
    check_answer(&wire, "ListGlobalTables", "{}", r#"{"GlobalTables":[]}"#);
    check_answer(&wire, "ListExports", "{}", r#"{"ExportSummaries":[]}"#);
    check_answer(&wire, "ListImports", "{}", r#"{"ImportSummaryList":[]}"#);
    let legacy = "One or more parameter values were invalid: DynamoDB global tables version 2017.11.29 is not supported. We \
         recommend using DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 (Legacy).";
    for operation in ["CreateGlobalTable", "UpdateGlobalTable", "UpdateGlobalTableSettings"] {
        check_error(&wire, operation, "{}", "ValidationException", legacy);
    }
    for operation in ["DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling"] {
        check_error(
            &wire,
            operation,
            r#"{"TableName":"Tbl"}"#,
            "ResourceNotFoundException",
            "Global table with name: 'Tbl' does not exist.",
        );
    }
    check_error(
        &wire,
        "ExportTableToPointInTime",
        r#"{"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Tbl","S3Bucket":"bucket"}"#,
        "TableNotFoundException",
        "Table not found: arn:aws:dynamodb:us-east-1:000000000000:table/Tbl",
    );
}
