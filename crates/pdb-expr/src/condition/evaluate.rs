//! Evaluating a condition for an item. There are no errors: a value of the wrong type makes a predicate false.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use memchr::memmem;
use pdb_model::{AttributeValue, Item, Number};

use super::{AttributeType, ConditionExpression, Operand};
use crate::path::compare;
use crate::syntax::Comparator;

impl ConditionExpression {
    /// Returns whether the condition holds for the item; for a missing item every path is missing.
    #[must_use]
    pub fn matches(&self, item: Option<&Item>) -> bool {
        Evaluation { item, answers: HashMap::new(), sizes: HashMap::new() }.holds(self)
    }
}

/// One evaluation, which computes each expensive result once.
///
/// A condition of 4 KB can compare one value of 400 KB with another more than a thousand times, while the writer waits. Large
/// values are told apart by their addresses: they belong to the condition and the item, which stay where they are.
struct Evaluation<'a> {
    item: Option<&'a Item>,
    answers: HashMap<(Question, *const AttributeValue, *const AttributeValue), bool>,
    sizes: HashMap<*const AttributeValue, Option<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Equal,
    Contains,
}

impl<'a> Evaluation<'a> {
    fn holds(&mut self, condition: &'a ConditionExpression) -> bool {
        use ConditionExpression as C;
        match condition {
            C::And(parts) => parts.iter().all(|part| self.holds(part)),
            C::Or(parts) => parts.iter().any(|part| self.holds(part)),
            C::Not(inner) => !self.holds(inner),
            C::Compare(comparator, left, right) => self.compares(*comparator, left, right),
            C::Between { operand, lower, upper } => self.is_between(operand, lower, upper).unwrap_or(false),
            C::In { operand, list } => {
                let Some(value) = self.value(operand) else { return false };
                list.iter()
                    .any(|candidate| self.value(candidate).is_some_and(|other| self.equal(&value, &other)))
            }
            C::AttributeExists(path) => self.item.is_some_and(|item| path.resolve(item).is_some()),
            C::AttributeNotExists(path) => self.item.is_none_or(|item| path.resolve(item).is_none()),
            C::AttributeType(operand, expected) => {
                self.value(operand).is_some_and(|value| AttributeType::of(&value) == *expected)
            }
            C::BeginsWith(whole, prefix) => match (self.value(whole), self.value(prefix)) {
                (Some(whole), Some(prefix)) => begins_with(&whole, &prefix),
                _ => false,
            },
            C::Contains(whole, part) => match (self.value(whole), self.value(part)) {
                (Some(whole), Some(part)) => self.contains(&whole, &part),
                _ => false,
            },
        }
    }

    fn value(&mut self, operand: &'a Operand) -> Option<Cow<'a, AttributeValue>> {
        match operand {
            Operand::Path(path) => path.resolve(self.item?).map(Cow::Borrowed),
            Operand::Value(value) => Some(Cow::Borrowed(value)),
            Operand::Size(operand) => {
                let size = match self.value(operand)? {
                    Cow::Borrowed(text @ AttributeValue::S(_)) if is_large(text) => {
                        *self.sizes.entry(std::ptr::from_ref(text)).or_insert_with(|| size(text))
                    }
                    value => size(&value),
                };
                Some(Cow::Owned(AttributeValue::N(Number::from(size? as u64))))
            }
        }
    }

    fn compares(&mut self, comparator: Comparator, left: &'a Operand, right: &'a Operand) -> bool {
        match (self.value(left), self.value(right)) {
            (Some(left), Some(right)) => match comparator {
                Comparator::Equal => self.equal(&left, &right),
                Comparator::NotEqual => !self.equal(&left, &right),
                ordering => compares(ordering, &left, &right),
            },
            // What has no value, a size of a number included, is unequal to everything.
            _ => comparator == Comparator::NotEqual,
        }
    }

    fn is_between(&mut self, operand: &'a Operand, lower: &'a Operand, upper: &'a Operand) -> Option<bool> {
        let value = self.value(operand)?;
        let (lower, upper) = (self.value(lower)?, self.value(upper)?);
        Some(compare(&lower, &value)?.is_le() && compare(&value, &upper)?.is_le())
    }

    #[expect(clippy::ptr_arg, reason = "only what is borrowed has an address that lasts")]
    fn equal(&mut self, left: &Cow<'a, AttributeValue>, right: &Cow<'a, AttributeValue>) -> bool {
        match (left, right) {
            // If one of them is small, comparing them takes little time.
            (Cow::Borrowed(left), Cow::Borrowed(right)) if is_large(left) && is_large(right) => {
                self.ask(Question::Equal, left, right)
            }
            (left, right) => left == right,
        }
    }

    #[expect(clippy::ptr_arg, reason = "only what is borrowed has an address that lasts")]
    fn contains(&mut self, whole: &Cow<'a, AttributeValue>, part: &Cow<'a, AttributeValue>) -> bool {
        match (whole, part) {
            (Cow::Borrowed(whole), Cow::Borrowed(part)) if is_large(whole) => {
                self.ask(Question::Contains, whole, part)
            }
            (whole, part) => contains(whole, part),
        }
    }

    fn ask(&mut self, question: Question, left: &'a AttributeValue, right: &'a AttributeValue) -> bool {
        let key = (question, std::ptr::from_ref(left), std::ptr::from_ref(right));
        *self.answers.entry(key).or_insert_with(|| match question {
            Question::Equal => left == right,
            Question::Contains => contains(left, right),
        })
    }
}

/// Returns whether searching the value costs more than caching the result.
fn is_large(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::S(text) => text.len() > 1024,
        AttributeValue::B(bytes) => bytes.len() > 1024,
        AttributeValue::L(list) => !list.is_empty(),
        AttributeValue::M(map) => !map.is_empty(),
        AttributeValue::Ss(set) => set.len() > 8,
        AttributeValue::Ns(set) => set.len() > 8,
        AttributeValue::Bs(set) => set.len() > 8,
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => false,
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

fn begins_with(whole: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (whole, prefix) {
        (AttributeValue::S(whole), AttributeValue::S(prefix)) => whole.starts_with(prefix.as_str()),
        (AttributeValue::B(whole), AttributeValue::B(prefix)) => whole.starts_with(prefix),
        _ => false,
    }
}

fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    match (whole, part) {
        // Never more than a few steps a byte, even for hostile patterns.
        (AttributeValue::S(whole), AttributeValue::S(part)) => {
            memmem::find(whole.as_bytes(), part.as_bytes()).is_some()
        }
        (AttributeValue::B(whole), AttributeValue::B(part)) => memmem::find(whole, part).is_some(),
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

#[cfg(test)]
mod tests;
