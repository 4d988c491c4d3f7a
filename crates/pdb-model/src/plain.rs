//! Plain JSON, without the names of types: `{"id": "o1", "total": 42}`.

mod json;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::value::{MAX_NESTING, ValueMap};
use crate::{AttributeValue, Item, Number, NumberError, write_json_string};

use self::json::Json;

/// Why a text cannot be parsed as an item or a value.
#[derive(Debug, thiserror::Error)]
pub enum PlainJsonError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The text is JSON, but not an object.
    #[error("an item must be a JSON object")]
    NotAnObject,
    /// DynamoDB cannot store this number.
    #[error("{number}: {source}")]
    Number {
        /// The number as it was written.
        number: String,
        /// Why it cannot be stored.
        source: NumberError,
    },
    /// The text is nested more deeply than an item may be.
    #[error("nested more than {MAX_NESTING} levels deep")]
    TooDeep,
    /// An object contains a name twice, so one of the two values would be lost.
    #[error("an object contains the name `{0}` twice")]
    DuplicateName(String),
    /// The text looks like DynamoDB JSON, but is not valid.
    #[error(transparent)]
    Typed(#[from] crate::ParseError),
}

impl Item {
    /// Parses an item from plain JSON.
    ///
    /// Strings become `S`, numbers `N` with all their digits, booleans `BOOL`, `null` becomes `NULL`, arrays become `L` and objects `M`. Plain
    /// JSON cannot express sets and bytes.
    ///
    /// # Errors
    ///
    /// [`PlainJsonError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_model::Item;
    ///
    /// let item = Item::from_plain_json(r#"{"id": "o1", "total": 12345678901234567890.5}"#)?;
    /// assert_eq!(item.to_string(), r#"{"id":{"S":"o1"},"total":{"N":"12345678901234567890.5"}}"#);
    /// # Ok::<(), pdb_model::PlainJsonError>(())
    /// ```
    pub fn from_plain_json(json: &str) -> Result<Self, PlainJsonError> {
        plain_item(json::read(json)?)
    }

    /// Parses an item from DynamoDB JSON if every attribute has the form of a typed value, such as `{"S": "o1"}`, and from plain
    /// JSON otherwise. `{}` is an item without attributes in both.
    ///
    /// # Errors
    ///
    /// [`PlainJsonError`].
    pub fn from_any_json(json: &str) -> Result<Self, PlainJsonError> {
        match json::read(json)? {
            Json::Map(attributes) if attributes.values().all(is_typed) => Ok(Self::from_json(json)?),
            plain => plain_item(plain),
        }
    }

    /// Returns the item as plain JSON on one line, with attributes sorted by name.
    ///
    /// Sets become arrays, and bytes become strings in Base64. Parsing the result again gives these two other types.
    #[must_use]
    pub fn to_plain_json(&self) -> String {
        let mut out = String::new();
        write_object(self.iter(), &mut out);
        out
    }
}

impl AttributeValue {
    /// Parses a value from plain JSON, like the attributes in [`Item::from_plain_json`].
    ///
    /// # Errors
    ///
    /// [`PlainJsonError`].
    pub fn from_plain_json(json: &str) -> Result<Self, PlainJsonError> {
        converted(json::read(json)?, 0)
    }

    /// Appends the value as plain JSON, like [`Item::to_plain_json`].
    pub fn write_plain_json(&self, out: &mut String) {
        match self {
            Self::S(text) => write_json_string(out, text),
            Self::N(number) => out.push_str(&number.to_string()),
            Self::B(bytes) => write_bytes(bytes, out),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Null => out.push_str("null"),
            Self::Ss(set) => write_array(set.iter(), out, |text, out| write_json_string(out, text)),
            Self::Ns(set) => write_array(set.iter(), out, |number, out| out.push_str(&number.to_string())),
            Self::Bs(set) => write_array(set.iter(), out, |bytes, out| write_bytes(bytes, out)),
            Self::L(list) => write_array(list.iter(), out, Self::write_plain_json),
            Self::M(map) => write_object(map.iter(), out),
        }
    }
}

fn converted(json: Json<'_>, depth: usize) -> Result<AttributeValue, PlainJsonError> {
    if depth > MAX_NESTING {
        return Err(PlainJsonError::TooDeep);
    }
    Ok(match json {
        Json::Map(members) => {
            let mut map = ValueMap::default();
            for (name, value) in members {
                map.insert(name, converted(value, depth + 1)?);
            }
            AttributeValue::M(map)
        }
        Json::List(elements) => {
            let values: Result<_, _> =
                elements.into_iter().map(|value| converted(value, depth + 1)).collect();
            AttributeValue::L(values?)
        }
        Json::Text(text) => AttributeValue::S(text),
        Json::Bool(value) => AttributeValue::Bool(value),
        Json::Null => AttributeValue::Null,
        Json::Number(text) => {
            let number: Result<Number, _> = text.parse();
            AttributeValue::N(
                number.map_err(|source| PlainJsonError::Number { number: text.to_owned(), source })?,
            )
        }
    })
}

