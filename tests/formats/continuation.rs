//! Writing to a database of an older version, and continuing to read its streams.

use std::collections::BTreeSet;

use pretender::Builder;
use pretender::time::EpochMillis;
use pretender_tests::formats::{
    Exchange, World, event_ids, read_on, records_of, records_of_shard, transaction,
};
use serde_json::{Value, json};

pub(crate) fn check(builder: Builder, now: EpochMillis, exchanges: &[Exchange]) {
    let world = World::open(builder, now);
    let kept = iterators_at_the_end(exchanges);
    assert!(kept.len() >= 4, "the open shards of four streams: {kept:?}");
    let old = old_event_ids(exchanges);
    repeat_a_transaction(&world);
    write(&world);
    // Iterators that the old version gave see each new record once.
    let new: Vec<Value> = kept.iter().flat_map(|iterator| read_on(&world, iterator)).collect();
    assert_eq!(new.len(), 24, "{new:?}");
    let new_ids = event_ids(&new);
    assert_eq!((new_ids.len(), new_ids.intersection(&old).count()), (24, 0));
    read_indexes(&world);
    stay_in_their_shards(&world);
    go_on_with_shards(&world);
    restore(&world);
    make_anew(&world);
    expire(&world);
    world.db.close();
}

/// The last iterators that open shards gave.
fn iterators_at_the_end(exchanges: &[Exchange]) -> Vec<Value> {
    let pages = exchanges.iter().filter(|exchange| exchange.operation == "GetRecords");
    let at_end = pages.filter(|page| page.answer["Records"].as_array().unwrap().is_empty());
    at_end.filter_map(|page| page.answer.get("NextShardIterator").cloned()).collect()
}

fn old_event_ids(exchanges: &[Exchange]) -> BTreeSet<String> {
    let pages = exchanges.iter().filter(|exchange| exchange.operation == "GetRecords");
    pages.flat_map(|page| event_ids(page.answer["Records"].as_array().unwrap())).collect()
}

/// A token that the old version has seen is still known.
fn repeat_a_transaction(world: &World) {
    world.call("TransactWriteItems", &transaction("transacted"));
    let (status, refused) = world.try_call("TransactWriteItems", &transaction("another"));
    assert_eq!(status, 400);
    let code = refused["__type"].as_str().unwrap();
    assert!(code.ends_with("IdempotentParameterMismatchException"), "{code}");
}

/// Twelve changes of Orders, six of each other table with a stream.
fn write(world: &World) {
    for number in 0..12 {
        let item = json!({
            "customer": { "S": format!("new {number}") },
            "number": { "N": number.to_string() },
            "status": { "S": "continued" },
            "day": { "B": "AQ==" },
        });
        world.call("PutItem", &json!({ "TableName": "Orders", "Item": item }));
    }
    for number in 0..6 {
        // Bytes that no base64 of ours has at its beginning.
        let key = json!({ "pk": { "B": format!("bmV3{number}w==") } });
        world.call("PutItem", &json!({ "TableName": "Keys.Only-Table", "Item": key }));
        let key = json!({ "pk": { "S": format!("new {number}") } });
        world.call("PutItem", &json!({ "TableName": "states", "Item": key }));
    }
}

fn read_indexes(world: &World) {
    let query = json!({
        "TableName": "Orders",
        "IndexName": "by-status",
        "KeyConditionExpression": "#s = :v",
        "ExpressionAttributeNames": { "#s": "status" },
        "ExpressionAttributeValues": { ":v": { "S": "continued" } },
    });
    assert_eq!(world.call("Query", &query)["Count"], 12);
    let described = world.call("DescribeTable", &json!({ "TableName": "Orders" }));
    let scanned = world.call("Scan", &json!({ "TableName": "Orders", "Select": "COUNT" }));
    assert_eq!(described["Table"]["ItemCount"], scanned["Count"]);
    world
        .call("PutItem", &json!({ "TableName": "quiet", "Item": { "pk": { "S": "b" }, "n": { "N": "2" } } }));
    let found = world.call("Scan", &json!({ "TableName": "quiet", "IndexName": "by_n" }));
    assert_eq!(found["Count"], 2);
}

