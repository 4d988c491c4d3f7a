//! Every error of the four operations.

use serde_json::{Value, json};

use crate::case::{Group, Needs};
use crate::context::{Context, Keys};
use crate::expect::Text;
use crate::lane::Lane;
use crate::outcome::Outcome;
use crate::record::{View, merged};
use crate::{Api, ApiFailure, Server, Stop, check, check_eq, fail};

const NOT_NULL: &str = "Member must not be null";
const NO_SHARD: &str = "shardId-00000001414576573621-f55eea83";

fn at_least(length: u32) -> String {
    format!("Member must have length greater than or equal to {length}")
}

fn at_most(length: u32) -> String {
    format!("Member must have length less than or equal to {length}")
}

pub(super) fn group() -> Group {
    let mut group = Group::new("errors");
    list_streams(&mut group);
    describe_stream(&mut group);
    shard_filter(&mut group);
    get_shard_iterator(&mut group);
    sequence_numbers(&mut group);
    get_records(&mut group);
    group
}

/// Adds a case in which a member violates a constraint; `STREAM` stands for the ARN of a real stream.
fn constraint(
    group: &mut Group,
    name: impl Into<String>,
    operation: &'static str,
    request: Value,
    path: &'static str,
    text: impl Into<String>,
) {
    let text = text.into();
    group.case(name, &[17], move |cx| {
        refused_on_a_stream(cx, operation, request.clone())?.check_constraint(path, &text)
    });
}

fn refused_on_a_stream(cx: &Context<'_>, operation: &str, request: Value) -> Outcome<ApiFailure> {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let request = request.to_string().replace("STREAM", &shared.table.stream_arn);
    let request = serde_json::from_str(&request).map_err(|e| Stop::Failed(e.to_string()))?;
    cx.streams_refused(operation, request)
}

fn unknown_arn(cx: &Context<'_>) -> Outcome<String> {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    Ok(shared.table.stream_arn.replace(&shared.table.name, &cx.unique("absent")))
}

fn check_unknown_stream(failure: &ApiFailure, arn: &str) -> Outcome {
    let text = format!("Requested resource not found: Stream: {arn} not found");
    failure.check("ResourceNotFoundException", Text::exact(text))
}

fn list_streams(group: &mut Group) {
    let op = "ListStreams";
    constraint(
        group,
        "list/limit-0",
        op,
        json!({"Limit": 0}),
        "limit",
        "Member must have value greater than or equal to 1",
    );
    constraint(
        group,
        "list/limit-negative",
        op,
        json!({"Limit": -1}),
        "limit",
        "Member must have value greater than or equal to 1",
    );
    group.case("list/limit-101", &[17], |cx| {
        cx.streams_refused("ListStreams", json!({"Limit": 101}))?.check_validation(Text::Any)
    });
    constraint(group, "list/short-table-name", op, json!({"TableName": "ab"}), "tableName", at_least(3));
    constraint(
        group,
        "list/long-table-name",
        op,
        json!({"TableName": "a".repeat(256)}),
        "tableName",
        at_most(255),
    );
    constraint(
        group,
        "list/table-name-with-a-space",
        op,
        json!({"TableName": "a table"}),
        "tableName",
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    );
    constraint(
        group,
        "list/short-cursor",
        op,
        json!({"ExclusiveStartStreamArn": "arn:aws:dynamodb"}),
        "exclusiveStartStreamArn",
        at_least(37),
    );
    group.case("list/cursor-that-is-no-arn", &[17], |cx| {
        let request = json!({"ExclusiveStartStreamArn": "x".repeat(60)});
        cx.streams_refused("ListStreams", request)?.check_validation(Text::Any)
    });
    group
        .case("list/table-arn-is-no-table-name", &[17], |cx| {
            let shared = cx.shared(View::Both, Keys::Hash)?;
            let arn = shared.table.stream_arn.split("/stream/").next().unwrap_or_default().to_owned();
            cx.streams_refused("ListStreams", json!({"TableName": arn}))?.check_validation(Text::Any)
        })
        .inferred();
}

