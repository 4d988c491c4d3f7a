//! Several servers over one database.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pdb_testpg::Proxy;
use serde_json::{Value, json};

use crate::home::Home;
use crate::load::Load;
use crate::reader::Reader;
use crate::served::Served;

/// How long a condition may take to become true.
const PATIENCE: Duration = Duration::from_secs(60);

/// The port a URL names.
pub(crate) fn port_of(url: &str) -> u16 {
    let host = url.split('@').next_back().unwrap().split('/').next().unwrap();
    host.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(5432)
}

#[track_caller]
fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Writers in three processes, a reader in a fourth that polls all the time, messages to the database held back at random, and splits
/// of all shards meanwhile.
#[test]
fn nothing_is_lost_or_doubled_however_many_processes_write() {
    let Some(home) = Home::postgres() else { return };
    let port = port_of(&home.argument());
    let proxy = Proxy::to(port);
    let slow = proxy.instead_of(&home.argument(), port);
    let servers: Vec<Served> = (0..3).map(|_| Served::start(&slow, &["--shards", "2"])).collect();
    let read_by = Served::start(&home.argument(), &[]);
    let stream_arn = Load::table(&servers[0]);
    proxy.delay(Duration::from_millis(3));

    let (load, puts) = (Load::default(), 60 * u64::from(pdb_testkit::rounds(1)));
    let urls: Vec<&str> = servers.iter().map(|served| served.url.as_str()).collect();
    let mut reader = Reader::of(&stream_arn);
    std::thread::scope(|scope| {
        let (load, urls) = (&load, &urls);
        let mut busy: Vec<_> =
            (0..6).map(|writer| scope.spawn(move || load.write(writer, urls, puts))).collect();
        let (split_by, stream_arn) = (&servers[1], &stream_arn);
        busy.push(scope.spawn(move || {
            // Three times, in the middle of the puts.
            for split in 1..=3 {
                wait_until("some more puts", || load.total() >= split * puts);
                assert!(split_by.split(stream_arn));
            }
        }));
        while busy.iter().any(|thread| !thread.is_finished()) {
            reader.poll(&read_by).unwrap();
        }
        busy.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(load.total(), 6 * puts, "every put was acknowledged");
    reader.drain(&read_by);
    load.check(&read_by, &reader.records);
    let shards = read_by.ok("DescribeStream", json!({"StreamArn": stream_arn}));
    assert!(shards["StreamDescription"]["Shards"].as_array().unwrap().len() >= 2 + 4 + 8 + 16);
}

/// What one server defines, all others know with the next request.
#[test]
fn definitions_are_seen_by_all_at_once() {
    let Some(home) = Home::postgres() else { return };
    let (one, two) = (Served::start(&home.argument(), &[]), Served::start(&home.argument(), &[]));
    let create = json!({
        "TableName": "Things", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]});
    for round in 0..5 {
        one.ok("CreateTable", create.clone());
        assert_eq!(two.refused("CreateTable", create.clone()), (400, "ResourceInUseException".to_owned()));
        for n in 0..4 {
            let item =
                json!({"id": {"S": n.to_string()}, "group": {"S": "a"}, "round": {"N": round.to_string()}});
            let through = if n % 2 == 0 { &two } else { &one };
            through.ok("PutItem", json!({"TableName": "Things", "Item": item}));
        }
        two.ok("UpdateTable", json!({
            "TableName": "Things", "AttributeDefinitions": [{"AttributeName": "group", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": {"IndexName": "by-group", "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}]}}]}));
        let query = json!({
            "TableName": "Things", "IndexName": "by-group", "KeyConditionExpression": "#g = :g",
            "ExpressionAttributeNames": {"#g": "group"}, "ExpressionAttributeValues": {":g": {"S": "a"}}});
        // Filled, and kept up to date by a server that did not make it.
        assert_eq!(one.ok("Query", query.clone())["Count"], 4);
        one.ok("PutItem", json!({"TableName": "Things", "Item": {"id": {"S": "new"}, "group": {"S": "a"}}}));
        assert_eq!(two.ok("Query", query.clone())["Count"], 5);
        one.ok(
            "UpdateTable",
            json!({"TableName": "Things",
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}}),
        );
        two.ok("DeleteItem", json!({"TableName": "Things", "Key": {"id": {"S": "new"}}}));
        let arn = two.ok("DescribeTable", json!({"TableName": "Things"}))["Table"]["LatestStreamArn"].clone();
        assert_eq!(Reader::all(&one, &arn).len(), 1);
        two.ok("DeleteTable", json!({"TableName": "Things"}));
        for operation in
            [("GetItem", json!({"TableName": "Things", "Key": {"id": {"S": "0"}}})), ("Query", query)]
        {
            let refused = one.refused(operation.0, operation.1);
            assert_eq!(refused, (400, "ResourceNotFoundException".to_owned()));
        }
    }
}

