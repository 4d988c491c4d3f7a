//! Requests that are right more often than not, for the tables of [`Live`](crate::database::Live).

mod items;
mod tables;

use std::collections::BTreeMap;

use pdb_wire::Operation;
use serde_json::{Map, Value, json};

use crate::{Source, values};

/// Members of answers that later requests hand back.
const REMEMBERED: [&str; 16] = [
    "LastEvaluatedKey",
    "NextToken",
    "LatestStreamArn",
    "StreamArn",
    "ShardId",
    "ShardIterator",
    "NextShardIterator",
    "BackupArn",
    "TableArn",
    "SequenceNumber",
    "StartingSequenceNumber",
    "LastEvaluatedShardId",
    "LastEvaluatedStreamArn",
    "LastEvaluatedBackupArn",
    "LastEvaluatedTableName",
    "RevisionId",
];
/// How many values of each name are remembered.
const MAX_REMEMBERED: usize = 8;

/// What earlier answers have said.
#[derive(Default)]
pub(crate) struct Memory(BTreeMap<&'static str, Vec<Value>>);

impl Memory {
    /// Remembers what is in an answer.
    pub(crate) fn note(&mut self, answer: &Value) {
        match answer {
            Value::Array(elements) => elements.iter().for_each(|element| self.note(element)),
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(name) = REMEMBERED.into_iter().find(|known| known == name) {
                        let values = self.0.entry(name).or_default();
                        if values.len() == MAX_REMEMBERED {
                            values.remove(0);
                        }
                        values.push(value.clone());
                    }
                    self.note(value);
                }
            }
            _ => {}
        }
    }

    /// Returns a value that one of these members has had, now and then changed, or something made up.
    fn recall(&self, source: &mut Source<'_>, names: &[&'static str]) -> Value {
        let known: Vec<&Value> = names.iter().filter_map(|name| self.0.get(name)).flatten().collect();
        if known.is_empty() || source.once_in(16) {
            return Value::from(source.text(40));
        }
        let value = known[known.len() - 1 - source.below(known.len())].clone();
        match value {
            Value::String(text) if source.once_in(8) => {
                let mut characters: Vec<char> = text.chars().collect();
                let at = source.below(characters.len().max(1));
                if let Some(character) = characters.get_mut(at) {
                    *character = char::from(source.byte());
                }
                Value::from(characters.into_iter().collect::<String>())
            }
            value => value,
        }
    }
}

/// The members of a request while it is made.
struct Body<'s, 'b> {
    source: &'s mut Source<'b>,
    members: Map<String, Value>,
}

impl Body<'_, '_> {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.members.insert(name.to_owned(), value.into());
    }

    /// Sets a member to what is made of the source.
    fn draw<V: Into<Value>>(&mut self, name: &str, value: impl FnOnce(&mut Source<'_>) -> V) {
        let value = value(self.source).into();
        self.set(name, value);
    }

    /// Sets a member once in `times`.
    fn maybe<V: Into<Value>>(&mut self, times: usize, name: &str, value: impl FnOnce(&mut Source<'_>) -> V) {
        if self.source.once_in(times) {
            self.draw(name, value);
        }
    }
}

/// Returns an operation with a request for it.
pub(crate) fn request(source: &mut Source<'_>, memory: &Memory) -> (Operation, Value) {
    let operation = match source.below(4) {
        0..3 => source.pick(&items::OPERATIONS),
        _ => source.pick(Operation::ALL),
    };
    let mut body = Body { source, members: Map::new() };
    if !items::fill(operation, &mut body, memory) {
        tables::fill(operation, &mut body, memory);
    }
    let mut request = Value::Object(body.members);
    for _ in 0..source.pick(&[0, 0, 0, 0, 0, 0, 1, 2]) {
        let part = part(source);
        let mut at = source.below(parts_of(&request));
        replace(&mut request, &mut at, &part);
    }
    (operation, request)
}

/// What a part of a request is replaced by.
fn part(source: &mut Source<'_>) -> Value {
    match source.below(14) {
        0 => Value::Null,
        1 => Value::from(source.once_in(2)),
        2 => {
            Value::from(source.pick(&[0, 1, -1, 2, 100, 101, 1_000, i64::from(i32::MAX), i64::MAX, i64::MIN]))
        }
        3 => Value::from(source.pick(&[0.5, 1e300, -1e-300])),
        4 => Value::from(source.text(12)),
        5 => Value::from(values::number_text(source)),
        6 => Value::from("x".repeat(source.pick(&[256, 1_025, 2_049, 5_000]))),
        7 => json!([]),
        8 => json!({}),
        9 => json!([{}, [], "a", 1]),
        10 => json!({"NS": ["1", "01"]}),
        11 => json!({"M": {"": {"L": [{}]}}}),
        12 => {
            (0..source.pick(&[31, 32, 33, 130])).fold(json!({"S": "deep"}), |inner, _| json!({"L": [inner]}))
        }
        _ => attribute(source),
    }
}

/// Replaces the `at`th part of a value, counted from the outside.
fn replace(value: &mut Value, at: &mut usize, part: &Value) {
    if *at == 0 {
        *value = part.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, at, part)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, at, part)),
        _ => {}
    }
}

