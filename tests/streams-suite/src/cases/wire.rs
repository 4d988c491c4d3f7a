//! The protocol: headers, checksums, prefixes of error types, and two APIs on one port.

use serde_json::json;

use crate::case::Group;
use crate::client::{Answer, Api};
use crate::context::{Context, Keys};
use crate::lane::Lane;
use crate::outcome::Outcome;
use crate::record::{View, s};
use crate::{Stop, check, check_eq, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("wire");
    checksums(&mut group);
    prefixes(&mut group);
    group.case("content-type-is-amz-json", &[31], |cx| {
        let answer = cx.client().call(Api::Streams, "ListStreams", &json!({"Limit": 1}))?;
        check_eq!(answer.header("content-type"), Some("application/x-amz-json-1.0"), "Content-Type");
        Ok(())
    });
    group.case("request-ids-differ", &[31], |cx| {
        let id = || -> Outcome<Option<String>> {
            let answer = cx.client().call(Api::Streams, "ListStreams", &json!({"Limit": 1}))?;
            Ok(answer.header("x-amzn-requestid").map(str::to_owned))
        };
        let (first, second) = (id()?, id()?);
        check!(first.as_ref().is_some_and(|id| !id.is_empty()), "no x-amzn-RequestId");
        check!(first != second, "two answers have the request id {first:?}");
        Ok(())
    });
    group.case("empty-list-streams-request", &[34], |cx| {
        let answer = cx.client().send_signed(Api::Streams, "DynamoDBStreams_20120810.ListStreams", b"{}")?;
        check_eq!(answer.status, 200, "status ({})", answer.text());
        Ok(())
    });
    group.case("both-apis-on-one-port", &[34], both_apis);
    for (name, api, target) in [
        ("list-streams-is-no-table-operation", Api::DynamoDb, "DynamoDB_20120810.ListStreams"),
        ("get-records-is-no-table-operation", Api::DynamoDb, "DynamoDB_20120810.GetRecords"),
        ("list-tables-is-no-stream-operation", Api::Streams, "DynamoDBStreams_20120810.ListTables"),
        ("put-item-is-no-stream-operation", Api::Streams, "DynamoDBStreams_20120810.PutItem"),
        ("there-is-no-operation-of-that-name", Api::Streams, "DynamoDBStreams_20120810.ListRivers"),
        ("there-is-no-api-of-that-name", Api::Streams, "DynamoDBStreams_20111205.ListStreams"),
    ] {
        group.case(name, &[34, 32], move |cx| {
            let answer = cx.client().send_signed(api, target, b"{}")?;
            coral_error(&answer, "com.amazon.coral.service#UnknownOperationException")
        });
    }
    group.case("body-that-is-no-json", &[32, 17], |cx| {
        let answer =
            cx.client().send_signed(Api::Streams, "DynamoDBStreams_20120810.ListStreams", b"{\"Limit\": ")?;
        coral_error(&answer, "com.amazon.coral.service#SerializationException")
    });
    group.case("no-credentials", &[32, 17], |cx| {
        let headers = [
            ("Content-Type", "application/x-amz-json-1.0".to_owned()),
            ("X-Amz-Target", "DynamoDBStreams_20120810.ListStreams".to_owned()),
        ];
        let answer = cx.client().send(Api::Streams, "POST", &headers, b"{}")?;
        coral_error(&answer, "com.amazon.coral.service#MissingAuthenticationTokenException")?;
        let message = answer.failure().map(|failure| failure.message);
        check_eq!(message.as_deref(), Some("Request is missing Authentication Token"), "message");
        Ok(())
    });
    group.case("other-content-type-is-not-found", &[32], |cx| {
        let target = "DynamoDBStreams_20120810.ListStreams";
        let headers = cx.client().signed(Api::Streams, target, "application/x-amz-json-1.1", b"{}");
        let answer = cx.client().send(Api::Streams, "POST", &headers, b"{}")?;
        check_eq!(answer.status, 404, "status ({})", answer.text());
        check_eq!(answer.text(), "<UnknownOperationException/>\n", "body");
        Ok(())
    });
    group.case("put-method-is-not-found", &[32], |cx| {
        let target = "DynamoDBStreams_20120810.ListStreams";
        let headers = cx.client().signed(Api::Streams, target, "application/x-amz-json-1.0", b"{}");
        let answer = cx.client().send(Api::Streams, "PUT", &headers, b"{}")?;
        check_eq!(answer.status, 404, "status ({})", answer.text());
        Ok(())
    });
    group.case("application-json-is-answered-in-kind", &[31], |cx| {
        let target = "DynamoDBStreams_20120810.ListStreams";
        let headers = cx.client().signed(Api::Streams, target, "application/json", b"{}");
        let answer = cx.client().send(Api::Streams, "POST", &headers, b"{}")?;
        check_eq!(answer.status, 200, "status ({})", answer.text());
        check_eq!(answer.header("content-type"), Some("application/json"), "Content-Type");
        Ok(())
    });
    group.case("times-are-numbers", &[33], |cx| {
        let lane = Lane::new(cx, 1)?;
        let created = cx.describe_stream(lane.arn())?["CreationRequestDateTime"].clone();
        check!(created.is_number(), "CreationRequestDateTime is {created}");
        let written = &lane.records[0].inner()["ApproximateCreationDateTime"];
        check!(written.is_number(), "ApproximateCreationDateTime is {written}");
        Ok(())
    });
    group.case("absent-members-of-an-open-stream", &[33], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let answer =
            cx.client().call(Api::Streams, "DescribeStream", &json!({"StreamArn": table.stream_arn}))?;
        for member in ["EndingSequenceNumber", "ParentShardId", "LastEvaluatedShardId", "null"] {
            check!(!answer.text().contains(member), "`{member}` in {}", shown(&answer.text()));
        }
        Ok(())
    });
    group
}