fn describe_stream(group: &mut Group) {
    let op = "DescribeStream";
    constraint(group, "describe/no-arn", op, json!({}), "streamArn", NOT_NULL);
    constraint(group, "describe/short-arn", op, json!({"StreamArn": "abc"}), "streamArn", at_least(37));
    constraint(
        group,
        "describe/long-arn",
        op,
        json!({"StreamArn": "a".repeat(1025)}),
        "streamArn",
        at_most(1024),
    );
    group.case("describe/malformed-arn", &[17], |cx| {
        let request = json!({"StreamArn": "arn:aws:dynamodb:us-east-1:table-without-an-account"});
        cx.streams_refused("DescribeStream", request)?.check_validation(Text::exact("Invalid StreamArn"))
    });
    group.case("describe/unknown-table", &[17], |cx| {
        let arn = unknown_arn(cx)?;
        check_unknown_stream(&cx.streams_refused("DescribeStream", json!({"StreamArn": arn}))?, &arn)
    });
    group.case("describe/unknown-label", &[17], |cx| {
        let shared = cx.shared(View::Both, Keys::Hash)?;
        let table_arn = shared.table.stream_arn.split("/stream/").next().unwrap_or_default().to_owned();
        let arn = format!("{table_arn}/stream/2020-01-02T03:04:05.678");
        check_unknown_stream(&cx.streams_refused("DescribeStream", json!({"StreamArn": arn}))?, &arn)
    });
    constraint(
        group,
        "describe/limit-0",
        op,
        json!({"StreamArn": "STREAM", "Limit": 0}),
        "limit",
        "Member must have value greater than or equal to 1",
    );
    group.case("describe/limit-101", &[17], |cx| {
        let failure =
            refused_on_a_stream(cx, "DescribeStream", json!({"StreamArn": "STREAM", "Limit": 101}))?;
        failure.check_validation(Text::Any)
    });
    constraint(
        group,
        "describe/short-cursor",
        op,
        json!({"StreamArn": "STREAM", "ExclusiveStartShardId": "shardId-1"}),
        "exclusiveStartShardId",
        at_least(28),
    );
    constraint(
        group,
        "describe/long-cursor",
        op,
        json!({"StreamArn": "STREAM", "ExclusiveStartShardId": "s".repeat(66)}),
        "exclusiveStartShardId",
        at_most(65),
    );
}

