//! Items in plain JSON, which has no sets and no bytes.

use pdb_model::{AttributeValue, Item};

/// Reads an item.
pub(crate) fn item(text: &str) -> Result<Item, String> {
    Item::from_plain_json(text).map_err(|error| error.to_string())
}

/// Returns the name of the first attribute that plain JSON cannot express, and the reason.
pub(crate) fn not_plain(item: &Item) -> Option<(&str, &'static str)> {
    item.iter().find_map(|(name, value)| Some((name.as_str(), reason(value)?)))
}

fn reason(value: &AttributeValue) -> Option<&'static str> {
    match value {
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => Some("a set"),
        AttributeValue::B(_) => Some("bytes"),
        AttributeValue::L(elements) => elements.iter().find_map(reason),
        AttributeValue::M(members) => members.iter().find_map(|(_, value)| reason(value)),
        _ => None,
    }
}
