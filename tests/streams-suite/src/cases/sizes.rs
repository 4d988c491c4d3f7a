//! `SizeBytes`: values that the service has returned, and their calculation.

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::expect::Text;
use crate::history::Place;
use crate::outcome::Outcome;
use crate::record::{Record, View, merged, n, normal, s};
use crate::{check_eq, fail};

/// A sequence of states of one item, and the sizes of the records between them.
struct Figures {
    name: &'static str,
    view: View,
    /// Names and types of the key attributes, hash first.
    keys: &'static [(&'static str, &'static str)],
    states: Vec<Option<Value>>,
    sizes: &'static [u64],
}

fn figures() -> Vec<Figures> {
    let b6 = || json!({"B": "AAECAwQF"});
    let b4 = |last: &str| format!("AAEC{last}==");
    let table = |name, view, keys, states, sizes| Figures { name, view, keys, states, sizes };
    let some = |items: Vec<Value>| std::iter::once(None).chain(items.into_iter().map(Some)).collect();
    let removed = |items: Vec<Value>| {
        std::iter::once(None).chain(items.into_iter().map(Some)).chain(std::iter::once(None)).collect()
    };
    let id: &[_] = &[("id", "S")];
    let sorted: &[_] = &[("ForumName", "S"), ("Subject", "S")];
    vec![
        table(
            "insert-and-modify-of-fred",
            View::Both,
            id,
            some(vec![json!({"id": s("Fred")}), json!({"id": s("Fred"), "name": s("Fred")})]),
            &[12, 26],
        ),
        table("insert-of-newkey", View::Both, id, some(vec![json!({"id": s("NewKey")})]), &[16]),
        table(
            "remove-of-newkey",
            View::Both,
            id,
            removed(vec![json!({"id": s("NewKey"), "attr1": s("value1"), "attr2": s("value2")})]),
            &[38, 38],
        ),
        table(
            "insert-of-nonexistentkey",
            View::Both,
            id,
            some(vec![json!({"id": s("NonExistentKey"), "attr1": s("value1")})]),
            &[43],
        ),
        table(
            "keys-only-fred",
            View::Keys,
            &[("Username", "S")],
            some(vec![json!({"Username": s("Fred"), "other": s("does not count")})]),
            &[12],
        ),
        table(
            "keys-only-alice",
            View::Keys,
            &[("Username", "S")],
            some(vec![json!({"Username": s("Alice")})]),
            &[13],
        ),
        table(
            "keys-only-forum",
            View::Keys,
            sorted,
            some(vec![json!({"ForumName": s("DynamoDB"), "Subject": s("DynamoDB Thread 3"), "Views": n(7)})]),
            &[41],
        ),
        table(
            "new-image-hello-world",
            View::New,
            &[("my_partition_key", "S")],
            some(vec![json!({"my_partition_key": s("hello world")})]),
            &[54],
        ),
        table(
            "new-image-with-binary",
            View::New,
            &[("my_partition_key", "S")],
            some(vec![json!({"my_partition_key": s("hello world"), "binary_key": b6()})]),
            &[70],
        ),
        table(
            "boolean",
            View::Both,
            &[("my_partition_key", "S")],
            some(vec![json!({"my_partition_key": s("testId0"), "should_fail": {"BOOL": true}})]),
            &[58],
        ),
        table(
            "number-42",
            View::Both,
            id,
            some(vec![json!({"id": s("id_value_1"), "numericFilter": n(42)})]),
            &[39],
        ),
        table(
            "number-key-101",
            View::Both,
            &[("Id", "N")],
            removed(vec![
                json!({"Id": n(101), "Message": s("New item!")}),
                json!({"Id": n(101), "Message": s("This item has changed")}),
            ]),
            &[26, 59, 38],
        ),
        table(
            "number-key-0",
            View::New,
            &[("site", "S"), ("timestamp", "N")],
            some(vec![json!({"site": s("tst"), "timestamp": n(0)})]),
            &[34],
        ),
        table(
            "number-key-1",
            View::New,
            &[("site", "S"), ("timestamp", "N")],
            some(vec![json!({"site": s("asdf"), "timestamp": n(1)})]),
            &[38],
        ),
        table(
            "number-key-2007",
            View::New,
            &[("year", "N"), ("title", "S")],
            some(vec![json!({"year": n(2007), "title": s("Into the wild")})]),
            &[50],
        ),
        table(
            "binary-key-and-set",
            View::Both,
            &[("val", "S"), ("key", "B")],
            some(vec![json!({
                "val": s("data"), "key": b6(), "asdf1": {"B": b4("Aw")}, "asdf2": {"BS": [b4("Aw"), b4("BA")]},
            })]),
            &[54],
        ),
    ]
}

