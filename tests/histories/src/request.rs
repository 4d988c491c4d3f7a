//! Operations as requests.

use serde_json::{Map, Value, json};

use crate::history::{Condition, Item, KEYS, MAIN_KEYS, Part};
use crate::plan::{Call, Returns};

/// The index that is always there.
pub const INDEX: &str = "by-bucket";
/// The index that is created and deleted while clients work.
pub const LATE_INDEX: &str = "late";
/// The partition key of all items of the table with a sort key.
const PARTITION: &str = "group";

/// Returns the name of the table with a sort key.
#[must_use]
pub fn main_table(group: usize) -> String {
    format!("main-{group}")
}

/// Returns the name of the table without one.
#[must_use]
pub fn side_table(group: usize) -> String {
    format!("side-{group}")
}

/// Returns the table of an item.
#[must_use]
pub fn table_of(group: usize, key: usize) -> String {
    if key < MAIN_KEYS { main_table(group) } else { side_table(group) }
}

/// Returns the key of an item.
#[must_use]
pub fn key_of(key: usize) -> Value {
    let text = key.to_string();
    if key < MAIN_KEYS {
        json!({ "g": { "S": PARTITION }, "k": { "S": text } })
    } else {
        json!({ "k": { "S": text } })
    }
}

/// Returns the body of `CreateTable`.
#[must_use]
pub fn create_table(group: usize, main: bool) -> Value {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let mut table = json!({
        "TableName": if main { main_table(group) } else { side_table(group) },
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
        "AttributeDefinitions": [attribute("k")],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    if main {
        table["KeySchema"] = json!([{ "AttributeName": "g", "KeyType": "HASH" }, { "AttributeName": "k", "KeyType": "RANGE" }]);
        table["AttributeDefinitions"] = json!([attribute("g"), attribute("k"), attribute("b")]);
        table["GlobalSecondaryIndexes"] = json!([index(INDEX)]);
    }
    table
}

/// Returns the body of `UpdateTable` that creates or deletes the late index.
#[must_use]
pub fn change_index(group: usize, create: bool) -> Value {
    let change = if create {
        json!({ "Create": index(LATE_INDEX) })
    } else {
        json!({ "Delete": { "IndexName": LATE_INDEX } })
    };
    json!({
        "TableName": main_table(group),
        "AttributeDefinitions": [{ "AttributeName": "b", "AttributeType": "S" }],
        "GlobalSecondaryIndexUpdates": [change],
    })
}

fn index(name: &str) -> Value {
    json!({
        "IndexName": name,
        "KeySchema": [{ "AttributeName": "b", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    })
}

/// Returns the name of the operation and its body.
#[must_use]
pub fn of(group: usize, call: &Call) -> (&'static str, Value) {
    match call {
        Call::Get { key, consistent } => (
            "GetItem",
            json!({ "TableName": table_of(group, *key), "Key": key_of(*key), "ConsistentRead": consistent }),
        ),
        Call::Query { from, to, consistent, forward } => (
            "Query",
            json!({
                "TableName": main_table(group),
                "KeyConditionExpression": "g = :g AND k BETWEEN :from AND :to",
                "ExpressionAttributeValues": {
                    ":g": { "S": PARTITION }, ":from": { "S": from.to_string() }, ":to": { "S": to.to_string() },
                },
                "ConsistentRead": consistent,
                "ScanIndexForward": forward,
            }),
        ),
        Call::Scan { main, consistent } => {
            let table = if *main { main_table(group) } else { side_table(group) };
            ("Scan", json!({ "TableName": table, "ConsistentRead": consistent }))
        }
        Call::Index { late, bucket } => (
            "Query",
            json!({
                "TableName": main_table(group),
                "IndexName": if *late { LATE_INDEX } else { INDEX },
                "KeyConditionExpression": "b = :b",
                "ExpressionAttributeValues": { ":b": bucket_value(*bucket) },
            }),
        ),
        Call::TransactGet { keys } => {
            let gets = keys
                .iter()
                .map(|key| json!({ "Get": { "TableName": table_of(group, *key), "Key": key_of(*key) } }));
            ("TransactGetItems", json!({ "TransactItems": gets.collect::<Vec<_>>() }))
        }
        Call::BatchGet { keys, consistent } => {
            let mut tables = Map::new();
            for main in [true, false] {
                let keys: Vec<_> =
                    keys.iter().filter(|key| (**key < MAIN_KEYS) == main).map(|key| key_of(*key)).collect();
                if !keys.is_empty() {
                    let table = if main { main_table(group) } else { side_table(group) };
                    tables.insert(table, json!({ "Keys": keys, "ConsistentRead": consistent }));
                }
            }
            ("BatchGetItem", json!({ "RequestItems": tables }))
        }
        Call::Write { part, returns, shows_failed } => write(group, part, *returns, *shows_failed),
        Call::BatchWrite { parts } => {
            let mut tables: Map<String, Value> = Map::new();
            for part in parts {
                let request = match &part.put {
                    Some(item) => json!({ "PutRequest": { "Item": item_value(part.key, item) } }),
                    None => json!({ "DeleteRequest": { "Key": key_of(part.key) } }),
                };
                let requests = tables.entry(table_of(group, part.key)).or_insert_with(|| json!([]));
                requests.as_array_mut().expect("it was made as an array").push(request);
            }
            ("BatchWriteItem", json!({ "RequestItems": tables }))
        }
        Call::Transact { parts, token, shows_failed } => {
            let actions: Vec<_> = parts.iter().map(|part| action(group, part, *shows_failed)).collect();
            let mut body = json!({ "TransactItems": actions });
            if *token != 0 {
                body["ClientRequestToken"] = json!(format!("token-{token}"));
            }
            ("TransactWriteItems", body)
        }
    }
}

/// Returns a request that writes one item.
fn write(group: usize, part: &Part, returns: Returns, shows_failed: bool) -> (&'static str, Value) {
    let (name, mut body) = body_of(group, part, shows_failed);
    body["ReturnValues"] = json!(match returns {
        Returns::None => "NONE",
        Returns::AllOld => "ALL_OLD",
        Returns::UpdatedOld => "UPDATED_OLD",
        Returns::AllNew => "ALL_NEW",
        Returns::UpdatedNew => "UPDATED_NEW",
    });
    let name = match name {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        _ => "DeleteItem",
    };
    (name, body)
}

/// Returns an action of a transaction.
fn action(group: usize, part: &Part, shows_failed: bool) -> Value {
    let (name, body) = body_of(group, part, shows_failed);
    json!({ name: body })
}

/// Returns what single writes and actions of transactions have in common, under the name of the action.
fn body_of(group: usize, part: &Part, shows_failed: bool) -> (&'static str, Value) {
    let mut body = json!({ "TableName": table_of(group, part.key) });
    let mut values = Map::new();
    let name = if let Some(item) = &part.put {
        body["Item"] = item_value(part.key, item);
        "Put"
    } else {
        body["Key"] = key_of(part.key);
        if let Some(update) = &part.update {
            let mut set = "SET v = :v".to_owned();
            values.insert(":v".to_owned(), number(i64::from(update.v)));
            values.insert(":add".to_owned(), number(update.add));
            if let Some(b) = update.b {
                set.push_str(", b = :b");
                values.insert(":b".to_owned(), bucket_value(b));
            }
            // Both forms mean the same, and take different paths.
            if update.v % 2 == 0 {
                set.push_str(" ADD n :add");
            } else {
                set.push_str(", n = if_not_exists(n, :zero) + :add");
                values.insert(":zero".to_owned(), number(0));
            }
            body["UpdateExpression"] = json!(set);
            "Update"
        } else if part.delete {
            "Delete"
        } else {
            "ConditionCheck"
        }
    };
    if let Some(condition) = &part.condition {
        body["ConditionExpression"] = json!(condition_text(condition, &mut values));
        if shows_failed {
            body["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        }
    }
    if !values.is_empty() {
        body["ExpressionAttributeValues"] = Value::Object(values);
    }
    (name, body)
}

fn condition_text(condition: &Condition, values: &mut Map<String, Value>) -> &'static str {
    if condition.absent {
        "attribute_not_exists(k)"
    } else if let Some(v) = condition.v {
        values.insert(":known".to_owned(), number(i64::from(v)));
        "v = :known"
    } else if let Some(bound) = condition.below {
        values.insert(":bound".to_owned(), number(bound));
        "n < :bound"
    } else {
        "attribute_exists(k)"
    }
}

fn item_value(key: usize, item: &Item) -> Value {
    let mut value = key_of(key);
    value["v"] = number(i64::from(item.v));
    value["n"] = number(item.n);
    if item.b != 0 {
        value["b"] = bucket_value(item.b);
    }
    value
}

fn number(number: i64) -> Value {
    json!({ "N": number.to_string() })
}

fn bucket_value(b: u8) -> Value {
    json!({ "S": b.to_string() })
}

/// Returns the keys of one of the tables.
#[must_use]
pub fn keys_of(main: bool) -> std::ops::Range<usize> {
    if main { 0..MAIN_KEYS } else { MAIN_KEYS..KEYS }
}
