//! Equal values: replacing one with the other changes nothing and makes no record.

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::history::{Change, Place};
use crate::outcome::Outcome;
use crate::record::{View, n, s};

/// Two spellings of an attribute: as written first, as written then, and each as reads show it.
struct Pair {
    name: &'static str,
    first: Value,
    then: Value,
    shown: (Value, Value),
    inferred: bool,
}

fn differ(name: &'static str, first: Value, then: Value) -> Pair {
    Pair { name, shown: (first.clone(), then.clone()), first, then, inferred: false }
}

/// Two spellings of the same number.
fn number(name: &'static str, first: &str, then: &str, shown: &str) -> Pair {
    let shown = json!({"N": shown});
    Pair {
        name,
        first: json!({"N": first}),
        then: json!({"N": then}),
        shown: (shown.clone(), shown),
        inferred: true,
    }
}

fn equal(name: &'static str, first: Value, then: Value) -> Pair {
    Pair { name, shown: (first.clone(), first.clone()), first, then, inferred: true }
}

fn pairs() -> Vec<Pair> {
    let list = |elements: Vec<Value>| json!({"L": elements});
    let map = |value: Value| json!({"M": {"x": value}});
    vec![
        number("number-trailing-zero", "1", "1.0", "1"),
        number("number-leading-zero", "1", "01", "1"),
        number("number-exponent", "1", "1E0", "1"),
        number("number-plus-sign", "1", "+1", "1"),
        number("number-hundred-as-exponent", "100", "1E2", "100"),
        number("number-negative-zero", "0", "-0", "0"),
        number("number-zero-with-decimals", "0", "0.00", "0"),
        number("number-small-exponent", "0.001", "1e-3", "0.001"),
        equal("number-in-list", list(vec![n(1), n("2.5")]), list(vec![n("1.00"), n("2.50")])),
        equal("number-in-map", map(n(10)), map(n("1E1"))),
        equal("string-set-order", json!({"SS": ["a", "b", "c"]}), json!({"SS": ["c", "a", "b"]})),
        equal("number-set-order", json!({"NS": ["1", "2"]}), json!({"NS": ["2", "1"]})),
        equal("number-set-spelling", json!({"NS": ["1", "2"]}), json!({"NS": ["2.0", "1e0"]})),
        equal("binary-set-order", json!({"BS": ["AA==", "AQ=="]}), json!({"BS": ["AQ==", "AA=="]})),
        equal("set-in-map", map(json!({"SS": ["a", "b"]})), map(json!({"SS": ["b", "a"]}))),
        differ("list-order", list(vec![s("a"), s("b")]), list(vec![s("b"), s("a")])),
        differ("number-against-string", n(1), s("1")),
        differ("binary-against-string", json!({"B": "YQ=="}), s("a")),
        differ("null-against-empty-string", json!({"NULL": true}), s("")),
        differ("null-against-false", json!({"NULL": true}), json!({"BOOL": false})),
        differ("empty-list-against-empty-map", list(vec![]), json!({"M": {}})),
        differ("empty-binary-against-empty-string", json!({"B": ""}), s("")),
        differ("set-against-list", json!({"SS": ["a"]}), list(vec![s("a")])),
        differ("string-case", s("a"), s("A")),
        differ("string-trailing-space", s("a"), s("a ")),
        differ("string-normal-form", s("\u{e9}"), s("e\u{301}")),
        differ("nested-deep", map(list(vec![map(s("a"))])), map(list(vec![map(s("b"))]))),
        differ("true-against-false", json!({"BOOL": true}), json!({"BOOL": false})),
        differ(
            "number-last-of-38-digits",
            n("12345678901234567890123456789012345678"),
            n("12345678901234567890123456789012345679"),
        ),
    ]
}

pub(super) fn group() -> Group {
    let mut group = Group::new("equality");
    for (index, pair) in pairs().into_iter().enumerate() {
        group.case(pair.name, &[19], move |cx| check_pair(cx, &pairs()[index])).inferred = pair.inferred;
    }
    group.case("order-of-attributes", &[19], order_of_attributes);
    group.case("order-of-map-members", &[19], order_of_map_members);
    group.case("absent-against-null", &[19], |cx| absent_against(cx, json!({"NULL": true})));
    group.case("absent-against-empty-string", &[19], |cx| absent_against(cx, s("")));
    group.case("numbers-are-shown-in-canonical-form", &[19, 18], canonical_numbers);
    group
}

