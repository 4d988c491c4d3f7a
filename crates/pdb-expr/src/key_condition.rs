//! Key conditions: which part of a table or an index a query reads.

mod convert;
mod resolve;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pdb_model::{AttributeValue, KeyValue, PrimaryKey};

use crate::parser::Parser;
use crate::{ConditionExpression, ExprError, Placeholders};

pub use resolve::KeyConditionError;

/// A `KeyConditionExpression`, with all names and values looked up: conditions on different attributes, all of which hold.
///
/// Which of them are keys, and of what, only the table knows: [`KeyConditionExpression::resolve`] asks it.
///
/// # Examples
///
/// ```
/// use pdb_expr::{KeyConditionExpression, Placeholders};
/// use pdb_model::{KeyAttribute, KeySchema, KeyValue, ScalarType};
///
/// let values = [(":p".to_owned(), "a".into()), (":n".to_owned(), 5.into())];
/// let expression = KeyConditionExpression::parse("pk = :p AND :n <= sk", &Placeholders::new([], values))?;
/// let schema = KeySchema::simple(
///     KeyAttribute { name: "pk".to_owned(), scalar_type: ScalarType::S },
///     Some(KeyAttribute { name: "sk".to_owned(), scalar_type: ScalarType::N }),
/// );
/// let condition = expression.resolve(&schema)?;
/// assert_eq!(condition.hash, [KeyValue::S("a".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KeyConditionExpression {
    conditions: Vec<AttributeCondition>,
}

/// A condition on one key attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeCondition {
    /// The attribute.
    pub attribute: String,
    /// What must hold for its value.
    pub comparison: KeyComparison<Arc<AttributeValue>>,
}

/// What must hold for the value of a key attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyComparison<V> {
    /// It equals.
    Equal(V),
    /// It is less.
    Less(V),
    /// It is less or equal.
    LessOrEqual(V),
    /// It is greater.
    Greater(V),
    /// It is greater or equal.
    GreaterOrEqual(V),
    /// The value lies between the two, or equals one of them.
    Between(V, V),
    /// It begins with.
    BeginsWith(V),
}

/// What a query reads: one partition, or a range of it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition {
    /// The values of all hash attributes, in the order of the schema.
    pub hash: Vec<KeyValue>,
    /// The values of the first range attributes that must be equal, in the order of the schema. An equality on the last
    /// constrained range attribute is here too.
    pub range_equal: Vec<KeyValue>,
    /// What must hold for the next range attribute; never [`KeyComparison::Equal`].
    pub range: Option<KeyComparison<KeyValue>>,
}

impl<V> KeyComparison<V> {
    /// Returns the same comparison with other values, or the first error.
    fn try_map<W, E>(&self, mut map: impl FnMut(&V) -> Result<W, E>) -> Result<KeyComparison<W>, E> {
        Ok(match self {
            Self::Equal(value) => KeyComparison::Equal(map(value)?),
            Self::Less(value) => KeyComparison::Less(map(value)?),
            Self::LessOrEqual(value) => KeyComparison::LessOrEqual(map(value)?),
            Self::Greater(value) => KeyComparison::Greater(map(value)?),
            Self::GreaterOrEqual(value) => KeyComparison::GreaterOrEqual(map(value)?),
            Self::Between(lower, upper) => KeyComparison::Between(map(lower)?, map(upper)?),
            Self::BeginsWith(value) => KeyComparison::BeginsWith(map(value)?),
        })
    }
}

impl KeyComparison<KeyValue> {
    /// Returns whether the comparison holds for a value of the same type.
    #[must_use]
    pub fn matches(&self, value: &KeyValue) -> bool {
        match self {
            Self::Equal(other) => value == other,
            Self::Less(other) => value < other,
            Self::LessOrEqual(other) => value <= other,
            Self::Greater(other) => value > other,
            Self::GreaterOrEqual(other) => value >= other,
            Self::Between(lower, upper) => lower <= value && value <= upper,
            Self::BeginsWith(prefix) => match (value, prefix) {
                (KeyValue::S(text), KeyValue::S(prefix)) => text.starts_with(prefix.as_str()),
                (KeyValue::B(bytes), KeyValue::B(prefix)) => bytes.starts_with(prefix),
                _ => false,
            },
        }
    }
}

impl KeyCondition {
    /// Returns whether the range values of a key are among those that the query reads.
    #[must_use]
    pub fn matches_range(&self, range: &[KeyValue]) -> bool {
        range.starts_with(&self.range_equal)
            && self.range.as_ref().is_none_or(|range_condition| {
                range.get(self.range_equal.len()).is_some_and(|value| range_condition.matches(value))
            })
    }

    /// Returns whether a key is among those that the query reads.
    #[must_use]
    pub fn matches(&self, key: &PrimaryKey) -> bool {
        key.hash == self.hash && self.matches_range(&key.range)
    }
}

impl KeyConditionExpression {
    /// Parses a key condition and checks all that can be checked without a schema.
    ///
    /// # Errors
    ///
    /// The first fault: what [`ConditionExpression::parse`] finds, then a part that is not a condition on keys.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, ExprError> {
        let mut parser = Parser::of_condition(text)?;
        let raw = parser.condition()?;
        parser.notes.check_condition()?;
        let condition = crate::condition::Lowering::new(placeholders).condition(&raw)?;
        Self::from_condition(&condition)
    }

    /// Converts a condition.
    ///
    /// # Errors
    ///
    /// The first part that is not a condition on keys.
    pub fn from_condition(condition: &ConditionExpression) -> Result<Self, ExprError> {
        convert::conditions(condition).map(|conditions| Self { conditions })
    }

    /// Returns the conditions, which must be on different attributes.
    #[must_use]
    pub fn from_conditions(conditions: Vec<AttributeCondition>) -> Self {
        Self { conditions }
    }

    /// Returns the conditions in the order of the text.
    #[must_use]
    pub fn conditions(&self) -> &[AttributeCondition] {
        &self.conditions
    }
}
