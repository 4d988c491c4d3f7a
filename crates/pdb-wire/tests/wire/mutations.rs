//! Whatever a client sends is answered: requests with one part replaced by something else, against a table that exists.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::Client;

const TABLE: &str = r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
    "LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},
        {"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
    "GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"sk","KeyType":"HASH"}],
        "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v"]}}],
    "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;

/// Requests that succeed as they stand, or would with a little luck.
fn requests() -> Vec<(&'static str, Value)> {
    let key = json!({"pk": {"S": "a"}, "sk": {"N": "1"}});
    let item = json!({"pk": {"S": "a"}, "sk": {"N": "1"}, "v": {"L": [{"M": {"x": {"SS": ["p", "q"]}}}, {"B": "AQ=="}]},
        "n": {"NS": ["1", "2.5"]}, "z": {"NULL": true}, "f": {"BOOL": false}});
    let names = json!({"#v": "v"});
    let values = json!({":v": {"N": "1"}});
    vec![
        (
            "PutItem",
            json!({"TableName": "Orders", "Item": item, "ConditionExpression": "#v = :v OR size(#v) > :v",
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values, "ReturnValues": "ALL_OLD",
            "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
        ),
        (
            "PutItem",
            json!({"TableName": "Orders", "Item": item, "ConditionalOperator": "OR",
            "Expected": {"v": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"N": "2"}]}, "w": {"Exists": false}}}),
        ),
        (
            "UpdateItem",
            json!({"TableName": "Orders", "Key": key,
            "UpdateExpression": "SET #v[0].x = if_not_exists(#v[0].x, :v), w = :v + :v REMOVE z ADD n2 :v",
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values, "ReturnValues": "UPDATED_NEW"}),
        ),
        (
            "UpdateItem",
            json!({"TableName": "Orders", "Key": key,
            "AttributeUpdates": {"w": {"Action": "ADD", "Value": {"N": "1"}}, "z": {"Action": "DELETE"}}}),
        ),
        ("DeleteItem", json!({"TableName": "Orders", "Key": key, "ReturnValues": "ALL_OLD"})),
        (
            "GetItem",
            json!({"TableName": "Orders", "Key": key, "ProjectionExpression": "#v[0], pk",
            "ExpressionAttributeNames": names, "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL"}),
        ),
        ("GetItem", json!({"TableName": "Orders", "Key": key, "AttributesToGet": ["v", "pk"]})),
        (
            "Query",
            json!({"TableName": "Orders", "KeyConditionExpression": "pk = :p AND sk BETWEEN :a AND :b",
            "FilterExpression": "attribute_exists(#v)", "ExpressionAttributeNames": names, "Limit": 3, "ScanIndexForward": false,
            "ExpressionAttributeValues": {":p": {"S": "a"}, ":a": {"N": "0"}, ":b": {"N": "9"}}, "Select": "ALL_ATTRIBUTES",
            "ExclusiveStartKey": key, "IndexName": "local"}),
        ),
        (
            "Query",
            json!({"TableName": "Orders", "IndexName": "global",
            "KeyConditions": {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}},
            "QueryFilter": {"v": {"ComparisonOperator": "NOT_NULL"}}}),
        ),
        (
            "Scan",
            json!({"TableName": "Orders", "Segment": 0, "TotalSegments": 2, "FilterExpression": "contains(#v, :v)",
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values, "ExclusiveStartKey": key}),
        ),
        (
            "BatchGetItem",
            json!({"RequestItems": {"Orders": {"Keys": [key], "ProjectionExpression": "#v",
            "ExpressionAttributeNames": names}}}),
        ),
        (
            "BatchWriteItem",
            json!({"RequestItems": {"Orders": [{"PutRequest": {"Item": item}}]}, "ReturnConsumedCapacity": "TOTAL"}),
        ),
        (
            "TransactWriteItems",
            json!({"ClientRequestToken": "token", "TransactItems": [
            {"Put": {"TableName": "Orders", "Item": item}},
            {"Update": {"TableName": "Orders", "Key": {"pk": {"S": "b"}, "sk": {"N": "1"}}, "UpdateExpression": "SET #v = :v",
                "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}},
            {"ConditionCheck": {"TableName": "Orders", "Key": {"pk": {"S": "c"}, "sk": {"N": "1"}},
                "ConditionExpression": "attribute_not_exists(pk)"}}]}),
        ),
        (
            "TransactGetItems",
            json!({"TransactItems": [{"Get": {"TableName": "Orders", "Key": key, "ProjectionExpression": "v"}}]}),
        ),
        (
            "ExecuteStatement",
            json!({"Statement": "SELECT v[0] FROM Orders.global WHERE sk = ? AND begins_with(pk, 'a')",
            "Parameters": [{"N": "1"}], "Limit": 5}),
        ),
        (
            "BatchExecuteStatement",
            json!({"Statements": [{"Statement": "INSERT INTO Orders VALUE {'pk': 'x', 'sk': 1, 'v': <<1, 2>>}"}]}),
        ),
        (
            "ExecuteTransaction",
            json!({"TransactStatements": [
            {"Statement": "UPDATE Orders SET v = list_append(v, ?) WHERE pk = 'a' AND sk = 1", "Parameters": [{"L": []}]}]}),
        ),
        (
            "UpdateTable",
            json!({"TableName": "Orders", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "global"}}]}),
        ),
        (
            "UpdateTimeToLive",
            json!({"TableName": "Orders", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "t"}}),
        ),
        ("DescribeTable", json!({"TableName": "Orders"})),
        ("ListTables", json!({"Limit": 1, "ExclusiveStartTableName": "A.b"})),
        ("ListStreams", json!({"TableName": "Orders", "Limit": 1})),
        (
            "DescribeStream",
            json!({"StreamArn":
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017", "Limit": 1}),
        ),
        (
            "GetShardIterator",
            json!({"StreamArn":
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017",
            "ShardId": "shardId-00000001772356542017-5f3a91c0", "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": "100000000000000000004"}),
        ),
    ]
}

