//! The members of a record.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::history::{Change, Place};
use crate::lane::Lane;
use crate::outcome::Outcome;
use crate::record::{Record, View, n, normal, s};
use crate::{check, check_eq, moment, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("records");
    group.case("outer-members", &[18, 33], outer_members);
    group.case("inner-members", &[18, 33], inner_members);
    group.case("event-id-is-32-hex-digits-and-unique", &[18], event_ids);
    group.case("creation-time-is-in-whole-seconds", &[18], creation_time);
    group.case("creation-time-is-about-now", &[18], creation_time_now);
    group.clock("creation-time-is-rounded-down", &[18], creation_time_rounded_down).inferred();
    group.case("region-is-that-of-the-arn", &[18], |cx| {
        let lane = Lane::new(cx, 1)?;
        let region = lane.arn().split(':').nth(3).unwrap_or_default().to_owned();
        check_eq!(lane.records[0].0["awsRegion"], Value::from(region), "awsRegion");
        Ok(())
    });
    group.case("user-writes-have-no-identity", &[18, 25], |cx| {
        let lane = Lane::new(cx, 2)?;
        cx.delete(&lane.table.name, &crate::lane::key(0))?;
        for record in cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 3)? {
            check!(record.0.get("userIdentity").is_none(), "userIdentity on {}", record.summary());
        }
        Ok(())
    });
    group.case("nothing-is-null", &[33], nothing_is_null);
    for view in View::ALL {
        group.case(format!("every-type-survives/{}", view.name()), &[18], move |cx| every_type(cx, view));
        group.case(format!("key-only-item/{}", view.name()), &[18], move |cx| key_only(cx, view));
    }
    group.case("keys-of-type-number-and-binary", &[18], typed_keys);
    group.case("images-are-complete-under-a-narrow-index", &[18], narrow_index);
    group.case("strings-outside-ascii", &[18], strings);
    group.case("deep-nesting", &[18], deep);
    group.case("attribute-names-with-odd-characters", &[18], odd_names);
    group
}

fn outer_members(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    let record = &lane.records[0].0;
    let members: BTreeSet<&str> =
        record.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let expected = ["awsRegion", "dynamodb", "eventID", "eventName", "eventSource", "eventVersion"];
    check_eq!(members, BTreeSet::from(expected), "members of the record");
    check_eq!(record["eventVersion"], Value::from("1.1"), "eventVersion");
    check_eq!(record["eventSource"], Value::from("aws:dynamodb"), "eventSource");
    check_eq!(record["eventName"], Value::from("INSERT"), "eventName");
    Ok(())
}

fn inner_members(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    let inner = lane.records[0].inner();
    let members: BTreeSet<&str> =
        inner.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let expected =
        ["ApproximateCreationDateTime", "Keys", "NewImage", "SequenceNumber", "SizeBytes", "StreamViewType"];
    check_eq!(members, BTreeSet::from(expected), "members of the inner part");
    check!(inner["SequenceNumber"].is_string(), "SequenceNumber is {}", inner["SequenceNumber"]);
    check!(inner["SizeBytes"].is_u64(), "SizeBytes is {}", inner["SizeBytes"]);
    Ok(())
}

fn event_ids(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 10)?;
    let mut seen = BTreeSet::new();
    for record in &lane.records {
        let id = record.event_id();
        let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        check!(id.len() == 32 && hex, "eventID is `{id}`");
        check!(seen.insert(id), "eventID {id} appears twice");
    }
    Ok(())
}

fn seconds_of(record: &Record) -> Outcome<f64> {
    let value = &record.inner()["ApproximateCreationDateTime"];
    match value.as_f64() {
        Some(seconds) => Ok(seconds),
        None => crate::fail!("ApproximateCreationDateTime is {value}"),
    }
}

fn creation_time(cx: &Context<'_>) -> Outcome {
    for record in Lane::new(cx, 5)?.records {
        let seconds = seconds_of(&record)?;
        check!(seconds.fract() == 0.0, "ApproximateCreationDateTime is {seconds}");
    }
    Ok(())
}

fn creation_time_now(cx: &Context<'_>) -> Outcome {
    let now = match &cx.field().control {
        Some(control) => control.clock()?.0,
        None => moment::now_millis(),
    };
    let seconds = seconds_of(&Lane::new(cx, 1)?.records[0])?;
    let age = seconds - (now / 1000) as f64;
    check!((-120.0..600.0).contains(&age), "ApproximateCreationDateTime is {age} seconds from now");
    Ok(())
}

fn creation_time_rounded_down(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 0)?;
    let clock = cx.control()?.hold()?;
    let second = clock.now()? / 1000 + 10;
    for millis in [0, 1, 499, 500, 999] {
        clock.set(second * 1000 + millis)?;
        cx.put(&lane.table.name, json!({"pk": s("lane"), "sk": s(format!("{millis}"))}))?;
    }
    for record in cx.read_stream(lane.arn(), 5)? {
        check_eq!(seconds_of(&record)? as i64, second, "ApproximateCreationDateTime of {}", record.summary());
    }
    Ok(())
}

