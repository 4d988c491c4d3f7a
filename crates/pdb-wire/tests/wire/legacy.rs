//! Parameters of the API before it had expressions: what they must not be, on both layers.

use pretender::MessageLayer;

use crate::harness::Client;

const ENVELOPE: &str = "1 validation error detected: ";
/// What a filter or `Expected` may be, of one condition and of two.
const ONE: &str = r#"{"n":{"ComparisonOperator":"NOT_NULL"}}"#;
const TWO: &str = r#"{"n":{"ComparisonOperator":"NOT_NULL"},"m":{"ComparisonOperator":"NULL"}}"#;

/// The calls that take a `ConditionalOperator`, with what they need besides and their filter's name.
const CALLS: [(&str, &str, &str); 5] = [
    ("PutItem", r#""Item":{"p":{"S":"k"}}"#, "Expected"),
    ("UpdateItem", r#""Key":{"p":{"S":"k"}}"#, "Expected"),
    ("DeleteItem", r#""Key":{"p":{"S":"k"}}"#, "Expected"),
    (
        "Query",
        r#""KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"k"}]}}"#,
        "QueryFilter",
    ),
    ("Scan", r#""Select":"ALL_ATTRIBUTES""#, "ScanFilter"),
];

/// A client on each layer whose table `Tbl` has the key `p`, and what its single writes put in front of their texts.
fn clients() -> [(Client, &'static str); 2] {
    [(MessageLayer::Classic, ""), (MessageLayer::Modern2026, ENVELOPE)].map(|(layer, envelope)| {
        let client = Client::on_layer(layer);
        client.ok(
            "CreateTable",
            r#"{"TableName":"Tbl","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p",
                "AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}"#,
        );
        (client, envelope)
    })
}

fn envelope_of<'e>(operation: &str, envelope: &'e str) -> &'e str {
    if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") { envelope } else { "" }
}

#[test]
fn a_conditional_operator_joins_conditions() {
    for (client, envelope) in clients() {
        for (operation, needed, filter) in CALLS {
            let body = |rest: &str| format!(r#"{{"TableName":"Tbl",{needed},{rest}}}"#);
            let envelope = envelope_of(operation, envelope);
            for word in ["AND", "OR"] {
                let given = format!(r#""ConditionalOperator":"{word}""#);
                let alone =
                    format!("{envelope}ConditionalOperator cannot be used without Filter or Expected");
                client.invalid(operation, &body(&given), &alone);
                client.invalid(operation, &body(&format!(r#"{given},"{filter}":{{}}"#)), &alone);
                client.invalid(operation, &body(&format!(r#"{given},"{filter}":null"#)), &alone);
                client.invalid(
                    operation,
                    &body(&format!(r#"{given},"{filter}":{ONE}"#)),
                    &format!(
                        "{envelope}ConditionalOperator can only be used when Filter or Expected has two or more elements"
                    ),
                );
                let (status, answer) = client.call(operation, &body(&format!(r#"{given},"{filter}":{TWO}"#)));
                assert!(status == 200 || answer.contains("The conditional request failed"), "{answer}");
            }
            // Without it, any number will do.
            for conditions in ["{}", ONE, TWO] {
                let (status, answer) = client.call(operation, &body(&format!(r#""{filter}":{conditions}"#)));
                assert!(status == 200 || answer.contains("The conditional request failed"), "{answer}");
            }
        }
    }
}

#[test]
fn a_conditional_operator_is_no_expression_parameter() {
    let mixed = |legacy: &str, expressions: &str| {
        format!(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{legacy}}} \
             Expression parameters: {{{expressions}}}"
        )
    };
    let condition = r#""ConditionExpression":"attribute_exists(q)""#;
    let filter = r#""FilterExpression":"attribute_exists(q)""#;
    let projection = r#""ProjectionExpression":"q""#;
    let update = r#""UpdateExpression":"REMOVE q""#;
    let cases = [
        ("PutItem", condition, "", "ConditionalOperator", "ConditionExpression"),
        ("PutItem", condition, r#","Expected":{}"#, "Expected, ConditionalOperator", "ConditionExpression"),
        ("DeleteItem", condition, "", "ConditionalOperator", "ConditionExpression"),
        (
            "DeleteItem",
            condition,
            r#","Expected":{}"#,
            "Expected, ConditionalOperator",
            "ConditionExpression",
        ),
        ("UpdateItem", update, "", "ConditionalOperator", "UpdateExpression"),
        ("UpdateItem", condition, "", "ConditionalOperator", "ConditionExpression"),
        (
            "UpdateItem",
            update,
            r#","Expected":{},"AttributeUpdates":{},"ConditionExpression":"x""#,
            "AttributeUpdates, Expected, ConditionalOperator",
            "UpdateExpression, ConditionExpression",
        ),
        ("Scan", filter, "", "ConditionalOperator", "FilterExpression"),
        (
            "Scan",
            projection,
            r#","ScanFilter":{}"#,
            "ScanFilter, ConditionalOperator",
            "ProjectionExpression",
        ),
        ("Query", filter, "", "ConditionalOperator", "FilterExpression"),
        (
            "Query",
            projection,
            r#","QueryFilter":{}"#,
            "QueryFilter, ConditionalOperator",
            "ProjectionExpression",
        ),
    ];
    for (client, envelope) in clients() {
        for (operation, expression, rest, legacy, expressions) in cases {
            let needed = CALLS.iter().find(|(name, ..)| *name == operation).unwrap().1;
            client.invalid(
                operation,
                &format!(r#"{{"TableName":"Tbl",{needed},"ConditionalOperator":"AND",{expression}{rest}}}"#),
                &format!("{}{}", envelope_of(operation, envelope), mixed(legacy, expressions)),
            );
        }
    }
}

#[test]
fn attributes_have_names_that_are_neither_empty_nor_long() {
    let condition = |name: &str| format!(r#"{{"{name}":{{"ComparisonOperator":"NOT_NULL"}}}}"#);
    let list = |name: &str| format!(r#"["p","{name}"]"#);
    let bodies = |name: &str| {
        let update = format!(r#"{{"{name}":{{"Value":{{"S":"a"}}}}}}"#);
        let [put, key, _, query, scan] =
            CALLS.map(|(_, needed, _)| format!(r#"{{"TableName":"Tbl",{needed}"#));
        let equal =
            format!(r#"{{"{name}":{{"ComparisonOperator":"EQ","AttributeValueList":[{{"S":"k"}}]}}}}"#);
        [
            ("PutItem", format!(r#"{put},"Expected":{}}}"#, condition(name))),
            ("UpdateItem", format!(r#"{key},"Expected":{}}}"#, condition(name))),
            ("DeleteItem", format!(r#"{key},"Expected":{}}}"#, condition(name))),
            ("UpdateItem", format!(r#"{key},"AttributeUpdates":{update}}}"#)),
            ("GetItem", format!(r#"{key},"AttributesToGet":{}}}"#, list(name))),
            (
                "BatchGetItem",
                format!(
                    r#"{{"RequestItems":{{"Tbl":{{"Keys":[{{"p":{{"S":"k"}}}}],"AttributesToGet":{}}}}}}}"#,
                    list(name)
                ),
            ),
            ("Query", format!(r#"{query},"QueryFilter":{}}}"#, condition(name))),
            ("Query", format!(r#"{query},"AttributesToGet":{}}}"#, list(name))),
            ("Query", format!(r#"{{"TableName":"Tbl","KeyConditions":{equal}}}"#)),
            ("Scan", format!(r#"{scan},"ScanFilter":{}}}"#, condition(name))),
            ("Scan", format!(r#"{{"TableName":"Tbl","AttributesToGet":{}}}"#, list(name))),
        ]
    };
    let long = "é".repeat(32_768);
    for (client, envelope) in clients() {
        for (name, text) in [
            ("", "One or more parameter values were invalid: Empty attribute name"),
            (long.as_str(), "Attribute name is too large, must be less than 65536 bytes"),
        ] {
            for (operation, body) in bodies(name) {
                let text = format!("{}{text}", envelope_of(operation, envelope));
                let (_, answer) = client.call(operation, &body);
                let message = serde_json::from_str::<serde_json::Value>(&answer).unwrap()["message"].clone();
                assert_eq!(message, text, "{operation} {}", &body[..body.len().min(300)]);
            }
        }
        for (operation, body) in bodies(&long[..65_534]) {
            let (_, answer) = client.call(operation, &body);
            assert!(
                !answer.contains("Attribute name is"),
                "{operation} {}",
                &answer[..answer.len().min(300)]
            );
        }
    }
}