fn shard_filter(group: &mut Group) {
    let filter = |filter: Value| json!({"StreamArn": "STREAM", "ShardFilter": filter});
    constraint(
        group,
        "describe/filter-with-a-short-shard-id",
        "DescribeStream",
        filter(json!({"Type": "CHILD_SHARDS", "ShardId": "qwerty"})),
        "shardFilter.shardId",
        at_least(28),
    );
    let rows: [(&'static str, Value); 4] = [
        ("without-type", json!({"ShardId": NO_SHARD})),
        ("without-shard-id", json!({"Type": "CHILD_SHARDS"})),
        ("empty", json!({})),
        ("of-unknown-type", json!({"Type": "PARENT_SHARDS", "ShardId": NO_SHARD})),
    ];
    for (name, value) in rows {
        let request = filter(value);
        group.case(format!("describe/filter-{name}"), &[17, 28], move |cx| {
            refused_on_a_stream(cx, "DescribeStream", request.clone())?.check_validation(Text::Any)
        });
    }
}

fn get_shard_iterator(group: &mut Group) {
    let op = "GetShardIterator";
    let good = json!({"StreamArn": "STREAM", "ShardId": NO_SHARD, "ShardIteratorType": "TRIM_HORIZON"});
    let without = |member: &str| {
        let mut request = good.clone();
        request[member] = Value::Null;
        request
    };
    let with = |member: &str, value: &str| merged(&good, &json!({member: value}));
    constraint(group, "iterator/no-arn", op, without("StreamArn"), "streamArn", NOT_NULL);
    constraint(group, "iterator/no-shard", op, without("ShardId"), "shardId", NOT_NULL);
    constraint(group, "iterator/no-type", op, without("ShardIteratorType"), "shardIteratorType", NOT_NULL);
    constraint(group, "iterator/short-arn", op, with("StreamArn", "arn"), "streamArn", at_least(37));
    constraint(group, "iterator/short-shard", op, with("ShardId", "shardId-1"), "shardId", at_least(28));
    constraint(group, "iterator/long-shard", op, with("ShardId", &"s".repeat(66)), "shardId", at_most(65));
    for bad in ["trim_horizon", "AT_TIME", ""] {
        let name = format!("iterator/bad-type-{}", if bad.is_empty() { "empty" } else { bad });
        let request = with("ShardIteratorType", bad);
        let text = "Member must satisfy enum value set: [";
        constraint(group, name, op, request, "shardIteratorType", text);
    }
    group.case("iterator/two-errors-are-both-told", &[17], |cx| {
        let request = json!({"StreamArn": "arn", "ShardIteratorType": "TRIM_HORIZON"});
        let failure = cx.streams_refused("GetShardIterator", request)?;
        failure.check_validation(Text::has(&[
            "2 validation errors detected: ",
            "at 'streamArn' failed to satisfy constraint: Member must have length greater than or equal to 37",
            "Value null at 'shardId' failed to satisfy constraint: Member must not be null",
        ]))
    });
    group.case("iterator/malformed-arn", &[17], |cx| {
        let request = json!({
            "StreamArn": "arn:aws:dynamodb:us-east-1:table-without-an-account", "ShardId": NO_SHARD,
            "ShardIteratorType": "LATEST",
        });
        cx.streams_refused("GetShardIterator", request)?.check_validation(Text::exact("Invalid StreamArn"))
    });
    group.case("iterator/unknown-stream", &[17], |cx| {
        let arn = unknown_arn(cx)?;
        let request = json!({"StreamArn": arn, "ShardId": NO_SHARD, "ShardIteratorType": "LATEST"});
        check_unknown_stream(&cx.streams_refused("GetShardIterator", request)?, &arn)
    });
    for (name, shard) in
        [("unknown-shard", NO_SHARD), ("shard-of-any-text", "any text of 28 characters or more")]
    {
        let request = with("ShardId", shard);
        group.case(format!("iterator/{name}"), &[17], move |cx| {
            let failure = refused_on_a_stream(cx, "GetShardIterator", request.clone())?;
            let text = "Requested resource not found: Shard does not exist";
            failure.check("ResourceNotFoundException", Text::exact(text))
        });
    }
    group.case("iterator/shard-of-another-stream", &[17], |cx| {
        let (one, two) = (cx.shared(View::Both, Keys::Hash)?, cx.shared(View::New, Keys::Hash)?);
        let shard = cx.shards(&two.table.stream_arn)?;
        let request = json!({
            "StreamArn": one.table.stream_arn, "ShardId": shard[0].id(), "ShardIteratorType": "TRIM_HORIZON",
        });
        let failure = cx.streams_refused("GetShardIterator", request)?;
        let text = "Requested resource not found: Shard does not exist";
        failure.check("ResourceNotFoundException", Text::exact(text))
    });
}

/// Asks for an iterator of a lane's shard that must be refused.
fn refused_number(cx: &Context<'_>, lane: &Lane, kind: &str, number: Option<&str>) -> Outcome<ApiFailure> {
    let mut request = json!({"StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": kind});
    if let Some(number) = number {
        request["SequenceNumber"] = number.into();
    }
    cx.streams_refused("GetShardIterator", request)
}

fn sequence_numbers(group: &mut Group) {
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        group.case(format!("number/missing-for-{kind}"), &[17], move |cx| {
            refused_number(cx, &Lane::new(cx, 1)?, kind, None)?.check_validation(Text::Any)
        });
        group.case(format!("number/too-short-for-{kind}"), &[17], move |cx| {
            let failure = refused_number(cx, &Lane::new(cx, 1)?, kind, Some("12345678901234567890"))?;
            failure.check_constraint("sequenceNumber", &at_least(21))
        });
        group.case(format!("number/too-long-for-{kind}"), &[17], move |cx| {
            let failure = refused_number(cx, &Lane::new(cx, 1)?, kind, Some(&"1".repeat(41)))?;
            failure.check_constraint("sequenceNumber", &at_most(40))
        });
        group.case(format!("number/not-numeric-for-{kind}"), &[17], move |cx| {
            let failure = refused_number(cx, &Lane::new(cx, 1)?, kind, Some("12345678901234567890x"))?;
            failure.check_validation(Text::Any)
        });
        group
            .case(format!("number/before-the-shard-for-{kind}"), &[17], move |cx| {
                let lane = Lane::new(cx, 1)?;
                let failure = refused_number(cx, &lane, kind, Some("000000000000000000001"))?;
                failure.check_validation(Text::Any)
            })
            .inferred();
        group
            .case(format!("number/behind-the-closed-shard-for-{kind}"), &[17], move |cx| {
                let lane = Lane::new(cx, 1)?;
                lane.close(cx)?;
                let failure = refused_number(cx, &lane, kind, Some(&"9".repeat(40)))?;
                failure.check_validation(Text::Any)
            })
            .inferred();
    }
    for kind in ["TRIM_HORIZON", "LATEST"] {
        group.case(format!("number/given-for-{kind}"), &[17], move |cx| {
            let lane = Lane::new(cx, 1)?;
            refused_number(cx, &lane, kind, Some(lane.number(0)))?.check_validation(Text::Any)
        });
    }
    group.control("number/trimmed", &[17, 29], |cx| {
        let lane = Lane::new(cx, 3)?;
        cx.control()?.trim(lane.arn(), Some(lane.number(2)))?;
        let failure = refused_number(cx, &lane, "AT_SEQUENCE_NUMBER", Some(lane.number(0)))?;
        let text = "The data you are trying to access has been trimmed";
        failure.check("TrimmedDataAccessException", Text::exact(text))
    });
}

