//! Attribute values as people read them: on one line, and as a tree.

use maud::{Markup, html};
use pdb_model::Item;
use serde_json::Value;

use crate::schema::{elements, text};
use crate::shown::plural;

/// The most characters of a value in a tree.
const MAX_LEAF: usize = 400;
/// The most values in a tree. A page with more than some thousands is slow, and too long for a person.
const MAX_NODES: usize = 2_000;
/// The most members with which a map or a list is shown open.
const MAX_OPEN: usize = 12;

/// Returns the type of a value in DynamoDB JSON, such as `S`, and what is inside.
pub(crate) fn typed(value: &Value) -> (&str, &Value) {
    match value.as_object().and_then(|members| members.iter().next()) {
        Some((name, inner)) => (name, inner),
        None => ("", &Value::Null),
    }
}

/// Returns a value on one line, shortened to some characters. Bytes are in Base64, and what is inside of others is like plain JSON.
pub(crate) fn short(value: &Value, max_chars: usize) -> String {
    let mut line = Line { out: String::new(), left: max_chars, is_cut: false };
    match typed(value) {
        ("S" | "N" | "B", Value::String(inner)) => line.push(inner),
        _ => line.value(value),
    }
    line.cut()
}

/// Returns a value on one line as [`short`] does, with texts in quotes: beside other words, `"42"` is not `42`.
pub(crate) fn short_quoted(value: &Value, max_chars: usize) -> String {
    let mut line = Line { out: String::new(), left: max_chars, is_cut: false };
    line.value(value);
    line.cut()
}

/// A line that becomes no longer than some characters, so that a large value costs no more than what is shown of it.
struct Line {
    out: String,
    left: usize,
    is_cut: bool,
}

impl Line {
    /// Returns the line, with a mark if something is missing.
    fn cut(mut self) -> String {
        if self.is_cut {
            self.out.push('…');
        }
        self.out
    }

    fn push(&mut self, text: &str) {
        let end = text.char_indices().nth(self.left).map_or(text.len(), |(at, _)| at);
        self.out.push_str(&text[..end]);
        self.left -= text[..end].chars().count();
        self.is_cut |= end < text.len();
    }

    fn value(&mut self, value: &Value) {
        match typed(value) {
            ("S" | "B", inner) => self.quoted(text(inner)),
            ("N", inner) => self.push(text(inner)),
            ("BOOL", inner) => self.push(if inner == true { "true" } else { "false" }),
            ("NULL", _) => self.push("null"),
            ("L", inner) => self.list(elements(inner), Self::value),
            ("NS", inner) => self.list(elements(inner), |line, element| line.push(text(element))),
            ("SS" | "BS", inner) => self.list(elements(inner), |line, element| line.quoted(text(element))),
            ("M", inner) => self.map(inner),
            _ => {}
        }
    }

    fn quoted(&mut self, text: &str) {
        // A character of a text is one or more of JSON, so what is behind the limit is not needed.
        let end = text.char_indices().nth(self.left + 1).map_or(text.len(), |(at, _)| at);
        self.push(&Value::from(&text[..end]).to_string());
    }

    fn list<'v>(&mut self, elements: impl Iterator<Item = &'v Value>, write: impl Fn(&mut Self, &'v Value)) {
        self.push("[");
        for (index, element) in elements.enumerate() {
            if self.is_cut {
                return;
            }
            if index > 0 {
                self.push(", ");
            }
            write(self, element);
        }
        self.push("]");
    }

    fn map(&mut self, members: &Value) {
        self.push("{");
        for (index, (name, value)) in members.as_object().into_iter().flatten().enumerate() {
            if self.is_cut {
                return;
            }
            if index > 0 {
                self.push(", ");
            }
            self.push(name);
            self.push(": ");
            self.value(value);
        }
        self.push("}");
    }
}

/// Returns an item as a tree of nested `details`, its key first. Also returns how many values were left out because there are too many.
pub(crate) fn tree(item: &Value, key: &Value) -> (Markup, usize) {
    let mut nodes = 0;
    let mut attributes: Vec<_> = item.as_object().into_iter().flatten().collect();
    attributes.sort_by_key(|(name, _)| key.get(*name).is_none());
    let markup = members(attributes.into_iter().map(|(name, value)| (name.clone(), value)), &mut nodes);
    (markup, nodes.saturating_sub(MAX_NODES))
}

