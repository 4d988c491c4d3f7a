//! What a table is made of, as `DescribeTable` tells it: keys and indexes.

use serde_json::{Map, Value, json};

use crate::call::{self, CallError};
use crate::{Answer, Context};

/// A table, with its description.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// The name of the table.
    pub(crate) table: String,
    /// The keys of the table itself.
    pub(crate) keys: Keys,
    /// The indexes that `Query` and `Scan` read.
    pub(crate) indexes: Vec<Index>,
    /// The member `Table` of the answer.
    pub(crate) description: Value,
}

/// The key attributes of a table or an index. A global index may have several of both kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) partition: Vec<KeyAttribute>,
    pub(crate) sort: Vec<KeyAttribute>,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyAttribute {
    pub(crate) name: String,
    /// `S`, `N` or `B`.
    pub(crate) scalar_type: String,
}

/// An index that `Query` and `Scan` read.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) keys: Keys,
    /// Whether the index is global, and has no consistent reads.
    pub(crate) is_global: bool,
}

impl Schema {
    /// Describes a table.
    pub(crate) fn describe(context: &Context<'_>, table: &str) -> Result<Self, CallError> {
        let input = json!({ "TableName": table });
        let mut answer = call::dynamodb(context.wire(), "DescribeTable", &input)?;
        let description = answer["Table"].take();
        let definitions = &description["AttributeDefinitions"];
        let mut indexes = Vec::new();
        for (list, is_global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
            indexes.extend(elements(&description[list]).map(|index| Index {
                name: text(&index["IndexName"]).to_owned(),
                keys: Keys::of(&index["KeySchema"], definitions),
                is_global,
            }));
        }
        Ok(Self {
            table: text(&description["TableName"]).to_owned(),
            keys: Keys::of(&description["KeySchema"], definitions),
            indexes,
            description,
        })
    }

    /// Describes the table that a page shows. Otherwise, returns the page that says why there is none.
    pub(crate) fn or_answer(context: &Context<'_>, table: &str) -> Result<Self, Answer> {
        Self::describe(context, table).map_err(|error| match error.code.as_str() {
            "ResourceNotFoundException" => {
                Answer::not_found(context, &format!("There is no table `{table}`."))
            }
            _ => Answer::failed(context, "Table", &error.to_string()),
        })
    }

    /// Returns the index with a name.
    pub(crate) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// Returns the key of an item of the table, unless a part of it is missing.
    pub(crate) fn key_of(&self, item: &Value) -> Option<Value> {
        let member = |key: &KeyAttribute| Some((key.name.clone(), item.get(&key.name)?.clone()));
        self.keys.all().map(member).collect::<Option<Map<_, _>>>().map(Value::Object)
    }
}

impl Keys {
    fn of(key_schema: &Value, definitions: &Value) -> Self {
        let mut keys = Self::default();
        for element in elements(key_schema) {
            let name = text(&element["AttributeName"]);
            let definition = elements(definitions).find(|definition| definition["AttributeName"] == name);
            let scalar_type = definition.map_or("S", |definition| text(&definition["AttributeType"]));
            let key = KeyAttribute { name: name.to_owned(), scalar_type: scalar_type.to_owned() };
            if element["KeyType"] == "HASH" { keys.partition.push(key) } else { keys.sort.push(key) }
        }
        keys
    }

    /// Returns all attributes, those of the partition key first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }
}

impl KeyAttribute {
    /// Returns the value that a person has typed, in DynamoDB JSON: a binary one is given in Base64.
    pub(crate) fn value(&self, typed: &str) -> Value {
        let typed = if self.scalar_type == "S" { typed } else { typed.trim() };
        json!({ self.scalar_type.as_str(): typed })
    }
}

/// Returns the elements of a list; none if it is absent.
pub(crate) fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Returns a text; empty if it is absent.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
