//! The names and values that expressions refer to by `#name` and `:value`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_model::AttributeValue;

use crate::ExprError;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues` of one request, and which of them its expressions use.
///
/// Parse all expressions of the request with the same placeholders, then ask [`Placeholders::check_all_used`].
///
/// # Examples
///
/// ```
/// use pdb_expr::{ConditionExpression, Placeholders};
///
/// let placeholders = Placeholders::new([("#s".to_owned(), "status".to_owned())], [(":s".to_owned(), "open".into())]);
/// ConditionExpression::parse("#s = :s", &placeholders)?;
/// assert!(placeholders.check_all_used().is_ok());
/// # Ok::<(), pdb_expr::ExprError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, Entry<Arc<str>>>,
    values: BTreeMap<String, Entry<Arc<AttributeValue>>>,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    meaning: T,
    used: Cell<bool>,
}

impl<T> Entry<T> {
    fn new(meaning: T) -> Self {
        Self { meaning, used: Cell::new(false) }
    }
}

/// Placeholders that no expression of the request uses. `Display` is AWS's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusedPlaceholders {
    /// Names.
    #[error("Value provided in ExpressionAttributeNames unused in expressions: keys: {{{}}}", .0.join(", "))]
    Names(Vec<String>),
    /// Values; all names are used.
    #[error("Value provided in ExpressionAttributeValues unused in expressions: keys: {{{}}}", .0.join(", "))]
    Values(Vec<String>),
}

impl Placeholders {
    /// Returns the placeholders of a request; keys are written with their `#` or `:`.
    pub fn new(
        names: impl IntoIterator<Item = (String, String)>,
        values: impl IntoIterator<Item = (String, AttributeValue)>,
    ) -> Self {
        Self {
            names: names.into_iter().map(|(key, name)| (key, Entry::new(name.into()))).collect(),
            values: values.into_iter().map(|(key, value)| (key, Entry::new(Arc::new(value)))).collect(),
        }
    }

    /// Checks that the expressions parsed so far use every placeholder.
    ///
    /// # Errors
    ///
    /// The unused names, or if there are none the unused values.
    pub fn check_all_used(&self) -> Result<(), UnusedPlaceholders> {
        let names = unused(&self.names);
        if !names.is_empty() {
            return Err(UnusedPlaceholders::Names(names));
        }
        let values = unused(&self.values);
        if values.is_empty() { Ok(()) } else { Err(UnusedPlaceholders::Values(values)) }
    }

    /// Returns the attribute name that `text`, a literal name or a `#name`, stands for, and counts it as used.
    pub(crate) fn name(&self, text: &str) -> Result<Arc<str>, ExprError> {
        if !text.starts_with('#') {
            return Ok(text.into());
        }
        let entry = self.names.get(text).ok_or_else(|| ExprError::UndefinedName(text.to_owned()))?;
        entry.used.set(true);
        Ok(Arc::clone(&entry.meaning))
    }

    /// Returns the value of the placeholder `text`, and counts it as used.
    pub(crate) fn value(&self, text: &str) -> Result<Arc<AttributeValue>, ExprError> {
        let entry = self.values.get(text).ok_or_else(|| ExprError::UndefinedValue(text.to_owned()))?;
        entry.used.set(true);
        Ok(Arc::clone(&entry.meaning))
    }
}

fn unused<T>(entries: &BTreeMap<String, Entry<T>>) -> Vec<String> {
    entries.iter().filter(|(_, entry)| !entry.used.get()).map(|(key, _)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_names_come_before_unused_values() {
        let placeholders = Placeholders::new(
            [("#a".to_owned(), "a".to_owned()), ("#b".to_owned(), "b".to_owned())],
            [(":a".to_owned(), 1.into())],
        );
        let check = || placeholders.check_all_used().unwrap_err().to_string();
        assert_eq!(
            check(),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"
        );
        placeholders.name("#a").unwrap();
        assert_eq!(check(), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}");
        placeholders.name("#b").unwrap();
        assert_eq!(check(), "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}");
        placeholders.value(":a").unwrap();
        assert_eq!(placeholders.check_all_used(), Ok(()));
    }
}
