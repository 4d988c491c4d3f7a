//! Deletions by time to live. The service takes days for them, so all of these cases move a clock.

use std::time::Duration;

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys, Table};
use crate::control::HeldClock;
use crate::history::Change;
use crate::outcome::Outcome;
use crate::record::{Record, View, merged, n, s};
use crate::{check, check_eq, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("ttl");
    for view in View::ALL {
        group.clock(format!("identity-and-images/{}", view.name()), &[25, 18], move |cx| identity(cx, view));
    }
    group.clock("identity-has-exactly-two-members", &[25, 33], |cx| {
        let (table, clock) = prepared(cx, View::Both)?;
        put_expiring(cx, &table, &clock, "a", 60)?;
        let records = after(cx, &table, &clock, 2)?;
        let expected = json!({"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"});
        check_eq!(records[1].0["userIdentity"], expected, "userIdentity");
        Ok(())
    });
    group.clock("nothing-goes-before-its-time", &[25], |cx| {
        let (table, clock) = prepared(cx, View::Both)?;
        put_expiring(cx, &table, &clock, "a", 7200)?;
        clock.advance(Duration::from_secs(3600))?;
        let read = cx.db("GetItem", json!({"TableName": table.name, "Key": {"pk": s("a")}}))?;
        check!(read.get("Item").is_some(), "the item went an hour too early");
        check_eq!(cx.read_stream(&table.stream_arn, 1)?.len(), 1, "records");
        Ok(())
    });
    group.clock("users-delete-of-an-expired-item-has-no-identity", &[25], |cx| {
        let (table, clock) = prepared(cx, View::Both)?;
        // Expired since the write, but not yet deleted.
        put_expiring(cx, &table, &clock, "a", -60)?;
        cx.delete(&table.name, &json!({"pk": s("a")}))?;
        clock.advance(Duration::from_secs(49 * 3600))?;
        cx.put(&table.name, json!({"pk": s("end")}))?;
        // The first two may have been trimmed, but no delete by TTL may follow.
        let records = cx.read_stream(&table.stream_arn, 1)?;
        let by_service = records.iter().filter(|record| record.0.get("userIdentity").is_some()).count();
        check_eq!(by_service, 0, "deletes by TTL");
        Ok(())
    });
    group.clock("update-that-extends-the-life-saves-the-item", &[25], extended);
    group.clock("update-that-removes-the-attribute-saves-the-item", &[25], |cx| {
        saved_by(cx, |cx, table, _| {
            cx.update(&table.name, &json!({"pk": s("a")}), "REMOVE expires", json!({})).map(drop)
        })
    });
    group.clock("expired-items-are-normal-until-they-go", &[25, 18], |cx| {
        let (table, clock) = prepared(cx, View::Both)?;
        put_expiring(cx, &table, &clock, "a", -60)?;
        cx.update(&table.name, &json!({"pk": s("a")}), "SET v = :v", json!({":v": n(2)}))?;
        let records = cx.read_stream(&table.stream_arn, 2)?;
        let events: Vec<&str> = records.iter().map(Record::event).take(2).collect();
        check_eq!(events, ["INSERT", "MODIFY"], "records of an expired item that is updated");
        Ok(())
    });
    let never: [(&'static str, Value); 4] = [
        ("string", s("1")),
        ("missing", Value::Null),
        ("older-than-five-years", n(1)),
        ("boolean", json!({"BOOL": true})),
    ];
    for (name, value) in never {
        group.clock(format!("never-expires/{name}"), &[25], move |cx| {
            let (table, clock) = prepared(cx, View::Both)?;
            let mut item = json!({"pk": s("a")});
            if !value.is_null() {
                item["expires"] = value.clone();
            }
            cx.put(&table.name, item)?;
            clock.advance(Duration::from_secs(20 * 3600))?;
            let read = cx.db("GetItem", json!({"TableName": table.name, "Key": {"pk": s("a")}}))?;
            check!(read.get("Item").is_some(), "the item has gone");
            check_eq!(cx.read_stream(&table.stream_arn, 1)?.len(), 1, "records");
            Ok(())
        });
    }
    group.clock("many-items-all-go-once", &[25], |cx| {
        let (table, clock) = prepared(cx, View::Keys)?;
        for number in 0..60 {
            put_expiring(cx, &table, &clock, &format!("{number:02}"), 60)?;
        }
        let records = after(cx, &table, &clock, 120)?;
        let removed: Vec<&Record> = records.iter().filter(|record| record.event() == "REMOVE").collect();
        let mut keys: Vec<String> = removed.iter().map(|record| record.summary()).collect();
        keys.sort();
        keys.dedup();
        check_eq!((removed.len(), keys.len()), (60, 60), "REMOVEs, and different items among them");
        Ok(())
    });
    group.clock("raced-by-updates-that-extend-the-life", &[25], raced);
    group
}

/// Makes a table with TTL on `expires`, and holds the clock.
fn prepared<'a>(cx: &Context<'a>, view: View) -> Outcome<(Table, HeldClock<'a>)> {
    let table = cx.table(view, Keys::Hash)?;
    let specification = json!({"Enabled": true, "AttributeName": "expires"});
    cx.db("UpdateTimeToLive", json!({"TableName": table.name, "TimeToLiveSpecification": specification}))?;
    Ok((table, cx.control()?.hold()?))
}

