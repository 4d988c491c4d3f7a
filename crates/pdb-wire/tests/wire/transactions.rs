//! TransactWriteItems and TransactGetItems: the order of their checks (validation.md, sections 10.9 and 10.10).

use crate::harness::{Client, check_invalid};

#[test]
fn transact_write_items_checks_in_order() {
    check_invalid(
        "TransactWriteItems",
        &[
            (
                r#"{"ClientRequestToken":""}"#,
                "2 validation errors detected: Value '' at 'clientRequestToken' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1; Value null at 'transactItems' failed to satisfy constraint: Member must not be \
                 null",
            ),
            (
                r#"{"TransactItems":[]}"#,
                "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"bad!name","Item":{}}}]}"#,
                "1 validation error detected: Value 'bad!name' at 'transactItems.1.member.put.tableName' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"abc","Item":{}}},{"Update":{"TableName":"abc"}}]}"#,
                "2 validation errors detected: Value null at 'transactItems.2.member.update.key' failed to satisfy constraint: \
                 Member must not be null; Value null at 'transactItems.2.member.update.updateExpression' failed to satisfy \
                 constraint: Member must not be null",
            ),
            (
                r#"{"TransactItems":[{"ConditionCheck":{"TableName":"abc","Key":{},"ReturnValuesOnConditionCheckFailure":"ALL"}}]}"#,
                "2 validation errors detected: Value 'ALL' at \
                 'transactItems.1.member.conditionCheck.returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member \
                 must satisfy enum value set: [ALL_OLD, NONE]; Value null at \
                 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null",
            ),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"abc","Item":{}},"Delete":{"TableName":"abc","Key":{}}}]}"#,
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ),
            (
                r#"{"TransactItems":[{}]}"#,
                "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request",
            ),
            (
                r#"{"TransactItems":[{"Delete":{"TableName":"abc","Key":{"a":{}}}},{"Put":{"TableName":"abc","Item":{"b":{"N":"x"}}}}]}"#,
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ),
            (
                r##"{"TransactItems":[{"Delete":{"TableName":"abc","Key":{},"ExpressionAttributeNames":{}}}]}"##,
                "ExpressionAttributeNames must not be empty",
            ),
            (
                r##"{"TransactItems":[{"Delete":{"TableName":"abc","Key":{},"ConditionExpression":"attribute_exists(a)","ExpressionAttributeNames":{"#a":"b"}}}]}"##,
                "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
            ),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"abc","Item":{},"ConditionExpression":"a","ExpressionAttributeValues":{":a":{"NS":["1","1"]}}}}]}"#,
                "ExpressionAttributeValues contains invalid value: Input collection contains duplicates for key :a",
            ),
        ],
    );
    let client = Client::new();
    let put = r#"{"Put":{"TableName":"abc","Item":{"a":{"S":"x"}}}}"#;
    let (_, answer) =
        client.call("TransactWriteItems", &format!(r#"{{"TransactItems":[{}]}}"#, [put; 101].join(",")));
    assert!(answer.contains(
        "' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100\""
    ));
    let big = format!(r#"{{"Put":{{"TableName":"abc","Item":{{"a":{{"S":"{}"}}}}}}}}"#, "x".repeat(300_000));
    let (_, answer) = client
        .call("TransactWriteItems", &format!(r#"{{"TransactItems":[{}]}}"#, [big.as_str(); 15].join(",")));
    assert!(answer.contains("size cannot exceed"), "{}", &answer[..200]);
}

#[test]
fn transact_get_items_checks_in_order() {
    check_invalid(
        "TransactGetItems",
        &[
            (
                r#"{"TransactItems":[{},{"Get":{"TableName":"a b"}}]}"#,
                "3 validation errors detected: Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member \
                 must not be null; Value null at 'transactItems.2.member.get.key' failed to satisfy constraint: Member must not be \
                 null; Value 'a b' at 'transactItems.2.member.get.tableName' failed to satisfy constraint: Member must satisfy \
                 regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
            (
                r#"{"TransactItems":[{"Get":{"TableName":"abc","Key":{"a":{"SS":["x","x"]}}}}]}"#,
                "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
            ),
        ],
    );
}

#[test]
fn names_and_values_need_no_expression_in_a_transaction() {
    let client = Client::new();
    client.ok(
        "CreateTable",
        r#"{"TableName":"Notes","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#,
    );
    let names = r##""ExpressionAttributeNames":{"#t":"text"}"##;
    let values = r#""ExpressionAttributeValues":{":t":{"S":"x"}}"#;
    for given in [names.to_owned(), values.to_owned(), format!("{names},{values}")] {
        let put = format!(r#"{{"Put":{{"TableName":"Notes","Item":{{"id":{{"S":"1"}}}},{given}}}}}"#);
        let delete = format!(r#"{{"Delete":{{"TableName":"Notes","Key":{{"id":{{"S":"2"}}}},{given}}}}}"#);
        client.ok("TransactWriteItems", &format!(r#"{{"TransactItems":[{put},{delete}]}}"#));
    }
    let get = format!(
        r#"{{"TransactItems":[{{"Get":{{"TableName":"Notes","Key":{{"id":{{"S":"1"}}}},{names}}}}}]}}"#
    );
    assert_eq!(client.ok("TransactGetItems", &get), r#"{"Responses":[{"Item":{"id":{"S":"1"}}}]}"#);
    // The operations on one item refuse them.
    for operation in ["PutItem", "DeleteItem", "GetItem"] {
        let member = if operation == "PutItem" { "Item" } else { "Key" };
        let body = format!(r#"{{"TableName":"Notes","{member}":{{"id":{{"S":"1"}}}},{names}}}"#);
        let (status, answer) = client.call(operation, &body);
        assert_eq!(status, 400, "{operation}: {answer}");
    }
}

/// Whatever is wrong with an action comes before all that is wrong with the next one.
#[test]
fn actions_are_checked_one_by_one() {
    const DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
    let deep = format!("{}{{\"S\":\"x\"}}{}", r#"{"L":["#.repeat(40), "]}".repeat(40));
    let faults = [
        (
            r#"{"Delete":{"TableName":"Tbl","Key":{"p":{"S":"k"}},"ConditionExpression":"a ="}}"#.to_owned(),
            "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"",
        ),
        (format!(r#"{{"Put":{{"TableName":"Tbl","Item":{{"p":{{"S":"k"}},"a":{deep}}}}}}}"#), DEEP),
        (
            r#"{"Update":{"TableName":"Tbl","Key":{"p":{"S":"k"}},"UpdateExpression":"SET a = :w"}}"#.to_owned(),
            "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w",
        ),
        (
            r#"{"ConditionCheck":{"TableName":"Tbl","Key":{"p":{"N":"one"}},"ConditionExpression":""}}"#.to_owned(),
            "The parameter cannot be converted to a numeric value: one",
        ),
        (
            r##"{"Delete":{"TableName":"Tbl","Key":{},"ConditionExpression":"a = b","ExpressionAttributeNames":{"#n":"n"}}}"##
                .to_owned(),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
        ),
        (
            r##"{"Put":{"TableName":"Tbl","Item":{},"ConditionExpression":"a = b","ExpressionAttributeNames":{}}}"##.to_owned(),
            "ExpressionAttributeNames must not be empty",
        ),
        (
            format!(r#"{{"Put":{{"TableName":"Tbl","Item":{{"p":{{"S":"{}"}}}}}}}}"#, "x".repeat(500_000)),
            "Item size has exceeded the maximum allowed size",
        ),
    ];
    let client = Client::new();
    let fine = r#"{"Put":{"TableName":"Tbl","Item":{"p":{"S":"fine"}}}}"#;
    for (one, text) in &faults {
        for (two, _) in &faults {
            let body = format!(r#"{{"TransactItems":[{fine},{one},{two}]}}"#);
            client.invalid("TransactWriteItems", &body, text);
        }
        // The request as a whole is looked at before, and its size and tables after.
        let body = format!(r#"{{"TransactItems":[{one},{{"Put":{{"TableName":"Tbl"}}}}]}}"#);
        client.invalid(
            "TransactWriteItems",
            &body,
            "1 validation error detected: Value null at 'transactItems.2.member.put.item' failed to satisfy constraint: Member \
             must not be null",
        );
        let large =
            format!(r#"{{"Put":{{"TableName":"Tbl","Item":{{"p":{{"S":"{}"}}}}}}}}"#, "x".repeat(390_000));
        let body = format!(r#"{{"TransactItems":[{one},{}]}}"#, vec![large; 11].join(","));
        client.invalid("TransactWriteItems", &body, text);
    }
}

#[test]
fn reads_are_checked_one_by_one() {
    let faults = [
        (
            r#"{"Get":{"TableName":"Tbl","Key":{},"ProjectionExpression":"a,"}}"#,
            "Invalid ProjectionExpression: Syntax error; token: \"<EOF>\", near: \",\"",
        ),
        (
            r#"{"Get":{"TableName":"Tbl","Key":{"p":{"SS":[]}}}}"#,
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            r##"{"Get":{"TableName":"Tbl","Key":{},"ProjectionExpression":"a","ExpressionAttributeNames":{"#b":"b"}}}"##,
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            r##"{"Get":{"TableName":"Tbl","Key":{},"ExpressionAttributeNames":{"b":"b"}}}"##,
            "ExpressionAttributeNames contains invalid key: Syntax error; key: \"b\"",
        ),
    ];
    let client = Client::new();
    let fine = r#"{"Get":{"TableName":"Tbl","Key":{"p":{"S":"fine"}}}}"#;
    for (one, text) in faults {
        for (two, _) in faults {
            client.invalid("TransactGetItems", &format!(r#"{{"TransactItems":[{fine},{one},{two}]}}"#), text);
        }
    }
}

#[test]
fn statements_are_checked_one_by_one() {
    let faults = [
        (
            r#"{"Statement":"SELECT * FROM"}"#,
            "Statement wasn't well formed, can't be processed: Unexpected term",
        ),
        (
            r#"{"Statement":"DELETE FROM Tbl WHERE p = ?","Parameters":[{"SS":["x","x"]}]}"#,
            "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
        ),
        (
            r#"{"Statement":"DELETE FROM Tbl WHERE p = 'k' RETURNING ALL OLD *"}"#,
            "RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            r#"{"Statement":"DELETE FROM Tbl WHERE p = ?","Parameters":[{}]}"#,
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ];
    let client = Client::new();
    let fine = r#"{"Statement":"DELETE FROM Tbl WHERE p = 'fine'"}"#;
    for (one, text) in faults {
        for (two, _) in faults {
            client.invalid(
                "ExecuteTransaction",
                &format!(r#"{{"TransactStatements":[{fine},{one},{two}]}}"#),
                &format!("Validation failed in TransactStatements[1]: {text}"),
            );
        }
        // A number that is none is a fault of the request, not of its statement.
        client.invalid(
            "ExecuteTransaction",
            &format!(
                r#"{{"TransactStatements":[{one},{{"Statement":"DELETE","Parameters":[{{"N":"x"}}]}}]}}"#
            ),
            "The parameter cannot be converted to a numeric value: x",
        );
    }
}