/// Tables come and go through one server while others write to them: each write is done, or refused as AWS does.
#[test]
fn writes_to_a_table_that_comes_and_goes_are_done_or_refused() {
    let Some(home) = Home::postgres() else { return };
    let servers: Vec<Served> = (0..3).map(|_| Served::start(&home.argument(), &[])).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (done, servers) = (&done, &servers);
        let writers: Vec<_> = servers[1..]
            .iter()
            .map(|served| {
                scope.spawn(move || {
                    let (mut written, mut n) = (0, 0_u64);
                    while !done.load(std::sync::atomic::Ordering::Acquire) {
                        n += 1;
                        let item = json!({"pk": {"S": n.to_string()}, "writer": {"S": "w"}, "n": {"N": "1"}});
                        match served.call("PutItem", &json!({"TableName": "Load", "Item": item})).unwrap() {
                            (200, _) => written += 1,
                            (status, answer) => assert_eq!(
                                (status, crate::http::exception(&answer).as_str()),
                                (400, "ResourceNotFoundException"),
                                "{answer}"
                            ),
                        }
                    }
                    written
                })
            })
            .collect();
        for _ in 0..6 {
            let arn = Load::table(&servers[0]);
            std::thread::park_timeout(Duration::from_millis(100));
            let count = |operation, body| servers[0].ok(operation, body)["Count"].as_u64().unwrap();
            let least = count("Scan", json!({"TableName": "Load"}));
            servers[0].ok("DeleteTable", json!({"TableName": "Load"}));
            // Closed with the table: as many records as there were items.
            assert!(Reader::all(&servers[0], &arn).len() as u64 >= least);
            std::thread::park_timeout(Duration::from_millis(5));
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        assert!(writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>() > 20);
    });
}

/// Iterators and client request tokens of one server are good in another.
#[test]
fn iterators_and_tokens_are_good_everywhere() {
    let Some(home) = Home::postgres() else { return };
    let (one, two) = (Served::start(&home.argument(), &[]), Served::start(&home.argument(), &[]));
    let stream_arn = Load::table(&one);
    let shards = two.ok("DescribeStream", json!({"StreamArn": stream_arn}));
    let shard = &shards["StreamDescription"]["Shards"][0]["ShardId"];
    let body = json!({"StreamArn": stream_arn, "ShardId": shard, "ShardIteratorType": "LATEST"});
    let mut iterator = one.ok("GetShardIterator", body)["ShardIterator"].clone();
    for n in 0..10 {
        let (write, read) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let transaction = |value: &str| {
            json!({
            "ClientRequestToken": format!("token-{n}"),
            "TransactItems": [{"Put": {"TableName": "Load", "Item": {
                "pk": {"S": n.to_string()}, "n": {"N": value}, "writer": {"S": "w"}}}}]})
        };
        write.ok("TransactWriteItems", transaction("1"));
        // The same again through the other is the same transaction; another under its token is refused.
        write.ok(
            "PutItem",
            json!({"TableName": "Load", "Item": {
            "pk": {"S": n.to_string()}, "n": {"N": "2"}, "writer": {"S": "w"}}}),
        );
        read.ok("TransactWriteItems", transaction("1"));
        let refused = read.refused("TransactWriteItems", transaction("3"));
        assert_eq!(refused, (400, "IdempotentParameterMismatchException".to_owned()));
        let page = read.ok("GetRecords", json!({"ShardIterator": iterator}));
        let records = page["Records"].as_array().unwrap();
        let numbers: Vec<_> =
            records.iter().map(|r| r["dynamodb"]["NewImage"]["n"]["N"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["1", "2"]);
        iterator = page["NextShardIterator"].clone();
    }
}

/// Expired items are removed once, whoever sweeps.
#[test]
fn sweeps_of_several_processes_do_nothing_twice() {
    let Some(home) = Home::postgres() else { return };
    let often = ["--expiry-interval", "1s", "--sweep-interval", "1s"];
    let servers: Vec<Served> = (0..3).map(|_| Served::start(&home.argument(), &often)).collect();
    let stream_arn = Load::table(&servers[0]);
    let items = 200;
    for n in 0..items {
        let item = json!({
            "pk": {"S": n.to_string()}, "writer": {"S": "w"}, "n": {"N": "1"}, "expires": {"N": "1700000000"}});
        servers[n % 3].ok("PutItem", json!({"TableName": "Load", "Item": item}));
    }
    servers[1].ok(
        "UpdateTimeToLive",
        json!({
        "TableName": "Load", "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true}}),
    );
    // Five years are more than AWS looks back: what expired longer ago stays. Ours expired in 2023.
    wait_until("all items are gone", || servers[2].ok("Scan", json!({"TableName": "Load"}))["Count"] == 0);
    let records = Reader::all(&servers[0], &stream_arn);
    let of = |name: &str| -> BTreeSet<String> {
        let records = records.iter().filter(|record| record["eventName"] == name);
        records.map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((of("INSERT").len(), of("REMOVE").len(), records.len()), (items, items, 2 * items));
    let removed = records.iter().filter(|record| record["eventName"] == "REMOVE");
    removed.for_each(|record| assert_eq!(record["userIdentity"]["PrincipalId"], "dynamodb.amazonaws.com"));
    let described: Value = servers[1].ok("DescribeTable", json!({"TableName": "Load"}));
    assert_eq!(described["Table"]["ItemCount"], 0);
}
