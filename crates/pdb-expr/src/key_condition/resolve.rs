//! Key conditions against a schema.

use std::sync::Arc;

use pdb_model::{AttributeValue, KeyAttribute, KeySchema, KeyValue, ScalarType};

use super::{AttributeCondition, KeyComparison, KeyCondition, KeyConditionExpression};

/// Why a key condition does not fit the keys of a table or index. `Display` is AWS's text, whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyConditionError {
    /// More conditions than key attributes.
    #[error(
        "The number of query conditions ({conditions}) exceeds the number of key attributes defined in the schema ({attributes})"
    )]
    TooMany {
        /// How many conditions there are.
        conditions: usize,
        /// How many key attributes there are.
        attributes: usize,
    },
    /// No condition on the hash attribute, or on the range attribute although there is a second condition.
    #[error("Query condition missed key schema element: {0}")]
    Missed(String),
    /// An operator that the hash attribute does not take, or a second condition where there is no range attribute.
    #[error("Query key condition not supported")]
    Unsupported,
    /// Some of several hash attributes have no equality.
    #[error("HASH key attributes {} must have equality conditions specified in the query", .0.join(", "))]
    HashEquality(Vec<String>),
    /// A gap in the range attributes, or an inequality before the last condition.
    #[error(
        "RANGE key attributes {} must have equality conditions specified in the query because a condition is present on \
         key attribute {last}",
        .missing.join(", ")
    )]
    RangeEquality {
        /// The attributes that have no equality, though a later one has a condition.
        missing: Vec<String>,
        /// The last attribute that has a condition.
        last: String,
    },
    /// A constant of another type than the attribute.
    #[error("One or more parameter values were invalid: Condition parameter type does not match schema type")]
    Type,
}

impl KeyConditionExpression {
    /// Checks that there are no more conditions than key attributes.
    ///
    /// # Errors
    ///
    /// [`KeyConditionError::TooMany`].
    pub fn check_count(&self, schema: &KeySchema) -> Result<(), KeyConditionError> {
        let (conditions, attributes) = (self.conditions.len(), schema.len());
        if conditions > attributes {
            return Err(KeyConditionError::TooMany { conditions, attributes });
        }
        Ok(())
    }

    /// Checks the condition on one attribute of the schema.
    ///
    /// # Errors
    ///
    /// The first [`KeyConditionError`]: a missed attribute, a wrong type, an operator that does not suit.
    pub fn check_attribute(&self, schema: &KeySchema, key: &KeyAttribute) -> Result<(), KeyConditionError> {
        let is_hash = schema.hash.contains(key);
        let Some(condition) = self.on(key) else {
            return self.check_missed(schema, key, is_hash);
        };
        condition.comparison.try_map(|value| typed(value, key.scalar_type)).map(|_| ())?;
        let is_equality = matches!(condition.comparison, KeyComparison::Equal(_));
        if is_hash && !is_equality {
            return Err(if schema.hash.len() > 1 {
                self.hash_equality(schema)
            } else {
                KeyConditionError::Unsupported
            });
        }
        if is_hash || is_equality { Ok(()) } else { self.check_last(schema, key) }
    }

    /// Checks whether an attribute may go without a condition.
    fn check_missed(
        &self,
        schema: &KeySchema,
        key: &KeyAttribute,
        is_hash: bool,
    ) -> Result<(), KeyConditionError> {
        let missed = || Err(KeyConditionError::Missed(key.name.clone()));
        if is_hash {
            return if schema.hash.len() > 1 { Err(self.hash_equality(schema)) } else { missed() };
        }
        if self.conditions.iter().any(|condition| !schema.contains(&condition.attribute)) {
            return missed();
        }
        self.check_last(schema, key)
    }

    /// Checks that there is no condition on a range attribute after this one, which has no equality.
    fn check_last(&self, schema: &KeySchema, key: &KeyAttribute) -> Result<(), KeyConditionError> {
        let later = schema.range.iter().skip_while(|other| *other != key).skip(1);
        let Some(last) = later.filter(|other| self.on(other).is_some()).last() else { return Ok(()) };
        let earlier = schema.range.iter().take_while(|other| *other != last);
        Err(KeyConditionError::RangeEquality {
            missing: self.without_equality(earlier),
            last: last.name.clone(),
        })
    }

    fn hash_equality(&self, schema: &KeySchema) -> KeyConditionError {
        KeyConditionError::HashEquality(self.without_equality(&schema.hash))
    }

    fn without_equality<'k>(&self, keys: impl IntoIterator<Item = &'k KeyAttribute>) -> Vec<String> {
        let has_equality = |key: &KeyAttribute| {
            self.on(key).is_some_and(|found| matches!(found.comparison, KeyComparison::Equal(_)))
        };
        keys.into_iter().filter(|key| !has_equality(key)).map(|key| key.name.clone()).collect()
    }

    /// Returns the keys that the query reads from a table or index with this schema.
    ///
    /// # Errors
    ///
    /// The first [`KeyConditionError`]: the count, then attribute by attribute, hash before range.
    pub fn resolve(&self, schema: &KeySchema) -> Result<KeyCondition, KeyConditionError> {
        self.check_count(schema)?;
        schema.attributes().try_for_each(|key| self.check_attribute(schema, key))?;
        let mut condition = KeyCondition { hash: Vec::new(), range_equal: Vec::new(), range: None };
        for key in schema.attributes() {
            let Some(found) = self.on(key) else { break };
            let comparison = found.comparison.try_map(|value| typed(value, key.scalar_type))?;
            match comparison {
                KeyComparison::Equal(value) if condition.hash.len() < schema.hash.len() => {
                    condition.hash.push(value)
                }
                KeyComparison::Equal(value) => condition.range_equal.push(value),
                other => condition.range = Some(other),
            }
        }
        Ok(condition)
    }

    fn on(&self, key: &KeyAttribute) -> Option<&AttributeCondition> {
        self.conditions.iter().find(|condition| condition.attribute == key.name)
    }
}

fn typed(value: &Arc<AttributeValue>, scalar_type: ScalarType) -> Result<KeyValue, KeyConditionError> {
    match (&**value, scalar_type) {
        (AttributeValue::S(text), ScalarType::S) => Ok(KeyValue::S(text.clone())),
        (AttributeValue::N(number), ScalarType::N) => Ok(KeyValue::N(*number)),
        (AttributeValue::B(bytes), ScalarType::B) => Ok(KeyValue::B(bytes.clone())),
        _ => Err(KeyConditionError::Type),
    }
}
