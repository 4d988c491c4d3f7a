//! Definitions that change while many write, through two servers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::home::Home;
use crate::http;
use crate::served::{Served, target};

/// How long a definition may take. It takes some tenths of a second; what made it wait for a deadlock each time took 20 s and
/// more, and failed.
const PATIENCE: Duration = Duration::from_secs(15);
const WRITERS: u64 = 8;
/// Keys of each writer, and items that nobody writes.
const KEYS: u64 = 20;
const RESTING: u64 = 300;

fn item(pk: &str, n: u64) -> Value {
    json!({"pk": {"S": pk}, "n": {"N": n.to_string()}, "group": {"S": format!("g{}", n % 7)},
        "expires": {"N": (4_000_000_000 + n).to_string()}})
}

/// Puts under keys of its own until told to stop or the table is gone. Every put is done: a retryable
/// error, which clients hide, would hide here that somebody was in the way.
fn write(writer: u64, served: &Served, puts: &AtomicU64, stop: &AtomicBool) {
    let agent = http::agent();
    for n in 0.. {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let item = item(&format!("writer-{writer}-{}", n % KEYS), n);
        let body = json!({"TableName": "busy", "Item": item});
        match http::call_with(&agent, &served.url, &target("PutItem"), &body).unwrap() {
            (200, _) => drop(puts.fetch_add(1, Ordering::AcqRel)),
            (_, answer) if http::exception(&answer) == "ResourceNotFoundException" => return,
            (status, answer) => panic!("{status} {answer}"),
        }
    }
}

/// Stops the writers when dropped.
struct Stopped<'s>(&'s AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The items of the table, or of an index, by key.
fn items(served: &Served, index: Option<&str>) -> BTreeMap<String, Value> {
    let mut body = json!({"TableName": "busy"});
    if let Some(index) = index {
        body["IndexName"] = index.into();
    }
    let mut items = BTreeMap::new();
    loop {
        let page = served.ok("Scan", body.clone());
        for item in page["Items"].as_array().unwrap() {
            items.insert(item["pk"]["S"].as_str().unwrap().to_owned(), item.clone());
        }
        match page.get("LastEvaluatedKey") {
            Some(key) => body["ExclusiveStartKey"] = key.clone(),
            None => return items,
        }
    }
}

/// A change of the table while all write.
#[track_caller]
fn change(served: &Served, puts: &AtomicU64, operation: &str, body: Value) {
    let before = puts.load(Ordering::Acquire);
    let began = Instant::now();
    served.ok(operation, body.clone());
    let took = began.elapsed();
    assert!(took < PATIENCE, "{operation} {body} took {took:?}");
    println!(
        "{took:>8.1?} and {:>4} puts meanwhile: {operation} {body}",
        puts.load(Ordering::Acquire) - before
    );
    // They all go on after it.
    let began = Instant::now();
    while puts.load(Ordering::Acquire) < before + 5 * WRITERS {
        assert!(began.elapsed() < 4 * PATIENCE, "writers are stuck after {operation} {body}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn time_to_live(enabled: bool) -> (&'static str, Value) {
    let specification = json!({"AttributeName": "expires", "Enabled": enabled});
    ("UpdateTimeToLive", json!({"TableName": "busy", "TimeToLiveSpecification": specification}))
}

fn index_change(change: Value) -> (&'static str, Value) {
    let attribute = json!({"AttributeName": "group", "AttributeType": "S"});
    let body = json!({
        "TableName": "busy", "AttributeDefinitions": [attribute], "GlobalSecondaryIndexUpdates": [change]});
    ("UpdateTable", body)
}

fn stream(specification: Value) -> (&'static str, Value) {
    ("UpdateTable", json!({"TableName": "busy", "StreamSpecification": specification}))
}

#[test]
fn definitions_change_while_many_write() {
    let Some(home) = Home::postgres() else { return };
    let servers = [Served::start(&home.argument(), &[]), Served::start(&home.argument(), &[])];
    servers[0].ok(
        "CreateTable",
        json!({
        "TableName": "busy", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}),
    );
    for first in (0..RESTING).step_by(25) {
        let puts: Vec<Value> = (first..first + 25)
            .map(|n| json!({"PutRequest": {"Item": item(&format!("resting-{n}"), n)}}))
            .collect();
        servers[0].ok("BatchWriteItem", json!({"RequestItems": {"busy": puts}}));
    }
    let schema = match &home {
        Home::Postgres(schema) => schema,
        Home::File(_) => unreachable!("it is on PostgreSQL"),
    };
    let (puts, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let under_load = |changes: &dyn Fn()| {
        stop.store(false, Ordering::Release);
        std::thread::scope(|scope| {
            let (puts, stop, servers) = (&puts, &stop, &servers);
            for writer in 0..WRITERS {
                scope.spawn(move || write(writer, &servers[(writer % 2) as usize], puts, stop));
            }
            // Also if a change fails: then this is told, and does not wait for writers.
            let _stopped = Stopped(stop);
            changes();
        });
    };
    let create = || {
        json!({"Create": {"IndexName": "by-group", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}]}})
    };
    let delete = || json!({"Delete": {"IndexName": "by-group"}});
    let run =
        |number: usize, (operation, body): (&str, Value)| change(&servers[number], &puts, operation, body);

    under_load(&|| {
        run(0, index_change(create()));
        run(1, time_to_live(true));
        run(1, index_change(delete()));
        run(0, time_to_live(false));
        run(0, stream(json!({"StreamEnabled": false})));
        run(1, stream(json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"})));
        run(1, index_change(create()));
        run(0, time_to_live(true));
    });
    let all = items(&servers[0], None);
    assert!(all.len() as u64 > RESTING + WRITERS);
    assert_eq!(items(&servers[1], Some("by-group")), all, "the index, and the table");
    let described = servers[0].ok("DescribeTable", json!({"TableName": "busy"}));
    assert_eq!(described["Table"]["ItemCount"], all.len());
    assert_eq!(described["Table"]["GlobalSecondaryIndexes"][0]["ItemCount"], all.len());
    let expiries = |of: &str| {
        schema.sql(&format!("SELECT count(*) FROM pdb_item_busy WHERE expires_at IS NOT DISTINCT FROM {of}"))
    };
    assert_eq!(expiries("CAST(item::json->'expires'->>'N' AS BIGINT)"), all.len().to_string());

    // What removes: the records that are there, from the stream that the writers add to; the items, with everything; the table.
    let arn = described["Table"]["LatestStreamArn"].clone();
    under_load(&|| {
        run(1, time_to_live(false));
        for served in &servers {
            let began = Instant::now();
            assert!(served.command("trim", &json!({"stream_arn": arn})));
            println!("{:>8.1?}: trim", began.elapsed());
            assert!(began.elapsed() < PATIENCE, "the trim took {:?}", began.elapsed());
        }
    });
    assert_eq!(expiries("NULL"), items(&servers[0], None).len().to_string());
    under_load(&|| {
        let began = Instant::now();
        servers[1].ok("DeleteTable", json!({"TableName": "busy"}));
        println!("{:>8.1?}: DeleteTable", began.elapsed());
        assert!(began.elapsed() < PATIENCE, "the deletion took {:?}", began.elapsed());
    });
    assert_eq!(schema.sql("SELECT count(*) FROM pdb_statistic"), "0");
}
