//! The format in which items are stored, compared and sent: canonical DynamoDB JSON.
//!
//! Names and sets are sorted, numbers are normalised, and there is no white space. So two items are equal exactly when their texts are. Decoding
//! accepts any DynamoDB JSON.

mod text_hash;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{AttributeValue, Item, ParseError};

use self::text_hash::CachedHash;
pub use self::text_hash::text_hash;

/// An item as canonical DynamoDB JSON, with the size that DynamoDB counts for it.
///
/// Reading an item from the database and sending it to a client copies this text, without decoding it.
///
/// # Examples
///
/// ```
/// use pdb_model::{EncodedItem, Item};
///
/// let item = Item::from([("pk", "o1".into()), ("n", 1.into())]);
/// let encoded = EncodedItem::from(&item);
/// assert_eq!(encoded.json(), r#"{"n":{"N":"1"},"pk":{"S":"o1"}}"#);
/// assert_eq!(encoded.decode()?, item);
/// # Ok::<(), pdb_model::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedItem {
    json: String,
    size_bytes: u64,
    hash: CachedHash,
}

impl EncodedItem {
    /// Takes a text that [`EncodedItem::json`] has returned, and its size, from the database. They are not checked.
    #[must_use]
    pub fn from_stored(json: String, size_bytes: u64) -> Self {
        Self { json, size_bytes, hash: CachedHash::default() }
    }

    /// Variant of [`EncodedItem::from_stored`] for a text whose [`text_hash()`] is known.
    #[must_use]
    pub fn from_stored_with_hash(json: String, size_bytes: u64, hash: u64) -> Self {
        Self { json, size_bytes, hash: CachedHash::new(hash) }
    }

    /// Returns the [`text_hash()`] of the canonical text. It is computed once and cached.
    #[must_use]
    pub fn text_hash(&self) -> u64 {
        self.hash.of(&self.json)
    }

    /// Returns the canonical text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the canonical text without copying it.
    #[must_use]
    pub fn into_json(self) -> String {
        self.json
    }

    /// Returns the size that DynamoDB counts for the item, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Decodes the item.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the text is not DynamoDB JSON. A stored text like that means that the database is damaged.
    pub fn decode(&self) -> Result<Item, ParseError> {
        Item::from_json(&self.json)
    }

    /// Decodes only the attributes with certain names. Other attributes are skipped, which takes no memory and a fraction of the time.
    ///
    /// # Errors
    ///
    /// The same as [`EncodedItem::decode`]. The values of skipped attributes are not checked.
    pub fn decode_attributes(&self, wanted: impl Fn(&str) -> bool) -> Result<Item, ParseError> {
        Item::attributes_from_json(&self.json, wanted)
    }

    /// Returns the canonical text of the item without an attribute. The other attributes are copied, not decoded.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the text is not a JSON object. A stored text like that means that the database is damaged.
    pub fn json_without(&self, attribute: &str) -> Result<String, ParseError> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.json);
        Without { attribute, json: String::with_capacity(self.json.len()) }
            .deserialize(&mut deserializer)
            .map_err(|e| ParseError::new("item", e.to_string()))
    }
}

impl From<&Item> for EncodedItem {
    fn from(item: &Item) -> Self {
        let size_bytes = item.size_bytes();
        let mut json = String::with_capacity(usize::try_from(size_bytes).unwrap_or(0) + 12 * item.len() + 2);
        write_map(&mut json, item.0.iter());
        Self { json, size_bytes, hash: CachedHash::default() }
    }
}

