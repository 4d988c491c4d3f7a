//! Keys as JSON: `{"keys": [{"accessKeyId": "...", "secretAccessKey": "..."}]}`.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::CredentialsError;
use super::entry::Entry;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'t> {
    /// Not decoded yet, because the place in the text is needed for errors.
    #[serde(borrow)]
    keys: Vec<&'t RawValue>,
}

/// One key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Key {
    access_key_id: String,
    /// Any value: an error of the decoder would show a secret that is not a text.
    secret_access_key: Value,
    #[serde(default, deserialize_with = "present")]
    session_token: Option<Value>,
    expiration: Option<String>,
    user_name: Option<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default, deserialize_with = "present")]
    table_prefixes: Option<Vec<String>>,
}

/// Reads a member that is there. `null` would be no limit, and no token.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Reads the keys of a file.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, CredentialsError> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| fault(&error, 1))?;
    file.keys.into_iter().map(|key| entry(key.get(), line_of(text, key.get()))).collect()
}

/// Reads one key, which begins in a line.
fn entry(text: &str, line: usize) -> Result<Entry, CredentialsError> {
    let key: Key = serde_json::from_str(text).map_err(|error| fault(&error, line))?;
    let secret = |name: &str, value: Value| match value {
        Value::String(text) => Ok(text),
        _ => Err(CredentialsError::line(line, format!("`{name}` is not a text"))),
    };
    Ok(Entry {
        line,
        access_key_id: key.access_key_id,
        secret_access_key: secret("secretAccessKey", key.secret_access_key)?,
        session_token: key.session_token.map(|token| secret("sessionToken", token)).transpose()?,
        expiration: key.expiration,
        user_name: key.user_name,
        read_only: key.read_only,
        table_prefixes: key.table_prefixes,
    })
}

/// Returns the line of a part of the text, from 1.
fn line_of(text: &str, part: &str) -> usize {
    let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// The error of a decoder that began in a line.
fn fault(error: &serde_json::Error, first_line: usize) -> CredentialsError {
    let text = error.to_string();
    // The line comes first in our message, and it is that of the file.
    let reason = text.split(" at line ").next().unwrap_or_default();
    CredentialsError::line(first_line + error.line().saturating_sub(1), reason)
}
