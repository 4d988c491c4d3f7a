//! The Streams operations: structural checks (streams.md, sections 3 and 14).

use crate::harness::check_invalid;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";

#[test]
fn list_streams_checks_its_input() {
    check_invalid(
        "ListStreams",
        &[
            (
                r#"{"TableName":"ab","Limit":0,"ExclusiveStartStreamArn":"abc"}"#,
                "3 validation errors detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length \
                 greater than or equal to 3; Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than \
                 or equal to 1; Value 'abc' at 'exclusiveStartStreamArn' failed to satisfy constraint: Member must have length \
                 greater than or equal to 37",
            ),
            (
                r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/Orders"}"#,
                "1 validation error detected: Value 'arn:aws:dynamodb:us-east-1:000000000000:table/Orders' at 'tableName' failed \
                 to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
            (
                r#"{"ExclusiveStartStreamArn":"arn:aws:dynamodb:us-east-1:000000000000:tab"}"#,
                "Invalid StreamArn",
            ),
        ],
    );
}

#[test]
fn describe_stream_checks_its_input() {
    check_invalid(
        "DescribeStream",
        &[
            (
                "{}",
                "1 validation error detected: Value null at 'streamArn' failed to satisfy constraint: Member must not be null",
            ),
            (
                r#"{"StreamArn":"abc"}"#,
                "1 validation error detected: Value 'abc' at 'streamArn' failed to satisfy constraint: Member must have length \
                 greater than or equal to 37",
            ),
            (
                &format!(
                    r#"{{"StreamArn":"{ARN}","ShardFilter":{{"Type":"CHILD_SHARDS","ShardId":"qwerty"}}}}"#
                ),
                "1 validation error detected: Value 'qwerty' at 'shardFilter.shardId' failed to satisfy constraint: Member must \
                 have length greater than or equal to 28",
            ),
            (
                &format!(r#"{{"StreamArn":"{ARN}","ShardFilter":{{}}}}"#),
                "2 validation errors detected: Value null at 'shardFilter.type' failed to satisfy constraint: Member must not be \
                 null; Value null at 'shardFilter.shardId' failed to satisfy constraint: Member must not be null",
            ),
            (
                &format!(r#"{{"StreamArn":"{ARN}","ExclusiveStartShardId":"short"}}"#),
                "1 validation error detected: Value 'short' at 'exclusiveStartShardId' failed to satisfy constraint: Member must \
                 have length greater than or equal to 28",
            ),
            (r#"{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Orders"}"#, "Invalid StreamArn"),
        ],
    );
}

#[test]
fn get_shard_iterator_checks_its_input() {
    let request = |more: &str| {
        format!(r#"{{"StreamArn":"{ARN}","ShardId":"shardId-00000001772356542017-5f3a91c0",{more}}}"#)
    };
    let shard = "1 validation error detected: Value";
    check_invalid(
        "GetShardIterator",
        &[
            (
                "{}",
                "3 validation errors detected: Value null at 'streamArn' failed to satisfy constraint: Member must not be null; \
                 Value null at 'shardId' failed to satisfy constraint: Member must not be null; Value null at 'shardIteratorType' \
                 failed to satisfy constraint: Member must not be null",
            ),
            (
                &request(r#""ShardIteratorType":"at_timestamp","Timestamp":100"#),
                &format!(
                    "{shard} 'at_timestamp' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value \
                     set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON, AT_TIMESTAMP]"
                ),
            ),
            (
                &request(r#""ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"123""#),
                &format!(
                    "{shard} '123' at 'sequenceNumber' failed to satisfy constraint: Member must have length greater than or equal \
                     to 21"
                ),
            ),
            (
                &request(r#""ShardIteratorType":"AT_SEQUENCE_NUMBER""#),
                "One or more parameter values were invalid: SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER",
            ),
            (
                &request(r#""ShardIteratorType":"LATEST","SequenceNumber":"100000000000000000004""#),
                "One or more parameter values were invalid: SequenceNumber must not be specified for ShardIteratorType LATEST",
            ),
            (
                &request(
                    r#""ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"x00000000000000000004""#,
                ),
                "Invalid SequenceNumber",
            ),
        ],
    );
}

#[test]
fn get_records_checks_its_input() {
    check_invalid(
        "GetRecords",
        &[
            (
                r#"{"Limit":0}"#,
                "2 validation errors detected: Value null at 'shardIterator' failed to satisfy constraint: Member must not be \
                 null; Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ),
            (
                r#"{"ShardIterator":"x","Limit":1001}"#,
                "One or more parameter values were invalid: Limit should be less than or equal to 1000",
            ),
            (r#"{"ShardIterator":"x","Limit":1000}"#, "Invalid ShardIterator"),
        ],
    );
}
