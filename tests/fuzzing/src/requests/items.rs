//! Requests that read and write items, and read streams.

use pdb_wire::Operation;
use serde_json::{Map, Value, json};

use super::{Body, Memory, attribute, index, item, key, table};
use crate::{Source, grammar};

/// The operations that [`fill`] knows.
pub(super) const OPERATIONS: [Operation; 18] = [
    Operation::PutItem,
    Operation::UpdateItem,
    Operation::DeleteItem,
    Operation::GetItem,
    Operation::Query,
    Operation::Scan,
    Operation::BatchWriteItem,
    Operation::BatchGetItem,
    Operation::TransactWriteItems,
    Operation::TransactGetItems,
    Operation::ExecuteStatement,
    Operation::BatchExecuteStatement,
    Operation::ExecuteTransaction,
    Operation::SearchVectors,
    Operation::ListStreams,
    Operation::DescribeStream,
    Operation::GetShardIterator,
    Operation::GetRecords,
];

const RETURN_VALUES: [&str; 5] = ["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"];
const OPERATORS: [&str; 13] = [
    "EQ",
    "NE",
    "IN",
    "LE",
    "LT",
    "GE",
    "GT",
    "BETWEEN",
    "NOT_NULL",
    "NULL",
    "CONTAINS",
    "NOT_CONTAINS",
    "BEGINS_WITH",
];

