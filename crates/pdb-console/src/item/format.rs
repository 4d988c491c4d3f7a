//! The two ways to write an item: plain JSON and DynamoDB JSON.

use pdb_model::{Item, PlainJsonError};
use serde_json::{Map, Value, json};

use crate::pretty_json::pretty_json;
use crate::values::{plain_json, typed};

/// A way to write an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    DynamoDb,
}

impl Format {
    /// Returns the format with a name of [`Format::name`], and plain JSON for any other text.
    pub(super) fn of(name: &str) -> Self {
        if name == "dynamodb" { Self::DynamoDb } else { Self::Plain }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::DynamoDb => "dynamodb",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Plain => "plain JSON",
            Self::DynamoDb => "DynamoDB JSON",
        }
    }

    /// Writes an item, laid out for people.
    pub(super) fn write(self, item: &Value) -> String {
        match self {
            Self::Plain => pretty_json(&plain_json(item)),
            Self::DynamoDb => pretty_json(&item.to_string()),
        }
    }

    /// Reads an item as DynamoDB JSON. Plain JSON has no sets and bytes; where the original has them, they stay what they are.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(super) fn read(self, text: &str, original: &Value) -> Result<Value, String> {
        let plain = Item::from_plain_json(text);
        match self {
            Self::Plain => {
                let item = plain.map_err(|error| error.to_string())?;
                let item = serde_json::from_str(&item.to_string()).map_err(|error| error.to_string())?;
                with_types_of(original, item)
            }
            Self::DynamoDb => {
                // As plain JSON, this may be nested too deeply, but a name that is there twice is a mistake in both.
                if let Err(error @ PlainJsonError::DuplicateName(_)) = plain {
                    return Err(error.to_string());
                }
                match serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))? {
                    item @ Value::Object(_) => Ok(item),
                    _ => Err(PlainJsonError::NotAnObject.to_string()),
                }
            }
        }
    }
}

/// Gives the values of one map the types of another, where plain JSON cannot express them.
fn with_types_of(original: &Value, item: Value) -> Result<Value, String> {
    let Value::Object(map) = item else { return Ok(item) };
    let typed = |(name, value): (String, Value)| {
        let value = match original.get(&name) {
            Some(original) => retyped(&name, original, value)?,
            None => value,
        };
        Ok((name, value))
    };
    map.into_iter().map(typed).collect::<Result<Map<_, _>, String>>().map(Value::from)
}

fn retyped(name: &str, original: &Value, value: Value) -> Result<Value, String> {
    let (kind, inner) = typed(&value);
    Ok(match (typed(original), kind) {
        (("B", _), "S") => json!({ "B": inner }),
        ((set @ ("SS" | "BS"), _), "L") => as_set(set, "S", inner).unwrap_or(value),
        (("NS", _), "L") => as_set("NS", "N", inner).unwrap_or(value),
        (("M", original), "M") => json!({ "M": with_types_of(original, inner.clone())? }),
        // Elements have no names: which of them was a set, or bytes, cannot be told once the list has changed.
        (("L", _), "L") => match as_plain(original) {
            plain if plain == *original => value,
            plain if plain == value => original.clone(),
            _ => {
                return Err(format!(
                    "The list `{name}` has sets or binary values in it, which plain JSON does not tell from lists and texts. Change it \
                     as DynamoDB JSON."
                ));
            }
        },
        _ => value,
    })
}

/// Returns a value with the types that it has when it was written as plain JSON and read again.
fn as_plain(value: &Value) -> Value {
    let list = |kind: &str, elements: &Value| {
        let elements = elements.as_array().into_iter().flatten();
        json!({ "L": elements.map(|element| json!({ kind: element })).collect::<Vec<_>>() })
    };
    match typed(value) {
        ("B", inner) => json!({ "S": inner }),
        ("SS" | "BS", elements) => list("S", elements),
        ("NS", elements) => list("N", elements),
        ("L", Value::Array(elements)) => json!({ "L": elements.iter().map(as_plain).collect::<Vec<_>>() }),
        ("M", Value::Object(members)) => {
            let members = members.iter().map(|(name, value)| (name.clone(), as_plain(value)));
            json!({ "M": members.collect::<Map<_, _>>() })
        }
        _ => value.clone(),
    }
}

/// Returns a list as a set, unless it is empty or has elements of another type.
fn as_set(set: &str, element_type: &str, list: &Value) -> Option<Value> {
    let list = list.as_array().filter(|list| !list.is_empty())?;
    let elements: Option<Vec<_>> = list.iter().map(|element| element.get(element_type)).collect();
    Some(json!({ set: elements? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_keeps_types_that_it_cannot_express() {
        let original = json!({
            "b": { "B": "AAE=" }, "ns": { "NS": ["1", "2"] }, "ss": { "SS": ["a"] }, "bs": { "BS": ["AA=="] },
            "m": { "M": { "inner": { "SS": ["x"] } } }, "l": { "L": [{ "NS": ["1"] }, { "S": "x" }] },
            "big": { "N": "12345678901234567890.123456789" },
        });
        let text = Format::Plain.write(&original);
        assert!(text.contains("12345678901234567890.123456789"), "{text}");
        assert_eq!(Format::Plain.read(&text, &original), Ok(original.clone()));
        let edited =
            r#"{"ss": ["a", "b"], "ns": [], "b": 5, "bs": ["AA==", 1], "l": [[1], "x"], "new": ["x"]}"#;
        let expected = json!({
            "ss": { "SS": ["a", "b"] }, "ns": { "L": [] }, "b": { "N": "5" }, "bs": { "L": [{ "S": "AA==" }, { "N": "1" }] },
            "l": { "L": [{ "NS": ["1"] }, { "S": "x" }] }, "new": { "L": [{ "S": "x" }] },
        });
        assert_eq!(Format::Plain.read(edited, &original), Ok(expected));
    }

    #[test]
    fn a_list_with_bytes_in_it_is_not_guessed_at() {
        let original = json!({
            "l": { "L": [{ "B": "AAE=" }, { "S": "abcd" }] }, "plain": { "L": [{ "S": "abcd" }, { "N": "1" }] },
        });
        for edited in
            [r#"["abcd"]"#, r#"["abcd", "AAE="]"#, r#"["AAE=", "abcd", "x"]"#, r#"["AAE=", "abcx"]"#]
        {
            let refused = Format::Plain.read(&format!(r#"{{"l": {edited}}}"#), &original).unwrap_err();
            assert!(refused.contains("The list `l` has sets or binary values"), "{refused}");
        }
        let same = Format::Plain.read(r#"{"l": ["AAE=", "abcd"], "plain": [1, "abcd"]}"#, &original);
        let expected = json!({ "l": original["l"], "plain": { "L": [{ "N": "1" }, { "S": "abcd" }] } });
        assert_eq!(same, Ok(expected));
    }

    #[test]
    fn dynamodb_json_is_taken_as_it_is() {
        let item = json!({ "a": { "S": "1" }, "n": { "N": "0.10" } });
        assert_eq!(Format::DynamoDb.read(&Format::DynamoDb.write(&item), &Value::Null), Ok(item));
        for (text, error) in [
            ("{", "not JSON"),
            ("[]", "an item must be a JSON object"),
            (r#"{"a":{"S":"x"},"a":{"S":"y"}}"#, "contains the name `a` twice"),
        ] {
            for format in [Format::DynamoDb, Format::Plain] {
                let refused = format.read(text, &Value::Null).unwrap_err();
                assert!(refused.contains(error), "{refused}");
            }
        }
    }
}
