//! A record as a line for a person.

use std::fmt::Write;

use pretender::{EpochMillis, StreamLabel};
use serde_json::{Map, Value};

/// The most characters of a value that are shown.
const MAX_VALUE: usize = 60;

/// Returns a line: when, what, whose key, and what changed. `stream_arn` names the table where several are read.
pub(super) fn line(record: &Value, stream_arn: Option<&str>) -> String {
    let change = &record["dynamodb"];
    let mut line =
        format!("{} {:<6}", time(&change["ApproximateCreationDateTime"]), text(&record["eventName"]));
    if let Some(table) = stream_arn.and_then(|arn| arn.split('/').nth(1)) {
        line.push(' ');
        line.push_str(table);
    }
    let keys = change["Keys"].as_object();
    for (name, value) in keys.into_iter().flatten() {
        push(&mut line, "", name, "=", value);
    }
    let is_key = |name: &str| keys.is_some_and(|keys| keys.contains_key(name));
    let (old, new) = (change["OldImage"].as_object(), change["NewImage"].as_object());
    changes(&mut line, old, new, is_key);
    if record["userIdentity"]["Type"] == "Service" {
        line.push_str(" (expired)");
    }
    line
}

/// Appends what tells the images apart, or the only image there is.
fn changes(
    line: &mut String,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
    is_key: impl Fn(&str) -> bool,
) {
    let (Some(old), Some(new)) = (old, new) else {
        let only = new.or(old).into_iter().flatten();
        only.filter(|(name, _)| !is_key(name)).for_each(|(name, value)| push(line, "", name, "=", value));
        return;
    };
    for (name, value) in new {
        match old.get(name) {
            None => push(line, "+", name, "=", value),
            Some(before) if before != value => {
                push(line, "", name, "=", before);
                line.push_str("->");
                line.push_str(&short(value));
            }
            Some(_) => {}
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        line.push_str(" -");
        line.push_str(name);
    }
}

fn push(line: &mut String, sign: &str, name: &str, between: &str, value: &Value) {
    // Writing to a String cannot fail.
    let _ = write!(line, " {sign}{name}{between}{}", short(value));
}

/// Returns seconds since the epoch as a time of UTC, whatever form the number has.
fn time(seconds: &Value) -> String {
    let seconds = seconds.as_f64().unwrap_or_default();
    let label = StreamLabel::at(EpochMillis(seconds as i64 * 1000)).to_string();
    format!("{}Z", label.split('.').next().unwrap_or_default())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns a value without the names of its types, cut if it is long.
fn short(value: &Value) -> String {
    let plain = plain(value);
    match plain.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

fn plain(value: &Value) -> String {
    let list = |elements: &Value, open: char, close: char, show: fn(&Value) -> String| {
        let shown: Vec<String> = elements.as_array().into_iter().flatten().map(show).collect();
        format!("{open}{}{close}", shown.join(", "))
    };
    let bare = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return value.to_string();
    };
    match kind.as_str() {
        "N" => bare(inner),
        "NULL" => "null".to_owned(),
        "SS" | "BS" => list(inner, '{', '}', Value::to_string),
        "NS" => list(inner, '{', '}', |number| number.as_str().unwrap_or_default().to_owned()),
        "L" => list(inner, '[', ']', plain),
        "M" => {
            let members = inner.as_object().into_iter().flatten();
            let shown: Vec<String> =
                members.map(|(name, value)| format!("{name}: {}", plain(value))).collect();
            format!("{{{}}}", shown.join(", "))
        }
        _ => inner.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(record: &str, stream_arn: Option<&str>, expected: &str) {
        assert_eq!(line(&serde_json::from_str(record).unwrap(), stream_arn), expected);
    }

    #[test]
    fn each_event_says_what_changed() {
        check(
            r#"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1772356542,"Keys":{"pk":{"S":"o1"}},
               "NewImage":{"pk":{"S":"o1"},"total":{"N":"42"}}}}"#,
            None,
            r#"2026-03-01T09:15:42Z INSERT pk="o1" total=42"#,
        );
        check(
            r#"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1.772356542E9,"Keys":{"pk":{"S":"o1"}},
               "OldImage":{"pk":{"S":"o1"},"total":{"N":"42"},"same":{"BOOL":true},"gone":{"NULL":true}},
               "NewImage":{"pk":{"S":"o1"},"total":{"N":"43"},"same":{"BOOL":true},"more":{"BOOL":false}}}}"#,
            Some("arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017"),
            r#"2026-03-01T09:15:42Z MODIFY Orders pk="o1" +more=false total=42->43 -gone"#,
        );
        check(
            r#"{"eventName":"REMOVE","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"},
               "dynamodb":{"ApproximateCreationDateTime":0,"Keys":{"pk":{"N":"7"}},"OldImage":{"pk":{"N":"7"},"a":{"NULL":true}}}}"#,
            None,
            "1970-01-01T00:00:00Z REMOVE pk=7 a=null (expired)",
        );
        check(
            r#"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":0,"Keys":{"pk":{"B":"AAE="}}}}"#,
            None,
            r#"1970-01-01T00:00:00Z MODIFY pk="AAE=""#,
        );
    }

    #[test]
    fn values_lose_their_types_and_their_length() {
        for (value, expected) in [
            (r#"{"SS":["a","b"]}"#, r#"{"a", "b"}"#),
            (r#"{"NS":["1","2"]}"#, "{1, 2}"),
            (r#"{"L":[{"S":"a"},{"M":{"n":{"N":"1"},"e":{"L":[]}}}]}"#, r#"["a", {e: [], n: 1}]"#),
            ("7", "7"),
        ] {
            assert_eq!(short(&serde_json::from_str(value).unwrap()), expected);
        }
        let long = serde_json::json!({ "S": "ä".repeat(100) });
        assert_eq!(short(&long), format!("\"{}…", "ä".repeat(59)));
    }
}
