//! Stream records and shards, and the rules for comparing them.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// Which images a stream's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// `KEYS_ONLY`
    Keys,
    /// `NEW_IMAGE`
    New,
    /// `OLD_IMAGE`
    Old,
    /// `NEW_AND_OLD_IMAGES`
    Both,
}

impl View {
    /// All four.
    pub const ALL: [View; 4] = [View::Keys, View::New, View::Old, View::Both];

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "KEYS_ONLY",
            Self::New => "NEW_IMAGE",
            Self::Old => "OLD_IMAGE",
            Self::Both => "NEW_AND_OLD_IMAGES",
        }
    }

    /// Returns whether records carry the item before the write.
    pub fn has_old(self) -> bool {
        matches!(self, Self::Old | Self::Both)
    }

    /// Returns whether records carry the item after the write.
    pub fn has_new(self) -> bool {
        matches!(self, Self::New | Self::Both)
    }
}

/// A record of `GetRecords`.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(pub Value);

impl Record {
    /// Returns `eventName`.
    pub fn event(&self) -> &str {
        self.0["eventName"].as_str().unwrap_or_default()
    }

    /// Returns the inner part.
    pub fn inner(&self) -> &Value {
        &self.0["dynamodb"]
    }

    /// Returns `Keys`.
    pub fn keys(&self) -> &Value {
        &self.inner()["Keys"]
    }

    /// Returns the item before the write, if the record has it.
    pub fn old_image(&self) -> Option<&Value> {
        self.inner().get("OldImage")
    }

    /// Returns the item after the write, if the record has it.
    pub fn new_image(&self) -> Option<&Value> {
        self.inner().get("NewImage")
    }

    /// Returns `SequenceNumber`.
    pub fn number(&self) -> &str {
        self.inner()["SequenceNumber"].as_str().unwrap_or_default()
    }

    /// Returns `SizeBytes`.
    pub fn size_bytes(&self) -> Option<u64> {
        self.inner()["SizeBytes"].as_u64()
    }

    /// Returns `eventID`.
    pub fn event_id(&self) -> &str {
        self.0["eventID"].as_str().unwrap_or_default()
    }

    /// Returns event and key values, for texts.
    pub fn summary(&self) -> String {
        let keys: Vec<String> = self
            .keys()
            .as_object()
            .map(|keys| keys.values().map(|v| v.to_string()).collect())
            .unwrap_or_default();
        format!("{} {}", self.event(), keys.join(" "))
    }
}

/// A shard of `DescribeStream`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shard(pub Value);

impl Shard {
    /// Returns `ShardId`.
    pub fn id(&self) -> &str {
        self.0["ShardId"].as_str().unwrap_or_default()
    }

    /// Returns `ParentShardId`.
    pub fn parent(&self) -> Option<&str> {
        self.0["ParentShardId"].as_str()
    }

    /// Returns `StartingSequenceNumber`.
    pub fn start(&self) -> &str {
        self.0["SequenceNumberRange"]["StartingSequenceNumber"].as_str().unwrap_or_default()
    }

    /// Returns `EndingSequenceNumber`, which only closed shards have.
    pub fn end(&self) -> Option<&str> {
        self.0["SequenceNumberRange"]["EndingSequenceNumber"].as_str()
    }

    /// Returns whether writes still may go to it.
    pub fn is_open(&self) -> bool {
        self.end().is_none()
    }
}

/// Compares sequence numbers as numbers, whatever their length.
pub(crate) fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Returns `{"S": text}`.
pub(crate) fn s(text: impl Into<String>) -> Value {
    json!({"S": text.into()})
}

/// Returns `{"N": number}`.
pub(crate) fn n(number: impl ToString) -> Value {
    json!({"N": number.to_string()})
}

/// Returns the members of both objects.
pub(crate) fn merged(a: &Value, b: &Value) -> Value {
    let mut all: Map<String, Value> = a.as_object().cloned().unwrap_or_default();
    all.extend(b.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// Returns an item with the elements of its sets in one order, as sets have none of their own.
pub(crate) fn normal(item: &Value) -> Value {
    match item {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        ("SS" | "NS" | "BS", Value::Array(elements)) => {
                            let mut elements = elements.clone();
                            elements.sort_by_key(|e| e.to_string());
                            Value::Array(elements)
                        }
                        _ => normal(value),
                    };
                    (name.clone(), value)
                })
                .collect(),
        ),
        Value::Array(elements) => Value::Array(elements.iter().map(normal).collect()),
        _ => item.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(compare_numbers("900000000000000000001", "1000000000000000000001"), Ordering::Less);
        assert_eq!(compare_numbers("000000000000000000010", "9"), Ordering::Greater);
        assert_eq!(compare_numbers("0010", "10"), Ordering::Equal);
    }

    #[test]
    fn sets_have_no_order() {
        assert_eq!(normal(&json!({"a": {"SS": ["b", "a"]}})), json!({"a": {"SS": ["a", "b"]}}));
        assert_ne!(normal(&json!({"a": {"L": [s("b"), s("a")]}})), json!({"a": {"L": [s("a"), s("b")]}}));
    }
}
