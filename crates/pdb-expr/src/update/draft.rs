//! Values that an update will store, before they are built.
//!
//! An expression of 4 KB can name one large value a thousand times. So values are first worked out as references to their parts,
//! in the request and in the old item. Then their size is computed, and only a value that fits in an item is copied.

use std::collections::HashMap;

use pdb_model::{AttributeValue, Number, NumberError};

use super::apply::UpdateError;
use super::{SetValue, UpdateOperand};
use crate::Path;

/// A value that is not built yet. `'u` is the lifetime of the update, `'i` that of the old item.
pub(super) enum Draft<'u, 'i> {
    /// A constant of the update.
    Constant(&'u AttributeValue),
    /// A value of the old item.
    Stored(&'i AttributeValue),
    /// The result of a calculation.
    Number(Number),
    /// Lists to be concatenated.
    Lists(Vec<&'i AttributeValue>),
    /// The members of two sets of one type.
    Union(&'i AttributeValue, &'i AttributeValue),
    /// What is left of a stored set.
    Rest(AttributeValue),
}

/// A value that no longer needs the old item.
pub(super) enum Made<'u> {
    /// A constant. It is copied after the value that it replaces was dropped, so that not both are in memory.
    Constant(&'u AttributeValue),
    /// A value of its own.
    Owned(AttributeValue),
}

impl Made<'_> {
    pub(super) fn into_value(self) -> AttributeValue {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Owned(value) => value,
        }
    }
}

impl<'u: 'i, 'i> Draft<'u, 'i> {
    /// Copies the parts that belong to the old item.
    pub(super) fn make(self) -> Made<'u> {
        Made::Owned(match self {
            Self::Constant(value) => return Made::Constant(value),
            Self::Stored(value) => value.clone(),
            Self::Number(number) => AttributeValue::N(number),
            Self::Lists(parts) => {
                let lists: Vec<&[AttributeValue]> = parts.into_iter().map(elements).collect();
                AttributeValue::L(lists.concat())
            }
            Self::Union(AttributeValue::Ss(one), AttributeValue::Ss(two)) => {
                AttributeValue::Ss(one.union(two))
            }
            Self::Union(AttributeValue::Ns(one), AttributeValue::Ns(two)) => {
                AttributeValue::Ns(one.union(two))
            }
            Self::Union(AttributeValue::Bs(one), AttributeValue::Bs(two)) => {
                AttributeValue::Bs(one.union(two))
            }
            // Only sets of one type are united.
            Self::Union(one, _) => one.clone(),
            Self::Rest(value) => value,
        })
    }

    fn number(&self) -> Option<&Number> {
        match self {
            Self::Constant(value) => value.as_n(),
            Self::Stored(value) => value.as_n(),
            Self::Number(number) => Some(number),
            Self::Lists(_) | Self::Union(..) | Self::Rest(_) => None,
        }
    }

    /// Returns the lists that the value consists of, if it is one.
    fn into_lists(self) -> Option<Vec<&'i AttributeValue>> {
        match self {
            Self::Constant(list @ AttributeValue::L(_)) => Some(vec![list]),
            Self::Stored(list @ AttributeValue::L(_)) => Some(vec![list]),
            Self::Lists(lists) => Some(lists),
            _ => None,
        }
    }
}

fn elements(list: &AttributeValue) -> &[AttributeValue] {
    if let AttributeValue::L(list) = list { list } else { &[] }
}

impl SetValue {
    pub(super) fn draft<'u: 'i, 'i>(
        &'u self,
        stored: &impl Fn(&'u Path) -> Option<&'i AttributeValue>,
    ) -> Result<Draft<'u, 'i>, UpdateError> {
        match self {
            Self::Operand(operand) => operand.draft(stored),
            Self::Plus(left, right) => {
                arithmetic(left.draft(stored)?, right.draft(stored)?, Number::checked_add)
            }
            Self::Minus(left, right) => {
                arithmetic(left.draft(stored)?, right.draft(stored)?, Number::checked_sub)
            }
        }
    }
}

fn arithmetic<'u: 'i, 'i>(
    left: Draft<'u, 'i>,
    right: Draft<'u, 'i>,
    operation: fn(&Number, &Number) -> Result<Number, NumberError>,
) -> Result<Draft<'u, 'i>, UpdateError> {
    let (Some(left), Some(right)) = (left.number(), right.number()) else {
        return Err(UpdateError::OperandType);
    };
    operation(left, right).map(Draft::Number).map_err(|_| UpdateError::Overflow)
}

impl UpdateOperand {
    fn draft<'u: 'i, 'i>(
        &'u self,
        stored: &impl Fn(&'u Path) -> Option<&'i AttributeValue>,
    ) -> Result<Draft<'u, 'i>, UpdateError> {
        match self {
            Self::Path(path) => stored(path).map(Draft::Stored).ok_or(UpdateError::MissingAttribute),
            Self::Value(value) => Ok(Draft::Constant(value)),
            Self::IfNotExists(path, other) => match stored(path) {
                Some(value) => Ok(Draft::Stored(value)),
                None => other.draft(stored),
            },
            Self::ListAppend(first, second) => {
                let (first, second) = (first.draft(stored)?, second.draft(stored)?);
                let (Some(mut lists), Some(others)) = (first.into_lists(), second.into_lists()) else {
                    return Err(UpdateError::OperandType);
                };
                lists.extend(others);
                Ok(Draft::Lists(lists))
            }
        }
    }
}

/// How large a value is, in DynamoDB's bytes and in levels.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub(super) size_bytes: u64,
    pub(super) depth: usize,
}

/// Measures values. A value that is used several times is measured once.
#[derive(Default)]
pub(super) struct Measures {
    known: HashMap<*const AttributeValue, Measure>,
}

impl Measures {
    /// Returns the measure of a draft; of a union at least that of the larger set, which it contains.
    pub(super) fn of(&mut self, draft: &Draft<'_, '_>) -> Measure {
        match draft {
            Draft::Constant(value) | Draft::Stored(value) => self.value(value),
            Draft::Number(number) => Measure { size_bytes: number.size_bytes(), depth: 1 },
            Draft::Lists(lists) => {
                let mut all = Measure { size_bytes: 3, depth: 1 };
                for list in lists {
                    let one = self.value(list);
                    all.size_bytes = all.size_bytes.saturating_add(one.size_bytes - 3);
                    all.depth = all.depth.max(one.depth);
                }
                all
            }
            Draft::Union(one, two) => {
                let (one, two) = (self.value(one), self.value(two));
                Measure { size_bytes: one.size_bytes.max(two.size_bytes), depth: 1 }
            }
            Draft::Rest(value) => measure(value),
        }
    }

    fn value(&mut self, value: &AttributeValue) -> Measure {
        match value {
            AttributeValue::Ss(_)
            | AttributeValue::Ns(_)
            | AttributeValue::Bs(_)
            | AttributeValue::L(_)
            | AttributeValue::M(_) => {
                *self.known.entry(std::ptr::from_ref(value)).or_insert_with(|| measure(value))
            }
            scalar => measure(scalar),
        }
    }
}

fn measure(value: &AttributeValue) -> Measure {
    Measure { size_bytes: value.size_bytes(), depth: value.depth() }
}

#[cfg(test)]
mod tests;
