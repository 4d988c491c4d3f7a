//! The maps of names and values that expressions refer to, on both layers.

use pretender::MessageLayer;

use crate::harness::Client;

/// Calls that have an expression with names, and with values if they can, up to the maps.
const CALLS: [(&str, &str, bool); 8] = [
    ("PutItem", r#"{"TableName":"Tbl","Item":{},"ConditionExpression":"x = :x",MAPS}"#, true),
    ("UpdateItem", r#"{"TableName":"Tbl","Key":{},"UpdateExpression":"SET x = :x",MAPS}"#, true),
    ("DeleteItem", r#"{"TableName":"Tbl","Key":{},"ConditionExpression":"x = :x",MAPS}"#, true),
    ("Query", r#"{"TableName":"Tbl","KeyConditionExpression":"x = :x",MAPS}"#, true),
    ("Scan", r#"{"TableName":"Tbl","FilterExpression":"x = :x",MAPS}"#, true),
    (
        "TransactWriteItems",
        r#"{"TransactItems":[{"Delete":{"TableName":"Tbl","Key":{},"ConditionExpression":"x = :x",MAPS}}]}"#,
        true,
    ),
    ("GetItem", r#"{"TableName":"Tbl","Key":{},"ProjectionExpression":"x",MAPS}"#, false),
    (
        "TransactGetItems",
        r#"{"TransactItems":[{"Get":{"TableName":"Tbl","Key":{},"ProjectionExpression":"x",MAPS}}]}"#,
        false,
    ),
];

fn is_enveloped(layer: MessageLayer, operation: &str) -> bool {
    layer == MessageLayer::Modern2026 && matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
}

#[track_caller]
fn check(maps: &str, needs_values: bool, classic: &str, modern: &str) {
    for (layer, text) in [(MessageLayer::Classic, classic), (MessageLayer::Modern2026, modern)] {
        let client = Client::on_layer(layer);
        for (operation, body, has_values) in CALLS {
            if needs_values && !has_values {
                continue;
            }
            let envelope = if is_enveloped(layer, operation) { "1 validation error detected: " } else { "" };
            client.invalid(operation, &body.replace("MAPS", maps), &format!("{envelope}{text}"));
        }
    }
}

#[test]
fn placeholders_have_255_bytes_at_most() {
    let too_long = |parameter: &str, size: usize| {
        format!(
            "{parameter} contains invalid key: The expression attribute map contains a key that is too long; size of key: {size}"
        )
    };
    // The length is looked at before the form.
    for key in ["a".repeat(255), "é".repeat(200), format!("{}-", "b".repeat(300))] {
        let text = too_long("ExpressionAttributeNames", key.len() + 1);
        check(&format!(r##""ExpressionAttributeNames":{{"#{key}":"x"}}"##), false, &text, &text);
        let text = too_long("ExpressionAttributeValues", key.len() + 1);
        check(
            &format!(r#""ExpressionAttributeValues":{{":x":{{}},":{key}":{{"S":"x"}}}}"#),
            true,
            &text,
            &text,
        );
    }
    let unused = format!("#{}", "a".repeat(254));
    let text =
        format!("Value provided in ExpressionAttributeNames unused in expressions: keys: {{{unused}}}");
    check(
        &format!(
            r##""ExpressionAttributeNames":{{"{unused}":"x"}},"ExpressionAttributeValues":{{":x":{{"S":"a"}}}}"##
        ),
        true,
        &text,
        &text,
    );
}

#[test]
fn names_are_those_of_attributes() {
    let empty = "Empty attribute name";
    check(
        r##""ExpressionAttributeNames":{"#q":"q","#b":""}"##,
        false,
        &format!("ExpressionAttributeNames contains invalid value: {empty} for key #b"),
        empty,
    );
    let long = "Attribute name is too large, must be less than 65536 bytes";
    check(
        &format!(r##""ExpressionAttributeNames":{{"#long":"{}"}}"##, "x".repeat(65_536)),
        false,
        &format!("ExpressionAttributeNames contains invalid value: {long} for key #long"),
        long,
    );
}
