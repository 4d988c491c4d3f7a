//! Query and Scan: the order of their checks (validation.md, sections 10.7 and 10.8).

use crate::harness::check_invalid;

const MIXED: &str = "Can not use both expression and non-expression parameters in the same request: ";

#[test]
fn query_checks_in_order() {
    check_invalid(
        "Query",
        &[
            (
                r#"{"TableName":"abc","IndexName":"x!","Select":"ALL","KeyConditions":{"a":{}},
                    "QueryFilter":{"b":{"ComparisonOperator":"EQUALS"}}}"#,
                "5 validation errors detected: Value 'x!' at 'indexName' failed to satisfy constraint: Member must have length \
                 greater than or equal to 3; Value 'x!' at 'indexName' failed to satisfy constraint: Member must satisfy regular \
                 expression pattern: [a-zA-Z0-9_.-]+; Value 'ALL' at 'select' failed to satisfy constraint: Member must satisfy enum \
                 value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; Value null at \
                 'keyConditions.a.member.comparisonOperator' failed to satisfy constraint: Member must not be null; Value 'EQUALS' \
                 at 'queryFilter.b.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, \
                 NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
            ),
            (
                r#"{"TableName":"abc","Limit":0}"#,
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than \
                 or equal to 1",
            ),
            (
                r#"{"TableName":"abc","AttributesToGet":["a"],"QueryFilter":{},"ConditionalOperator":"AND","KeyConditions":{},
                    "ProjectionExpression":"","FilterExpression":"","KeyConditionExpression":""}"#,
                &format!(
                    "{MIXED}Non-expression parameters: {{AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions}} \
                     Expression parameters: {{ProjectionExpression, FilterExpression, KeyConditionExpression}}"
                ),
            ),
            (
                r#"{"TableName":"abc","KeyConditions":{},"ProjectionExpression":"a","ExpressionAttributeValues":{}}"#,
                "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and \
                 KeyConditionExpression are null",
            ),
            (
                r#"{"TableName":"abc","QueryFilter":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"x"}]}},
                    "ExclusiveStartKey":{"a":{}}}"#,
                "The parameter cannot be converted to a numeric value: x",
            ),
            (
                r#"{"TableName":"abc","ExclusiveStartKey":{"a":{}}}"#,
                "The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one of the supported \
                 datatypes",
            ),
            (
                r#"{"TableName":"abc","ExclusiveStartKey":{"a":{"N":""}}}"#,
                "The parameter cannot be converted to a numeric value",
            ),
            (
                r#"{"TableName":"abc","KeyConditionExpression":"","ExpressionAttributeNames":{}}"#,
                "ExpressionAttributeNames must not be empty",
            ),
        ],
    );
}

#[test]
fn scan_checks_in_order() {
    check_invalid(
        "Scan",
        &[
            (
                r#"{"TableName":"abc","Limit":0}"#,
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
                 than or equal to 1",
            ),
            (
                r#"{"TableName":"abc","Segment":-1}"#,
                "1 validation error detected: Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater \
                 than or equal to 0",
            ),
            (
                r#"{"TableName":"abc","Segment":1000000,"TotalSegments":1000001}"#,
                "2 validation errors detected: Value '1000000' at 'segment' failed to satisfy constraint: Member must have value \
                 less than or equal to 999999; Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have \
                 value less than or equal to 1000000",
            ),
            (
                r#"{"TableName":"abc","AttributesToGet":["a"],"ScanFilter":{},"ConditionalOperator":"AND","FilterExpression":"",
                    "ProjectionExpression":""}"#,
                &format!(
                    "{MIXED}Non-expression parameters: {{AttributesToGet, ScanFilter, ConditionalOperator}} Expression \
                     parameters: {{ProjectionExpression, FilterExpression}}"
                ),
            ),
            (
                r#"{"TableName":"abc","ProjectionExpression":"a","ExpressionAttributeValues":{":a":{"S":""}}}"#,
                "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
            ),
        ],
    );
}
