use serde_json::{Value, json};

use super::{Endpoint, texts};
use crate::testing::HOSTILE;

fn endpoint() -> Endpoint {
    Endpoint { url: "http://127.0.0.1:8000/db/a".to_owned(), region: "us-east-1".to_owned() }
}

/// Returns the text of one language: 0 is the shell, 1 Python, 2 JavaScript, 3 Rust.
fn text(language: usize, operation: &str, input: &Value) -> String {
    texts(&endpoint(), operation, input)[language].1.clone()
}

fn query() -> Value {
    json!({
        "TableName": "orders", "IndexName": "by-status", "Limit": 5, "ScanIndexForward": false, "ConsistentRead": true,
        "KeyConditionExpression": "#n0 = :v0", "ExpressionAttributeNames": { "#n0": "status" },
        "ExpressionAttributeValues": { ":v0": { "S": "it's" } },
    })
}

#[test]
fn the_cli_has_options() {
    let expected = r##"AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws dynamodb query \
  --endpoint-url http://127.0.0.1:8000/db/a --region us-east-1 \
  --table-name orders \
  --consistent-read \
  --expression-attribute-names '{"#n0":"status"}' \
  --expression-attribute-values '{":v0":{"S":"it'\''s"}}' \
  --index-name by-status \
  --key-condition-expression '#n0 = :v0' \
  --limit 5 \
  --no-scan-index-forward
"##;
    assert_eq!(text(0, "Query", &query()), expected);
    let input = json!({ "TableName": "-ab", "Statement": "", "Item": { "a": { "S": "\u{202e}\u{7f}" } } });
    let cli = text(0, "PutItem", &input);
    assert!(cli.contains("--table-name=-ab ") && cli.contains("--statement ''"), "{cli}");
    assert!(cli.contains(r#"{"S":"\u202e\u007f"}"#), "{cli}");
}

#[test]
fn python_has_literals() {
    let expected = r##"import boto3

dynamodb = boto3.client(
    "dynamodb", endpoint_url="http://127.0.0.1:8000/db/a", region_name="us-east-1",
    aws_access_key_id="any", aws_secret_access_key="any",
)
answer = dynamodb.query(
    TableName="orders",
    ConsistentRead=True,
    ExpressionAttributeNames={"#n0": "status"},
    ExpressionAttributeValues={":v0": {"S": "it's"}},
    IndexName="by-status",
    KeyConditionExpression="#n0 = :v0",
    Limit=5,
    ScanIndexForward=False,
)
print(answer)
"##;
    assert_eq!(text(1, "Query", &query()), expected);
    let item = json!({ "Item": { "b": { "B": "AAE=" }, "n": { "NULL": true }, "bs": { "BS": ["AA=="] } } });
    let python = text(1, "PutItem", &item);
    assert!(
        python.starts_with("import base64\n") && python.contains(r#""b": {"B": base64.b64decode("AAE=")}"#),
        "{python}"
    );
    assert!(
        python.contains(r#"{"NULL": True}"#) && python.contains(r#"{"BS": [base64.b64decode("AA==")]}"#),
        "{python}"
    );
}

#[test]
fn javascript_has_a_command() {
    let javascript = text(2, "Query", &query());
    assert!(
        javascript
            .starts_with("import { DynamoDBClient, QueryCommand } from \"@aws-sdk/client-dynamodb\";\n")
    );
    assert!(javascript.contains("new QueryCommand({\n    TableName: \"orders\","), "{javascript}");
    assert!(javascript.contains("ExpressionAttributeValues: { \":v0\": { S: \"it's\" } },"), "{javascript}");
    let item = json!({ "Item": { "__proto__": { "M": { "__proto__": { "B": "AAE=" } } } } });
    let javascript = text(2, "PutItem", &item);
    assert!(
        javascript
            .contains(r#"["__proto__"]: { M: { ["__proto__"]: { B: Buffer.from("AAE=", "base64") } } }"#),
        "{javascript}"
    );
}

#[test]
fn rust_has_a_builder() {
    let rust = text(3, "Query", &query());
    for line in [
        "        .query()\n        .table_name(\"orders\")\n        .consistent_read(true)\n",
        "        .expression_attribute_names(\"#n0\", \"status\")\n",
        "        .expression_attribute_values(\":v0\", AttributeValue::S(\"it's\".to_owned()))\n",
        "        .limit(5)\n        .scan_index_forward(false)\n        .send()\n        .await?;\n",
    ] {
        assert!(rust.contains(line), "{line}: {rust}");
    }
    let item = json!({ "Item": { "m": { "M": { "b": { "B": "AGEi" } } }, "l": { "L": [{ "BOOL": false }, { "NULL": true }] } } });
    let rust = text(3, "PutItem", &item);
    assert!(rust.contains(r#"AttributeValue::B(Blob::new(b"\x00a\""))"#), "{rust}");
    assert!(rust.contains("vec![AttributeValue::Bool(false), AttributeValue::Null(true)]"), "{rust}");
}

#[test]
fn hostile_texts_are_literals() {
    let item = json!({ "TableName": "orders", "Item": { HOSTILE: { "S": HOSTILE } } });
    for (language, quoted) in [
        (0, r#""<script>alert(1)</script> \"q\" '\''q'\'' \\ `$(id)` &amp; 😀 \u202e\u0000\r\n${x} {{y}}""#),
        (1, r#""<script>alert(1)</script> \"q\" 'q' \\ `$(id)` &amp; 😀 \u202e\u0000\r\n${x} {{y}}""#),
        (2, r#""<script>alert(1)</script> \"q\" 'q' \\ `$(id)` &amp; 😀 \u202e\u0000\r\n${x} {{y}}""#),
        (3, r#""<script>alert(1)</script> \"q\" 'q' \\ `$(id)` &amp; 😀 \u{202e}\u{0}\r\n${x} {{y}}""#),
    ] {
        let text = text(language, "PutItem", &item);
        assert_eq!(text.matches(quoted).count(), 2, "{text}");
    }
}
