//! Lambda's filter patterns, matched against events.

use pdb_streams::{EventDocument, EventPattern};
use serde_json::{Map, Value, json};

use crate::Source;

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let kind = source.below(4);
    let event = event(&mut source);
    let document = EventDocument::parse(&event.to_string()).unwrap();
    match kind {
        0 | 1 => check_leaf(&mut source, &event, &document),
        2 => check_pattern(&pattern(&mut source, 3).to_string(), &document),
        _ => {
            let text = String::from_utf8_lossy(source.rest());
            let _: Result<EventDocument, _> = EventDocument::parse(&text);
            check_pattern(&text, &document);
        }
    }
}

/// A pattern matches an event or does not, also when both are printed and read again.
fn check_pattern(text: &str, document: &EventDocument) {
    let Ok(pattern) = text.parse::<EventPattern>() else { return };
    let matches = pattern.matches(document);
    assert_eq!(pattern.matches(&EventDocument::parse(&document.to_string()).unwrap()), matches, "{text}");
}

/// A record, whose attributes may be anything that JSON has.
fn event(source: &mut Source<'_>) -> Value {
    let image = |source: &mut Source<'_>| {
        let members =
            source.up_to(3, |source| (source.pick(&["a", "b", "city"]).to_owned(), json_value(source, 2)));
        Value::Object(members.into_iter().collect())
    };
    json!({
        "eventName": source.pick(&["INSERT", "MODIFY", "REMOVE"]),
        "dynamodb": {"Keys": image(source), "NewImage": image(source)},
    })
}

fn json_value(source: &mut Source<'_>, depth: usize) -> Value {
    match source.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::from(source.text(5)),
        1 => Value::from(source.below(5)),
        2 => Value::from(source.pick(&[0.5, -1.0, 1e300, 1e-9])),
        3 => Value::from(source.once_in(2)),
        4 => Value::Null,
        5 => Value::from(source.up_to(3, |source| json_value(source, depth - 1))),
        _ => {
            let members = source.up_to(3, |source| {
                (source.pick(&["S", "N", "a", "L"]).to_owned(), json_value(source, depth - 1))
            });
            Value::Object(members.into_iter().collect())
        }
    }
}

/// Follows one way through the event to a leaf that is no part of a list: its path, and its value.
fn leaf<'v>(source: &mut Source<'_>, event: &'v Value) -> Option<(Vec<String>, &'v Value)> {
    let (mut path, mut at) = (Vec::new(), event);
    while let Value::Object(members) = at {
        let (name, value) = members.iter().nth(source.below(members.len()))?;
        path.push(name.clone());
        at = value;
    }
    (!at.is_array()).then_some((path, at))
}

fn pattern_at(path: &[String], tests: &Value) -> String {
    path.iter()
        .rev()
        .fold(tests.clone(), |inner, name| {
            let mut outer = Map::new();
            outer.insert(name.clone(), inner);
            Value::Object(outer)
        })
        .to_string()
}

/// Patterns made of a leaf of the event, of which is known whether they match.
fn check_leaf(source: &mut Source<'_>, event: &Value, document: &EventDocument) {
    let Some((path, value)) = leaf(source, event) else { return };
    let mut cases = vec![
        (json!([value]), true),
        (json!(["nothing has this value", value]), true),
        (json!([{"exists": true}]), true),
        (json!([{"exists": false}]), false),
    ];
    if let Value::String(text) = value {
        let cut =
            text.char_indices().map(|(at, _)| at).nth(source.below(text.chars().count().max(1))).unwrap_or(0);
        let (prefix, suffix) = text.split_at(cut);
        cases.extend([
            (json!([{"anything-but": [text]}]), false),
            (json!([{"anything-but": [format!("{text}+")]}]), true),
            (json!([{"equals-ignore-case": text}]), true),
        ]);
        // An empty prefix is refused.
        if !prefix.is_empty() {
            cases.push((json!([{"prefix": prefix}]), true));
            cases.push((json!([{"anything-but": {"prefix": prefix}}]), false));
        }
        if !suffix.is_empty() {
            cases.push((json!([{"suffix": suffix}]), true));
        }
    }
    if let Some(number) = value.as_f64().filter(|number| number.abs() <= 1e9) {
        cases.push((json!([{"numeric": ["=", number]}]), true));
        cases.push((json!([{"numeric": [">", number - 1.0, "<=", number]}]), true));
        cases.push((json!([{"numeric": ["<", number]}]), false));
    }
    for (tests, expected) in cases {
        let text = pattern_at(&path, &tests);
        if let Ok(pattern) = text.parse::<EventPattern>() {
            assert_eq!(pattern.matches(document), expected, "{text} and {event}");
        }
    }
}

/// A pattern that is right more often than not.
fn pattern(source: &mut Source<'_>, depth: usize) -> Value {
    let members = source.up_to(3, |source| {
        let name = source
            .pick(&["eventName", "dynamodb", "NewImage", "Keys", "a", "city", "S", "N", "$or"])
            .to_owned();
        let value = match source.below(if depth == 0 { 2 } else { 4 }) {
            0 | 1 => Value::from(source.up_to(3, test)),
            2 => pattern(source, depth - 1),
            _ => Value::from(source.up_to(3, |source| pattern(source, depth - 1))),
        };
        (name, value)
    });
    Value::Object(members.into_iter().collect())
}

fn test(source: &mut Source<'_>) -> Value {
    let operand = |source: &mut Source<'_>| json_value(source, 1);
    match source.below(8) {
        0 => operand(source),
        1 => json!({"prefix": operand(source)}),
        2 => json!({"suffix": operand(source)}),
        3 => json!({"exists": operand(source)}),
        4 => json!({"anything-but": operand(source)}),
        5 => json!({"equals-ignore-case": operand(source)}),
        6 => json!({"numeric": [source.pick(&["=", "<", ">=", "!="]), operand(source)]}),
        _ => json!({"anything-but": {"prefix": operand(source)}}),
    }
}