fn get_records(group: &mut Group) {
    let op = "GetRecords";
    constraint(group, "records/no-iterator", op, json!({}), "shardIterator", NOT_NULL);
    constraint(
        group,
        "records/empty-iterator",
        op,
        json!({"ShardIterator": ""}),
        "shardIterator",
        at_least(1),
    );
    constraint(
        group,
        "records/long-iterator",
        op,
        json!({"ShardIterator": "i".repeat(2049)}),
        "shardIterator",
        at_most(2048),
    );
    for limit in [0, -5] {
        group.case(format!("records/limit-{limit}"), &[17], move |cx| {
            let request = json!({"ShardIterator": a_good_iterator(cx)?, "Limit": limit});
            let failure = cx.streams_refused("GetRecords", request)?;
            failure.check_constraint("limit", "Member must have value greater than or equal to 1")
        });
    }
    for limit in [1001, 10_000] {
        group.case(format!("records/limit-{limit}"), &[17], move |cx| {
            let request = json!({"ShardIterator": a_good_iterator(cx)?, "Limit": limit});
            let failure = cx.streams_refused("GetRecords", request)?;
            failure.check_validation(Text::Any)?;
            check!(
                failure.message.to_lowercase().contains("limit"),
                "the text does not mention the limit: `{}`",
                failure.message
            );
            Ok(())
        });
    }
    group.case("records/limit-1000-is-accepted", &[17], |cx| {
        let request = json!({"ShardIterator": a_good_iterator(cx)?, "Limit": 1000});
        cx.streams("GetRecords", request).map(drop)
    });
    group.case("records/undecodable-iterator", &[17, 16], |cx| {
        let request = json!({"ShardIterator": "nothing that was ever handed out"});
        cx.streams_refused("GetRecords", request)?.check_validation(Text::Any)
    });
    group.case_that_needs(Needs::Server, "records/too-many-calls", &[17], too_many_calls).inferred();
    group.case("records/limit-of-the-wrong-type", &[17], |cx| {
        let request = json!({"ShardIterator": a_good_iterator(cx)?, "Limit": "5"});
        let failure = cx.streams_refused("GetRecords", request)?;
        check_eq!(failure.kind, "SerializationException", "the error ({})", failure.message);
        check_eq!(failure.message, "STRING_VALUE cannot be converted to Integer", "its text");
        Ok(())
    });
}

fn a_good_iterator(cx: &Context<'_>) -> Outcome<String> {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let shards = cx.shards(&shared.table.stream_arn)?;
    check!(!shards.is_empty(), "a stream without shards");
    cx.iterator(&shared.table.stream_arn, shards[0].id(), "LATEST")
}

/// Calls GetRecords on one shard as fast as can be, on a server that is told to keep to the service's rates.
fn too_many_calls(cx: &Context<'_>) -> Outcome {
    let Some(program) = &cx.field().server else { return Err(Stop::Skipped("no server binary".into())) };
    let server = Server::start(program, ":memory:", &["--enforce-limits"])?;
    let field = super::iterators::field_of(&server);
    let cx = Context::new(&field);
    let lane = Lane::new(&cx, 0)?;
    let request = json!({"ShardIterator": lane.iterator(&cx, "TRIM_HORIZON")?}).to_string();
    let mut answered = 0;
    for _ in 0..40 {
        // Not by the call that repeats what is throttled.
        let answer = cx.client().send_signed(
            Api::Streams,
            "DynamoDBStreams_20120810.GetRecords",
            request.as_bytes(),
        )?;
        let Some(failure) = answer.failure() else {
            answered += 1;
            continue;
        };
        let kinds = ["ThrottlingException", "LimitExceededException"];
        check!(failure.status == 400 && kinds.contains(&failure.kind.as_str()), "throttled with {failure:?}");
        check!(answered > 0, "the very first call is throttled");
        return Ok(());
    }
    fail!("40 calls in a row are answered")
}
