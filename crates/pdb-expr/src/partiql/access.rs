//! What a `WHERE` says about keys.

use std::sync::Arc;

use pdb_model::{AttributeValue, Item, KeyAttribute, KeySchema, KeyValue};

use super::PartiqlError;
use crate::{
    AttributeCondition, Comparator, ConditionExpression, KeyComparison, KeyCondition, KeyConditionExpression,
    Operand, Path,
};

/// How a `SELECT` finds its items. In each case, the whole `WHERE` still has to hold for each item.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// All items are read.
    Scan,
    /// Parts of partitions are read, and none of them overlap.
    Query(Vec<KeyCondition>),
}

/// Returns how a `SELECT` with this `WHERE` finds its items in a table or index with this key.
///
/// An equality (or `IN`) on the partition key in each alternative that a top-level `OR` joins makes it a query.
///
/// # Errors
///
/// [`PartiqlError::MultiAttributeKeys`], [`PartiqlError::Key`] for a constant of another type than the key, and
/// [`PartiqlError::OverlappingConditions`].
pub fn access(condition: Option<&ConditionExpression>, schema: &KeySchema) -> Result<Access, PartiqlError> {
    if schema.hash.len() > 1 || schema.range.len() > 1 {
        return Err(PartiqlError::MultiAttributeKeys);
    }
    let (Some(condition), Some(hash_key)) = (condition, schema.hash.first()) else { return Ok(Access::Scan) };
    let mut reads: Vec<Read> = Vec::new();
    for alternative in alternatives(condition) {
        let parts = conjuncts(alternative);
        let Some(hashes) = parts.iter().find_map(|part| equalities(part, hash_key)) else {
            return Ok(Access::Scan);
        };
        let range_key = schema.range.first();
        let range = range_key.and_then(|key| parts.iter().find_map(|part| comparison(part, key)));
        let is_exempt = range_key.is_some_and(|key| parts.iter().any(|part| excludes(part, key)));
        for hash in hashes {
            let condition = resolve(schema, hash_key, hash, range.clone())?;
            add(&mut reads, Read { condition, is_exempt })?;
        }
    }
    Ok(Access::Query(reads.into_iter().map(|read| read.condition).collect()))
}

/// Returns the key of the one item that a statement is about: the values that `WHERE` demands of all key attributes.
#[must_use]
pub fn primary_key(condition: Option<&ConditionExpression>, schema: &KeySchema) -> Option<Item> {
    let parts = conjuncts(condition?);
    schema
        .attributes()
        .map(|key| {
            let value = parts.iter().find_map(|part| equality(part, key))?;
            Some((key.name.clone(), (**value).clone()))
        })
        .collect()
}

/// Returns whether `WHERE` has other conditions than equality of key attributes.
#[must_use]
pub fn has_other_conditions(condition: Option<&ConditionExpression>, schema: &KeySchema) -> bool {
    condition.is_some_and(|condition| {
        conjuncts(condition).iter().any(|part| schema.attributes().all(|key| equality(part, key).is_none()))
    })
}

/// A part of a partition that one alternative reads.
struct Read {
    condition: KeyCondition,
    /// Whether the alternative excludes sort keys, which lets it meet other alternatives.
    is_exempt: bool,
}

impl Read {
    fn is_whole_partition(&self) -> bool {
        self.condition.range_equal.is_empty() && self.condition.range.is_none()
    }

    /// Returns the condition of the read on the sort key.
    fn range(&self) -> Option<KeyComparison<KeyValue>> {
        match self.condition.range_equal.first() {
            Some(value) => Some(KeyComparison::Equal(value.clone())),
            None => self.condition.range.clone(),
        }
    }
}

/// Adds a read, and unites it with others of the same partition where that is allowed.
fn add(reads: &mut Vec<Read>, mut new: Read) -> Result<(), PartiqlError> {
    let mut position = 0;
    while position < reads.len() {
        let old = &reads[position];
        if old.condition.hash != new.condition.hash || !meet(old.range().as_ref(), new.range().as_ref()) {
            position += 1;
            continue;
        }
        let is_allowed =
            old.is_exempt || new.is_exempt || (old.is_whole_partition() && new.is_whole_partition());
        if !is_allowed {
            return Err(PartiqlError::OverlappingConditions);
        }
        let is_exempt = old.is_exempt || new.is_exempt;
        let KeyCondition { hash, .. } = reads.swap_remove(position).condition;
        new = Read { condition: KeyCondition { hash, range_equal: Vec::new(), range: None }, is_exempt };
        // What the united read covers now must be compared with all others again.
        position = 0;
    }
    reads.push(new);
    Ok(())
}

/// Returns whether two conditions on a sort key can hold for the same value.
fn meet(one: Option<&KeyComparison<KeyValue>>, two: Option<&KeyComparison<KeyValue>>) -> bool {
    let (Some(one), Some(two)) = (one, two) else { return true };
    // Each is an interval. Two intervals overlap if neither begins after the end of the other.
    !is_behind(one, two) && !is_behind(two, one)
}

