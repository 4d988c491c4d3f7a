//! BatchGetItem and BatchWriteItem: the order of their checks (validation.md, sections 10.5 and 10.6).

use crate::harness::{Client, check_invalid};

#[test]
fn batch_get_item_checks_in_order() {
    check_invalid(
        "BatchGetItem",
        &[
            (
                "{}",
                "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: Member must not be null",
            ),
            (r#"{"RequestItems":{}}"#, "The requestItems parameter is required for BatchGetItem"),
            (
                r#"{"RequestItems":{"Tbl":{}}}"#,
                "1 validation error detected: Value null at 'requestItems.Tbl.member.keys' failed to satisfy constraint: Member \
                 must not be null",
            ),
            (
                r#"{"RequestItems":{"Tbl":{"Keys":[],"AttributesToGet":[]}}}"#,
                "2 validation errors detected: Value '[]' at 'requestItems.Tbl.member.keys' failed to satisfy constraint: Member \
                 must have length greater than or equal to 1; Value '[]' at 'requestItems.Tbl.member.attributesToGet' failed to \
                 satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                r#"{"RequestItems":{"One":{"Keys":[{}],"ProjectionExpression":"a"},"Two":{"Keys":[{}],"AttributesToGet":["a"]}}}"#,
                "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: \
                 {AttributesToGet} Expression parameters: {ProjectionExpression}",
            ),
            (
                r#"{"RequestItems":{"Tbl":{"Keys":[{"a":{}}],"ExpressionAttributeNames":{}}}}"#,
                "ExpressionAttributeNames can only be specified when using expressions",
            ),
            (
                r#"{"RequestItems":{"Tbl":{"Keys":[{"a":{}}]}}}"#,
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ),
        ],
    );
    let client = Client::new();
    let bad_name = r#"{"RequestItems":{"a b":{"Keys":[{}]}}}"#;
    let (_, answer) = client.call("BatchGetItem", bad_name);
    assert!(
        answer.contains(
            "at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less \
             than or equal to 255, Member must have length greater than or equal to 1, Member must satisfy regular expression \
             pattern: [a-zA-Z0-9_.-]+]"
        ),
        "{answer}"
    );
}

#[test]
fn a_batch_reads_at_most_100_keys() {
    let client = Client::new();
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!(r#"{{"a":{{"N":"{n}"}}}}"#)).collect();
        format!(r#"{{"Keys":[{}]}}"#, keys.join(","))
    };
    client.invalid(
        "BatchGetItem",
        &format!(r#"{{"RequestItems":{{"Tbl":{}}}}}"#, keys(101)),
        "1 validation error detected: Value at 'RequestItems.Tbl.member.Keys' failed to satisfy constraint: Member must have \
         length less than or equal to 100",
    );
    client.invalid(
        "BatchGetItem",
        &format!(r#"{{"RequestItems":{{"One":{},"Two":{}}}}}"#, keys(60), keys(41)),
        "Too many items requested for the BatchGetItem call",
    );
}

#[test]
fn batch_write_item_checks_in_order() {
    const SEVERAL: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
    check_invalid(
        "BatchWriteItem",
        &[
            (
                r#"{"ReturnItemCollectionMetrics":"x"}"#,
                "2 validation errors detected: Value 'x' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member \
                 must satisfy enum value set: [SIZE, NONE]; Value null at 'requestItems' failed to satisfy constraint: Member must \
                 not be null",
            ),
            (r#"{"RequestItems":{}}"#, "The requestItems parameter is required for BatchWriteItem"),
            (
                r#"{"RequestItems":{"Tbl":[]}}"#,
                "1 validation error detected: Value '{Tbl=[]}' at 'requestItems' failed to satisfy constraint: Map value must \
                 satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or \
                 equal to 1]",
            ),
            (
                r#"{"RequestItems":{"Tbl":[{"PutRequest":{}}]}}"#,
                "1 validation error detected: Value null at 'requestItems.Tbl.member.1.member.putRequest.item' failed to satisfy \
                 constraint: Member must not be null",
            ),
            (r#"{"RequestItems":{"Tbl":[{}]}}"#, SEVERAL),
            (r#"{"RequestItems":{"Tbl":[{"PutRequest":{"Item":{}},"DeleteRequest":{"Key":{}}}]}}"#, SEVERAL),
            (
                r#"{"RequestItems":{"Tbl":[{"DeleteRequest":{"Key":{"a":{"N":"x"}}}}]}}"#,
                "The parameter cannot be converted to a numeric value: x",
            ),
        ],
    );
}

#[test]
fn a_batch_writes_at_most_25_items() {
    let client = Client::new();
    let writes = |count: usize| {
        let writes: Vec<String> =
            (0..count).map(|n| format!(r#"{{"PutRequest":{{"Item":{{"a":{{"N":"{n}"}}}}}}}}"#)).collect();
        format!("[{}]", writes.join(","))
    };
    let (_, answer) =
        client.call("BatchWriteItem", &format!(r#"{{"RequestItems":{{"Tbl":{}}}}}"#, writes(26)));
    assert!(
        answer.contains(
            "1 validation error detected: Value '{Tbl=[WriteRequest(putRequest=PutRequest(item={a="
        )
    );
    assert!(answer.contains(
        "at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than \
         or equal to 25, Member must have length greater than or equal to 1]"
    ));
    client.invalid(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"One":{},"Two":{}}}}}"#, writes(13), writes(13)),
        "Too many items requested for the BatchWriteItem call",
    );
}

#[test]
fn a_batch_does_not_say_what_is_wrong_with_a_key() {
    let client = Client::new();
    // The name of the key must not decide about the text.
    client.ok(
        "CreateTable",
        r#"{"TableName":"Boxes","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"size","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"size","AttributeType":"S"}]}"#,
    );
    client.invalid(
        "BatchWriteItem",
        r#"{"RequestItems":{"Boxes":[{"PutRequest":{"Item":{"other":{"S":"a"}}}}]}}"#,
        "The provided key element does not match the schema",
    );
    let long = "x".repeat(2049);
    client.invalid(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"Boxes":[{{"PutRequest":{{"Item":{{"size":{{"S":"{long}"}}}}}}}}]}}}}"#),
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
    );
}