/// Groups of numbers with the bytes each takes.
const NUMBERS: &[(&str, &[&str], u64)] = &[
    ("zero", &["0", "-0", "0.0", "0.00"], 1),
    ("one-digit", &["1", "9"], 2),
    ("two-digits", &["10", "12", "99", "42"], 2),
    ("one-hundred", &["100"], 2),
    ("three-digits", &["101", "121", "131"], 3),
    ("negative", &["-1", "-42", "-100"], 3),
    ("negative-with-decimals", &["-2.55", "-67.11"], 4),
    ("negative-five-digits", &["-12345"], 5),
    ("one-thousand", &["1000", "9000"], 2),
    ("four-digits", &["1010", "1234", "2007"], 3),
    ("five-digits", &["12345"], 4),
    ("six-digits", &["123456"], 4),
    ("nine-digits", &["223456799"], 6),
    ("thirteen-digits", &["1634164477920", "1676323469141"], 8),
    ("sixteen-digits-with-decimals", &["139.2675643770462"], 10),
    ("largest-and-smallest", &["1E125", "1E-130"], 2),
    ("one-decimal", &["0.1"], 2),
    ("two-decimals", &["0.01", "0.05", "0.15", "0.95"], 2),
    ("three-decimals-aligned", &["0.001"], 2),
    ("one-point-something", &["1.1", "1.5", "1.05"], 3),
    ("trailing-zero-after-the-point", &["2.50"], 3),
    ("ten-and-a-half", &["10.5"], 3),
    ("three-decimals", &["1.234", "100.5"], 4),
    ("three-decimals-and-one", &["3.901"], 4),
    ("pi", &["3.14159"], 5),
    ("38-digits", &["12345678901234567890123456789012345678"], 20),
    ("38-digits-with-one-odd-decimal", &["1234567890123456789012345678901234567.8"], 21),
];

/// Numbers for which the documentation's approximate rule and the exact one part; one byte more under the exact rule.
const PAIRS_OF_DIGITS: &[(&str, &[&str], u64)] =
    &[("260", &["260"], 3), ("110-and-120", &["110", "120"], 3), ("0.015", &["0.015"], 3)];

/// Values of each type, with their bytes.
fn values() -> Vec<(&'static str, Value, u64)> {
    vec![
        ("string", s("h\u{e9}llo"), 6),
        ("empty-string", s(""), 0),
        ("binary", json!({"B": "AAECAw=="}), 4),
        ("empty-binary", json!({"B": ""}), 0),
        ("boolean", json!({"BOOL": false}), 1),
        ("null", json!({"NULL": true}), 1),
        ("string-set", json!({"SS": ["a", "bc", "def"]}), 6),
        ("number-set", json!({"NS": ["1", "234", "-5"]}), 8),
        ("binary-set", json!({"BS": ["AA==", "AAE="]}), 3),
        ("empty-list", json!({"L": []}), 3),
        ("list", json!({"L": [s("ab"), {"NULL": true}, n(1)]}), 3 + 3 + 1 + 2 + 2),
        ("empty-map", json!({"M": {}}), 3),
        ("map", json!({"M": {"k": s("ab"), "long": {"BOOL": true}}}), 3 + (1 + 1 + 2) + (1 + 4 + 1)),
        ("nested", json!({"M": {"l": {"L": [{"M": {"x": n(1)}}]}}}), 3 + 1 + 1 + (3 + 1 + (3 + 1 + 1 + 2))),
    ]
}

