//! PutItem, UpdateItem, DeleteItem and GetItem: the order of their checks (validation.md, section 10).

use crate::harness::check_invalid;

const MIXED: &str = "Can not use both expression and non-expression parameters in the same request: ";

#[test]
fn put_item_checks_in_order() {
    check_invalid(
        "PutItem",
        &[
            // 1. Constraints, accumulated.
            (
                "{}",
                "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be \
                 null; Value null at 'item' failed to satisfy constraint: Member must not be null",
            ),
            (
                r#"{"TableName":"abc","Item":{},"ReturnConsumedCapacity":"a","ReturnValues":"b","ReturnItemCollectionMetrics":"c",
                    "ReturnValuesOnConditionCheckFailure":"d","ConditionalOperator":"e",
                    "Expected":{"x":{"ComparisonOperator":"f"}}}"#,
                "6 validation errors detected: Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must \
                 satisfy enum value set: [INDEXES, TOTAL, NONE]; Value 'b' at 'returnValues' failed to satisfy constraint: Member \
                 must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value 'c' at \
                 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]; Value \
                 'd' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: \
                 [ALL_OLD, NONE]; Value 'e' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value \
                 set: [OR, AND]; Value 'f' at 'expected.x.member.comparisonOperator' failed to satisfy constraint: Member must \
                 satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
            ),
            (
                r#"{"TableName":"","Item":{},"ReturnValues":"INVALID"}"#,
                "1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            (
                r#"{"TableName":"bad table!@#","Item":{}}"#,
                "1 validation error detected: Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
            (
                r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:tabel/abc","Item":{"a":{}}}"#,
                "1 validation error detected: Invalid resource type in 'arn:aws:dynamodb:us-east-1:000000000000:tabel/abc'",
            ),
            // 2. Mixing, then names and values without expression.
            (
                r#"{"TableName":"abc","Item":{"a":{}},"Expected":{},"ConditionExpression":""}"#,
                &format!(
                    "{MIXED}Non-expression parameters: {{Expected}} Expression parameters: {{ConditionExpression}}"
                ),
            ),
            (
                r#"{"TableName":"abc","Item":{"a":{}},"ExpressionAttributeNames":{},"ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeNames can only be specified when using expressions",
            ),
            (
                r#"{"TableName":"abc","Item":{"a":{}},"ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
            ),
            // 3. Values of the item, in document order.
            (
                r#"{"TableName":"abc","Item":{"b":{"NULL":"no"},"a":{}},"ReturnValues":"ALL_NEW"}"#,
                "One or more parameter values were invalid: Null attribute value types must have the value of true",
            ),
            // 4. Values of Expected.
            (
                r#"{"TableName":"abc","Item":{},"Expected":{"a":{"Value":{}}},"ReturnValues":"ALL_NEW"}"#,
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ),
            // 5. ReturnValues.
            (
                r#"{"TableName":"abc","Item":{},"ReturnValues":"ALL_NEW","ConditionExpression":"a","ExpressionAttributeNames":{}}"#,
                "ReturnValues can only be ALL_OLD or NONE",
            ),
            // 7. Names and values.
            (
                r#"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeNames":{},"ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeNames must not be empty",
            ),
            (
                r##"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeNames":{"#a":"","a":"b"}}"##,
                "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
            ),
            (
                r##"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeNames":{"#":"b"}}"##,
                "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\"",
            ),
            (
                r#"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeValues must not be empty",
            ),
            (
                r#"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeValues":{":a":{},"b":{}}}"#,
                "ExpressionAttributeValues contains invalid key: Syntax error; key: \"b\"",
            ),
            (
                r#"{"TableName":"abc","Item":{},"ConditionExpression":"","ExpressionAttributeValues":{":b":{"SS":[]}}}"#,
                "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may \
                 not be empty for key :b",
            ),
        ],
    );
}