fn members<'v>(members: impl Iterator<Item = (String, &'v Value)>, nodes: &mut usize) -> Markup {
    html! {
        ul.tree {
            @for (name, value) in members {
                @if let Some(node) = node(&name, value, nodes) { li { (node) } }
            }
        }
    }
}

/// Returns a value with its name; nothing if there are too many already.
fn node(name: &str, value: &Value, nodes: &mut usize) -> Option<Markup> {
    *nodes += 1;
    if *nodes > MAX_NODES {
        return None;
    }
    let (type_name, inner) = typed(value);
    let nested = match type_name {
        "M" => inner.as_object().map_or(0, serde_json::Map::len),
        "L" => inner.as_array().map_or(0, Vec::len),
        _ => 0,
    };
    if nested == 0 {
        return Some(
            html! { span.name { (name) } " " span.value { (short(value, MAX_LEAF)) } " " (tag(value)) },
        );
    }
    let inside = match inner {
        Value::Object(map) => members(map.iter().map(|(name, value)| (name.clone(), value)), nodes),
        list => {
            members(elements(list).enumerate().map(|(index, value)| (format!("[{index}]"), value)), nodes)
        }
    };
    let what = if type_name == "M" { "attribute" } else { "element" };
    Some(html! {
        details open[nested <= MAX_OPEN] {
            summary { span.name { (name) } " " span.hint { (plural(nested as u64, what)) } " " (tag(value)) }
            (inside)
        }
    })
}

/// Returns the type of a value, as a mark.
pub(crate) fn tag(value: &Value) -> Markup {
    let (name, _) = typed(value);
    let title = match name {
        "S" => "string",
        "N" => "number",
        "B" => "binary, in Base64",
        "BOOL" => "Boolean",
        "NULL" => "null",
        "SS" => "string set",
        "NS" => "number set",
        "BS" => "binary set, in Base64",
        "L" => "list",
        "M" => "map",
        _ => "",
    };
    html! { abbr.type title=(title) { (name) } }
}

/// Returns an item as plain JSON on one line, with all digits of its numbers.
pub(crate) fn plain_json(item: &Value) -> String {
    Item::from_json(&item.to_string()).map(|item| item.to_plain_json()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_on_one_line() {
        for (value, shown) in [
            (json!({ "S": "a \"b\"" }), "a \"b\""),
            (json!({ "S": "" }), ""),
            (json!({ "N": "12345678901234567890.5" }), "12345678901234567890.5"),
            (json!({ "B": "AAE=" }), "AAE="),
            (json!({ "BOOL": false }), "false"),
            (json!({ "NULL": true }), "null"),
            (json!({ "NS": ["1", "2"] }), "[1, 2]"),
            (json!({ "SS": ["a", "b"] }), r#"["a", "b"]"#),
            (json!({ "L": [{ "S": "x" }, { "M": { "a": { "N": "1" } } }] }), r#"["x", {a: 1}]"#),
            (json!({}), ""),
        ] {
            assert_eq!(short(&value, 100), shown);
        }
    }

    #[test]
    fn long_values_are_shortened_between_characters() {
        assert_eq!(short(&json!({ "S": "ääääää" }), 3), "äää…");
        assert_eq!(short(&json!({ "S": "äää" }), 3), "äää");
        assert_eq!(short(&json!({ "L": vec![json!({ "S": "😀😀😀" }); 100_000] }), 5), "[\"😀😀😀…");
        assert_eq!(short(&json!({ "S": "x".repeat(400_000) }), 60).chars().count(), 61);
    }

    #[test]
    fn a_tree_escapes_and_ends() {
        let item = json!({ "<b>": { "S": "<script>alert(1)</script>" }, "l": { "L": vec![json!({ "N": "1" }); 5_000] } });
        let (markup, left_out) = tree(&item, &json!({ "<b>": {} }));
        let html = markup.into_string();
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !html.contains("<script"),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;") && html.contains("5000 elements"));
        assert_eq!(left_out, 3_002);
        assert!(html.len() < 400_000);
    }
}