fn check_pair(cx: &Context<'_>, pair: &Pair) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let by_put = Place::new(cx, &shared, Keys::Hash);
    by_put.put(&json!({"v": pair.first}))?;
    by_put.put(&json!({"v": pair.then}))?;
    check_changes(&by_put, pair).map_err(|stop| stop.during("by PutItem"))?;
    let by_update = by_put.another(Keys::Hash);
    by_update.update("SET v = :v", json!({":v": pair.first}))?;
    by_update.update("SET v = :v", json!({":v": pair.then}))?;
    check_changes(&by_update, pair).map_err(|stop| stop.during("by UpdateItem"))
}

fn check_changes(at: &Place<'_>, pair: &Pair) -> Outcome {
    let first = at.item(&json!({"v": pair.shown.0}));
    let then = at.item(&json!({"v": pair.shown.1}));
    let expected = [Change::between(None, Some(&first)), Change::between(Some(&first), Some(&then))];
    at.check_history(&expected.into_iter().flatten().collect::<Vec<_>>()).map(drop)
}

/// Sends a PutItem whose item has its members in exactly this order.
fn put_text(at: &Place<'_>, item: &str) -> Outcome {
    let body = format!(r#"{{"TableName":"{}","Item":{item}}}"#, at.table.name);
    let answer =
        at.cx.client().send_signed(crate::Api::DynamoDb, "DynamoDB_20120810.PutItem", body.as_bytes())?;
    crate::check_eq!(answer.status, 200, "status of PutItem ({})", answer.text());
    Ok(())
}

fn order_of_attributes(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    let pk = &at.key["pk"];
    put_text(&at, &format!(r#"{{"pk":{pk},"a":{{"S":"1"}},"b":{{"S":"2"}}}}"#))?;
    put_text(&at, &format!(r#"{{"b":{{"S":"2"}},"a":{{"S":"1"}},"pk":{pk}}}"#))?;
    let item = at.item(&json!({"a": s("1"), "b": s("2")}));
    at.check_history(Change::between(None, Some(&item)).as_slice()).map(drop)
}

fn order_of_map_members(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    let pk = &at.key["pk"];
    put_text(
        &at,
        &format!(
            r#"{{"pk":{pk},"m":{{"M":{{"a":{{"N":"1"}},"b":{{"L":[{{"M":{{"x":{{"S":"1"}},"y":{{"S":"2"}}}}}}]}}}}}}}}"#
        ),
    )?;
    put_text(
        &at,
        &format!(
            r#"{{"m":{{"M":{{"b":{{"L":[{{"M":{{"y":{{"S":"2"}},"x":{{"S":"1"}}}}}}]}},"a":{{"N":"1"}}}}}},"pk":{pk}}}"#
        ),
    )?;
    let item = at.item(&json!({"m": {"M": {"a": n(1), "b": {"L": [{"M": {"x": s("1"), "y": s("2")}}]}}}}));
    at.check_history(Change::between(None, Some(&item)).as_slice()).map(drop)
}

fn absent_against(cx: &Context<'_>, value: Value) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(&json!({}))?;
    at.put(&json!({"v": value}))?;
    let (without, with) = (at.item(&json!({})), at.item(&json!({"v": value})));
    let expected = [Change::between(None, Some(&without)), Change::between(Some(&without), Some(&with))];
    at.check_history(&expected.into_iter().flatten().collect::<Vec<_>>()).map(drop)
}

fn canonical_numbers(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(
        &json!({"a": n("1.50"), "b": n("0010"), "c": n("-0.0"), "d": {"NS": ["1e1", "2.0"]}, "e": n("1E3")}),
    )?;
    let read =
        cx.db("GetItem", json!({"TableName": at.table.name, "Key": at.key, "ConsistentRead": true}))?;
    let item = read["Item"].clone();
    let shown =
        at.item(&json!({"a": n("1.5"), "b": n("10"), "c": n("0"), "d": {"NS": ["10", "2"]}, "e": n("1000")}));
    crate::check_eq!(crate::record::normal(&item), crate::record::normal(&shown), "the item read");
    at.check_history(Change::between(None, Some(&shown)).as_slice()).map(drop)
}
