//! How requests name their tables, and what is wrong with a name (validation.md, section 4.2).

use crate::harness::Client;

#[test]
fn names_of_tables_have_three_characters() {
    let client = Client::new();
    let short = |path: &str, name: &str| {
        format!(
            "1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: Member must have length \
             greater than or equal to 3"
        )
    };
    for (operation, members) in [
        ("PutItem", r#""Item":{}"#),
        ("GetItem", r#""Key":{}"#),
        ("UpdateItem", r#""Key":{}"#),
        ("DeleteItem", r#""Key":{}"#),
        ("Query", r#""KeyConditionExpression":"a = :a""#),
        ("Scan", r#""Limit":1"#),
    ] {
        for name in ["a", "-_"] {
            // Reported alone, before everything that is not a constraint.
            let body = format!(r#"{{"TableName":"{name}",{members},"ReturnConsumedCapacity":"x"}}"#);
            client.invalid(operation, &body, &short("tableName", name));
        }
    }
    for (operation, action, members) in [
        ("TransactWriteItems", "Put", r#""Item":{}"#),
        ("TransactWriteItems", "Delete", r#""Key":{}"#),
        ("TransactWriteItems", "Update", r#""Key":{},"UpdateExpression":"""#),
        ("TransactWriteItems", "ConditionCheck", r#""Key":{},"ConditionExpression":"""#),
        ("TransactGetItems", "Get", r#""Key":{}"#),
    ] {
        let body = format!(r#"{{"TransactItems":[{{"{action}":{{"TableName":"ab",{members}}}}}]}}"#);
        let member = format!("{}{}", action[..1].to_lowercase(), &action[1..]);
        client.invalid(operation, &body, &short(&format!("transactItems.1.member.{member}.tableName"), "ab"));
    }
    for (operation, entry) in [
        ("BatchGetItem", r#"{"Keys":[{"a":{"S":"x"}}]}"#),
        ("BatchWriteItem", r#"[{"DeleteRequest":{"Key":{"a":{"S":"x"}}}}]"#),
    ] {
        let body = format!(r#"{{"RequestItems":{{"Good":{entry},"ab":{entry}}}}}"#);
        client.invalid(operation, &body, &short("tableName", "ab"));
    }
    // A name of three characters is one, and of characters that no name has that is said first.
    client.refused(
        "GetItem",
        r#"{"TableName":"abc","Key":{}}"#,
        "ResourceNotFoundException",
        "Requested resource not found",
    );
    client.invalid(
        "GetItem",
        r#"{"TableName":"a!","Key":{}}"#,
        "1 validation error detected: Value 'a!' at 'tableName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+",
    );
}

#[test]
fn batches_check_names_at_different_places() {
    let client = Client::new();
    let capacity = "Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: \
                    [INDEXES, TOTAL, NONE]";
    let metrics = "Value 'y' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value \
                   set: [SIZE, NONE]";
    // BatchWriteItem names the enums and not the table.
    let writes = |name: &str| {
        format!(
            r#"{{"RequestItems":{{"{name}":[{{"DeleteRequest":{{"Key":{{}}}}}}]}},"ReturnConsumedCapacity":"x",
                "ReturnItemCollectionMetrics":"y"}}"#
        )
    };
    for name in ["bad name", "ab", ""] {
        client.invalid(
            "BatchWriteItem",
            &writes(name),
            &format!("2 validation errors detected: {capacity}; {metrics}"),
        );
    }
    let (_, answer) = client.call(
        "BatchWriteItem",
        r#"{"RequestItems":{"bad name":[{"DeleteRequest":{"Key":{}}}]},"ReturnConsumedCapacity":"NONE"}"#,
    );
    assert!(
        answer.contains("1 validation error detected") && answer.contains("Map keys must satisfy"),
        "{answer}"
    );

    // BatchGetItem begins with the table.
    let (_, answer) = client
        .call("BatchGetItem", r#"{"RequestItems":{"bad name":{"Keys":[{}]}},"ReturnConsumedCapacity":"x"}"#);
    let name_at = answer.find("Map keys must satisfy");
    let capacity_at = answer.find(capacity);
    assert!(
        answer.contains("2 validation errors detected") && name_at.is_some() && name_at < capacity_at,
        "{answer}"
    );
}