impl Item {
    /// Parses an item from DynamoDB JSON, such as `{"pk":{"S":"o1"}}`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the text is not DynamoDB JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        let Entries(entries) =
            serde_json::from_str(json).map_err(|e| ParseError::new("item", e.to_string()))?;
        Ok(entries.into_iter().collect())
    }

    /// Parses the attributes with certain names from the DynamoDB JSON of an item. Other attributes are skipped, which takes no memory and a
    /// fraction of the time.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the text is not DynamoDB JSON. The values of skipped attributes are not checked.
    pub fn attributes_from_json(json: &str, wanted: impl Fn(&str) -> bool) -> Result<Self, ParseError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let entries = WantedEntries(wanted)
            .deserialize(&mut deserializer)
            .and_then(|entries| deserializer.end().map(|()| entries))
            .map_err(|e| ParseError::new("item", e.to_string()))?;
        Ok(entries.into_iter().collect())
    }
}

impl AttributeValue {
    /// Parses a value from DynamoDB JSON, such as `{"S":"o1"}`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the text is not DynamoDB JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        let Decoded(value) =
            serde_json::from_str(json).map_err(|e| ParseError::new("attribute value", e.to_string()))?;
        Ok(value)
    }

    /// Appends the canonical DynamoDB JSON of the value.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::S(text) => {
                out.push_str("{\"S\":");
                write_json_string(out, text);
            }
            Self::N(number) => {
                out.push_str("{\"N\":\"");
                push_display(out, number);
                out.push('"');
            }
            Self::B(bytes) => {
                out.push_str("{\"B\":\"");
                BASE64.encode_string(bytes, out);
                out.push('"');
            }
            Self::Bool(value) => out.push_str(if *value { "{\"BOOL\":true" } else { "{\"BOOL\":false" }),
            Self::Null => out.push_str("{\"NULL\":true"),
            Self::Ss(set) => write_list(out, "{\"SS\":[", set, |out, text| write_json_string(out, text)),
            Self::Ns(set) => write_list(out, "{\"NS\":[", set, |out, number| {
                out.push('"');
                push_display(out, number);
                out.push('"');
            }),
            Self::Bs(set) => write_list(out, "{\"BS\":[", set, |out, bytes| {
                out.push('"');
                BASE64.encode_string(bytes, out);
                out.push('"');
            }),
            Self::L(list) => write_list(out, "{\"L\":[", list, |out, value| value.write_json(out)),
            Self::M(map) => {
                out.push_str("{\"M\":");
                write_map(out, map.iter());
            }
        }
        out.push('}');
    }
}

/// Prints the canonical DynamoDB JSON.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = String::new();
        self.write_json(&mut json);
        f.write_str(&json)
    }
}

/// Prints the canonical DynamoDB JSON.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = String::new();
        write_map(&mut json, self.0.iter());
        f.write_str(&json)
    }
}

/// Appends `text` as a JSON string with quotes. It escapes only the characters that JSON does not allow unescaped.
pub fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let plain = plain_length(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(byte) = rest.as_bytes().get(plain) else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => push_display(out, &format_args!("\\u{other:04x}")),
        }
        rest = &rest[plain + 1..];
    }
    out.push('"');
}

/// Returns how many bytes at the beginning need no escape.
fn plain_length(bytes: &[u8]) -> usize {
    let must_be_escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    // Most texts have nothing to escape. Without a branch for each byte, the compiler looks at all bytes of a part at once.
    let is_plain = |part: &&[u8]| !part.iter().fold(false, |found, byte| found | must_be_escaped(byte));
    let plain = 32 * bytes.chunks_exact(32).take_while(is_plain).count();
    bytes[plain..].iter().position(must_be_escaped).map_or(bytes.len(), |at| plain + at)
}

fn write_map<'a>(out: &mut String, entries: impl Iterator<Item = (&'a String, &'a AttributeValue)>) {
    out.push('{');
    for (n, (name, value)) in entries.enumerate() {
        if n > 0 {
            out.push(',');
        }
        write_json_string(out, name);
        out.push(':');
        value.write_json(out);
    }
    out.push('}');
}