pub(super) fn group() -> Group {
    let mut group = Group::new("sizes");
    for (index, figure) in figures().into_iter().enumerate() {
        group.case(format!("figure/{}", figure.name), &[20], move |cx| check_figures(cx, &figures()[index]));
    }
    for &(name, numbers, size) in NUMBERS {
        group.case(format!("number/{name}"), &[20], move |cx| {
            numbers.iter().try_for_each(|number| check_value(cx, &n(number), size))
        });
    }
    for &(name, numbers, size) in PAIRS_OF_DIGITS {
        let case = group.case(format!("number/{name}"), &[20], move |cx| {
            numbers.iter().try_for_each(|number| check_value(cx, &n(number), size))
        });
        // 260 is in a record of the service.
        case.inferred = name != "260";
    }
    for (name, value, size) in values() {
        group.case(format!("value/{name}"), &[20], move |cx| check_value(cx, &value, size));
    }
    for (view, size) in [(View::Both, 66), (View::New, 36), (View::Old, 35), (View::Keys, 5)] {
        group.case(format!("composite/{}", view.name()), &[20], move |cx| composite(cx, view, size));
    }
    group.case("attribute-names-count-in-utf-8", &[20], |cx| {
        let size = inserted_size(cx, &json!({"n\u{e4}me": s("")}))?;
        check_eq!(size, 5, "bytes of the attribute");
        Ok(())
    });
    group.case("item-of-exactly-400-kb", &[20, 18], exactly_400_kb);
    group.case("item-of-one-byte-more", &[20, 18], one_byte_more);
    group.case("update-beyond-400-kb", &[20, 18], update_beyond);
    group.case("two-images-of-400-kb", &[20], two_large_images);
    group
}

fn check_figures(cx: &Context<'_>, figures: &Figures) -> Outcome {
    let definitions: Vec<Value> = figures
        .keys
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let schema: Vec<Value> = figures
        .keys
        .iter()
        .zip(["HASH", "RANGE"])
        .map(|((name, _), kind)| json!({"AttributeName": name, "KeyType": kind}))
        .collect();
    let more = json!({"AttributeDefinitions": definitions, "KeySchema": schema});
    let table = cx.create(&cx.table_name(), Some(figures.view), Keys::Hash, more)?;
    for states in figures.states.windows(2) {
        match (&states[0], &states[1]) {
            (_, Some(item)) => cx.put(&table.name, item.clone())?,
            (Some(item), None) => {
                let key: serde_json::Map<String, Value> =
                    figures.keys.iter().map(|(name, _)| ((*name).to_owned(), item[*name].clone())).collect();
                cx.delete(&table.name, &Value::Object(key))?;
            }
            (None, None) => {}
        }
    }
    let records = cx.read_stream(&table.stream_arn, figures.sizes.len())?;
    let sizes: Vec<Option<u64>> = records.iter().map(Record::size_bytes).collect();
    let expected: Vec<Option<u64>> = figures.sizes.iter().copied().map(Some).collect();
    check_eq!(sizes, expected, "SizeBytes");
    Ok(())
}

