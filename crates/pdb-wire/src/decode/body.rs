//! The whole body: JSON or not, and if it is, of the right types.

use pdb_model::{ApiError, ErrorCode};
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny};

use super::meter::{MAX_COPIED_BYTES, MAX_DECODED_BYTES};
use super::{Decode, Meter, Place, Seed};

/// Reads an operation's input.
///
/// # Errors
///
/// `SerializationException`, with a text if the body is JSON of a wrong type and without if it is not JSON. `ValidationException` if it
/// would take too much memory.
pub(crate) fn decode_body<'de, T: Decode<'de>>(body: &'de [u8]) -> Result<T, ApiError> {
    decode_within(body, MAX_DECODED_BYTES)
}

/// Reads the input of an operation that copies values into what they become: updates, transactions and statements.
///
/// # Errors
///
/// As [`decode_body`].
pub(crate) fn decode_copied<'de, T: Decode<'de>>(body: &'de [u8]) -> Result<T, ApiError> {
    decode_within(body, MAX_COPIED_BYTES)
}

fn decode_within<'de, T: Decode<'de>>(body: &'de [u8], max_bytes: usize) -> Result<T, ApiError> {
    let meter = Meter::new(max_bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match Seed::<T>::new(Place::body(&meter))
        .deserialize(&mut deserializer)
        .and_then(|input| deserializer.end().map(|()| input))
    {
        Ok(Some(input)) => Ok(input),
        Ok(None) => Err(not_json()),
        Err(_) if meter.refusal().is_some() && is_json(body) => Err(meter.refusal().unwrap_or_else(not_json)),
        // A type error counts only if the rest of the body is JSON: syntax is checked first.
        Err(error) if error.is_data() && is_json(body) => {
            Err(ApiError::new(ErrorCode::SerializationException, text_of(&error)))
        }
        Err(_) => Err(not_json()),
    }
}

/// Whether the bytes are one JSON value, of any depth.
pub(crate) fn is_json(body: &[u8]) -> bool {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    IgnoredAny::deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

/// The error for a body that is not JSON; it has no text.
pub(crate) fn not_json() -> ApiError {
    ApiError::new(ErrorCode::SerializationException, "")
}

/// The text a decoder gave, without the position that the parser appends.
pub(super) fn text_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}
