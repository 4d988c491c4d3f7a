//! What a command has to know about a table: its keys and their types.

use std::error::Error;

use pretender::model::Item;
use serde_json::{Map, Value, json};

use crate::client::{Api, Service};

/// The description of a table.
pub(super) struct Schema {
    /// The name or ARN that the user gave.
    table: String,
    description: Value,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyPart {
    pub(super) name: String,
    /// `S`, `N` or `B`.
    pub(super) kind: String,
}

/// Why a command cannot use the given key or index.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(in crate::commands) enum SchemaError {
    #[error("the key of `{table}` is {key}: give {count}, or one JSON object")]
    Count { table: String, key: String, count: &'static str },
    #[error("the key of `{table}` is {key}: expected an object with exactly these attributes")]
    Members { table: String, key: String },
    #[error("`{given}` is not an item: {reason}")]
    Json { given: String, reason: String },
    #[error("`{index}` of `{table}` is a vector index, which only `SearchVectors` reads")]
    Vector { table: String, index: String },
    #[error("`{table}` has no index `{index}`{}", known(.names))]
    NoIndex { table: String, index: String, names: Vec<String> },
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "; it has no indexes".to_owned() } else { format!("; it has {}", names.join(", ")) }
}

impl Schema {
    /// Requests the description of a table.
    pub(super) fn of(api: &Api, table: &str) -> Result<Self, Box<dyn Error>> {
        let mut answer = match api.call(Service::DynamoDb, "DescribeTable", &json!({ "TableName": table })) {
            Ok(answer) => answer,
            Err(failure) if failure.code() == Some("ResourceNotFoundException") => {
                return Err(api.no_such_table(table).into());
            }
            Err(failure) => return Err(failure.into()),
        };
        Ok(Self { table: table.to_owned(), description: answer["Table"].take() })
    }

    pub(super) fn description(&self) -> &Value {
        &self.description
    }

    /// Returns the key of the table.
    pub(super) fn key(&self) -> Vec<KeyPart> {
        self.parts(&self.description["KeySchema"])
    }

    /// Returns the key of an index, or of the table.
    pub(super) fn key_of(&self, index: Option<&str>) -> Result<Vec<KeyPart>, SchemaError> {
        let Some(index) = index else { return Ok(self.key()) };
        let lists = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
        let indexes = || lists.iter().filter_map(|list| self.description[list].as_array()).flatten();
        match indexes().find(|described| described["IndexName"] == index) {
            Some(described) => Ok(self.parts(&described["KeySchema"])),
            None if self.has_vector_index(index) => {
                Err(SchemaError::Vector { table: self.table.clone(), index: index.to_owned() })
            }
            None => {
                let names =
                    indexes().filter_map(|described| described["IndexName"].as_str().map(str::to_owned));
                let (table, index) = (self.table.clone(), index.to_owned());
                Err(SchemaError::NoIndex { table, index, names: names.collect() })
            }
        }
    }

    fn has_vector_index(&self, name: &str) -> bool {
        let indexes = self.description["VectorIndexes"].as_array();
        indexes.into_iter().flatten().any(|described| described["IndexName"] == name)
    }

    fn parts(&self, key_schema: &Value) -> Vec<KeyPart> {
        let definitions = self.description["AttributeDefinitions"].as_array();
        let kind = |name: &Value| {
            let found =
                definitions.into_iter().flatten().find(|definition| &definition["AttributeName"] == name);
            found.and_then(|definition| definition["AttributeType"].as_str()).unwrap_or("S").to_owned()
        };
        let elements = key_schema.as_array().into_iter().flatten();
        elements
            .map(|element| KeyPart {
                name: element["AttributeName"].as_str().unwrap_or_default().to_owned(),
                kind: kind(&element["AttributeName"]),
            })
            .collect()
    }

