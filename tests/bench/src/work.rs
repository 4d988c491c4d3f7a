//! The work of all contestants: the same keys and the same items.

use pdb_model::{EncodedItem, Item, KeyBytes, KeyValue};

/// Items of about `item_bytes` over `keys` different keys; the same numbers give the same items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// The size of an item in bytes.
    pub(crate) item_bytes: usize,
    /// How many different keys there are.
    pub(crate) keys: u64,
}

impl Work {
    /// Returns the key of the `n`th operation. Neighbours are far apart.
    pub(crate) fn key(&self, n: u64) -> String {
        format!("key-{:012}", n.wrapping_mul(7_919) % self.keys)
    }

    /// Returns the item of the `n`th operation.
    pub(crate) fn item(&self, n: u64) -> Item {
        let plain = 64;
        Item::new()
            .with("pk", self.key(n))
            .with("revision", i64::try_from(n).unwrap_or(i64::MAX))
            .with("status", if n.is_multiple_of(2) { "open" } else { "closed" })
            .with("text", "x".repeat(self.item_bytes.saturating_sub(plain)))
    }

    /// Returns the item of the `n`th operation as DynamoDB JSON.
    pub(crate) fn item_json(&self, n: u64) -> String {
        EncodedItem::from(&self.item(n)).into_json()
    }

    /// Returns the key of the `n`th operation as DynamoDB JSON.
    pub(crate) fn key_json(&self, n: u64) -> String {
        format!(r#"{{"pk":{{"S":"{}"}}}}"#, self.key(n))
    }
}

/// Returns the bytes under which a key is stored.
pub(crate) fn key_bytes(key: &str) -> Vec<u8> {
    KeyBytes::partition(&[KeyValue::S(key.to_owned())]).into_bytes()
}
