//! Whether a condition holds for an item. Nothing here fails: what does not fit makes a predicate false.

use std::borrow::Cow;
use std::cmp::Ordering;

use pdb_model::{AttributeValue, Item, Number};

use super::{AttributeType, ConditionExpression, Operand};
use crate::path::compare;
use crate::syntax::Comparator;

impl ConditionExpression {
    /// Returns whether the condition holds for the item; on a missing item every path is missing.
    #[must_use]
    pub fn matches(&self, item: Option<&Item>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(item)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(item)),
            Self::Not(inner) => !inner.matches(item),
            Self::Compare(comparator, left, right) => compare_operands(*comparator, left, right, item),
            Self::Between { operand, lower, upper } => between(operand, lower, upper, item).unwrap_or(false),
            Self::In { operand, list } => operand.evaluate(item).is_some_and(|value| {
                list.iter().any(|candidate| candidate.evaluate(item).is_some_and(|other| value == other))
            }),
            Self::AttributeExists(path) => item.is_some_and(|item| path.resolve(item).is_some()),
            Self::AttributeNotExists(path) => item.is_none_or(|item| path.resolve(item).is_none()),
            Self::AttributeType(operand, expected) => {
                operand.evaluate(item).is_some_and(|value| AttributeType::of(&value) == *expected)
            }
            Self::BeginsWith(whole, prefix) => both(whole, prefix, item, begins_with),
            Self::Contains(whole, part) => both(whole, part, item, contains),
        }
    }
}

impl Operand {
    fn evaluate<'a>(&'a self, item: Option<&'a Item>) -> Option<Cow<'a, AttributeValue>> {
        match self {
            Self::Path(path) => path.resolve(item?).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(operand) => {
                let size = size(&*operand.evaluate(item)?)?;
                Some(Cow::Owned(AttributeValue::N(Number::from(size as u64))))
            }
        }
    }

    /// Returns whether the operand is a size that the item does not have.
    fn is_sizeless(&self, item: Option<&Item>) -> bool {
        matches!(self, Self::Size(_)) && self.evaluate(item).is_none()
    }
}

fn compare_operands(comparator: Comparator, left: &Operand, right: &Operand, item: Option<&Item>) -> bool {
    // A size that does not exist makes any comparison false, also `<>`.
    if comparator == Comparator::NotEqual && (left.is_sizeless(item) || right.is_sizeless(item)) {
        return false;
    }
    match (left.evaluate(item), right.evaluate(item)) {
        (Some(left), Some(right)) => compares(comparator, &left, &right),
        _ => comparator == Comparator::NotEqual,
    }
}

/// Returns whether two values compare so, as a condition compares them.
#[must_use]
pub fn compares(comparator: Comparator, left: &AttributeValue, right: &AttributeValue) -> bool {
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => compare(left, right).is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => compare(left, right).is_some_and(Ordering::is_le),
        Comparator::Greater => compare(left, right).is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => compare(left, right).is_some_and(Ordering::is_ge),
    }
}

fn between(operand: &Operand, lower: &Operand, upper: &Operand, item: Option<&Item>) -> Option<bool> {
    let value = operand.evaluate(item)?;
    let (lower, upper) = (lower.evaluate(item)?, upper.evaluate(item)?);
    Some(compare(&lower, &value)?.is_le() && compare(&value, &upper)?.is_le())
}

fn both(
    left: &Operand,
    right: &Operand,
    item: Option<&Item>,
    test: fn(&AttributeValue, &AttributeValue) -> bool,
) -> bool {
    match (left.evaluate(item), right.evaluate(item)) {
        (Some(left), Some(right)) => test(&left, &right),
        _ => false,
    }
}

fn begins_with(whole: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (whole, prefix) {
        (AttributeValue::S(whole), AttributeValue::S(prefix)) => whole.starts_with(prefix.as_str()),
        (AttributeValue::B(whole), AttributeValue::B(prefix)) => whole.starts_with(prefix),
        _ => false,
    }
}

fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    match (whole, part) {
        (AttributeValue::S(whole), AttributeValue::S(part)) => whole.contains(part.as_str()),
        (AttributeValue::B(whole), AttributeValue::B(part)) => {
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        }
        (AttributeValue::Ss(set), AttributeValue::S(member)) => set.contains(member),
        (AttributeValue::Ns(set), AttributeValue::N(member)) => set.contains(member),
        (AttributeValue::Bs(set), AttributeValue::B(member)) => set.contains(member),
        (AttributeValue::L(list), element) => list.contains(element),
        _ => false,
    }
}

/// Returns the size of a value that has one; texts are measured in UTF-16 code units, as AWS's Java does.
fn size(value: &AttributeValue) -> Option<usize> {
    match value {
        AttributeValue::S(text) if text.is_ascii() => Some(text.len()),
        AttributeValue::S(text) => Some(text.encode_utf16().count()),
        AttributeValue::B(bytes) => Some(bytes.len()),
        AttributeValue::Ss(set) => Some(set.len()),
        AttributeValue::Ns(set) => Some(set.len()),
        AttributeValue::Bs(set) => Some(set.len()),
        AttributeValue::L(list) => Some(list.len()),
        AttributeValue::M(map) => Some(map.len()),
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => None,
    }
}