/// Fills the request for an operation on items or streams. Returns whether it is one.
pub(super) fn fill(operation: Operation, body: &mut Body<'_, '_>, memory: &Memory) -> bool {
    let of = table(body.source, memory);
    match operation {
        Operation::PutItem => {
            let item = item(body.source, &of);
            body.set("Item", item);
            condition(body, "ConditionExpression");
            write_options(body);
            body.set("TableName", of);
        }
        Operation::UpdateItem => {
            let key = key(body.source, &of);
            body.set("Key", key);
            if body.source.once_in(6) {
                attribute_updates(body);
            } else {
                let update = grammar::update(body.source);
                placeholders(body, &[&update]);
                body.set("UpdateExpression", update);
                condition(body, "ConditionExpression");
            }
            write_options(body);
            body.set("TableName", of);
        }
        Operation::DeleteItem => {
            let key = key(body.source, &of);
            body.set("Key", key);
            condition(body, "ConditionExpression");
            write_options(body);
            body.set("TableName", of);
        }
        Operation::GetItem => {
            let key = key(body.source, &of);
            body.set("Key", key);
            projection(body);
            read_options(body);
            body.set("TableName", of);
        }
        Operation::Query | Operation::Scan => search(operation, body, memory, of),
        Operation::BatchWriteItem => {
            let requests = body.source.up_to(4, |source| {
                if source.once_in(3) {
                    json!({"DeleteRequest": {"Key": key(source, &of)}})
                } else {
                    json!({"PutRequest": {"Item": item(source, &of)}})
                }
            });
            let mut tables = Map::new();
            tables.insert(of.as_str().unwrap_or("Plain").to_owned(), Value::from(requests));
            body.set("RequestItems", tables);
            body.maybe(3, "ReturnConsumedCapacity", |source| source.pick(&["TOTAL", "INDEXES", "NONE"]));
        }
        Operation::BatchGetItem => {
            let keys = body.source.up_to(4, |source| key(source, &of));
            let mut tables = Map::new();
            tables.insert(
                of.as_str().unwrap_or("Plain").to_owned(),
                json!({"Keys": keys, "ConsistentRead": body.source.once_in(2)}),
            );
            body.set("RequestItems", tables);
        }
        Operation::TransactWriteItems => {
            let actions = body.source.up_to(4, |source| action(source, memory));
            body.set("TransactItems", actions);
            body.maybe(4, "ClientRequestToken", |source| source.pick(&["one", "two"]));
        }
        Operation::TransactGetItems => {
            let gets = body.source.up_to(3, |source| {
                let of = table(source, memory);
                json!({"Get": {"Key": key(source, &of), "TableName": of}})
            });
            body.set("TransactItems", gets);
        }
        Operation::ExecuteStatement => {
            let statement = statement(body.source);
            body.members.extend(statement);
            body.maybe(3, "Limit", |source| source.below(3));
            body.maybe(3, "NextToken", |source| memory.recall(source, &["NextToken"]));
            body.maybe(4, "ConsistentRead", |source| source.once_in(2));
        }
        Operation::BatchExecuteStatement => {
            let statements = body.source.up_to(3, statement);
            body.set("Statements", statements.into_iter().map(Value::Object).collect::<Vec<_>>());
        }
        Operation::ExecuteTransaction => {
            let statements = body.source.up_to(3, statement);
            body.set("TransactStatements", statements.into_iter().map(Value::Object).collect::<Vec<_>>());
            body.maybe(4, "ClientRequestToken", |source| source.pick(&["one", "two"]));
        }
        Operation::SearchVectors => {
            let vector =
                body.source.up_to(3, |source| json!({"N": source.pick(&["1", "0", "-0.5", "1e38"])}));
            body.set("TableName", "Vectors");
            body.set("IndexName", "near");
            body.set("QueryVector", vector);
            body.draw("TopK", |source| source.below(4));
            body.maybe(4, "SearchConditionExpression", |source| source.pick(&["a = :v", "pk = :v"]));
        }
        Operation::ListStreams => {
            body.maybe(2, "Limit", |source| source.below(3));
            body.maybe(3, "ExclusiveStartStreamArn", |source| {
                memory.recall(source, &["StreamArn", "LatestStreamArn"])
            });
            body.maybe(2, "TableName", |source| table(source, memory));
        }
        Operation::DescribeStream => {
            let arn = memory.recall(body.source, &["LatestStreamArn", "StreamArn"]);
            body.set("StreamArn", arn);
            body.maybe(3, "ExclusiveStartShardId", |source| memory.recall(source, &["ShardId"]));
            body.maybe(3, "Limit", |source| source.below(3));
        }
        Operation::GetShardIterator => {
            let arn = memory.recall(body.source, &["StreamArn", "LatestStreamArn"]);
            body.set("StreamArn", arn);
            let shard = memory.recall(body.source, &["ShardId"]);
            body.set("ShardId", shard);
            let kind =
                body.source.pick(&["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]);
            body.set("ShardIteratorType", kind);
            if kind.ends_with("NUMBER") {
                let number = memory.recall(body.source, &["SequenceNumber", "StartingSequenceNumber"]);
                body.set("SequenceNumber", number);
            }
        }
        Operation::GetRecords => {
            let iterator = memory.recall(body.source, &["ShardIterator", "NextShardIterator"]);
            body.set("ShardIterator", iterator);
            body.maybe(3, "Limit", |source| source.below(3));
        }
        _ => return false,
    }
    true
}

fn statement(source: &mut Source<'_>) -> Map<String, Value> {
    let text = grammar::statement(source);
    let mut statement = Map::new();
    let count = text.matches('?').count();
    if count > 0 {
        let parameters: Vec<Value> = (0..count)
            .map(|_| match source.below(3) {
                0 => json!({"S": source.pick(&["a", "b"])}),
                1 => json!({"N": source.pick(&["1", "2"])}),
                _ => attribute(source),
            })
            .collect();
        statement.insert("Parameters".to_owned(), Value::from(parameters));
    }
    statement.insert("Statement".to_owned(), Value::from(text));
    statement
}

fn action(source: &mut Source<'_>, memory: &Memory) -> Value {
    let of = table(source, memory);
    let mut body = Body { source, members: Map::new() };
    body.set("TableName", of.clone());
    let name = body.source.pick(&["Put", "Update", "Delete", "ConditionCheck"]);
    if name == "Put" {
        let item = item(body.source, &of);
        body.set("Item", item);
    } else {
        let key = key(body.source, &of);
        body.set("Key", key);
    }
    if name == "Update" {
        let update = grammar::update(body.source);
        placeholders(&mut body, &[&update]);
        body.set("UpdateExpression", update);
    } else if name == "ConditionCheck" || body.source.once_in(3) {
        let condition = grammar::condition(body.source, 1);
        placeholders(&mut body, &[&condition]);
        body.set("ConditionExpression", condition);
    }
    json!({name: body.members})
}

fn search(operation: Operation, body: &mut Body<'_, '_>, memory: &Memory, of: Value) {
    if operation == Operation::Query {
        if body.source.once_in(5) {
            let operator = body.source.pick(&OPERATORS);
            let list = body.source.up_to(2, attribute);
            body.set(
                "KeyConditions",
                json!({"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
                "sk": {"ComparisonOperator": operator, "AttributeValueList": list}}),
            );
        } else {
            let condition = grammar::key_condition(body.source);
            placeholders(body, &[&condition]);
            body.set("KeyConditionExpression", condition);
        }
        body.maybe(3, "ScanIndexForward", |source| source.once_in(2));
    } else if body.source.once_in(3) {
        let segments = body.source.below(4);
        body.set("TotalSegments", segments);
        body.draw("Segment", |source| source.below(4));
    }
    condition(body, "FilterExpression");
    body.maybe(3, "IndexName", index);
    body.maybe(3, "Limit", |source| source.below(4));
    body.maybe(3, "ExclusiveStartKey", |source| {
        if source.once_in(2) {
            Value::Object(key(source, &of))
        } else {
            memory.recall(source, &["LastEvaluatedKey"])
        }
    });
    body.maybe(4, "Select", |source| {
        source.pick(&["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES"])
    });
    projection(body);
    read_options(body);
    body.set("TableName", of);
}

/// Adds a condition, or its legacy form, sometimes.
fn condition(body: &mut Body<'_, '_>, name: &str) {
    match body.source.below(6) {
        0 | 1 => {
            let condition = grammar::condition(body.source, 2);
            placeholders(body, &[&condition]);
            body.set(name, condition);
        }
        2 => {
            let legacy = match name {
                "ConditionExpression" => "Expected",
                _ => body.source.pick(&["QueryFilter", "ScanFilter"]),
            };
            let conditions = body.source.up_to(2, |source| {
                let condition = match source.below(4) {
                    0 => json!({"Exists": source.once_in(2)}),
                    1 => json!({"Value": attribute(source)}),
                    _ => json!({"ComparisonOperator": source.pick(&OPERATORS), "AttributeValueList": source.up_to(2, attribute)}),
                };
                (crate::values::name(source), condition)
            });
            body.set(legacy, conditions.into_iter().collect::<Map<_, _>>());
            body.maybe(3, "ConditionalOperator", |source| source.pick(&["AND", "OR"]));
        }
        _ => {}
    }
}

fn attribute_updates(body: &mut Body<'_, '_>) {
    let updates = body.source.up_to(3, |source| {
        let action = source.pick(&["PUT", "ADD", "DELETE"]);
        (crate::values::name(source), json!({"Action": action, "Value": attribute(source)}))
    });
    body.set("AttributeUpdates", updates.into_iter().collect::<Map<_, _>>());
}

fn projection(body: &mut Body<'_, '_>) {
    match body.source.below(8) {
        0 => {
            let projection = grammar::projection(body.source);
            placeholders(body, &[&projection]);
            body.set("ProjectionExpression", projection);
        }
        1 => {
            let names = body.source.up_to(3, crate::values::name);
            body.set("AttributesToGet", names);
        }
        _ => {}
    }
}

/// Adds the placeholders that the expressions use, which are fewer now and then.
fn placeholders(body: &mut Body<'_, '_>, expressions: &[&str]) {
    let uses = |placeholder: &str| expressions.iter().any(|expression| expression.contains(placeholder));
    for placeholder in grammar::PLACEHOLDER_NAMES.into_iter().filter(|name| uses(name)) {
        if !body.source.once_in(32) {
            let name = body.source.pick(&["a", "v", "n", "b", "pk"]);
            body.members.entry("ExpressionAttributeNames").or_insert_with(|| json!({}))[placeholder] =
                Value::from(name);
        }
    }
    for placeholder in grammar::PLACEHOLDER_VALUES.into_iter().filter(|value| uses(value)) {
        if !body.source.once_in(32) {
            let value = match body.source.below(5) {
                0 | 1 => json!({"S": body.source.pick(&["a", "b", "x"])}),
                2 | 3 => json!({"N": body.source.pick(&["1", "0", "2.5", "1772356542"])}),
                _ => attribute(body.source),
            };
            body.members.entry("ExpressionAttributeValues").or_insert_with(|| json!({}))[placeholder] = value;
        }
    }
}

fn write_options(body: &mut Body<'_, '_>) {
    body.maybe(3, "ReturnValues", |source| source.pick(&RETURN_VALUES));
    body.maybe(8, "ReturnValuesOnConditionCheckFailure", |source| source.pick(&["ALL_OLD", "NONE"]));
    body.maybe(8, "ReturnConsumedCapacity", |source| source.pick(&["TOTAL", "INDEXES", "NONE"]));
    body.maybe(8, "ReturnItemCollectionMetrics", |source| source.pick(&["SIZE", "NONE"]));
}

fn read_options(body: &mut Body<'_, '_>) {
    body.maybe(4, "ConsistentRead", |source| source.once_in(2));
    body.maybe(8, "ReturnConsumedCapacity", |source| source.pick(&["TOTAL", "INDEXES", "NONE"]));
}