/// Fails unless a checksum header is there and fits.
fn check_crc(answer: &Answer) -> Outcome {
    let Some(header) = answer.header("x-amz-crc32") else {
        return Err(Stop::Failed("no x-amz-crc32".into()));
    };
    check_eq!(header, crc32fast::hash(&answer.body).to_string(), "x-amz-crc32 of {}", shown(&answer.text()));
    Ok(())
}

fn checksums(group: &mut Group) {
    group.case("checksum/list-streams", &[31], |cx| {
        let request = json!({"TableName": cx.unique("absent")});
        let answer = cx.client().call(Api::Streams, "ListStreams", &request)?;
        check_eq!(answer.json()?, json!({"Streams": []}), "body");
        check_crc(&answer)
    });
    group.case("checksum/describe-stream", &[31], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        check_crc(&cx.client().call(
            Api::Streams,
            "DescribeStream",
            &json!({"StreamArn": table.stream_arn}),
        )?)
    });
    group.case("checksum/get-records", &[31], |cx| {
        let lane = Lane::new(cx, 3)?;
        cx.put(&lane.table.name, json!({"pk": s("lane"), "sk": s("big"), "v": s("\u{e4}".repeat(50_000))}))?;
        cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 4)?;
        let request = json!({"ShardIterator": lane.iterator(cx, "TRIM_HORIZON")?});
        check_crc(&cx.client().call(Api::Streams, "GetRecords", &request)?)
    });
    group.case("checksum/validation-error", &[31], |cx| {
        let answer = cx.client().call(Api::Streams, "DescribeStream", &json!({}))?;
        check_eq!(answer.status, 400, "status");
        check_crc(&answer)
    });
    group.case("checksum/unknown-operation", &[31], |cx| {
        let answer = cx.client().send_signed(Api::Streams, "DynamoDBStreams_20120810.ListRivers", b"{}")?;
        check_eq!(answer.status, 400, "status");
        check_crc(&answer)
    });
    group.case("checksum/table-operation", &[31], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let request = json!({"TableName": table.name});
        check_crc(&cx.client().call(Api::DynamoDb, "DescribeTable", &request)?)
    });
}

/// Fails unless an answer is an error of exactly this type.
fn coral_error(answer: &Answer, full_type: &str) -> Outcome {
    check_eq!(answer.status, 400, "status ({})", answer.text());
    let found = answer.failure().map(|failure| failure.full_type);
    check_eq!(found.as_deref(), Some(full_type), "__type");
    Ok(())
}

fn prefixes(group: &mut Group) {
    group.case("prefix/validation", &[32], |cx| {
        let answer = cx.client().call(Api::Streams, "DescribeStream", &json!({}))?;
        coral_error(&answer, "com.amazon.coral.validate#ValidationException")?;
        has_member(&answer, "message")
    });
    group.case("prefix/resource-not-found", &[32], |cx| {
        let shared = cx.shared(View::Both, Keys::Hash)?;
        let arn = shared.table.stream_arn.replace(&shared.table.name, &cx.unique("absent"));
        let answer = cx.client().call(Api::Streams, "DescribeStream", &json!({"StreamArn": arn}))?;
        coral_error(&answer, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException")?;
        has_member(&answer, "message")
    });
    group.case("prefix/serialization", &[32], |cx| {
        let answer = cx.client().call(Api::Streams, "ListStreams", &json!({"Limit": "5"}))?;
        coral_error(&answer, "com.amazon.coral.service#SerializationException")?;
        has_member(&answer, "Message")
    });
    group
        .control("prefix/trimmed", &[32], |cx| {
            let lane = Lane::new(cx, 2)?;
            cx.control()?.trim(lane.arn(), None)?;
            let request = json!({
                "StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": lane.number(0),
            });
            let answer = cx.client().call(Api::Streams, "GetShardIterator", &request)?;
            coral_error(&answer, "com.amazonaws.dynamodb.streams.v20120810#TrimmedDataAccessException")?;
            has_member(&answer, "message")
        })
        .inferred();
    group
        .clock("prefix/expired", &[32], |cx| {
            let lane = Lane::new(cx, 1)?;
            let clock = cx.control()?.hold()?;
            let iterator = lane.iterator(cx, "LATEST")?;
            clock.advance(std::time::Duration::from_secs(20 * 60))?;
            let answer = cx.client().call(Api::Streams, "GetRecords", &json!({"ShardIterator": iterator}))?;
            coral_error(&answer, "com.amazonaws.dynamodb.streams.v20120810#ExpiredIteratorException")?;
            has_member(&answer, "message")
        })
        .inferred();
}

fn has_member(answer: &Answer, member: &str) -> Outcome {
    check!(answer.json()?[member].is_string(), "no `{member}` in {}", answer.text());
    Ok(())
}

fn both_apis(cx: &Context<'_>) -> Outcome {
    let client = cx.client();
    if client.endpoint(Api::DynamoDb) != client.endpoint(Api::Streams) {
        return Err(Stop::Skipped("the two APIs have endpoints of their own".into()));
    }
    for target in ["DynamoDBStreams_20120810.ListStreams", "DynamoDB_20120810.ListTables"] {
        let answer = client.send_signed(Api::DynamoDb, target, b"{}")?;
        check_eq!(answer.status, 200, "status of {target} ({})", answer.text());
    }
    Ok(())
}
