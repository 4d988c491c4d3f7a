//! Both engines agree: the same history on SQLite and on PostgreSQL, with the same time and the same ids, gives the same answers, and
//! leaves the same behind.

use std::time::Duration;

use pdb_testkit::Schema;
use pretender::Pretender;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::World;

const TABLES: [&str; 2] = ["Plain", "Mixed.Case-NAME"];

/// What is done to both databases.
#[derive(Clone, Debug)]
enum Step {
    /// A call of the API.
    Call(&'static str, Value),
    /// Continues all open shards of a table's latest stream in one child each, or in two.
    Shards(usize, bool),
    /// Removes the records of a table's latest stream.
    Trim(usize),
    /// Lets seconds pass, and does what is then due.
    Pass(u64),
}

fn any_table() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(TABLES[0]), 1 => Just(TABLES[1])]
}

/// Few keys, so that they meet; among them one longer than PostgreSQL's indexes take, and ones that sort differently elsewhere.
fn any_key() -> impl Strategy<Value = (String, Value)> {
    let hash = prop_oneof![
        Just("a".to_owned()),
        Just("B".to_owned()),
        Just("é\u{0}".to_owned()),
        Just("long".repeat(500)),
    ];
    let range = prop_oneof![Just("-1.5"), Just("0"), Just("2"), Just("10"), Just("1E+30")];
    (hash, range).prop_map(|(hash, range)| (hash, json!({"N": range})))
}

fn key_of((hash, range): &(String, Value)) -> Value {
    json!({"pk": {"S": hash}, "sk": range})
}

fn any_item() -> impl Strategy<Value = Value> {
    let group = prop_oneof![Just("x".to_owned()), Just("Y".to_owned()), Just("ü".repeat(900))];
    (any_key(), group, 0..4_i64, proptest::option::of(0..100_000_i64), 0..3_usize).prop_map(
        |(key, group, n, expires, size)| {
            let mut item = key_of(&key);
            item["n"] = json!({"N": n.to_string()});
            item["group"] = json!({"S": group});
            if let Some(expires) = expires {
                item["expires"] = json!({"N": (1_772_356_542 + expires).to_string()});
            }
            if size > 0 {
                item["text"] = json!({"S": "some \"text\" \\ \u{1} ".repeat(size * 40)});
            }
            item
        },
    )
}

fn any_call() -> impl Strategy<Value = Step> {
    let put = (any_table(), any_item(), any::<bool>()).prop_map(|(table, item, fresh)| {
        let mut body = json!({"TableName": table, "Item": item, "ReturnValues": "ALL_OLD"});
        if fresh {
            body["ConditionExpression"] = "attribute_not_exists(pk)".into();
            body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        }
        Step::Call("PutItem", body)
    });
    let update =
        (any_table(), any_key(), 0..4_i64, any::<bool>()).prop_map(|(table, key, n, conditional)| {
            let mut body = json!({
            "TableName": table, "Key": key_of(&key), "ReturnValues": "ALL_NEW",
            "UpdateExpression": "ADD n :n SET #g = if_not_exists(#g, :g)",
            "ExpressionAttributeNames": {"#g": "group"},
            "ExpressionAttributeValues": {":n": {"N": n.to_string()}, ":g": {"S": "x"}}});
            if conditional {
                body["ConditionExpression"] = "n >= :n".into();
            }
            Step::Call("UpdateItem", body)
        });
    let delete = (any_table(), any_key()).prop_map(|(table, key)| {
        Step::Call("DeleteItem", json!({"TableName": table, "Key": key_of(&key), "ReturnValues": "ALL_OLD"}))
    });
    let get = (any_table(), any_key()).prop_map(|(table, key)| {
        Step::Call("GetItem", json!({"TableName": table, "Key": key_of(&key), "ConsistentRead": true}))
    });
    let query = (any_table(), any_key(), any::<bool>(), 1..4, 0..3_usize).prop_map(
        |(table, (hash, range), forward, limit, which)| {
            let mut body = json!({"TableName": table, "ScanIndexForward": forward, "Limit": limit});
            match which {
                0 => {
                    body["KeyConditionExpression"] = "pk = :h AND sk >= :r".into();
                    body["ExpressionAttributeValues"] = json!({":h": {"S": hash}, ":r": range});
                }
                1 => {
                    body["IndexName"] = "by-group".into();
                    body["KeyConditionExpression"] = "#g = :g".into();
                    body["ExpressionAttributeNames"] = json!({"#g": "group"});
                    body["ExpressionAttributeValues"] = json!({":g": {"S": "x"}});
                }
                _ => {
                    body["IndexName"] = "by-n".into();
                    body["KeyConditionExpression"] = "pk = :h AND n < :n".into();
                    body["ExpressionAttributeValues"] = json!({":h": {"S": hash}, ":n": {"N": "3"}});
                }
            }
            Step::Call("Query", body)
        },
    );
    let scan = (any_table(), 1..6, any_key(), any::<bool>()).prop_map(|(table, limit, key, starts)| {
        let mut body = json!({"TableName": table, "Limit": limit});
        if starts {
            body["ExclusiveStartKey"] = key_of(&key);
        }
        Step::Call("Scan", body)
    });
    let transact = (any_table(), vec((any_item(), 0..4_usize), 1..4), proptest::option::of(0..3_u8))
        .prop_map(|(table, actions, token)| {
            let action = |(item, kind): &(Value, usize)| {
                let key = json!({"pk": item["pk"], "sk": item["sk"]});
                match kind {
                    0 => json!({"Delete": {"TableName": table, "Key": key}}),
                    1 => json!({"ConditionCheck": {"TableName": table, "Key": key,
                        "ConditionExpression": "attribute_exists(pk)"}}),
                    2 => json!({"Update": {"TableName": table, "Key": key, "UpdateExpression": "ADD n :n",
                        "ExpressionAttributeValues": {":n": {"N": "1"}}}}),
                    _ => json!({"Put": {"TableName": table, "Item": item}}),
                }
            };
            let actions: Vec<Value> = actions.iter().map(action).collect();
            let mut body = json!({"TransactItems": actions});
            if let Some(token) = token {
                body["ClientRequestToken"] = format!("token-{token}").into();
            }
            Step::Call("TransactWriteItems", body)
        });
    let batch = (any_table(), vec(any_item(), 1..6)).prop_map(|(table, items)| {
        let puts: Vec<Value> = items.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        Step::Call("BatchWriteItem", json!({"RequestItems": {table: puts}}))
    });
    prop_oneof![6 => put, 4 => update, 3 => delete, 2 => get, 2 => query, 1 => scan, 2 => transact, 1 => batch]
}

