//! What differs between two images of an item, attribute by attribute.

use std::collections::BTreeSet;

use pdb_model::Number;
use serde_json::{Map, Value};

/// One place at which two images of an item differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where: `address.city`, `lines[2].price`, and `["a.b"].c` if a name has other characters than letters, digits, `_` and `-`.
    pub(crate) path: String,
    /// The value of the old image in DynamoDB JSON, unless it was added.
    pub(crate) old: Option<Value>,
    /// The value of the new image in DynamoDB JSON, unless it was removed.
    pub(crate) new: Option<Value>,
}

/// Returns what differs between two maps of attributes in DynamoDB JSON, such as `{"id": {"S": "o1"}}`.
///
/// Maps and lists are compared member by member. Sets that only order their elements in another way are the same, and so are numbers
/// with the same value. What is not an object, such as the `null` of an absent image, has no attributes. The changes are sorted by
/// path: names by their characters, elements of lists by their number.
pub(crate) fn difference(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    compare_maps("", old, new, &mut changes);
    changes
}

fn compare_maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<Change>) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        compare(old.get(name), new.get(name), || member_path(path, name), changes);
    }
}

fn compare_lists(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    for index in 0..old.len().max(new.len()) {
        compare(old.get(index), new.get(index), || format!("{path}[{index}]"), changes);
    }
}

/// Compares two values. The path is made only if it is needed, because most values of two images are the same.
fn compare(
    old: Option<&Value>,
    new: Option<&Value>,
    path: impl FnOnce() -> String,
    changes: &mut Vec<Change>,
) {
    if old == new {
        return;
    }
    if let (Some(old), Some(new)) = (old, new) {
        if let (Some(old), Some(new)) = (old["M"].as_object(), new["M"].as_object()) {
            return compare_maps(&path(), old, new, changes);
        }
        if let (Some(old), Some(new)) = (old["L"].as_array(), new["L"].as_array()) {
            return compare_lists(&path(), old, new, changes);
        }
        if is_same_number(old, new) || is_same_set(old, new) {
            return;
        }
    }
    changes.push(Change { path: path(), old: old.cloned(), new: new.cloned() });
}

fn is_same_number(old: &Value, new: &Value) -> bool {
    match (parsed_number(&old["N"]), parsed_number(&new["N"])) {
        (Some(old), Some(new)) => old == new,
        _ => false,
    }
}

fn parsed_number(value: &Value) -> Option<Number> {
    value.as_str()?.parse().ok()
}

fn is_same_set(old: &Value, new: &Value) -> bool {
    ["SS", "NS", "BS"].iter().any(|name| match (sorted_elements(old, name), sorted_elements(new, name)) {
        (Some(old), Some(new)) => old == new,
        _ => false,
    })
}

/// Returns the elements of a set in an order of their own, numbers in their normal form.
fn sorted_elements(set: &Value, name: &str) -> Option<BTreeSet<String>> {
    let text = |element: &Value| match parsed_number(element) {
        Some(number) if name == "NS" => number.to_string(),
        _ => element.as_str().unwrap_or_default().to_owned(),
    };
    Some(set[name].as_array()?.iter().map(text).collect())
}

