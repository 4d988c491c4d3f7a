//! Order per item, replay, and the chain of images.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys, Table};
use crate::outcome::Outcome;
use crate::random::Random;
use crate::record::{Record, View, compare_numbers, n, normal, s};
use crate::{Reader, check, check_eq, fail, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("order");
    for seed in 0..4 {
        group.case(format!("replay-rebuilds-the-table/{seed}"), &[21, 22], move |cx| replay(cx, seed, 1));
    }
    group.case("replay-with-four-writers", &[21, 22], |cx| replay(cx, 9, 4));
    group.control("replay-across-rotations-and-splits", &[21, 22, 26, 27], replay_across_splits);
    group.case("thousand-updates-by-two-writers", &[23], two_writers);
    group.case("every-record-once-under-eight-writers", &[23, 21], eight_writers);
    group.case("sequence-numbers-grow-with-the-writes", &[23], numbers_grow);
    group.case("batch-keeps-its-order-per-item", &[23], batches_in_order);
    group.case("reader-beside-the-writers-misses-nothing", &[23, 11], reader_beside_writers);
    group
}

/// Makes one random write to one of a few items.
fn write_something(cx: &Context<'_>, table: &Table, random: &mut Random) -> Outcome {
    let key = json!({"pk": s(format!("p{}", random.below(3))), "sk": s(format!("s{}", random.below(4)))});
    let value = n(random.below(3));
    match random.below(7) {
        0 => cx.delete(&table.name, &key),
        1 => cx.put(&table.name, key),
        2 | 3 => {
            let mut item = key;
            item["a"] = value;
            cx.put(&table.name, item)
        }
        4 => cx.update(&table.name, &key, "SET a = :a, b = :b", json!({":a": value, ":b": s("b")})).map(drop),
        5 => cx.update(&table.name, &key, "REMOVE a", json!({})).map(drop),
        _ => cx.update(&table.name, &key, "ADD c :one", json!({":one": n(1)})).map(drop),
    }
}

/// Returns all items of a table by key.
fn scan(cx: &Context<'_>, table: &Table) -> Outcome<BTreeMap<String, Value>> {
    let mut items = BTreeMap::new();
    let mut request = json!({"TableName": table.name, "ConsistentRead": true});
    loop {
        let page = cx.db("Scan", request.clone())?;
        for item in page["Items"].as_array().into_iter().flatten() {
            let key = json!({"pk": item["pk"], "sk": item["sk"]});
            items.insert(key.to_string(), normal(item));
        }
        match page.get("LastEvaluatedKey") {
            Some(last) => request["ExclusiveStartKey"] = last.clone(),
            None => return Ok(items),
        }
    }
}

/// Applies records to an empty table, and fails if an OldImage is not what the record before has left.
fn apply(records: &[Record]) -> Outcome<BTreeMap<String, Value>> {
    let mut items: BTreeMap<String, Value> = BTreeMap::new();
    for record in records {
        let key = record.keys().to_string();
        let before = items.get(&key).cloned();
        check_eq!(record.old_image().map(normal), before, "OldImage of {}", record.summary());
        let event = match (&before, record.new_image()) {
            (None, Some(_)) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
            (None, None) => fail!("a record without images: {}", shown(record)),
        };
        check_eq!(record.event(), event, "eventName of {}", record.summary());
        match record.new_image() {
            Some(image) => items.insert(key, normal(image)),
            None => items.remove(&key),
        };
    }
    Ok(items)
}

/// Fails unless the stream comes to give the table, and then shows nothing more.
fn check_replay(cx: &Context<'_>, table: &Table) -> Outcome {
    let items = scan(cx, table)?;
    let mut reader = Reader::new(&table.stream_arn);
    let mut rebuilt = BTreeMap::new();
    let equal = cx.wait("the stream to give the table", || {
        reader.poll(cx)?;
        rebuilt = apply(&reader.records())?;
        Ok((rebuilt == items).then_some(()))
    });
    if let Err(stop) = equal {
        check_eq!(rebuilt, items, "the table rebuilt from its stream ({stop})");
        return Err(stop);
    }
    cx.settle();
    reader.poll(cx)?;
    check_eq!(apply(&reader.records())?, items, "the table rebuilt from its stream, a little later");
    Ok(())
}

fn replay(cx: &Context<'_>, seed: u64, writers: u64) -> Outcome {
    let table = cx.table(View::Both, Keys::HashAndRange)?;
    write_in_parallel(writers, |writer| {
        let mut random = Random::new(seed * 100 + writer);
        (0..60 / writers).try_for_each(|_| write_something(cx, &table, &mut random))
    })?;
    check_replay(cx, &table)
}

/// Runs writers on threads of their own; the first failure is the result.
fn write_in_parallel(writers: u64, write: impl Fn(u64) -> Outcome + Sync) -> Outcome {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let write = &write;
                scope.spawn(move || write(writer))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(written) => written,
            Err(_) => fail!("a writer panicked"),
        })
    })
}