    /// Reads the key of an item: a value for each attribute, or one JSON object.
    pub(super) fn read_key(&self, given: &[String]) -> Result<Value, SchemaError> {
        let parts = self.key();
        let (table, key) = (self.table.clone(), shown(&parts));
        if let [object] = given
            && object.trim_start().starts_with('{')
        {
            let item = read_item(object)?;
            let is_key = item.len() == parts.len() && parts.iter().all(|part| item.contains_key(&part.name));
            return if is_key { typed(&item) } else { Err(SchemaError::Members { table, key }) };
        }
        if given.len() != parts.len() {
            let count = if parts.len() == 1 { "its value" } else { "a value for each" };
            return Err(SchemaError::Count { table, key, count });
        }
        Ok(parts
            .iter()
            .zip(given)
            .map(|(part, text)| (part.name.clone(), part.value(text)))
            .collect::<Map<_, _>>()
            .into())
    }
}

impl KeyPart {
    /// Returns a value of this attribute. The server checks it.
    pub(super) fn value(&self, text: &str) -> Value {
        json!({ self.kind.as_str(): text })
    }
}

/// Formats a key for people: `id (S), at (N)`.
pub(super) fn shown(parts: &[KeyPart]) -> String {
    let parts: Vec<_> = parts.iter().map(|part| format!("{} ({})", part.name, part.kind)).collect();
    parts.join(", ")
}

/// Reads an item from plain JSON or DynamoDB JSON.
pub(super) fn read_item(text: &str) -> Result<Item, SchemaError> {
    Item::from_any_json(text).map_err(|error| {
        let given: String = text.chars().take(60).collect();
        SchemaError::Json { given, reason: error.to_string() }
    })
}

/// Converts an item to the form of the API.
pub(in crate::commands) fn typed(item: &Item) -> Result<Value, SchemaError> {
    serde_json::from_str(&item.to_string()).map_err(|error| SchemaError::Json {
        given: item.keys().next().cloned().unwrap_or_default(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(keys: &[(&str, &str)]) -> Schema {
        let definitions: Vec<_> = keys
            .iter()
            .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }))
            .chain([json!({ "AttributeName": "state", "AttributeType": "S" })])
            .collect();
        let elements: Vec<_> = keys.iter().map(|(name, _)| json!({ "AttributeName": name })).collect();
        let index = json!([{ "IndexName": "by-state", "KeySchema": [{ "AttributeName": "state" }] }]);
        let vector = json!([{ "IndexName": "by-meaning" }]);
        let description = json!({
            "AttributeDefinitions": definitions, "KeySchema": elements, "GlobalSecondaryIndexes": index,
            "VectorIndexes": vector,
        });
        Schema { table: "orders".to_owned(), description }
    }

    fn key(schema: &Schema, given: &[&str]) -> Result<Value, String> {
        let given: Vec<_> = given.iter().map(|text| (*text).to_owned()).collect();
        schema.read_key(&given).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_values_or_an_object() {
        let both = schema(&[("id", "S"), ("at", "N")]);
        let expected = json!({ "id": { "S": "7" }, "at": { "N": "42" } });
        assert_eq!(key(&both, &["7", "42"]), Ok(expected.clone()));
        assert_eq!(key(&both, &[r#"{"at": 42, "id": "7"}"#]), Ok(expected.clone()));
        assert_eq!(key(&both, &[r#"{"at": {"N": "42"}, "id": {"S": "7"}}"#]), Ok(expected));
        let one = schema(&[("id", "S")]);
        assert_eq!(key(&one, &["7"]), Ok(json!({ "id": { "S": "7" } })));
    }

    #[test]
    fn invalid_keys_are_refused_with_a_reason() {
        let both = schema(&[("id", "S"), ("at", "N")]);
        let text = "the key of `orders` is id (S), at (N): give a value for each, or one JSON object";
        assert_eq!(key(&both, &["7"]), Err(text.to_owned()));
        assert_eq!(key(&both, &["7", "8", "9"]), Err(text.to_owned()));
        assert!(key(&both, &[r#"{"id": "7"}"#]).unwrap_err().contains("exactly these attributes"));
        assert!(key(&both, &["{"]).unwrap_err().contains("not JSON"));
        assert_eq!(
            both.key_of(Some("by-total")).unwrap_err().to_string(),
            "`orders` has no index `by-total`; it has by-state"
        );
        assert_eq!(
            both.key_of(Some("by-meaning")).unwrap_err().to_string(),
            "`by-meaning` of `orders` is a vector index, which only `SearchVectors` reads"
        );
        assert_eq!(shown(&both.key_of(Some("by-state")).unwrap()), "state (S)");
    }
}
