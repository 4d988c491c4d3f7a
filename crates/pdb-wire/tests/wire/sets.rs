//! `null` among the members of a set, wherever a request has values.

use pretender::MessageLayer;

use crate::harness::Client;

/// Bodies with a value in the place of `@VALUE`.
const BODIES: [(&str, &str); 22] = [
    ("PutItem", r#"{"TableName":"Tbl","Item":{"p":{"S":"k"},"a":@VALUE}}"#),
    ("PutItem", r#"{"TableName":"Tbl","Item":{"p":{"S":"k"}},"Expected":{"a":{"Value":@VALUE}}}"#),
    (
        "PutItem",
        r#"{"TableName":"Tbl","Item":{"p":{"S":"k"}},"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":@VALUE}}"#,
    ),
    ("UpdateItem", r#"{"TableName":"Tbl","Key":{"p":@VALUE}}"#),
    (
        "UpdateItem",
        r#"{"TableName":"Tbl","Key":{"p":{"S":"k"}},"AttributeUpdates":{"a":{"Action":"ADD","Value":@VALUE}}}"#,
    ),
    (
        "UpdateItem",
        r#"{"TableName":"Tbl","Key":{"p":{"S":"k"}},"UpdateExpression":"ADD a :v","ExpressionAttributeValues":{":v":@VALUE}}"#,
    ),
    ("DeleteItem", r#"{"TableName":"Tbl","Key":{"p":@VALUE}}"#),
    (
        "DeleteItem",
        r#"{"TableName":"Tbl","Key":{"p":{"S":"k"}},"Expected":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[@VALUE]}}}"#,
    ),
    ("GetItem", r#"{"TableName":"Tbl","Key":{"p":{"S":"k"},"q":{"L":[@VALUE]}}}"#),
    (
        "Scan",
        r#"{"TableName":"Tbl","ScanFilter":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[@VALUE]}}}"#,
    ),
    ("Scan", r#"{"TableName":"Tbl","FilterExpression":"a = :v","ExpressionAttributeValues":{":v":@VALUE}}"#),
    (
        "Query",
        r#"{"TableName":"Tbl","KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[@VALUE]}}}"#,
    ),
    (
        "Query",
        r#"{"TableName":"Tbl","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":@VALUE}}"#,
    ),
    ("BatchGetItem", r#"{"RequestItems":{"Tbl":{"Keys":[{"p":@VALUE}]}}}"#),
    (
        "BatchWriteItem",
        r#"{"RequestItems":{"Tbl":[{"PutRequest":{"Item":{"p":{"S":"k"},"m":{"M":{"a":@VALUE}}}}}]}}"#,
    ),
    ("BatchWriteItem", r#"{"RequestItems":{"Tbl":[{"DeleteRequest":{"Key":{"p":@VALUE}}}]}}"#),
    (
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"Tbl","Item":{"p":{"S":"k"},"a":@VALUE}}}]}"#,
    ),
    (
        "TransactWriteItems",
        r#"{"TransactItems":[{"ConditionCheck":{"TableName":"Tbl","Key":{"p":{"S":"k"}},"ConditionExpression":"a = :v",
            "ExpressionAttributeValues":{":v":@VALUE}}}]}"#,
    ),
    ("TransactGetItems", r#"{"TransactItems":[{"Get":{"TableName":"Tbl","Key":{"p":@VALUE}}}]}"#),
    ("ExecuteStatement", r#"{"Statement":"INSERT INTO Tbl VALUE {'p': 'k', 'a': ?}","Parameters":[@VALUE]}"#),
    (
        "BatchExecuteStatement",
        r#"{"Statements":[{"Statement":"SELECT * FROM Tbl WHERE p = ?","Parameters":[@VALUE]}]}"#,
    ),
    (
        "ExecuteTransaction",
        r#"{"TransactStatements":[{"Statement":"UPDATE Tbl SET a = ? WHERE p = 'k'","Parameters":[@VALUE]}]}"#,
    ),
];

#[test]
fn null_is_refused_wherever_a_set_is() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    for layer in [MessageLayer::Classic, MessageLayer::Modern2026] {
        let client = Client::on_layer(layer);
        client.ok(
            "CreateTable",
            r#"{"TableName":"Tbl","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p",
                "AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}"#,
        );
        for (value, text) in [
            (r#"{"SS":["a",null]}"#, "An string set may not have a null string as a member"),
            (r#"{"NS":[null,"7"]}"#, "An number set may not have a null string as a member"),
            (r#"{"BS":["BwcH",null,"CAgI"]}"#, "Binary sets may not contain null or empty values"),
        ] {
            for (operation, body) in BODIES {
                let is_write = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
                let envelope = match (layer, operation) {
                    (MessageLayer::Modern2026, _) if is_write => "1 validation error detected: ",
                    (_, "ExecuteTransaction") => "Validation failed in TransactStatements[0]: ",
                    _ => "",
                };
                let is_wrapped = body.contains("ExpressionAttributeValues") && layer == MessageLayer::Classic;
                let text = if is_wrapped {
                    format!("ExpressionAttributeValues contains invalid value: {INVALID}{text} for key :v")
                } else {
                    format!("{envelope}{INVALID}{text}")
                };
                client.invalid(operation, &body.replace("@VALUE", value), &text);
            }
        }
        client.check("Scan", r#"{"TableName":"Tbl"}"#, r#"{"Items":[],"Count":0,"ScannedCount":0}"#);
    }
}