fn replay_across_splits(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::HashAndRange)?;
    let control = cx.control()?;
    write_in_parallel(3, |writer| {
        if writer == 0 {
            control.split(&table.stream_arn, None)?;
            control.rotate(&table.stream_arn, None)?;
            return control.split(&table.stream_arn, None);
        }
        let mut random = Random::new(writer);
        (0..60).try_for_each(|_| write_something(cx, &table, &mut random))
    })?;
    check_replay(cx, &table)
}

/// Adds one to an item's counter; returns the item as ALL_NEW shows it.
fn add_one(cx: &Context<'_>, table: &Table, key: &Value) -> Outcome<Value> {
    let answer = cx.db(
        "UpdateItem",
        json!({
            "TableName": table.name, "Key": key, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": n(1)}, "ReturnValues": "ALL_NEW",
        }),
    )?;
    Ok(answer["Attributes"]["n"]["N"].clone())
}

fn two_writers(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let key = json!({"pk": s("counter")});
    let returned: Mutex<Vec<Value>> = Mutex::default();
    write_in_parallel(2, |_| {
        for _ in 0..500 {
            let value = add_one(cx, &table, &key)?;
            returned.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(value);
        }
        Ok(())
    })?;
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "1000 records", |reader| reader.records().len() >= 1000)?;
    let counters: Vec<String> = reader
        .records_of(&key)
        .iter()
        .filter_map(|record| record.new_image()?["n"]["N"].as_str().map(str::to_owned))
        .collect();
    let expected: Vec<String> = (1..=1000).map(|value: u32| value.to_string()).collect();
    check_eq!(counters, expected, "the counter in the records, in the stream's order");
    let mut returned = returned.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    returned.sort_by_key(|value| value.as_str().and_then(|value| value.parse::<u32>().ok()));
    let returned: Vec<&str> = returned.iter().filter_map(Value::as_str).collect();
    check_eq!(returned, expected, "the counters that ALL_NEW returned, sorted");
    Ok(())
}

fn eight_writers(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    write_in_parallel(8, |writer| {
        (0..40).try_for_each(|number| cx.put(&table.name, json!({"pk": s(format!("{writer}-{number}"))})))
    })?;
    let records = cx.read_stream(&table.stream_arn, 320)?;
    let mut keys: Vec<String> = records.iter().map(Record::summary).collect();
    keys.sort();
    keys.dedup();
    check_eq!((keys.len(), records.len()), (320, 320), "different items, and records");
    let mut ids: Vec<&str> = records.iter().map(Record::event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    check_eq!(ids.len(), 320, "different eventIDs");
    Ok(())
}

fn numbers_grow(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let key = json!({"pk": s("one")});
    for _ in 0..30 {
        add_one(cx, &table, &key)?;
    }
    let records = cx.read_stream(&table.stream_arn, 30)?;
    for two in records.windows(2) {
        let (a, b) = (two[0].number(), two[1].number());
        check!(compare_numbers(a, b).is_lt(), "{b} comes after {a}");
    }
    Ok(())
}

fn batches_in_order(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let puts = |round: u32| {
        (0..5).map(move |key| json!({"PutRequest": {"Item": {"pk": s(format!("{key}")), "round": n(round)}}}))
    };
    for round in 0..6 {
        let mut left = json!({&table.name: puts(round).collect::<Vec<_>>()});
        cx.wait("the batch to be written", || {
            let answer = cx.db("BatchWriteItem", json!({"RequestItems": left}))?;
            left = answer["UnprocessedItems"].clone();
            Ok(left.as_object().is_none_or(|left| left.is_empty()).then_some(()))
        })?;
    }
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "30 records", |reader| reader.records().len() >= 30)?;
    for key in 0..5 {
        let rounds: Vec<Value> = reader
            .records_of(&json!({"pk": s(format!("{key}"))}))
            .iter()
            .filter_map(|record| Some(record.new_image()?["round"].clone()))
            .collect();
        check_eq!(rounds, (0..6).map(n).collect::<Vec<_>>(), "rounds of item {key}");
    }
    Ok(())
}

fn reader_beside_writers(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::HashAndRange)?;
    let reader = std::thread::scope(|scope| {
        let writers = scope.spawn(|| {
            write_in_parallel(4, |writer| {
                (0..60).try_for_each(|number| {
                    cx.put(
                        &table.name,
                        json!({"pk": s(format!("{writer}")), "sk": s(format!("{number:03}"))}),
                    )
                })
            })
        });
        let mut reader = Reader::new(&table.stream_arn).with_limit(3);
        let read = cx.read_until(&mut reader, "240 records", |reader| reader.records().len() >= 240);
        match writers.join() {
            Ok(written) => written.and(read).map(|()| reader),
            Err(_) => fail!("a writer panicked"),
        }
    })?;
    let mut keys: Vec<String> = reader.records().iter().map(Record::summary).collect();
    check_eq!(keys.len(), 240, "records");
    keys.sort();
    keys.dedup();
    check_eq!(keys.len(), 240, "different items");
    Ok(())
}
