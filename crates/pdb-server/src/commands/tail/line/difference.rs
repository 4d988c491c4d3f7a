//! The differences between two images, down to members of maps and elements of lists and sets.

use serde_json::{Map, Value};

use super::{ADDED, Line, PLAIN, REMOVED};

type Image<'a> = Option<&'a Map<String, Value>>;

/// Appends the differences between the old and the new image, or the only image that the record has.
pub(super) fn show(
    line: &mut Line,
    images: (Image<'_>, Image<'_>),
    is_key: impl Fn(&str) -> bool,
    most: Option<usize>,
) {
    let mut differences = Differences { line, most };
    match images {
        (Some(old), Some(new)) => differences.members("", old, new),
        (old, new) => {
            for (name, value) in new.or(old).into_iter().flatten().filter(|(name, _)| !is_key(name)) {
                differences.line.word(PLAIN, &format!("{name}={}", short(value, most)));
            }
        }
    }
}

/// Appends differences to a line.
struct Differences<'a> {
    line: &'a mut Line,
    most: Option<usize>,
}

impl Differences<'_> {
    /// Compares two maps or images. New and changed members come first, in the order of the new map, then removed ones.
    fn members(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for (name, value) in new {
            let path = member(path, name);
            match old.get(name) {
                None => self.added(&path, value),
                Some(before) => self.values(&path, before, value),
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            self.removed(&member(path, name));
        }
    }

    fn values(&mut self, path: &str, old: &Value, new: &Value) {
        if old == new {
            return;
        }
        match (typed(old), typed(new)) {
            (Some(("M", Value::Object(old))), Some(("M", Value::Object(new)))) => {
                self.members(path, old, new)
            }
            (Some(("L", Value::Array(old))), Some(("L", Value::Array(new)))) => self.elements(path, old, new),
            (Some((kind, Value::Array(old))), Some((of_new, Value::Array(new))))
                if kind == of_new && is_set(kind) =>
            {
                self.sets(path, kind, old, new);
            }
            _ => self.changed(path, old, new),
        }
    }

    /// Compares two lists. Equal elements at both ends are skipped, so that an element inserted at the front is one
    /// difference.
    fn elements(&mut self, path: &str, old: &[Value], new: &[Value]) {
        let shorter = old.len().min(new.len());
        let front = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let same_at_end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let back = same_at_end.min(shorter - front);
        let (old_end, new_end) = (old.len() - back, new.len() - back);
        let both = old_end.min(new_end);
        for n in front..both {
            self.values(&format!("{path}[{n}]"), &old[n], &new[n]);
        }
        for (n, value) in new.iter().enumerate().take(new_end).skip(both) {
            self.added(&format!("{path}[{n}]"), value);
        }
        for n in both..old_end {
            self.removed(&format!("{path}[{n}]"));
        }
    }

    fn sets(&mut self, path: &str, kind: &str, old: &[Value], new: &[Value]) {
        let shown = |from: &[Value], without: &[Value]| {
            let without: std::collections::HashSet<&str> = without.iter().filter_map(Value::as_str).collect();
            let left = from.iter().filter(|value| !value.as_str().is_some_and(|text| without.contains(text)));
            left.map(|value| element(kind, value)).collect::<Vec<_>>().join(", ")
        };
        let (came, went) = (shown(new, old), shown(old, new));
        if !came.is_empty() {
            self.line.word(ADDED, &format!("+{path}{{{}}}", cut(came, self.most)));
        }
        if !went.is_empty() {
            self.line.word(REMOVED, &format!("-{path}{{{}}}", cut(went, self.most)));
        }
    }

    fn added(&mut self, path: &str, value: &Value) {
        self.line.word(ADDED, &format!("+{path}={}", short(value, self.most)));
    }

    fn removed(&mut self, path: &str) {
        self.line.word(REMOVED, &format!("-{path}"));
    }

    fn changed(&mut self, path: &str, old: &Value, new: &Value) {
        self.line.word(PLAIN, &format!("{path}="));
        self.line.push(REMOVED, &short(old, self.most));
        self.line.push(PLAIN, "->");
        self.line.push(ADDED, &short(new, self.most));
    }
}

/// Returns the path of a member: `address.city`. A name that could be misread is quoted, except that of a top-level
/// attribute.
fn member(path: &str, name: &str) -> String {
    if path.is_empty() {
        return name.to_owned();
    }
    let is_plain = |character: char| character.is_alphanumeric() || "_-".contains(character);
    if !name.is_empty() && name.chars().all(is_plain) {
        format!("{path}.{name}")
    } else {
        format!("{path}.{}", Value::from(name))
    }
}

/// Splits a value and its type: `{"S": "a"}`.
fn typed(value: &Value) -> Option<(&str, &Value)> {
    value.as_object()?.iter().next().map(|(kind, inner)| (kind.as_str(), inner))
}

fn is_set(kind: &str) -> bool {
    matches!(kind, "SS" | "NS" | "BS")
}

/// Formats a value without its types, cut to `most` characters.
pub(super) fn short(value: &Value, most: Option<usize>) -> String {
    cut(plain(value), most)
}