/// Returns what attributes add to the SizeBytes of an INSERT under NEW_IMAGE, besides the key's share.
fn inserted_size(cx: &Context<'_>, attributes: &Value) -> Outcome<u64> {
    let shared = cx.shared(View::New, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(attributes)?;
    let item =
        cx.db("GetItem", json!({"TableName": at.table.name, "Key": at.key, "ConsistentRead": true}))?;
    let stored = normal(&item["Item"]);
    let change = crate::Change { event: "INSERT", old: None, new: Some(stored) };
    let records = at.check_history(&[change])?;
    let key_size = 2 + at.key["pk"]["S"].as_str().unwrap_or_default().len() as u64;
    match records.first().and_then(Record::size_bytes) {
        Some(size) if size >= 2 * key_size => Ok(size - 2 * key_size),
        other => fail!("SizeBytes is {other:?}, and the keys alone take {}", 2 * key_size),
    }
}

fn check_value(cx: &Context<'_>, value: &Value, size: u64) -> Outcome {
    check_eq!(inserted_size(cx, &json!({"v": value}))?, size + 1, "bytes of the attribute with {value}");
    Ok(())
}

fn composite(cx: &Context<'_>, view: View, size: u64) -> Outcome {
    let table = cx.table(view, Keys::Hash)?;
    let nested = json!({"M": {"k": {"L": [{"NULL": true}, {"BOOL": true}, n("-1.5")]}}});
    let item = json!({"pk": s("u#1"), "n": n(9), "t": {"SS": ["a", "bc"]}, "m": nested});
    cx.put(&table.name, item.clone())?;
    cx.put(&table.name, merged(&item, &json!({"n": n("10.5")})))?;
    let records = cx.read_stream(&table.stream_arn, 2)?;
    check_eq!(records.len(), 2, "records");
    check_eq!(records[1].size_bytes(), Some(size), "SizeBytes of the MODIFY");
    Ok(())
}

const LIMIT: usize = 409_600;

/// Returns an item of exactly this size, with the lane-like key `pk` = `p`.
fn item_of(size: usize, letter: &str) -> Value {
    // "pk" + "p" + "v" are four bytes.
    json!({"pk": s("p"), "v": s(letter.repeat(size - 4))})
}

fn exactly_400_kb(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, item_of(LIMIT, "x"))?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records[0].size_bytes(), Some(LIMIT as u64 + 3), "SizeBytes");
    Ok(())
}

fn one_byte_more(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let request = json!({"TableName": table.name, "Item": item_of(LIMIT + 1, "x")});
    let text = "Item size has exceeded the maximum allowed size";
    cx.db_refused("PutItem", request)?.check_validation(Text::exact(text))?;
    cx.put(&table.name, item_of(100, "x"))?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records.len(), 1, "records");
    check_eq!(records[0].event(), "INSERT", "the event after the refused put");
    Ok(())
}

fn update_beyond(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, item_of(LIMIT - 50, "x"))?;
    let request = json!({
        "TableName": table.name, "Key": {"pk": s("p")}, "UpdateExpression": "SET w = :w",
        "ExpressionAttributeValues": {":w": s("y".repeat(200))},
    });
    let text = "Item size to update has exceeded the maximum allowed size";
    cx.db_refused("UpdateItem", request)?.check_validation(Text::exact(text))?;
    cx.delete(&table.name, &json!({"pk": s("p")}))?;
    let records = cx.read_stream(&table.stream_arn, 2)?;
    let events: Vec<&str> = records.iter().map(Record::event).collect();
    check_eq!(events, ["INSERT", "REMOVE"], "records");
    Ok(())
}

fn two_large_images(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::Hash)?;
    let (one, two) = (item_of(LIMIT, "x"), item_of(LIMIT, "y"));
    cx.put(&table.name, one.clone())?;
    cx.put(&table.name, two.clone())?;
    let records = cx.read_stream(&table.stream_arn, 2)?;
    check_eq!(records.len(), 2, "records");
    check_eq!(records[1].size_bytes(), Some(2 * LIMIT as u64 + 3), "SizeBytes");
    let whole = records[1].old_image() == Some(&one) && records[1].new_image() == Some(&two);
    crate::check!(whole, "an image is not the whole item");
    Ok(())
}
