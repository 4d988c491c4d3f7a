//! From the conditions of a query to the slice of a partition it reads.
//!
//! Evidence: `validation.md` 10.7, items 10 and 11, and `expressions.md`, section 7.

use pdb_model::{AttributeValue, KeyAttribute, KeySchema, KeyValue};

use crate::ItemsError;
use crate::key_range::{PartitionSlice, RangeTest};
use crate::keys::key_value;

/// A condition on one attribute, from an expression or from its legacy form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyPredicate {
    pub(crate) attribute: String,
    pub(crate) test: KeyTest,
}

/// What a condition asks of its attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeyTest {
    Equal(AttributeValue),
    Less(AttributeValue),
    LessOrEqual(AttributeValue),
    Greater(AttributeValue),
    GreaterOrEqual(AttributeValue),
    Between(AttributeValue, AttributeValue),
    BeginsWith(AttributeValue),
    /// A legacy operator that no index can serve.
    NotIndexable,
}

/// Turns conditions into a slice, one key attribute after the other; `check_start_key` is called before each.
pub(crate) fn slice_of(
    schema: &KeySchema,
    predicates: &[KeyPredicate],
    mut check_start_key: impl FnMut(&KeyAttribute) -> Result<(), ItemsError>,
) -> Result<PartitionSlice, ItemsError> {
    if predicates.len() > schema.len() {
        return Err(ItemsError::validation(format!(
            "The number of query conditions ({}) exceeds the number of key attributes defined in the schema ({})",
            predicates.len(),
            schema.len()
        )));
    }
    let is_multiple = schema.hash.len() > 1 || schema.range.len() > 1;
    let constrained = schema.attributes().filter(|attribute| find(predicates, attribute).is_some()).count();
    let mut slice = PartitionSlice { hash: Vec::new(), equal: Vec::new(), test: None };
    for attribute in &schema.hash {
        check_start_key(attribute)?;
        let Some(predicate) = find(predicates, attribute) else {
            return Err(if is_multiple { hash_not_equal() } else { missed(attribute) });
        };
        match checked(schema, attribute, &predicate.test)? {
            Checked::Equal(value) => slice.hash.push(value),
            Checked::Test(_) if is_multiple => return Err(hash_not_equal()),
            Checked::Test(_) => return Err(not_supported()),
        }
    }
    let mut gap = false;
    for attribute in &schema.range {
        check_start_key(attribute)?;
        let Some(predicate) = find(predicates, attribute) else {
            // A condition is left over that is on no key attribute.
            if constrained < predicates.len() {
                return Err(missed(attribute));
            }
            gap = true;
            continue;
        };
        let test = checked(schema, attribute, &predicate.test)?;
        if gap || slice.test.is_some() {
            return Err(range_not_equal());
        }
        match test {
            Checked::Equal(value) => slice.equal.push(value),
            Checked::Test(test) => slice.test = Some(test),
        }
    }
    Ok(slice)
}

/// A condition whose operands have the type of the key attribute.
enum Checked {
    Equal(KeyValue),
    Test(RangeTest),
}

fn checked(schema: &KeySchema, attribute: &KeyAttribute, test: &KeyTest) -> Result<Checked, ItemsError> {
    let value = |value: &AttributeValue| {
        if value.type_name() == attribute.scalar_type.name() {
            key_value(schema, attribute, value)
        } else {
            Err(ItemsError::validation(
                "One or more parameter values were invalid: Condition parameter type does not match schema type",
            ))
        }
    };
    Ok(Checked::Test(match test {
        KeyTest::Equal(operand) => return Ok(Checked::Equal(value(operand)?)),
        KeyTest::Less(operand) => RangeTest::Less(value(operand)?),
        KeyTest::LessOrEqual(operand) => RangeTest::LessOrEqual(value(operand)?),
        KeyTest::Greater(operand) => RangeTest::Greater(value(operand)?),
        KeyTest::GreaterOrEqual(operand) => RangeTest::GreaterOrEqual(value(operand)?),
        KeyTest::Between(lower, upper) => RangeTest::Between(value(lower)?, value(upper)?),
        KeyTest::BeginsWith(prefix) => RangeTest::BeginsWith(value(prefix)?),
        KeyTest::NotIndexable => {
            return Err(ItemsError::validation(
                "Attempted conditional constraint is not an indexable operation",
            ));
        }
    }))
}

fn find<'a>(predicates: &'a [KeyPredicate], attribute: &KeyAttribute) -> Option<&'a KeyPredicate> {
    predicates.iter().find(|predicate| predicate.attribute == attribute.name)
}

fn missed(attribute: &KeyAttribute) -> ItemsError {
    ItemsError::validation(format!("Query condition missed key schema element: {}", attribute.name))
}

fn not_supported() -> ItemsError {
    ItemsError::validation("Query key condition not supported")
}

fn hash_not_equal() -> ItemsError {
    ItemsError::validation(
        "Query key condition not supported: all HASH key attributes must have equality conditions",
    )
}

fn range_not_equal() -> ItemsError {
    ItemsError::validation(
        "Query key condition not supported: RANGE key attributes before the last condition must have equality conditions",
    )
}

#[cfg(test)]
mod tests;