fn any_definition() -> impl Strategy<Value = Step> {
    let stream = (any_table(), 0..5_usize).prop_map(|(table, kind)| {
        let kinds = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"];
        let specification = match kinds.get(kind) {
            Some(kind) => json!({"StreamEnabled": true, "StreamViewType": kind}),
            None => json!({"StreamEnabled": false}),
        };
        Step::Call("UpdateTable", json!({"TableName": table, "StreamSpecification": specification}))
    });
    let index = (any_table(), any::<bool>()).prop_map(|(table, create)| change_index(table, create));
    let table = (any_table(), any::<bool>()).prop_map(|(table, create)| {
        if create { create_table(table) } else { Step::Call("DeleteTable", json!({"TableName": table})) }
    });
    prop_oneof![2 => stream, 2 => index, 1 => table]
}

/// Adds the index `by-group`, or removes it.
fn change_index(table: &str, create: bool) -> Step {
    let change = if create {
        json!({"Create": {"IndexName": "by-group", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}]}})
    } else {
        json!({"Delete": {"IndexName": "by-group"}})
    };
    let body = json!({
        "TableName": table, "AttributeDefinitions": [{"AttributeName": "group", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [change]});
    Step::Call("UpdateTable", body)
}

fn create_table(table: &str) -> Step {
    Step::Call(
        "CreateTable",
        json!({
        "TableName": table, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "n", "AttributeType": "N"}],
        "LocalSecondaryIndexes": [{"IndexName": "by-n", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}]}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}),
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let shards = (0..TABLES.len(), any::<bool>()).prop_map(|(table, split)| Step::Shards(table, split));
    prop_oneof![
        20 => any_call(),
        2 => any_definition(),
        1 => shards,
        1 => (0..TABLES.len()).prop_map(Step::Trim),
        1 => prop_oneof![1..10_u64, 1..30_000_u64].prop_map(Step::Pass),
    ]
}

/// Does a step; returns what can be told of it. Ids of requests are drawn by each call and differ in nothing.
fn take(world: &World, step: &Step) -> String {
    let db = world.wire.pretender();
    let stream_of = |table: usize| {
        let (status, table) = world.call("DescribeTable", &json!({"TableName": TABLES[table]}));
        let arn = table["Table"]["LatestStreamArn"].as_str()?.parse().ok()?;
        (status == 200).then_some(arn)
    };
    match step {
        Step::Call(operation, body) => format!("{:?}", world.call(operation, body)),
        Step::Shards(table, split) => {
            let Some(arn) = stream_of(*table) else { return String::new() };
            let done = if *split { db.split_shards(&arn, None) } else { db.rotate_shards(&arn, None) };
            format!("{done:?}")
        }
        Step::Trim(table) => {
            let Some(arn) = stream_of(*table) else { return String::new() };
            format!("{:?}", db.trim(&arn, None))
        }
        Step::Pass(seconds) => {
            world.clock.advance(Duration::from_secs(*seconds));
            format!("{:?}", db.run_due_work())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: pdb_testkit::rounds(12),
        // Shrinking runs whole histories again, each on a schema of its own.
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_engines_give_the_same_answers_and_keep_the_same_records(steps in vec(any_step(), 1..60)) {
        let Some(schema) = Schema::new() else { return Ok(()) };
        let sqlite = World::open(Pretender::builder().in_memory());
        let postgres = World::open(Pretender::builder().database(schema.url()));
        let ttl = |table: &str| Step::Call("UpdateTimeToLive", json!({
            "TableName": table, "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true}}));
        let first = [create_table(TABLES[0]), create_table(TABLES[1]), ttl(TABLES[0]), change_index(TABLES[0], true)];
        for step in first.iter().chain(&steps) {
            prop_assert_eq!(take(&sqlite, step), take(&postgres, step), "{:?}", step);
        }
        let (here, there) = (sqlite.facts(), postgres.facts());
        prop_assert_eq!(here.len(), there.len());
        for (here, there) in here.into_iter().zip(there) {
            prop_assert_eq!(here, there);
        }
        postgres.close();
    }
}
