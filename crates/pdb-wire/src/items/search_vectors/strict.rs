//! The strict decoder of AWS's search service.
//!
//! Its texts are those of the decoder that we use, too, for structures with named members: so a structure is decoded, and forgotten.

use std::fmt;
use std::marker::PhantomData;

use pdb_model::{ApiError, ErrorCode};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Checks the types of all members, and that those are there which must be.
///
/// # Errors
///
/// `SerializationException` for a wrong type, `ValidationException` for a missing member. None if the body is not JSON.
pub(super) fn check(body: &[u8]) -> Result<(), ApiError> {
    let Err(error) = serde_json::from_slice::<SearchVectorsInput>(body) else { return Ok(()) };
    if !error.is_data() {
        return Ok(());
    }
    let text = error.to_string();
    let code = if text.starts_with("missing field") {
        ErrorCode::ValidationException
    } else {
        ErrorCode::SerializationException
    };
    Err(ApiError::new(code, text))
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "it is not read, only decoded")]
struct SearchVectorsInput {
    table_name: Text,
    index_name: Text,
    search_vector: List<AttributeValue>,
    #[serde(rename = "TopK")]
    top_k: i32,
    search_condition_expression: Option<Text>,
    projection_expression: Option<Text>,
    expression_attribute_names: Option<Map<Text>>,
    expression_attribute_values: Option<Map<AttributeValue>>,
    return_consumed_capacity: Option<Text>,
}

/// What lists and maps contain is left to the usual decoder.
#[derive(serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "it is not read, only decoded")]
struct AttributeValue {
    s: Option<Text>,
    n: Option<Text>,
    b: Option<Text>,
    ss: Option<List<Text>>,
    ns: Option<List<Text>>,
    bs: Option<List<Text>>,
    bool: Option<bool>,
    null: Option<bool>,
    l: Option<List<IgnoredAny>>,
    m: Option<Map<IgnoredAny>>,
}

/// Any text, which is not kept.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Self)
    }
}

impl Visitor<'_> for Text {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// Any list, whose elements are not kept.
struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<T>()?.is_some() {}
        Ok(self)
    }
}

/// Any map, whose entries are not kept.
struct Map<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Text, T>()?.is_some() {}
        Ok(self)
    }
}