fn write_list<'a, T: 'a>(
    out: &mut String,
    open: &str,
    elements: impl IntoIterator<Item = &'a T>,
    mut write: impl FnMut(&mut String, &'a T),
) {
    out.push_str(open);
    for (n, element) in elements.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

fn push_display(out: &mut String, value: &impl fmt::Display) {
    use fmt::Write;
    write!(out, "{value}").expect("writing to a String cannot fail");
}

/// An attribute value decoded from DynamoDB JSON.
struct Decoded(AttributeValue);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DecodedVisitor)
    }
}

struct DecodedVisitor;

impl<'de> Visitor<'de> for DecodedVisitor {
    type Value = Decoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decoded, A::Error> {
        let Some(tag) = map.next_key::<Tag>()? else {
            return Err(de::Error::custom("an attribute value needs a type"));
        };
        let value = match tag {
            Tag::S => AttributeValue::S(map.next_value()?),
            Tag::N => AttributeValue::N(map.next_value::<NumberText>()?.0),
            Tag::B => AttributeValue::B(map.next_value::<Base64Text>()?.0),
            Tag::Bool => AttributeValue::Bool(map.next_value()?),
            Tag::Null => {
                map.next_value::<bool>()?;
                AttributeValue::Null
            }
            Tag::Ss => AttributeValue::Ss(map.next_value::<Vec<String>>()?.into_iter().collect()),
            Tag::Ns => {
                AttributeValue::Ns(map.next_value::<Vec<NumberText>>()?.into_iter().map(|n| n.0).collect())
            }
            Tag::Bs => {
                AttributeValue::Bs(map.next_value::<Vec<Base64Text>>()?.into_iter().map(|b| b.0).collect())
            }
            Tag::L => {
                let mut list: Vec<_> = map.next_value::<Vec<Decoded>>()?.into_iter().map(|d| d.0).collect();
                list.shrink_to_fit();
                AttributeValue::L(list)
            }
            Tag::M => AttributeValue::M(map.next_value::<Entries>()?.0.into_iter().collect()),
        };
        if map.next_key::<Tag>()?.is_some() {
            return Err(de::Error::custom("an attribute value has one type"));
        }
        Ok(Decoded(value))
    }
}

/// Values by name, in the order of the text.
struct Entries(Vec<(String, AttributeValue)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, Decoded(value))) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

/// Copies all members but one.
struct Without<'a> {
    attribute: &'a str,
    json: String,
}

impl<'de> DeserializeSeed<'de> for Without<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Without<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<String, A::Error> {
        self.json.push('{');
        while let Some(name) = members.next_key::<String>()? {
            let value: &serde_json::value::RawValue = members.next_value()?;
            if name == self.attribute {
                continue;
            }
            if self.json.len() > 1 {
                self.json.push(',');
            }
            write_json_string(&mut self.json, &name);
            self.json.push(':');
            self.json.push_str(value.get());
        }
        self.json.push('}');
        Ok(self.json)
    }
}

/// Decodes the values whose names the function accepts.
struct WantedEntries<F>(F);

impl<'de, F: Fn(&str) -> bool> DeserializeSeed<'de> for WantedEntries<F> {
    type Value = Vec<(String, AttributeValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for WantedEntries<F> {
    type Value = Vec<(String, AttributeValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if (self.0)(&name) {
                let Decoded(value) = map.next_value()?;
                entries.push((name, value));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entries)
    }
}

/// The name of a type, which is the only member of a value.
#[derive(serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Tag {
    S,
    N,
    B,
    Bool,
    Null,
    Ss,
    Ns,
    Bs,
    L,
    M,
}

struct NumberText(crate::Number);

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(|text: &str| text.parse().map(NumberText).ok()))
    }
}

struct Base64Text(Vec<u8>);

impl<'de> Deserialize<'de> for Base64Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(|text: &str| BASE64.decode(text).map(Base64Text).ok()))
    }
}

/// Decodes a string with a function that returns `None` for a malformed text.
struct TextVisitor<F>(F);

impl<'de, T, F: FnOnce(&str) -> Option<T>> Visitor<'de> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a well-formed string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom("malformed string"))
    }
}

#[cfg(test)]
mod tests;