/// What a part is replaced by.
fn any_part() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        "\\PC{0,12}",
        "[#:]?[a-z]{0,3}",
        "[+-]?[0-9]{0,40}(\\.[0-9]{0,3})?(e[+-]?[0-9]{1,4})?",
        "[a-z#:()=<> ,.\\[\\]0-9'?]{0,30}",
        Just("Orders".to_owned()),
        Just("x".repeat(3_000)),
    ];
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{}, [], "a", 1])),
        Just(json!({"S": "a"})),
        Just(json!({"N": "1e125"})),
        Just(json!({"NS": ["1", "01"]})),
        Just(json!({"M": {"": {"L": [{}]}}})),
        Just(json!({"pk": {"S": "a"}, "sk": {"N": "1"}})),
        Just((0..40).fold(json!({"S": "deep"}), |inner, _| json!({"L": [inner]}))),
    ]
}

/// Replaces the `at`th part of a value, counted from the outside.
fn replace(value: &mut Value, at: &mut usize, part: &Value) {
    if *at == 0 {
        *value = part.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, at, part)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, at, part)),
        _ => {}
    }
}

fn parts_of(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(parts_of).sum(),
        Value::Object(members) => members.values().map(parts_of).sum(),
        _ => 0usize,
    }
}

fn orders() -> Client {
    let client = Client::new();
    client.ok("CreateTable", TABLE);
    client
}

#[track_caller]
fn check_answered(client: &Client, operation: &str, body: &str) {
    let (status, answer) = client.call(operation, body);
    assert!(matches!(status, 200 | 400), "{status} {answer}\nfor {operation} {body}");
    let answer: Value = serde_json::from_str(if answer.is_empty() { "{}" } else { &answer })
        .unwrap_or_else(|error| panic!("{error}: {answer}\nfor {operation} {body}"));
    assert!(answer.is_object());
}

#[test]
fn the_requests_are_answered_as_they_stand() {
    for (operation, request) in requests() {
        check_answered(&orders(), operation, &request.to_string());
    }
}

proptest! {
    #[test]
    fn a_request_with_something_else_in_it_is_answered(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        part in any_part(),
        second_at in any::<prop::sample::Index>(),
        second in any_part(),
    ) {
        let requests = requests();
        let (operation, request) = which.get(&requests);
        let client = orders();
        let mut once = request.clone();
        replace(&mut once, &mut at.index(parts_of(request)), &part);
        check_answered(&client, operation, &once.to_string());
        let mut twice = once.clone();
        replace(&mut twice, &mut second_at.index(parts_of(&once)), &second);
        check_answered(&client, operation, &twice.to_string());
        // The engine is as well as before.
        client.ok("ListTables", "{}");
    }
}