fn member_path(path: &str, name: &str) -> String {
    let is_simple = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    match (!name.is_empty() && name.chars().all(is_simple), path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", Value::from(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns the changes as lines: `path: old -> new`.
    fn lines(old: &Value, new: &Value) -> Vec<String> {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
        let line =
            |change: Change| format!("{}: {} -> {}", change.path, shown(&change.old), shown(&change.new));
        difference(old, new).into_iter().map(line).collect()
    }

    #[test]
    fn attributes_are_added_removed_and_changed() {
        let old = json!({ "id": { "S": "o1" }, "total": { "N": "42" }, "note": { "S": "x" } });
        let new = json!({ "id": { "S": "o1" }, "total": { "N": "43" }, "paid": { "BOOL": true } });
        assert_eq!(
            lines(&old, &new),
            [r#"note: {"S":"x"} -> -"#, r#"paid: - -> {"BOOL":true}"#, r#"total: {"N":"42"} -> {"N":"43"}"#]
        );
        assert_eq!(lines(&new, &new), [""; 0]);
        assert_eq!(lines(&Value::Null, &json!({ "id": { "S": "o1" } })), [r#"id: - -> {"S":"o1"}"#]);
        assert_eq!(lines(&json!({ "id": { "S": "o1" } }), &Value::Null), [r#"id: {"S":"o1"} -> -"#]);
    }

    #[test]
    fn nested_maps_and_lists_are_compared_inside() {
        let line = |price: &str| json!({ "M": { "price": { "N": price } } });
        let old = json!({
            "address": { "M": { "city": { "S": "A" }, "zip": { "S": "1" } } },
            "lines": { "L": [line("1"), line("2"), line("3")] },
        });
        let new = json!({
            "address": { "M": { "city": { "S": "B" }, "zip": { "S": "1" } } },
            "lines": { "L": [line("1"), line("2"), line("4"), line("5")] },
        });
        assert_eq!(
            lines(&old, &new),
            [
                r#"address.city: {"S":"A"} -> {"S":"B"}"#,
                r#"lines[2].price: {"N":"3"} -> {"N":"4"}"#,
                r#"lines[3]: - -> {"M":{"price":{"N":"5"}}}"#
            ]
        );
        assert_eq!(lines(&json!({ "a": { "M": {} } }), &json!({ "a": { "L": [] } })).len(), 1);
    }

    #[test]
    fn elements_are_in_the_order_of_their_numbers() {
        let list = |text: &str| json!({ "l": { "L": vec![json!({ "S": text }); 12] } });
        let paths: Vec<_> =
            difference(&list("a"), &list("b")).into_iter().map(|change| change.path).collect();
        assert_eq!(paths[2], "l[2]");
        assert_eq!(paths[11], "l[11]");
    }

    #[test]
    fn sets_and_numbers_are_compared_by_value() {
        for (old, new, is_same) in [
            (json!({ "SS": ["a", "b"] }), json!({ "SS": ["b", "a"] }), true),
            (json!({ "NS": ["1", "2"] }), json!({ "NS": ["2.0", "1"] }), true),
            (json!({ "BS": ["AA==", "AQ=="] }), json!({ "BS": ["AQ==", "AA=="] }), true),
            (json!({ "SS": ["a"] }), json!({ "SS": ["a", "b"] }), false),
            (json!({ "SS": ["1"] }), json!({ "NS": ["1"] }), false),
            (json!({ "N": "1.0" }), json!({ "N": "1" }), true),
            (json!({ "N": "12345678901234567890.1" }), json!({ "N": "12345678901234567890.2" }), false),
            (json!({ "S": "1.0" }), json!({ "S": "1" }), false),
            (json!({ "S": "1" }), json!({ "N": "1" }), false),
            (
                json!({ "L": [{ "S": "a" }, { "S": "b" }] }),
                json!({ "L": [{ "S": "b" }, { "S": "a" }] }),
                false,
            ),
        ] {
            let changes = difference(&json!({ "a": old }), &json!({ "a": new }));
            assert_eq!(changes.is_empty(), is_same, "{old} {new}");
        }
    }

    #[test]
    fn a_path_tells_names_and_members_apart() {
        for (name, path) in [
            ("city", "address.city"),
            ("straße-2_b", "address.straße-2_b"),
            ("a.b", r#"address["a.b"]"#),
            ("a[0]", r#"address["a[0]"]"#),
            ("", r#"address[""]"#),
            ("\"\n", r#"address["\"\n"]"#),
        ] {
            let changes = difference(
                &json!({ "address": { "M": {} } }),
                &json!({ "address": { "M": { name: { "NULL": true } } } }),
            );
            assert_eq!(changes[0].path, path);
        }
        assert_eq!(difference(&json!({}), &json!({ "a.b": { "S": "" } }))[0].path, r#"["a.b"]"#);
    }
}
