//! The cases with two live texts (validation.md, section 4.2), on the newer layer.

use pretender::MessageLayer;

use crate::harness::Client;

#[test]
fn the_newer_layer_has_its_texts() {
    let client = Client::on_layer(MessageLayer::Modern2026);
    for (operation, body, text) in [
        (
            "Scan",
            r#"{"TableName":"abc","Limit":0}"#,
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or \
             equal to 1",
        ),
        (
            "Scan",
            r#"{"TableName":"abc","Segment":-1}"#,
            "1 validation error detected: Value at 'Segment' failed to satisfy constraint: Member must have value greater than \
             or equal to 0",
        ),
        (
            "BatchGetItem",
            r#"{"RequestItems":{}}"#,
            "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must have length greater \
             than or equal to 1",
        ),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{}}"#,
            "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must have length greater \
             than or equal to 1",
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[]}"#,
            "1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: Member must have length greater \
             than or equal to 1",
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{}]}"#,
            "1 validation error detected: Value '' at 'transactItems' failed to satisfy constraint: TransactWriteRequest should \
             contain Delete or Put or Update or ConditionCheck",
        ),
        // Envelope, no wrapper, no suffix.
        (
            "PutItem",
            r#"{"TableName":"abc","Item":{"a":{"NULL":false}}}"#,
            "1 validation error detected: One or more parameter values were invalid: Null attribute value types must have the \
             value of true",
        ),
        (
            "PutItem",
            r#"{"TableName":"abc","Item":{},"ConditionExpression":"a","ExpressionAttributeValues":{":a":{"SS":[]}}}"#,
            "1 validation error detected: One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            "DeleteItem",
            r#"{"TableName":"abc","Key":{},"ExpressionAttributeValues":{}}"#,
            "1 validation error detected: ExpressionAttributeValues can only be specified when using expressions",
        ),
        (
            "DeleteItem",
            r#"{"TableName":"abc","Key":{},"ReturnValues":"ALL_NEW"}"#,
            "1 validation error detected: ReturnValues can only be ALL_OLD or NONE",
        ),
        (
            "GetItem",
            r#"{"TableName":"abc","Key":{"a":{"N":"1e2147483648"}}}"#,
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "Query",
            r#"{"TableName":"abc","KeyConditionExpression":"a","ExpressionAttributeValues":{":a":{"NS":["1","1"]}}}"#,
            "One or more parameter values were invalid: Input collection contains duplicates.",
        ),
    ] {
        client.invalid(operation, body, text);
    }
    let writes = vec![r#"{"DeleteRequest":{"Key":{}}}"#; 26].join(",");
    client.invalid(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"Tbl":[{writes}]}}}}"#),
        "1 validation error detected: Value at 'RequestItems.Tbl.member' failed to satisfy constraint: Member must have length \
         less than or equal to 25",
    );
}