/// The records of a key that come now follow those that were there: in the same shard, or in one that continues it.
fn stay_in_their_shards(world: &World) {
    let stream = world.stream("Orders");
    let described = world.call("DescribeStream", &json!({ "StreamArn": stream.to_string() }));
    let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
    let parent_of = |id: &Value| {
        let shard = shards.iter().find(|shard| shard["ShardId"] == *id).unwrap();
        shard.get("ParentShardId").cloned()
    };
    // The shards that hold records of a customer, in the order of their lineage.
    let shards_of = |customer: &str| -> Vec<Value> {
        let holds = |shard: &&Value| {
            let records = records_of_shard(world, &stream, shard);
            records.iter().any(|record| record["dynamodb"]["Keys"]["customer"]["S"] == customer)
        };
        shards.iter().filter(holds).map(|shard| shard["ShardId"].clone()).collect()
    };
    let mut used = BTreeSet::new();
    for number in 20..32 {
        let customer = format!("customer {number}");
        let [old] = shards_of(&customer).try_into().unwrap();
        let item = json!({
            "customer": { "S": customer },
            "number": { "N": number.to_string() },
            "status": { "S": "changed" },
        });
        world.call("PutItem", &json!({ "TableName": "Orders", "Item": item }));
        let holding = shards_of(&customer);
        let newest = holding.last().unwrap().to_string();
        for shard in holding {
            let mut at = Some(shard.clone());
            while at.as_ref().is_some_and(|at| *at != old) {
                at = at.as_ref().and_then(parent_of);
            }
            assert!(at.is_some(), "{customer}: {shard} does not continue {old}");
        }
        used.insert(newest);
    }
    assert!(used.len() >= 2, "more than one shard: {used:?}");
}

/// Old shards close, and their children take what comes.
fn go_on_with_shards(world: &World) {
    let stream = world.stream("Orders");
    let before = records_of(world, &stream).len();
    let children = world.db.split_shards(&stream, None).unwrap();
    assert!(children.len() >= 4, "{children:?}");
    let key = json!({ "customer": { "S": "ada" }, "number": { "N": "0" } });
    world.call("DeleteItem", &json!({ "TableName": "Orders", "Key": key }));
    let records = records_of(world, &stream);
    assert_eq!(records.len(), before + 1);
    let last =
        records.iter().find(|record| record["eventName"] == "REMOVE" && record["dynamodb"]["Keys"] == key);
    assert_eq!(last.unwrap()["dynamodb"]["OldImage"]["status"]["S"], "open");
}

/// A backup of the old version becomes a table.
fn restore(world: &World) {
    let backups = world.call("ListBackups", &json!({}));
    for (at, backup) in backups["BackupSummaries"].as_array().unwrap().iter().enumerate() {
        let name = format!("restored-{at}");
        let request = json!({ "TargetTableName": name, "BackupArn": backup["BackupArn"] });
        world.call("RestoreTableFromBackup", &request);
        let described = world.call("DescribeBackup", &json!({ "BackupArn": backup["BackupArn"] }));
        let expected = &described["BackupDescription"]["SourceTableDetails"]["ItemCount"];
        let scanned = world.call("Scan", &json!({ "TableName": name, "Select": "COUNT" }));
        assert_eq!(scanned["Count"], *expected);
        let index = world.call("Scan", &json!({ "TableName": name, "IndexName": "by-status" }));
        assert_eq!(index["Count"], *expected);
    }
}

/// Some tables of each kind are new ones then, beside the old.
fn make_anew(world: &World) {
    world.call(
        "CreateTable",
        &json!({
            "TableName": "anew",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
        }),
    );
    world.call("CreateBackup", &json!({ "TableName": "Orders", "BackupName": "anew" }));
}

/// What the old version wrote still expires.
fn expire(world: &World) {
    let key = json!({ "customer": { "S": "ada" }, "number": { "N": "8" } });
    let get = json!({ "TableName": "Orders", "Key": key });
    assert!(world.call("GetItem", &get).get("Item").is_some());
    world.db.set_time(EpochMillis(1_900_000_001_000)).unwrap();
    assert!(world.call("GetItem", &get).get("Item").is_none());
}