fn cut(text: String, most: Option<usize>) -> String {
    match most.and_then(|most| text.char_indices().nth(most)) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Formats an element of a set.
fn element(kind: &str, value: &Value) -> String {
    match value.as_str() {
        Some(number) if kind == "NS" => number.to_owned(),
        _ => value.to_string(),
    }
}

fn plain(value: &Value) -> String {
    let Some((kind, inner)) = typed(value) else { return value.to_string() };
    let joined = |elements: Vec<String>| elements.join(", ");
    match (kind, inner) {
        ("N", Value::String(number)) => number.clone(),
        ("NULL", _) => "null".to_owned(),
        ("L", Value::Array(elements)) => format!("[{}]", joined(elements.iter().map(plain).collect())),
        ("M", Value::Object(members)) => {
            let members = members.iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            format!("{{{}}}", joined(members.collect()))
        }
        (kind, Value::Array(elements)) if is_set(kind) => {
            format!("{{{}}}", joined(elements.iter().map(|value| element(kind, value)).collect()))
        }
        (_, inner) => inner.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expected: &str) {
        let image = |value: &str| Map::from_iter([("a".to_owned(), serde_json::from_str(value).unwrap())]);
        let mut line = Line::default();
        show(&mut line, (Some(&image(old)), Some(&image(new))), |_| false, None);
        assert_eq!(line.plain(), expected, "{old} {new}");
    }

    #[test]
    fn only_what_differs_is_shown() {
        let (s, n) = (r#"{"S":"x"}"#, r#"{"N":"1"}"#);
        check(s, n, r#"a="x"->1"#);
        check(n, n, "");
        check(
            r#"{"M":{"city":{"S":"a"},"old":{"N":"1"},"same":{"L":[]}}}"#,
            r#"{"M":{"city":{"S":"b"},"new":{"M":{"x":{"N":"1"}}},"same":{"L":[]}}}"#,
            r#"a.city="a"->"b" +a.new={x: 1} -a.old"#,
        );
        check(
            r#"{"M":{"b.c":{"N":"1"},"":{"N":"1"}}}"#,
            r#"{"M":{"b.c":{"N":"2"}}}"#,
            r#"a."b.c"=1->2 -a."""#,
        );
        check(r#"{"M":{"m":{"M":{"n":{"N":"1"}}}}}"#, r#"{"M":{"m":{"M":{"n":{"N":"2"}}}}}"#, "a.m.n=1->2");
        check(r#"{"M":{}}"#, r#"{"L":[]}"#, "a={}->[]");
    }

    #[test]
    fn lists_are_compared_by_their_elements() {
        let list = |numbers: &str| {
            let elements = numbers.chars().map(|digit| format!(r#"{{"N":"{digit}"}}"#));
            format!(r#"{{"L":[{}]}}"#, elements.collect::<Vec<_>>().join(","))
        };
        for (old, new, expected) in [
            ("123", "143", "a[1]=2->4"),
            ("123", "1234", "+a[3]=4"),
            ("123", "0123", "+a[0]=0"),
            ("123", "13", "-a[1]"),
            ("123", "", "-a[0] -a[1] -a[2]"),
            ("", "1", "+a[0]=1"),
            ("11", "111", "+a[2]=1"),
            ("1234", "1564", "a[1]=2->5 a[2]=3->6"),
            ("12", "345", "a[0]=1->3 a[1]=2->4 +a[2]=5"),
        ] {
            check(&list(old), &list(new), expected);
        }
        check(
            r#"{"L":[{"M":{"qty":{"N":"1"},"sku":{"S":"x"}}}]}"#,
            r#"{"L":[{"M":{"qty":{"N":"2"},"sku":{"S":"x"}}}]}"#,
            "a[0].qty=1->2",
        );
    }

    #[test]
    fn sets_show_added_and_removed_elements() {
        check(r#"{"SS":["a","b"]}"#, r#"{"SS":["b","c","d"]}"#, r#"+a{"c", "d"} -a{"a"}"#);
        check(r#"{"NS":["1"]}"#, r#"{"NS":["1","2"]}"#, "+a{2}");
        check(r#"{"BS":["AAE="]}"#, r#"{"NS":["1"]}"#, r#"a={"AAE="}->{1}"#);
    }

    #[test]
    fn values_lose_their_types_and_their_length() {
        for (value, expected) in [
            (r#"{"SS":["a","b"]}"#, r#"{"a", "b"}"#),
            (r#"{"NS":["1","2"]}"#, "{1, 2}"),
            (r#"{"L":[{"S":"a"},{"M":{"n":{"N":"1"},"e":{"L":[]}}}]}"#, r#"["a", {e: [], n: 1}]"#),
            ("7", "7"),
        ] {
            assert_eq!(short(&serde_json::from_str(value).unwrap(), Some(60)), expected);
        }
        let long = serde_json::json!({ "S": "ä".repeat(100) });
        assert_eq!(short(&long, Some(60)), format!("\"{}…", "ä".repeat(59)));
        assert_eq!(short(&long, None), format!("\"{}\"", "ä".repeat(100)));
    }
}
