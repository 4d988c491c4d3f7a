//! The bodies of commands: JSON objects with known members, none of them twice.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Refusal;

/// Reads the body of a command; an empty body counts as an empty object.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let Unambiguous(value) = serde_json::from_slice(body).map_err(|error| {
        Refusal::Bad(if error.is_data() {
            error.to_string()
        } else {
            format!("the body is not JSON: {error}")
        })
    })?;
    if !value.is_object() {
        return Err(Refusal::Bad("the body is not a JSON object".to_owned()));
    }
    serde_json::from_value(value).map_err(|error| Refusal::Bad(error.to_string()))
}

/// A JSON value in which no object has the same member twice.
///
/// Most readers use the last of two members, so the first could contain anything, such as the text that a form on a web
/// page puts around its fields.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unambiguous(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if values.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member `{name}` is given twice")));
            }
            let Unambiguous(value) = members.next_value()?;
            values.insert(name, value);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Value, String> {
        match parse::<Value>(body.as_bytes()) {
            Ok(value) => Ok(value),
            Err(Refusal::Bad(text)) => Err(text),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_are_read_as_they_are() {
        for body in [
            "{}",
            r#"{"a":null,"b":[true,false,-1,18446744073709551615,1.5,"\u00fc\n"],"c":{"a":{"a":[]}}}"#,
            r#"{"a":[{"a":1},{"a":2}]}"#,
        ] {
            assert_eq!(parsed(body), Ok(serde_json::from_str::<Value>(body).unwrap()), "{body}");
        }
        assert_eq!(parsed(" \n"), Ok(Value::Object(Map::new())));
    }

    #[test]
    fn members_are_given_once() {
        for (body, twice) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":1,"b":2,"\u0061":3}"#, "a"),
            (r#"{"table":"=","table":"Orders"}"#, "table"),
            (r#"{"x":{"y":[{"z":1,"z":2}]}}"#, "z"),
            (r#"{"":1,"":2}"#, ""),
        ] {
            let error = parsed(body).unwrap_err();
            assert!(error.starts_with(&format!("the member `{twice}` is given twice at line 1")), "{error}");
        }
    }

    #[test]
    fn other_bodies_are_refused() {
        for (body, text) in [
            ("{", "the body is not JSON: EOF"),
            ("{} {}", "the body is not JSON: trailing characters"),
            ("[]", "the body is not a JSON object"),
            ("1e999", "the body is not JSON: number out of range"),
            ("=", "the body is not JSON: expected value"),
        ] {
            let error = parsed(body).unwrap_err();
            assert!(error.starts_with(text), "{body}: {error}");
        }
        assert!(parsed(&"[".repeat(100_000)).unwrap_err().contains("recursion limit"));
    }
}