/// Returns whether all values that satisfy `one` are greater than all values that satisfy `two`.
fn is_behind(one: &KeyComparison<KeyValue>, two: &KeyComparison<KeyValue>) -> bool {
    use KeyComparison as Is;
    // The smallest value of `one`, and whether it is excluded.
    let (least, excludes_least) = match one {
        Is::Equal(value) | Is::GreaterOrEqual(value) | Is::Between(value, _) | Is::BeginsWith(value) => {
            (value, false)
        }
        Is::Greater(value) => (value, true),
        Is::Less(_) | Is::LessOrEqual(_) => return false,
    };
    match two {
        Is::Equal(greatest) | Is::LessOrEqual(greatest) | Is::Between(_, greatest) => {
            least > greatest || (excludes_least && least == greatest)
        }
        Is::Less(greatest) => least >= greatest,
        Is::BeginsWith(prefix) => least > prefix && !two.matches(least),
        Is::Greater(_) | Is::GreaterOrEqual(_) => false,
    }
}

fn resolve(
    schema: &KeySchema,
    hash_key: &KeyAttribute,
    hash: Arc<AttributeValue>,
    range: Option<AttributeCondition>,
) -> Result<KeyCondition, PartiqlError> {
    let hash =
        AttributeCondition { attribute: hash_key.name.clone(), comparison: KeyComparison::Equal(hash) };
    let conditions = [hash].into_iter().chain(range).collect();
    Ok(KeyConditionExpression::from_conditions(conditions).resolve(schema)?)
}

/// Returns the operands of a top-level `OR`.
fn alternatives(condition: &ConditionExpression) -> Vec<&ConditionExpression> {
    match condition {
        ConditionExpression::Or(parts) => parts.iter().flat_map(alternatives).collect(),
        _ => vec![condition],
    }
}

/// Returns the operands of a top-level `AND`.
fn conjuncts(condition: &ConditionExpression) -> Vec<&ConditionExpression> {
    match condition {
        ConditionExpression::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

fn is_key(operand: &Operand, key: &KeyAttribute) -> bool {
    matches!(operand, Operand::Path(Path { attribute, elements }) if **attribute == *key.name && elements.is_empty())
}

/// Returns the constant that the condition compares the key with, and the comparison as if the key stood on the left.
fn compared<'a>(
    condition: &'a ConditionExpression,
    key: &KeyAttribute,
) -> Option<(Comparator, &'a Arc<AttributeValue>)> {
    match condition {
        ConditionExpression::Compare(comparator, operand, Operand::Value(value)) if is_key(operand, key) => {
            Some((*comparator, value))
        }
        ConditionExpression::Compare(comparator, Operand::Value(value), operand) if is_key(operand, key) => {
            Some((comparator.mirrored(), value))
        }
        _ => None,
    }
}

fn equality<'a>(condition: &'a ConditionExpression, key: &KeyAttribute) -> Option<&'a Arc<AttributeValue>> {
    compared(condition, key)
        .filter(|(comparator, _)| *comparator == Comparator::Equal)
        .map(|(_, value)| value)
}

/// Returns the values that an equality or `IN` allows the key, each once.
fn equalities(condition: &ConditionExpression, key: &KeyAttribute) -> Option<Vec<Arc<AttributeValue>>> {
    if let Some(value) = equality(condition, key) {
        return Some(vec![Arc::clone(value)]);
    }
    let ConditionExpression::In { operand, list } = condition else { return None };
    if !is_key(operand, key) {
        return None;
    }
    let mut values: Vec<Arc<AttributeValue>> = Vec::with_capacity(list.len());
    for operand in list {
        let Operand::Value(value) = operand else { return None };
        if !values.contains(value) {
            values.push(Arc::clone(value));
        }
    }
    Some(values)
}

/// Returns the condition on the sort key, if a query can read exactly the matching keys.
fn comparison(condition: &ConditionExpression, key: &KeyAttribute) -> Option<AttributeCondition> {
    let comparison = match condition {
        ConditionExpression::Between {
            operand,
            lower: Operand::Value(lower),
            upper: Operand::Value(upper),
        } if is_key(operand, key) => KeyComparison::Between(Arc::clone(lower), Arc::clone(upper)),
        ConditionExpression::BeginsWith(operand, Operand::Value(prefix)) if is_key(operand, key) => {
            KeyComparison::BeginsWith(Arc::clone(prefix))
        }
        _ => {
            let (comparator, value) = compared(condition, key)?;
            let value = Arc::clone(value);
            match comparator {
                Comparator::Equal => KeyComparison::Equal(value),
                Comparator::NotEqual => return None,
                Comparator::Less => KeyComparison::Less(value),
                Comparator::LessOrEqual => KeyComparison::LessOrEqual(value),
                Comparator::Greater => KeyComparison::Greater(value),
                Comparator::GreaterOrEqual => KeyComparison::GreaterOrEqual(value),
            }
        }
    };
    Some(AttributeCondition { attribute: key.name.clone(), comparison })
}

/// Returns whether the condition excludes sort keys: `<>`, or a negation.
fn excludes(condition: &ConditionExpression, key: &KeyAttribute) -> bool {
    match condition {
        ConditionExpression::Not(inner) => inner.paths().iter().any(|path| *path.attribute == *key.name),
        _ => compared(condition, key).is_some_and(|(comparator, _)| comparator == Comparator::NotEqual),
    }
}
