//! Values that are larger than an item may be, in each parameter that takes values.

use pretender::MessageLayer;

use crate::harness::Client;

/// The largest size of an item, and so of a value.
const MAX_ITEM_BYTES: usize = 409_600;
const TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";
const UPDATE_TOO_LARGE: &str = "Item size to update has exceeded the maximum allowed size";

fn text(bytes: usize) -> String {
    format!(r#"{{"S":"{}"}}"#, "x".repeat(bytes))
}

fn client() -> Client {
    let client = Client::new();
    create_table(&client);
    client
}

fn create_table(client: &Client) {
    client.ok(
        "CreateTable",
        r#"{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}"#,
    );
}

#[test]
fn a_value_that_is_too_large_is_refused_where_it_stands() {
    let client = client();
    let in_values = format!("ExpressionAttributeValues contains invalid value: {TOO_LARGE} for key :v");
    let key = r#""TableName":"abc","Key":{"pk":{"S":"k"}}"#;
    let values = r#""ExpressionAttributeValues":{":ok":{"S":""},":v":$}"#;
    for (operation, body, expected) in [
        // The value comes before the expression and the table.
        ("UpdateItem", format!(r#"{{{key},"UpdateExpression":"SET a=:v,","#) + values + "}", &*in_values),
        (
            "PutItem",
            format!(r#"{{"TableName":"none","Item":{{"pk":{{"S":"k"}}}},"ConditionExpression":"a=:v",{values}}}"#),
            &*in_values,
        ),
        ("DeleteItem", format!(r#"{{{key},"ConditionExpression":"a=:v",{values}}}"#), &*in_values),
        ("Query", format!(r#"{{"TableName":"abc","KeyConditionExpression":"pk=:v",{values}}}"#), &*in_values),
        ("Scan", format!(r#"{{"TableName":"abc","FilterExpression":"a=:v",{values}}}"#), &*in_values),
        (
            "TransactWriteItems",
            format!(r#"{{"TransactItems":[{{"Update":{{{key},"UpdateExpression":"SET a=:v",{values}}}}}]}}"#),
            &*in_values,
        ),
        ("UpdateItem", format!(r#"{{{key},"AttributeUpdates":{{"a":{{"Value":$}}}}}}"#), TOO_LARGE),
        ("DeleteItem", format!(r#"{{{key},"Expected":{{"a":{{"Value":$}}}}}}"#), TOO_LARGE),
        (
            "Scan",
            r#"{"TableName":"abc","ScanFilter":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[$]}}}"#.to_owned(),
            TOO_LARGE,
        ),
        (
            "Query",
            r#"{"TableName":"abc","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[$]}}}"#
                .to_owned(),
            TOO_LARGE,
        ),
        (
            "ExecuteStatement",
            r#"{"Statement":"SELECT * FROM abc WHERE a=?","Parameters":[$]}"#.to_owned(),
            TOO_LARGE,
        ),
        (
            "ExecuteTransaction",
            r#"{"TransactStatements":[{"Statement":"INSERT INTO abc VALUE {'pk':'a','v':?}","Parameters":[$]}]}"#
                .to_owned(),
            "Validation failed in TransactStatements[0]: Item size has exceeded the maximum allowed size",
        ),
        ("PutItem", r#"{"TableName":"abc","Item":{"pk":{"S":"k"},"v":$}}"#.to_owned(), TOO_LARGE),
    ] {
        client.invalid(operation, &body.replace('$', &text(MAX_ITEM_BYTES + 1)), expected);
    }
}

#[test]
fn the_newer_layer_does_not_name_the_key() {
    let client = Client::on_layer(MessageLayer::Modern2026);
    let body = format!(
        r#"{{"TableName":"abc","FilterExpression":"a=:v","ExpressionAttributeValues":{{":v":{}}}}}"#,
        text(MAX_ITEM_BYTES + 1)
    );
    client.invalid("Scan", &body, TOO_LARGE);
}

/// The largest value is one, and other faults of a value are reported first.
#[test]
fn the_limit_is_exact_and_comes_last() {
    let client = client();
    let scan = |value: &str| {
        format!(
            r#"{{"TableName":"abc","FilterExpression":"a=:v","ExpressionAttributeValues":{{":v":{value}}}}}"#
        )
    };
    client.ok("Scan", &scan(&text(MAX_ITEM_BYTES)));
    let list = |count: usize, last: &str| format!(r#"{{"L":[{}{last}]}}"#, r#"{"NULL":true},"#.repeat(count));
    // A list takes 3 bytes, and 1 for each element besides its value.
    client.ok("Scan", &scan(&list((MAX_ITEM_BYTES - 3) / 2 - 1, r#"{"NULL":true}"#)));
    let in_values =
        |text: &str| format!("ExpressionAttributeValues contains invalid value: {text} for key :v");
    client.invalid("Scan", &scan(&list(MAX_ITEM_BYTES / 2, r#"{"NULL":true}"#)), &in_values(TOO_LARGE));
    let null_false =
        "One or more parameter values were invalid: Null attribute value types must have the value of true";
    client.invalid("Scan", &scan(&list(MAX_ITEM_BYTES * 2, r#"{"NULL":false}"#)), &in_values(null_false));
    // What is behind the part that is kept counts too, but names that are repeated do not.
    let repeated = format!(r#"{{"M":{{{}"b":{{"S":""}}}}}}"#, r#""a":{"S":"xxxxxxxx"},"#.repeat(50_000));
    client.ok("Scan", &scan(&repeated));
}

/// Each action alone would fit, and so would the request.
#[test]
fn an_update_that_is_too_large_is_refused_before_it_is_made() {
    let client = client();
    let value = format!(r#"{{"L":[{}]}}"#, text(300_000));
    let update = |expression: &str| {
        format!(
            r#"{{"TableName":"abc","Key":{{"pk":{{"S":"k"}}}},"UpdateExpression":"{expression}","ExpressionAttributeValues":{{":v":{value}}}}}"#
        )
    };
    let many: Vec<String> = (0..500).map(|n| format!("a{n}=:v")).collect();
    for expression in [
        "SET a=:v, b=:v".to_owned(),
        format!("SET {}", many.join(",")),
        "SET a=list_append(:v,:v)".to_owned(),
        "SET a=list_append(if_not_exists(b,:v),if_not_exists(b,:v))".to_owned(),
        "SET a=if_not_exists(b,:v), b=if_not_exists(c,:v)".to_owned(),
    ] {
        client.invalid("UpdateItem", &update(&expression), UPDATE_TOO_LARGE);
    }
    client.ok("UpdateItem", &update("SET a=:v"));
    // What is replaced or moved away does not count.
    client.ok("UpdateItem", &update("SET a=:v"));
    client.ok(
        "UpdateItem",
        r#"{"TableName":"abc","Key":{"pk":{"S":"k"}},"UpdateExpression":"SET b=a REMOVE a"}"#,
    );
    client.invalid("UpdateItem", &update("SET a=b, c=:v"), UPDATE_TOO_LARGE);
    // Other faults come first.
    client.invalid(
        "UpdateItem",
        &update("SET a=:v, c=:v, d.e=:v"),
        "The document path provided in the update expression is invalid for update",
    );
    client.invalid(
        "UpdateItem",
        &update("SET a=:v, c=:v, d=e"),
        "The provided expression refers to an attribute that does not exist in the item",
    );
}

/// Three bytes of JSON can take a kilobyte of memory.
#[test]
fn a_request_of_too_many_values_is_refused_while_it_is_read() {
    let client = client();
    let refusal = |bytes: usize| {
        format!(
            "The request has too many values: decoded, it takes more than {bytes} bytes of memory. Send fewer or larger values in a \
             request"
        )
    };
    let many = vec!["{}"; 500_000].join(",");
    client.invalid("TransactWriteItems", &format!(r#"{{"TransactItems":[{many}]}}"#), &refusal(25_165_824));
    client.invalid(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"abc":[{many}]}}}}"#),
        &refusal(50_331_648),
    );
    // Syntax is checked first, as always.
    client.refused(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"abc":[{many}]}}"#),
        "SerializationException",
        "",
    );
}
