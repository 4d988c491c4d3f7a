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

#[test]
fn a_batch_may_name_a_table_in_two_ways() {
    let client = Client::new();
    client.ok(
        "CreateTable",
        r#"{"TableName":"Notes","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"N"}],
            "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#,
    );
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Notes";
    let key = |id: u32| format!(r#"{{"id":{{"N":"{id}"}}}}"#);
    let keys = |ids: &[u32]| ids.iter().map(|id| key(*id)).collect::<Vec<_>>().join(",");
    for id in 1..=3 {
        client.ok("PutItem", &format!(r#"{{"TableName":"Notes","Item":{}}}"#, key(id)));
    }
    let get = |one: (&str, &[u32], &str), other: (&str, &[u32], &str)| {
        let entry =
            |(name, ids, more): (&str, &[u32], &str)| format!(r#""{name}":{{"Keys":[{}]{more}}}"#, keys(ids));
        format!(r#"{{"RequestItems":{{{},{}}}}}"#, entry(one), entry(other))
    };
    let answer =
        |ids: &[u32]| format!(r#"{{"Responses":{{"Notes":[{}]}},"UnprocessedKeys":{{}}}}"#, keys(ids));
    client.check("BatchGetItem", &get(("Notes", &[1], ""), (arn, &[1], "")), &answer(&[1]));
    client.check("BatchGetItem", &get((arn, &[2, 1], ""), ("Notes", &[3, 1], "")), &answer(&[2, 1, 3]));
    client.check("BatchGetItem", &get((arn, &[2], ""), ("Notes", &[9], "")), &answer(&[2]));
    // One entry that names a key twice is refused as ever, and so are entries that cannot be one.
    let duplicates = "Provided list of item keys contains duplicates";
    client.invalid("BatchGetItem", &get(("Notes", &[1], ""), (arn, &[2, 2], "")), duplicates);
    client.invalid("BatchGetItem", &get(("Notes", &[1, 1], ""), (arn, &[2], "")), duplicates);
    let projection = r#","ProjectionExpression":"id""#;
    client.invalid("BatchGetItem", &get(("Notes", &[1], ""), (arn, &[2], projection)), duplicates);
    // What counts is what is asked for, before it is merged.
    let many: Vec<u32> = (0..60).collect();
    client.invalid(
        "BatchGetItem",
        &get(("Notes", &many, ""), (arn, &many, "")),
        "Too many items requested for the BatchGetItem call",
    );
    // Two writes of one item have no order, so they stay refused.
    let write = format!(r#"[{{"PutRequest":{{"Item":{}}}}}]"#, key(1));
    client.invalid(
        "BatchWriteItem",
        &format!(r#"{{"RequestItems":{{"Notes":{write},"{arn}":{write}}}}}"#),
        duplicates,
    );
    let other = write.replace('1', "2");
    client.ok("BatchWriteItem", &format!(r#"{{"RequestItems":{{"Notes":{write},"{arn}":{other}}}}}"#));
}