/// Converts plain JSON to an item.
fn plain_item(json: Json<'_>) -> Result<Item, PlainJsonError> {
    match converted(json, 0)? {
        AttributeValue::M(map) => Ok(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
        _ => Err(PlainJsonError::NotAnObject),
    }
}

/// Returns whether a JSON value has the form of a value in DynamoDB JSON: one member that is named like a type and matches that type.
fn is_typed(value: &Json<'_>) -> bool {
    let Json::Map(members) = value else { return false };
    let mut members = members.iter();
    let (Some((name, inner)), None) = (members.next(), members.next()) else { return false };
    match (name.as_str(), inner) {
        ("S" | "N" | "B", Json::Text(_)) | ("BOOL" | "NULL", Json::Bool(_)) => true,
        ("SS" | "NS" | "BS", Json::List(list)) => list.iter().all(|inner| matches!(inner, Json::Text(_))),
        ("L", Json::List(list)) => list.iter().all(is_typed),
        ("M", Json::Map(map)) => map.values().all(is_typed),
        _ => false,
    }
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    BASE64.encode_string(bytes, out);
    out.push('"');
}

fn write_array<T>(elements: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(element, out);
    }
    out.push(']');
}

fn write_object<'a>(members: impl Iterator<Item = (&'a String, &'a AttributeValue)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_json_string(out, name);
        out.push(':');
        value.write_plain_json(out);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_types_become_attribute_types() {
        for (plain, typed) in [
            ("{}", "{}"),
            (
                r#"{"a":"x","b":1e2,"c":true,"d":null}"#,
                r#"{"a":{"S":"x"},"b":{"N":"100"},"c":{"BOOL":true},"d":{"NULL":true}}"#,
            ),
            (r#"{"l":[1,[],{"m":"ä\n"}]}"#, r#"{"l":{"L":[{"N":"1"},{"L":[]},{"M":{"m":{"S":"ä\n"}}}]}}"#),
            (
                r#" {"n": 0.12345678901234567890123456789012345678} "#,
                r#"{"n":{"N":"0.12345678901234567890123456789012345678"}}"#,
            ),
        ] {
            assert_eq!(Item::from_plain_json(plain).unwrap().to_string(), typed);
            assert_eq!(Item::from_any_json(plain).unwrap().to_string(), typed);
            assert_eq!(Item::from_any_json(typed).unwrap().to_string(), typed);
        }
    }

    #[test]
    fn no_name_is_special() {
        let plain = r#"{"$serde_json::private::RawValue":"x"}"#;
        let typed = r#"{"$serde_json::private::RawValue":{"S":"x"}}"#;
        assert_eq!(Item::from_any_json(plain).unwrap().to_string(), typed);
        assert_eq!(Item::from_any_json(typed).unwrap().to_string(), typed);
    }

    #[test]
    fn an_item_that_only_looks_typed_is_plain() {
        for (json, typed) in [
            (r#"{"size":{"S":1}}"#, r#"{"size":{"M":{"S":{"N":"1"}}}}"#),
            (r#"{"a":{"S":"x"},"b":2}"#, r#"{"a":{"M":{"S":{"S":"x"}}},"b":{"N":"2"}}"#),
            (r#"{"a":{"S":"x","N":"2"}}"#, r#"{"a":{"M":{"N":{"S":"2"},"S":{"S":"x"}}}}"#),
        ] {
            assert_eq!(Item::from_any_json(json).unwrap().to_string(), typed);
        }
    }

    #[test]
    fn items_are_written_as_plain_json() {
        let typed = r#"{"b":{"B":"AAE="},"l":{"L":[{"NULL":true},{"BOOL":false}]},"n":{"N":"1.5"},"ns":{"NS":["1","2"]},"ss":{"SS":["a","b"]}}"#;
        let plain = r#"{"b":"AAE=","l":[null,false],"n":1.5,"ns":[1,2],"ss":["a","b"]}"#;
        assert_eq!(Item::from_json(typed).unwrap().to_plain_json(), plain);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        for (json, expected) in [
            ("[1]", "an item must be a JSON object"),
            ("{", "not JSON"),
            (r#"{"n":1e200}"#, "1e200: "),
            (&format!(r#"{{"a":{deep}}}"#), "nested more than 32 levels deep"),
            (r#"{"n":{"N":"x"}}"#, "malformed string"),
            (r#"{"a":1,"b":2,"a":3}"#, "an object contains the name `a` twice"),
            (r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#, "an object contains the name `c` twice"),
            (r#"{"a":{"S":"x"},"a":{"S":"y"}}"#, "an object contains the name `a` twice"),
            (r#"{"a":{"S":"x","S":"y"}}"#, "an object contains the name `S` twice"),
            (&format!(r#"{{"a":{}}}"#, "[".repeat(100_000)), "not JSON"),
            (&format!(r#"{{"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)), "32 levels deep"),
            (r#"{"a":1} 2"#, "not JSON"),
            (r#"{"a":01}"#, "not JSON"),
            (r#"{"a":"\ud800"}"#, "not JSON"),
        ] {
            let error = Item::from_any_json(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
