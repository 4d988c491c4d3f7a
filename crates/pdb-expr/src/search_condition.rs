//! Conditions of searches: which entries of a vector index a search looks at.

use std::sync::Arc;

use pdb_model::AttributeValue;

use crate::syntax::Comparator;
use crate::{ConditionExpression, ExprError, Operand};

/// A `SearchConditionExpression`: attributes and the values that they must have, all of them.
///
/// Which attributes an index knows, only the index can tell.
///
/// # Examples
///
/// ```
/// use pdb_expr::{ConditionExpression, Placeholders, SearchCondition};
///
/// let values = [(":t".to_owned(), "a".into()), (":n".to_owned(), 5.into())];
/// let condition = ConditionExpression::parse("tenant = :t AND (:n = size_class)", &Placeholders::new([], values))?;
/// let condition = SearchCondition::from_condition(&condition)?;
/// assert_eq!(condition.value("size_class"), Some(&5.into()));
/// # Ok::<(), pdb_expr::ExprError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchCondition {
    terms: Vec<(Arc<str>, Arc<AttributeValue>)>,
}

impl SearchCondition {
    /// Converts a condition.
    ///
    /// # Errors
    ///
    /// [`ExprError::SearchComparator`], [`ExprError::SearchNestedAttribute`], [`ExprError::SearchRepeated`].
    pub fn from_condition(condition: &ConditionExpression) -> Result<Self, ExprError> {
        let mut terms = Self::default();
        terms.add(condition)?;
        Ok(terms)
    }

    /// Returns the attributes and their values, in the order of the expression.
    pub fn terms(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.terms.iter().map(|(attribute, value)| (&**attribute, &**value))
    }

    /// Returns the value that an attribute must have.
    #[must_use]
    pub fn value(&self, attribute: &str) -> Option<&AttributeValue> {
        self.terms().find(|(name, _)| *name == attribute).map(|(_, value)| value)
    }

    fn add(&mut self, condition: &ConditionExpression) -> Result<(), ExprError> {
        let (path, value) = match condition {
            ConditionExpression::And(parts) => return parts.iter().try_for_each(|part| self.add(part)),
            ConditionExpression::Compare(Comparator::Equal, Operand::Path(path), Operand::Value(value))
            | ConditionExpression::Compare(Comparator::Equal, Operand::Value(value), Operand::Path(path)) => {
                (path, value)
            }
            _ => return Err(ExprError::SearchComparator),
        };
        if path.is_nested() {
            return Err(ExprError::SearchNestedAttribute);
        }
        if self.value(&path.attribute).is_some() {
            return Err(ExprError::SearchRepeated);
        }
        self.terms.push((path.attribute.clone(), value.clone()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Placeholders;

    #[test]
    fn only_equalities_of_different_attributes_are_conditions_of_searches() {
        let parsed = |text: &str| {
            let values = [":a", ":b"].map(|name| (name.to_owned(), AttributeValue::from(name)));
            let condition = ConditionExpression::parse(text, &Placeholders::new([], values)).unwrap();
            SearchCondition::from_condition(&condition)
        };
        for text in ["x = :a", ":a = x", "x = :a AND y = :b", "(x = :a) AND (:b = y)"] {
            assert_eq!(parsed(text).unwrap().value("x"), Some(&":a".into()), "{text}");
        }
        for (text, fault) in [
            ("x < :a", ExprError::SearchComparator),
            ("x <> :a", ExprError::SearchComparator),
            ("x IN (:a, :b)", ExprError::SearchComparator),
            ("x = :a OR y = :b", ExprError::SearchComparator),
            ("NOT x = :a", ExprError::SearchComparator),
            ("x = y", ExprError::SearchComparator),
            ("x BETWEEN :a AND :b", ExprError::SearchComparator),
            ("attribute_exists(x)", ExprError::SearchComparator),
            ("x.y = :a", ExprError::SearchNestedAttribute),
            ("x = :a AND x = :b", ExprError::SearchRepeated),
        ] {
            assert_eq!(parsed(text), Err(fault), "{text}");
        }
    }
}