fn nothing_is_null(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    cx.delete(&lane.table.name, &crate::lane::key(1))?;
    cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 3)?;
    let answers = [
        ("ListStreams", json!({"TableName": lane.table.name})),
        ("DescribeStream", json!({"StreamArn": lane.arn()})),
        ("GetRecords", json!({"ShardIterator": lane.iterator(cx, "TRIM_HORIZON")?})),
    ];
    for (operation, request) in answers {
        let answer = cx.streams(operation, request)?;
        check!(!has_null(&answer), "a null in the answer of {operation}: {}", shown(&answer));
    }
    Ok(())
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn every_type(cx: &Context<'_>, view: View) -> Outcome {
    let shared = cx.shared(view, Keys::HashAndRange)?;
    let at = Place::new(cx, &shared, Keys::HashAndRange);
    let first = at.item(&json!({
        "string": s("text"), "empty": s(""), "number": n("-12.5"), "binary": {"B": "AAECAw=="}, "no-bytes": {"B": ""},
        "yes": {"BOOL": true}, "no": {"BOOL": false}, "null": {"NULL": true},
        "strings": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2.5"]}, "binaries": {"BS": ["AA==", "AQ=="]},
        "list": {"L": [s("x"), n(1), {"L": []}, {"M": {}}]}, "map": {"M": {"a": {"M": {"b": {"L": [{"NULL": true}]}}}}},
    }));
    let second = at.item(&json!({"string": s("other"), "big": n("12345678901234567890123456789012345678")}));
    cx.put(&at.table.name, first.clone())?;
    cx.put(&at.table.name, second.clone())?;
    at.delete()?;
    let states = [None, Some(&first), Some(&second), None];
    let expected: Vec<Change> = states.windows(2).filter_map(|two| Change::between(two[0], two[1])).collect();
    at.check_history(&expected).map(drop)
}

fn key_only(cx: &Context<'_>, view: View) -> Outcome {
    let shared = cx.shared(view, Keys::HashAndRange)?;
    let at = Place::new(cx, &shared, Keys::HashAndRange);
    let item = at.item(&json!({}));
    at.put(&json!({}))?;
    at.delete()?;
    let states = [None, Some(&item), None];
    let expected: Vec<Change> = states.windows(2).filter_map(|two| Change::between(two[0], two[1])).collect();
    at.check_history(&expected).map(drop)
}

fn typed_keys(cx: &Context<'_>) -> Outcome {
    let more = json!({"AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "N"}, {"AttributeName": "sk", "AttributeType": "B"},
    ]});
    let table = cx.create(&cx.table_name(), Some(View::New), Keys::HashAndRange, more)?;
    cx.put(&table.name, json!({"pk": n("1.50"), "sk": {"B": "AP8="}, "v": n(1)}))?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records[0].keys(), &json!({"pk": n("1.5"), "sk": {"B": "AP8="}}), "Keys");
    Ok(())
}

fn narrow_index(cx: &Context<'_>) -> Outcome {
    let more = json!({
        "AttributeDefinitions": [
            {"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "pk", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    });
    let table = cx.create(&cx.table_name(), Some(View::Both), Keys::Hash, more)?;
    let one = json!({"pk": s("p"), "g": s("g1"), "a": n(1), "b": n(2)});
    let two = json!({"pk": s("p"), "g": s("g2"), "a": n(1), "b": n(2)});
    cx.put(&table.name, one.clone())?;
    // Moves the entry of the index: one record all the same.
    cx.put(&table.name, two.clone())?;
    let records = cx.read_stream(&table.stream_arn, 2)?;
    check_eq!(records.len(), 2, "records");
    let key = json!({"pk": s("p")});
    Change { event: "INSERT", old: None, new: Some(one.clone()) }.check(&records[0], View::Both, &key)?;
    Change { event: "MODIFY", old: Some(one), new: Some(two) }.check(&records[1], View::Both, &key)
}

fn image_of(cx: &Context<'_>, attributes: Value) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(&attributes)?;
    let item = at.item(&attributes);
    let records = at.check_history(Change::between(None, Some(&item)).as_slice())?;
    check_eq!(records[0].new_image().map(normal), Some(normal(&item)), "NewImage");
    Ok(())
}

fn strings(cx: &Context<'_>) -> Outcome {
    image_of(
        cx,
        json!({
            "accents": s("h\u{e9}llo w\u{f6}rld"), "emoji": s("\u{1f980}\u{1f469}\u{200d}\u{1f680}"),
            "quotes": s("\"quoted\" \\ / back"), "control": s("tab\there\nand\u{1}"), "cjk": s("\u{6f22}\u{5b57}"),
        }),
    )
}

fn deep(cx: &Context<'_>) -> Outcome {
    let mut value = s("bottom");
    for level in 0..30 {
        value = if level % 2 == 0 { json!({"M": {"x": value}}) } else { json!({"L": [value]}) };
    }
    image_of(cx, json!({"deep": value}))
}

fn odd_names(cx: &Context<'_>) -> Outcome {
    image_of(
        cx,
        json!({"a.b": n(1), "with space": n(2), "#hash": n(3), "\u{e4}": n(4), "select": n(5), "N": s("x")}),
    )
}