fn put_expiring(
    cx: &Context<'_>,
    table: &Table,
    clock: &HeldClock<'_>,
    key: &str,
    seconds: i64,
) -> Outcome<Value> {
    let expires = clock.now()? / 1000 + seconds;
    let item = json!({"pk": s(key), "v": n(1), "expires": n(expires)});
    cx.put(&table.name, item.clone())?;
    Ok(item)
}

/// Lets an hour pass, and returns the records then.
fn after(cx: &Context<'_>, table: &Table, clock: &HeldClock<'_>, count: usize) -> Outcome<Vec<Record>> {
    clock.advance(Duration::from_secs(3600))?;
    let records = cx.read_stream(&table.stream_arn, count)?;
    check_eq!(
        records.len(),
        count,
        "records {}",
        shown(&records.iter().map(Record::summary).collect::<Vec<_>>())
    );
    Ok(records)
}

fn identity(cx: &Context<'_>, view: View) -> Outcome {
    let (table, clock) = prepared(cx, view)?;
    let item = put_expiring(cx, &table, &clock, "a", 60)?;
    let records = after(cx, &table, &clock, 2)?;
    let key = json!({"pk": s("a")});
    Change { event: "REMOVE", old: Some(item), new: None }.check(&records[1], view, &key)?;
    let identity = &records[1].0["userIdentity"];
    check_eq!(identity["PrincipalId"], Value::from("dynamodb.amazonaws.com"), "PrincipalId");
    check_eq!(identity["Type"], Value::from("Service"), "Type");
    check!(records[0].0.get("userIdentity").is_none(), "userIdentity on the user's write");
    Ok(())
}

/// Fails unless an item that would expire is still there, after a write that saves it.
fn saved_by(cx: &Context<'_>, save: impl Fn(&Context<'_>, &Table, &HeldClock<'_>) -> Outcome) -> Outcome {
    let (table, clock) = prepared(cx, View::Both)?;
    put_expiring(cx, &table, &clock, "a", 60)?;
    clock.advance(Duration::from_secs(30))?;
    save(cx, &table, &clock)?;
    let records = after(cx, &table, &clock, 2)?;
    let events: Vec<&str> = records.iter().map(Record::event).collect();
    check_eq!(events, ["INSERT", "MODIFY"], "records");
    let read = cx.db("GetItem", json!({"TableName": table.name, "Key": {"pk": s("a")}}))?;
    check!(read.get("Item").is_some(), "the item has gone all the same");
    Ok(())
}

fn extended(cx: &Context<'_>) -> Outcome {
    saved_by(cx, |cx, table, clock| {
        let later = clock.now()? / 1000 + 1_000_000;
        cx.update(&table.name, &json!({"pk": s("a")}), "SET expires = :e", json!({":e": n(later)})).map(drop)
    })
}

fn raced(cx: &Context<'_>) -> Outcome {
    let (table, clock) = prepared(cx, View::Both)?;
    let keys: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    for key in &keys {
        put_expiring(cx, &table, &clock, key, 60)?;
    }
    let later = clock.now()? / 1000 + 1_000_000;
    // Some updates come before the delete and some after it; then they create the item anew.
    std::thread::scope(|scope| {
        let saver = scope.spawn(|| {
            keys.iter().try_for_each(|key| {
                cx.update(&table.name, &json!({"pk": s(key)}), "SET expires = :e", json!({":e": n(later)}))
                    .map(drop)
            })
        });
        let moved = clock.advance(Duration::from_secs(3600));
        match saver.join() {
            Ok(saved) => saved.and(moved),
            Err(_) => crate::fail!("the writer panicked"),
        }
    })?;
    clock.advance(Duration::from_secs(3600))?;
    // Each item has its INSERT, then either a MODIFY, or a REMOVE by the service and an INSERT.
    cx.put(&table.name, merged(&json!({"pk": s("end")}), &json!({})))?;
    let mut reader = crate::Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "the last record", |reader| {
        !reader.records_of(&json!({"pk": s("end")})).is_empty()
    })?;
    for key in &keys {
        let records = reader.records_of(&json!({"pk": s(key)}));
        let events: Vec<&str> = records.iter().map(Record::event).collect();
        let saved = events == ["INSERT", "MODIFY"];
        let gone_and_back =
            events == ["INSERT", "REMOVE", "INSERT"] && records[1].0.get("userIdentity").is_some();
        check!(saved || gone_and_back, "records of item {key}: {events:?}");
        let read = cx.db("GetItem", json!({"TableName": table.name, "Key": {"pk": s(key)}}))?;
        check_eq!(read["Item"]["expires"], n(later), "the attribute of item {key}");
    }
    Ok(())
}