fn parts_of(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(parts_of).sum(),
        Value::Object(members) => members.values().map(parts_of).sum(),
        _ => 0usize,
    }
}

/// Returns a value in DynamoDB JSON.
fn attribute(source: &mut Source<'_>) -> Value {
    let mut json = String::new();
    values::value(source, 2).write_json(&mut json);
    serde_json::from_str(&json).unwrap()
}

/// Returns the name of a table, or its ARN.
fn table(source: &mut Source<'_>, memory: &Memory) -> Value {
    match source.below(16) {
        0..8 => Value::from("Orders"),
        8..11 => Value::from("Plain"),
        11 | 12 => Value::from("Vectors"),
        13 => Value::from(source.pick(&["New", "Nowhere", "Other"])),
        14 => memory.recall(source, &["TableArn"]),
        _ => Value::from("Orders"),
    }
}

/// Returns the name of an index.
fn index(source: &mut Source<'_>) -> &'static str {
    source.pick(&["global", "local", "near", "other", "global"])
}

/// Returns the key of an item of a table.
fn key(source: &mut Source<'_>, table: &Value) -> Map<String, Value> {
    let text = json!({"S": source.pick(&["a", "b", "c", "d"])});
    let key = match table.as_str() {
        Some("Plain") => json!({"pk": text}),
        Some("Vectors") => json!({"pk": {"B": source.pick(&["AA==", "AQ==", "/w=="])}}),
        _ => json!({"pk": text, "sk": {"N": source.pick(&["0", "1", "2", "-1.5", "1e10"])}}),
    };
    let Value::Object(mut key) = key else { return Map::new() };
    if source.once_in(24) {
        key.insert(values::name(source), attribute(source));
    }
    key
}

/// Returns an item of a table.
fn item(source: &mut Source<'_>, table: &Value) -> Value {
    let mut item = key(source, table);
    for _ in 0..source.below(5) {
        let name = source.pick(&["a", "v", "n", "b", "c", "e"]);
        let value = match name {
            // The key of the indexes, mostly of their type.
            "a" if !source.once_in(8) => json!({"S": source.pick(&["x", "y", "z"])}),
            // The time to live.
            "n" if !source.once_in(4) => {
                json!({"N": source.pick(&["1772356542", "1772360000", "1772440000", "1", "-1"])})
            }
            "e" if !source.once_in(4) => {
                json!({"L": [{"N": source.pick(&["1", "0.5", "-1"])}, {"N": source.pick(&["1", "2", "0"])}]})
            }
            _ => attribute(source),
        };
        item.insert(name.to_owned(), value);
    }
    Value::Object(item)
}
