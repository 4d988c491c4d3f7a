//! Expression parameters: which may be given together, and the maps of names and values.

use std::collections::BTreeMap;

use pdb_model::{ApiError, AttributeValue};

use crate::decode::{Entries, Text};
use crate::layer::Texts;
use crate::value::{Value, bad_name};

/// The longest placeholder, in bytes, its sign included.
const MAX_KEY_BYTES: usize = 255;

/// A parameter's name, and whether the request has it.
pub(crate) type Given = (&'static str, bool);

/// The parameters around expressions, for the checks of their presence.
pub(crate) struct Presence<'c> {
    /// Legacy parameters, in the order in which AWS lists them.
    pub(crate) legacy: &'c [Given],
    /// Expressions, in the order in which AWS lists them.
    pub(crate) expressions: &'c [Given],
    /// The expressions that may use values, in the order in which AWS lists them.
    pub(crate) with_values: &'c [Given],
    /// Whether there is `ExpressionAttributeNames`.
    pub(crate) has_names: bool,
    /// Whether there is `ExpressionAttributeValues`.
    pub(crate) has_values: bool,
}

impl Presence<'_> {
    /// Refuses legacy parameters next to expressions, and names or values without an expression.
    ///
    /// # Errors
    ///
    /// `ValidationException`.
    pub(crate) fn check(&self, texts: Texts) -> Result<(), ApiError> {
        let refuse = |message: String| Err(ApiError::validation(texts.envelope(message)));
        let given = |parameters: &[Given]| -> Vec<&str> {
            parameters.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect()
        };
        let (legacy, expressions) = (given(self.legacy), given(self.expressions));
        if !legacy.is_empty() && !expressions.is_empty() {
            return refuse(format!(
                "Can not use both expression and non-expression parameters in the same request: Non-expression \
                 parameters: {{{}}} Expression parameters: {{{}}}",
                legacy.join(", "),
                expressions.join(", ")
            ));
        }
        if self.has_names && expressions.is_empty() {
            return refuse(
                "ExpressionAttributeNames can only be specified when using expressions".to_owned(),
            );
        }
        if self.has_values && given(self.with_values).is_empty() {
            let missing: Vec<&str> = self.with_values.iter().map(|(name, _)| *name).collect();
            let verb = if missing.len() == 1 { "is" } else { "are" };
            return refuse(match (texts.is_modern, missing.is_empty()) {
                (true, _) | (_, true) => {
                    "ExpressionAttributeValues can only be specified when using expressions".to_owned()
                }
                (false, false) => format!(
                    "ExpressionAttributeValues can only be specified when using expressions: {} {verb} null",
                    missing.join(" and ")
                ),
            });
        }
        Ok(())
    }
}

/// Checks `ExpressionAttributeNames` and takes it.
///
/// # Errors
///
/// `ValidationException` for an empty map, a malformed key, or a name that no attribute has.
pub(crate) fn names(
    entries: Option<Entries<'_, Text<'_>>>,
    texts: Texts,
) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(entries) = entries else { return Ok(BTreeMap::new()) };
    let refuse = |message: String| Err(ApiError::validation(texts.envelope(message)));
    if entries.is_empty() {
        return refuse("ExpressionAttributeNames must not be empty".to_owned());
    }
    if let Some(fault) = entries.iter().find_map(|(key, _)| key_fault(key, '#')) {
        return refuse(format!("ExpressionAttributeNames contains invalid key: {fault}"));
    }
    for (key, name) in entries.iter() {
        if let Some(text) = bad_name(name) {
            return refuse(if texts.is_modern {
                text.to_owned()
            } else {
                format!("ExpressionAttributeNames contains invalid value: {text} for key {key}")
            });
        }
    }
    Ok(entries.into_iter().map(|(key, name)| (key.into_owned(), name.into_owned())).collect())
}

/// Checks `ExpressionAttributeValues` and takes it.
///
/// # Errors
///
/// `ValidationException` for an empty map, a malformed key, or a value that is none: keys first.
pub(crate) fn values(
    entries: Option<Entries<'_, Value>>,
    texts: Texts,
) -> Result<BTreeMap<String, AttributeValue>, ApiError> {
    let Some(entries) = entries else { return Ok(BTreeMap::new()) };
    let refuse = |message: String| Err(ApiError::validation(texts.envelope(message)));
    if entries.is_empty() {
        return refuse("ExpressionAttributeValues must not be empty".to_owned());
    }
    if let Some(fault) = entries.iter().find_map(|(key, _)| key_fault(key, ':')) {
        return refuse(format!("ExpressionAttributeValues contains invalid key: {fault}"));
    }
    for (key, value) in entries.iter() {
        if let Some(fault) = value.fault() {
            let text = fault.text(texts);
            return refuse(if texts.is_modern {
                text
            } else {
                format!("ExpressionAttributeValues contains invalid value: {text} for key {key}")
            });
        }
    }
    Ok(entries.into_iter().map(|(key, value)| (key.into_owned(), value.into_inner())).collect())
}

/// What is wrong with a key, which must be the sign and at least one letter, digit or underscore; its length is checked first.
fn key_fault(key: &str, sign: char) -> Option<String> {
    if key.len() > MAX_KEY_BYTES {
        return Some(format!(
            "The expression attribute map contains a key that is too long; size of key: {}",
            key.len()
        ));
    }
    let is_placeholder = key.strip_prefix(sign).is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    (!is_placeholder).then(|| format!("Syntax error; key: \"{key}\""))
}

/// The text of an expression.
pub(crate) fn expression(text: Option<Text<'_>>) -> Option<String> {
    text.map(Text::into_owned)
}
