//! Whole exchanges: a table is made, items are written and read, the stream tells of it.

use std::time::Duration;

use crate::harness::Client;

const STREAMED: &str = r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
    "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;
const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";

fn orders() -> Client {
    let client = Client::new();
    client.ok("CreateTable", STREAMED);
    client
}

/// The value of a member somewhere in an answer.
fn member(answer: &str, pointer: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    answer
        .pointer(pointer)
        .and_then(|value| value.as_str())
        .unwrap_or_else(|| panic!("{pointer}: {answer}"))
        .to_owned()
}

#[test]
fn items_are_written_and_read() {
    let client = orders();
    client.check("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"a"},"n":{"N":"1.50"}}}"#, "{}");
    client.check(
        "GetItem",
        r#"{"TableName":"Orders","Key":{"pk":{"S":"a"}},"ReturnConsumedCapacity":"TOTAL"}"#,
        r#"{"Item":{"n":{"N":"1.5"},"pk":{"S":"a"}},"ConsumedCapacity":{"TableName":"Orders","CapacityUnits":0.5}}"#,
    );
    client.check("GetItem", r#"{"TableName":"Orders","Key":{"pk":{"S":"b"}}}"#, "{}");
    client.check(
        "GetItem",
        r#"{"TableName":"Orders","Key":{"pk":{"S":"a"}},"ProjectionExpression":"nothing"}"#,
        r#"{"Item":{}}"#,
    );
    client.check(
        "UpdateItem",
        r##"{"TableName":"Orders","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET #n = #n + :one",
            "ExpressionAttributeNames":{"#n":"n"},"ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}"##,
        r#"{"Attributes":{"n":{"N":"2.5"}}}"#,
    );
    client.check(
        "DeleteItem",
        r#"{"TableName":"Orders","Key":{"pk":{"S":"a"}},"ReturnValues":"ALL_OLD"}"#,
        r#"{"Attributes":{"n":{"N":"2.5"},"pk":{"S":"a"}}}"#,
    );
}

#[test]
fn an_arn_names_the_table_and_is_shown() {
    let client = orders();
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
    client.check(
        "PutItem",
        &format!(r#"{{"TableName":"{arn}","Item":{{"pk":{{"S":"a"}}}},"ReturnConsumedCapacity":"INDEXES"}}"#),
        &format!(
            r#"{{"ConsumedCapacity":{{"TableName":"{arn}","CapacityUnits":1.0,"Table":{{"CapacityUnits":1.0}}}}}}"#
        ),
    );
    client.check(
        "BatchGetItem",
        &format!(r#"{{"RequestItems":{{"{arn}":{{"Keys":[{{"pk":{{"S":"a"}}}}]}}}}}}"#),
        &format!(r#"{{"Responses":{{"{arn}":[{{"pk":{{"S":"a"}}}}]}},"UnprocessedKeys":{{}}}}"#),
    );
}

#[test]
fn pages_are_encoded() {
    let client = orders();
    client.ok("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"a"}}}"#);
    client.check(
        "Query",
        r#"{"TableName":"Orders","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}}}"#,
        r#"{"Items":[{"pk":{"S":"a"}}],"Count":1,"ScannedCount":1}"#,
    );
    client.check(
        "Scan",
        r#"{"TableName":"Orders","Limit":1}"#,
        r#"{"Items":[{"pk":{"S":"a"}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"pk":{"S":"a"}}}"#,
    );
    client.check(
        "Scan",
        r#"{"TableName":"Orders"}"#,
        r#"{"Items":[{"pk":{"S":"a"}}],"Count":1,"ScannedCount":1}"#,
    );
    client.check("Scan", r#"{"TableName":"Orders","Select":"COUNT"}"#, r#"{"Count":1,"ScannedCount":1}"#);
}

#[test]
fn batches_and_transactions_are_encoded() {
    let client = orders();
    client.check(
        "BatchWriteItem",
        r#"{"RequestItems":{"Orders":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]},
            "ReturnConsumedCapacity":"TOTAL"}"#,
        r#"{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"Orders","CapacityUnits":2.0}]}"#,
    );
    client.check(
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"Orders","Item":{"pk":{"S":"c"}}}},
            {"ConditionCheck":{"TableName":"Orders","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(pk)"}}]}"#,
        "{}",
    );
    client.check(
        "TransactGetItems",
        r#"{"TransactItems":[{"Get":{"TableName":"Orders","Key":{"pk":{"S":"c"}}}},{"Get":{"TableName":"Orders","Key":{"pk":{"S":"x"}}}}]}"#,
        r#"{"Responses":[{"Item":{"pk":{"S":"c"}}},{}]}"#,
    );
}

#[test]
fn failures_carry_what_they_should() {
    let client = orders();
    client.ok("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"a"}}}"#);
    let failing =
        r#""ConditionExpression":"attribute_not_exists(pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD""#;
    let (_, answer) =
        client.call("PutItem", &format!(r#"{{"TableName":"Orders","Item":{{"pk":{{"S":"a"}}}},{failing}}}"#));
    assert_eq!(
        answer,
        concat!(
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","#,
            r#""message":"The conditional request failed","Item":{"pk":{"S":"a"}}}"#
        )
    );
    let (_, answer) = client.call(
        "TransactWriteItems",
        &format!(
            r#"{{"TransactItems":[{{"Put":{{"TableName":"Orders","Item":{{"pk":{{"S":"b"}}}}}}}},
                {{"Put":{{"TableName":"Orders","Item":{{"pk":{{"S":"a"}}}},{failing}}}}}]}}"#
        ),
    );
    assert_eq!(
        answer,
        concat!(
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, "#,
            r#"please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]","CancellationReasons":"#,
            r#"[{"Code":"None"},{"Item":{"pk":{"S":"a"}},"Code":"ConditionalCheckFailed","#,
            r#""Message":"The conditional request failed"}]}"#
        )
    );
    client.refused(
        "GetItem",
        r#"{"TableName":"Missing","Key":{"pk":{"S":"a"}}}"#,
        "ResourceNotFoundException",
        "Requested resource not found",
    );
}

/// The exchange of streams.md, appendix B.
#[test]
fn a_stream_is_listed_described_and_read() {
    let client = orders();
    client.ok("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"o1"},"total":{"N":"10.5"}}}"#);
    client.check(
        "ListStreams",
        r#"{"TableName":"Orders"}"#,
        &format!(r#"{{"Streams":[{{"StreamArn":"{ARN}","TableName":"Orders","StreamLabel":"2026-03-01T09:15:42.017"}}]}}"#),
    );
    let description = client.ok("DescribeStream", &format!(r#"{{"StreamArn":"{ARN}"}}"#));
    assert!(description.starts_with(&format!(
        concat!(
            r#"{{"StreamDescription":{{"StreamArn":"{}","StreamLabel":"2026-03-01T09:15:42.017","StreamStatus":"ENABLED","#,
            r#""StreamViewType":"NEW_AND_OLD_IMAGES","CreationRequestDateTime":1772356542.017,"TableName":"Orders","#,
            r#""KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}],"Shards":[{{"ShardId":"shardId-"#
        ),
        ARN
    )));
    assert!(!description.contains("EndingSequenceNumber") && !description.contains("null"));
    let shard = member(&description, "/StreamDescription/Shards/0/ShardId");
    let request =
        format!(r#"{{"StreamArn":"{ARN}","ShardId":"{shard}","ShardIteratorType":"TRIM_HORIZON"}}"#);
    let iterator = member(&client.ok("GetShardIterator", &request), "/ShardIterator");
    let page = client.ok("GetRecords", &format!(r#"{{"ShardIterator":"{iterator}"}}"#));
    let (id, number) =
        (member(&page, "/Records/0/eventID"), member(&page, "/Records/0/dynamodb/SequenceNumber"));
    let next = member(&page, "/NextShardIterator");
    assert_eq!(
        page,
        format!(
            concat!(
                r#"{{"Records":[{{"eventID":"{}","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","#,
                r#""awsRegion":"us-east-1","dynamodb":{{"ApproximateCreationDateTime":1772356542,"Keys":{{"pk":{{"S":"o1"}}}},"#,
                r#""NewImage":{{"pk":{{"S":"o1"}},"total":{{"N":"10.5"}}}},"SequenceNumber":"{}","SizeBytes":16,"#,
                r#""StreamViewType":"NEW_AND_OLD_IMAGES"}}}}],"NextShardIterator":"{}"}}"#
            ),
            id, number, next
        )
    );
    let page = client.ok("GetRecords", &format!(r#"{{"ShardIterator":"{next}"}}"#));
    assert!(page.starts_with(r#"{"Records":[],"NextShardIterator":"#));

    client.clock.advance(Duration::from_secs(15 * 60 + 1));
    let (_, answer) = client.call("GetRecords", &format!(r#"{{"ShardIterator":"{iterator}"}}"#));
    assert_eq!(
        answer,
        concat!(
            r#"{"__type":"com.amazonaws.dynamodb.streams.v20120810#ExpiredIteratorException","#,
            r#""message":"The provided iterator exceeds the maximum age allowed."}"#
        )
    );
    let missing = ARN.replace("Orders", "Orders2");
    client.refused(
        "DescribeStream",
        &format!(r#"{{"StreamArn":"{missing}"}}"#),
        "ResourceNotFoundException",
        &format!("Requested resource not found: Stream: {missing} not found"),
    );
}
