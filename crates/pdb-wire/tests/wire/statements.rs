//! PartiQL: structural checks, and whole exchanges (dynamodb.md, section 11).

use crate::harness::{Client, check_invalid};

#[test]
fn statements_are_constrained() {
    const EMPTY: &str = "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: Member must have \
                         length greater than or equal to 1";
    check_invalid(
        "ExecuteStatement",
        &[
            (
                r#"{"Limit":0}"#,
                "2 validation errors detected: Value null at 'statement' failed to satisfy constraint: Member must not be null; \
                 Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ),
            (r#"{"Statement":"SELECT * FROM Orders","Parameters":[]}"#, EMPTY),
            (
                r#"{"Statement":"SELECT * FROM Orders WHERE pk = ?","Parameters":[{"N":"x"}]}"#,
                "The parameter cannot be converted to a numeric value: x",
            ),
        ],
    );
    check_invalid(
        "BatchExecuteStatement",
        &[
            (
                r#"{"Statements":[]}"#,
                "1 validation error detected: Value '[]' at 'statements' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            (
                r#"{"Statements":[{}]}"#,
                "1 validation error detected: Value null at 'statements.1.member.statement' failed to satisfy constraint: Member \
                 must not be null",
            ),
        ],
    );
    check_invalid(
        "ExecuteTransaction",
        &[
            (
                r#"{"TransactStatements":[],"ClientRequestToken":""}"#,
                "2 validation errors detected: Value '' at 'clientRequestToken' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1; Value '[]' at 'transactStatements' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ),
            (
                r#"{"TransactStatements":[{"Statement":"x","Parameters":[{"SS":[]}]}]}"#,
                "Validation failed in TransactStatements[0]: One or more parameter values were invalid: An string set  may not \
                 be empty",
            ),
            (
                r#"{"TransactStatements":[{"Statement":"x","Parameters":[{"N":""}]}]}"#,
                "The parameter cannot be converted to a numeric value",
            ),
        ],
    );
}

#[test]
fn statements_are_executed() {
    let client = Client::new();
    client.ok(
        "CreateTable",
        r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}"#,
    );
    client.check(
        "ExecuteStatement",
        r#"{"Statement":"INSERT INTO Orders VALUE {'pk': ?, 'n': 1}","Parameters":[{"S":"a"}]}"#,
        r#"{"Items":[]}"#,
    );
    client.refused(
        "ExecuteStatement",
        r#"{"Statement":"INSERT INTO Orders VALUE {'pk': 'a'}"}"#,
        "DuplicateItemException",
        "Duplicate primary key exists in table",
    );
    client.check(
        "ExecuteStatement",
        r#"{"Statement":"SELECT * FROM Orders WHERE pk = 'a'","ReturnConsumedCapacity":"TOTAL"}"#,
        r#"{"Items":[{"n":{"N":"1"},"pk":{"S":"a"}}],"ConsumedCapacity":{"TableName":"Orders","CapacityUnits":0.5}}"#,
    );
    client.check(
        "BatchExecuteStatement",
        r#"{"Statements":[{"Statement":"SELECT pk FROM Orders WHERE pk = 'a'"},{"Statement":"SELECT * FROM Nowhere WHERE pk = 'a'"}]}"#,
        concat!(
            r#"{"Responses":[{"TableName":"Orders","Item":{"pk":{"S":"a"}}},"#,
            r#"{"Error":{"Code":"ResourceNotFound","Message":"Requested resource not found"}}]}"#
        ),
    );
    client.check(
        "ExecuteTransaction",
        r#"{"TransactStatements":[{"Statement":"UPDATE Orders SET n = 2 WHERE pk = 'a'"}]}"#,
        r#"{"Responses":[]}"#,
    );
    client.check(
        "ExecuteTransaction",
        r#"{"TransactStatements":[{"Statement":"SELECT n FROM Orders WHERE pk = 'a'"},{"Statement":"SELECT n FROM Orders WHERE pk = 'b'"}]}"#,
        r#"{"Responses":[{"Item":{"n":{"N":"2"}}},{}]}"#,
    );
}
