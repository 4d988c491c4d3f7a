//! Finds out whether a parser has merged members of an object in JSON that have the same name.
//!
//! A text that a parser has accepted has one colon for each member, besides those in strings. So a text with more colons than the value has members
//! names some of them twice. To count is much faster than to parse with care.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use pdb_model::{AttributeValue, Item};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// Returns whether a text in DynamoDB JSON has a member twice, if this is the item that was read of it.
pub(crate) fn in_typed(text: &str, item: &Item) -> bool {
    colons(text) != item.values().map(|value| 1 + typed_members(value)).sum::<usize>()
}

/// The type of a value is a member, too.
fn typed_members(value: &AttributeValue) -> usize {
    1 + match value {
        AttributeValue::L(elements) => elements.iter().map(typed_members).sum(),
        AttributeValue::M(members) => members.iter().map(|(_, value)| 1 + typed_members(value)).sum(),
        _ => 0,
    }
}

/// Counts the colons outside of strings.
fn colons(json: &str) -> usize {
    let (mut count, mut in_string, mut is_escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// Deserializes a map in which each name appears once.
pub(crate) fn unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    struct Unique<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((name, value)) = access.next_entry::<String, T>()? {
                if map.contains_key(&name) {
                    return Err(A::Error::custom(format!("\"{name}\" appears twice in one object")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}
