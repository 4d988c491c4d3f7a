//! What is refused before an operation looks at its input.

use pdb_wire::Request;

use crate::harness::Client;

#[test]
fn json_is_looked_at_before_the_target() {
    let client = Client::new();
    let call = |target: Option<&str>, body: &str| {
        let response = client.wire.call(Request::new(target, body)).answer().unwrap();
        (response.status, String::from_utf8(response.body).unwrap())
    };
    let not_json = r#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
    let unknown = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    for (target, body, answer) in [
        (None, "{", not_json),
        (None, "{}", unknown),
        (Some("DynamoDB_20120810.Nonsense"), "", not_json),
        (Some("DynamoDB_20120810.Nonsense"), "{}", unknown),
        (Some("DynamoDB_20120810.ListStreams"), "{}", unknown),
        (Some("DynamoDBStreams_20120810.PutItem"), "{}", unknown),
        (Some("DynamoDB_20120810.PutItem"), "", not_json),
        (Some("DynamoDB_20120810.PutItem"), "{\"TableName\":7,", not_json),
    ] {
        assert_eq!(call(target, body), (400, answer.to_owned()), "{target:?} {body}");
    }
}

#[test]
fn types_are_checked_before_values() {
    let client = Client::new();
    for (operation, body, text) in [
        ("PutItem", r#"{"TableName":7}"#, "NUMBER_VALUE cannot be converted to String"),
        (
            "PutItem",
            r#"{"TableName":"","Item":[]}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
        ),
        ("PutItem", r#"{"Item":{"a":{"N":123}}}"#, "NUMBER_VALUE cannot be converted to String"),
        ("PutItem", r#"{"Expected":{"a":"b"}}"#, "Unexpected value type in payload"),
        (
            "PutItem",
            r#"{"Expected":{"a":[]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue",
        ),
        (
            "UpdateItem",
            r#"{"AttributeUpdates":[]}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValueUpdate>",
        ),
        ("GetItem", r#"{"Key":"a"}"#, "Unexpected field type"),
        ("GetItem", r#"{"ConsistentRead":5}"#, "NUMBER_VALUE cannot be converted to Boolean"),
        ("Query", r#"{"Limit":"5"}"#, "STRING_VALUE cannot be converted to Integer"),
        (
            "Query",
            r#"{"KeyConditions":{"a":[]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Condition",
        ),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"a":[]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeysAndAttributes",
        ),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"a":[{"PutRequest":[]}]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.PutRequest",
        ),
        (
            "BatchWriteItem",
            r#"{"RequestItems":[]}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>",
        ),
        (
            "TransactWriteItems",
            r##"{"TransactItems":[{"Put":{"ExpressionAttributeNames":{"#x":7}}}]}"##,
            "NUMBER_VALUE cannot be converted to String",
        ),
        ("ListStreams", r#"{"Limit":"5"}"#, "STRING_VALUE cannot be converted to Integer"),
        ("GetRecords", r#"{"ShardIterator":{}}"#, "Start of structure or map found where not expected"),
    ] {
        client.refused(operation, body, "SerializationException", text);
    }
}