#[test]
fn update_item_checks_in_order() {
    check_invalid(
        "UpdateItem",
        &[
            (
                r#"{"TableName":"","ReturnConsumedCapacity":"INVALID","ReturnValues":"INVALID"}"#,
                "4 validation errors detected: Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: Member \
                 must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value '' at 'tableName' failed to satisfy constraint: Member \
                 must have length greater than or equal to 1; Value 'INVALID' at 'returnValues' failed to satisfy constraint: Member \
                 must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value null at 'key' failed to \
                 satisfy constraint: Member must not be null",
            ),
            (
                r#"{"TableName":"abc","Key":{},"AttributeUpdates":{"x":{"Action":"XOR"}}}"#,
                "1 validation error detected: Value 'XOR' at 'attributeUpdates.x.member.action' failed to satisfy constraint: \
                 Member must satisfy enum value set: [ADD, DELETE, PUT]",
            ),
            (
                r#"{"TableName":"abc","Key":{},"AttributeUpdates":{},"Expected":{},"UpdateExpression":"","ConditionExpression":""}"#,
                &format!(
                    "{MIXED}Non-expression parameters: {{AttributeUpdates, Expected}} Expression parameters: \
                     {{UpdateExpression, ConditionExpression}}"
                ),
            ),
            (
                r#"{"TableName":"abc","Key":{},"ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and \
                 ConditionExpression are null",
            ),
            (
                r#"{"TableName":"abc","Key":{"a":{"N":"b"}},"UpdateExpression":"","ExpressionAttributeValues":{}}"#,
                "The parameter cannot be converted to a numeric value: b",
            ),
            (
                r#"{"TableName":"abc","Key":{},"AttributeUpdates":{"a":{"Value":{}}},"Expected":{"a":{"Value":{"N":"b"}}}}"#,
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ),
            (
                r#"{"TableName":"abc","Key":{},"AttributeUpdates":{"":{"Value":{"N":"1"}}}}"#,
                "One or more parameter values were invalid: Empty attribute name",
            ),
        ],
    );
}

#[test]
fn delete_item_checks_in_order() {
    check_invalid(
        "DeleteItem",
        &[
            (
                r#"{"TableName":"abc"}"#,
                "1 validation error detected: Value null at 'key' failed to satisfy constraint: Member must not be null",
            ),
            (
                r#"{"TableName":"abc","Key":{"a":{"S":"a","N":"1"}},"ReturnValues":"ALL_NEW"}"#,
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ),
            (
                r#"{"TableName":"abc","Key":{},"ReturnValues":"UPDATED_OLD"}"#,
                "ReturnValues can only be ALL_OLD or NONE",
            ),
        ],
    );
}

#[test]
fn get_item_checks_in_order() {
    check_invalid(
        "GetItem",
        &[
            (
                r#"{"TableName":"abc","AttributesToGet":[],"ReturnConsumedCapacity":"x"}"#,
                "3 validation errors detected: Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: Member must \
                 satisfy enum value set: [INDEXES, TOTAL, NONE]; Value '[]' at 'attributesToGet' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1; Value null at 'key' failed to satisfy constraint: Member must \
                 not be null",
            ),
            (
                r#"{"TableName":"abc","Key":{"a":{}},"AttributesToGet":["a"],"ProjectionExpression":"a"}"#,
                &format!(
                    "{MIXED}Non-expression parameters: {{AttributesToGet}} Expression parameters: {{ProjectionExpression}}"
                ),
            ),
            (
                r##"{"TableName":"abc","Key":{"a":{}},"AttributesToGet":["a"],"ExpressionAttributeNames":{"#a":"b"}}"##,
                "ExpressionAttributeNames can only be specified when using expressions",
            ),
            (
                r#"{"TableName":"abc","Key":{"a":{"BS":[]}}}"#,
                "One or more parameter values were invalid: Binary sets should not be empty",
            ),
        ],
    );
}
