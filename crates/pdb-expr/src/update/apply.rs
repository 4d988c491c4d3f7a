//! What an update makes of an item.

use pdb_model::{AttributeValue, Item, MAX_NESTING, Number, NumberError};

use super::{SetValue, UpdateAction, UpdateDialect, UpdateExpression, UpdateOperand};
use crate::path::step;
use crate::{Path, PathElement};

/// Why an update cannot be carried out on the item that is stored. `Display` is AWS's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// A target has no parent, or one of the wrong type.
    #[error("The document path provided in the update expression is invalid for update")]
    InvalidPath,
    /// A value refers to something that the item does not have.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    MissingAttribute,
    /// A stored value is of a type that the operation does not take.
    #[error("An operand in the update expression has an incorrect data type")]
    OperandType,
    /// The same for `AttributeUpdates`.
    #[error("Type mismatch for attribute to update")]
    AttributeType,
    /// A sum or difference cannot be stored exactly.
    #[error("{}", NumberError::Overflow)]
    Overflow,
    /// The result nests more than 32 levels.
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    )]
    TooDeep,
}

/// What an action does to its target.
enum Effect {
    Put(AttributeValue),
    Remove,
    /// There is nothing to remove; still the target must have a parent.
    Nothing,
}

impl UpdateExpression {
    /// Returns the item that the update makes of `old`, or of nothing but `key` if there is no item yet. There is no result
    /// if there is no item and the update only removes.
    ///
    /// All values are read from the old item.
    ///
    /// # Errors
    ///
    /// The first [`UpdateError`] among the values, then among the targets, then in the result.
    pub fn apply(&self, old: Option<&Item>, key: &Item) -> Result<Option<Item>, UpdateError> {
        if old.is_none() && !self.creates() {
            return Ok(None);
        }
        let mut puts = Vec::with_capacity(self.actions.len());
        let mut removals = Vec::new();
        let mut absent = Vec::new();
        for action in &self.actions {
            match self.effect(action, old)? {
                Effect::Put(value) => puts.push((action.target(), value)),
                Effect::Remove => removals.push(action.target()),
                Effect::Nothing => absent.push(action.target()),
            }
        }
        if let Some(old) = old
            && !absent.into_iter().all(|path| has_parent(old, path))
        {
            return Err(UpdateError::InvalidPath);
        }
        // Elements behind the end of a list are appended in the order of their indexes; removals mean the positions of the
        // old list, so they come last, and the highest index first.
        puts.sort_by_key(|(path, _)| *path);
        removals.sort_by(|one, two| two.cmp(one));
        let deepest = puts.iter().map(|(path, value)| path.elements.len() + value.depth()).max();
        let mut new = old.unwrap_or(key).clone();
        for (path, value) in puts {
            put(&mut new, path, value)?;
        }
        for path in removals {
            remove(&mut new, path)?;
        }
        if deepest.is_some_and(|depth| depth > MAX_NESTING) {
            return Err(UpdateError::TooDeep);
        }
        Ok(Some(new))
    }

    /// Returns whether the update makes an item where there is none.
    fn creates(&self) -> bool {
        self.actions.is_empty()
            || self
                .actions
                .iter()
                .any(|action| matches!(action, UpdateAction::Set(..) | UpdateAction::Add(..)))
    }

    fn effect(&self, action: &UpdateAction, old: Option<&Item>) -> Result<Effect, UpdateError> {
        let stored = |path: &Path| old.and_then(|item| path.resolve(item));
        match action {
            UpdateAction::Set(_, value) => value.evaluate(old).map(Effect::Put),
            UpdateAction::Remove(path) => Ok(stored(path).map_or(Effect::Nothing, |_| Effect::Remove)),
            UpdateAction::Add(path, value) => match stored(path) {
                None => Ok(Effect::Put((**value).clone())),
                Some(stored) => self.sum(stored, value).map(Effect::Put),
            },
            UpdateAction::Delete(path, value) => match stored(path) {
                None => Ok(Effect::Nothing),
                Some(stored) => self.difference(stored, value),
            },
        }
    }

    fn mismatch(&self) -> UpdateError {
        match self.dialect {
            UpdateDialect::Expression => UpdateError::OperandType,
            UpdateDialect::AttributeUpdates => UpdateError::AttributeType,
        }
    }

    fn sum(&self, stored: &AttributeValue, added: &AttributeValue) -> Result<AttributeValue, UpdateError> {
        Ok(match (stored, added) {
            (AttributeValue::N(stored), AttributeValue::N(added)) => {
                AttributeValue::N(stored.checked_add(added).map_err(|_| UpdateError::Overflow)?)
            }
            (AttributeValue::Ss(stored), AttributeValue::Ss(added)) => AttributeValue::Ss(stored | added),
            (AttributeValue::Ns(stored), AttributeValue::Ns(added)) => AttributeValue::Ns(stored | added),
            (AttributeValue::Bs(stored), AttributeValue::Bs(added)) => AttributeValue::Bs(stored | added),
            (AttributeValue::L(stored), AttributeValue::L(added))
                if self.dialect == UpdateDialect::AttributeUpdates =>
            {
                AttributeValue::L([stored.as_slice(), added].concat())
            }
            _ => return Err(self.mismatch()),
        })
    }

    fn difference(&self, stored: &AttributeValue, taken: &AttributeValue) -> Result<Effect, UpdateError> {
        let (left, is_empty) = match (stored, taken) {
            (AttributeValue::Ss(stored), AttributeValue::Ss(taken)) => {
                let left = stored - taken;
                let is_empty = left.is_empty();
                (AttributeValue::Ss(left), is_empty)
            }
            (AttributeValue::Ns(stored), AttributeValue::Ns(taken)) => {
                let left = stored - taken;
                let is_empty = left.is_empty();
                (AttributeValue::Ns(left), is_empty)
            }
            (AttributeValue::Bs(stored), AttributeValue::Bs(taken)) => {
                let left = stored - taken;
                let is_empty = left.is_empty();
                (AttributeValue::Bs(left), is_empty)
            }
            _ => return Err(self.mismatch()),
        };
        Ok(if is_empty { Effect::Remove } else { Effect::Put(left) })
    }
}

impl SetValue {
    fn evaluate(&self, item: Option<&Item>) -> Result<AttributeValue, UpdateError> {
        match self {
            Self::Operand(operand) => operand.evaluate(item),
            Self::Plus(left, right) => arithmetic(left, right, item, Number::checked_add),
            Self::Minus(left, right) => arithmetic(left, right, item, Number::checked_sub),
        }
    }
}

fn arithmetic(
    left: &UpdateOperand,
    right: &UpdateOperand,
    item: Option<&Item>,
    operation: fn(&Number, &Number) -> Result<Number, NumberError>,
) -> Result<AttributeValue, UpdateError> {
    match (left.evaluate(item)?, right.evaluate(item)?) {
        (AttributeValue::N(left), AttributeValue::N(right)) => {
            operation(&left, &right).map(AttributeValue::N).map_err(|_| UpdateError::Overflow)
        }
        _ => Err(UpdateError::OperandType),
    }
}

impl UpdateOperand {
    fn evaluate(&self, item: Option<&Item>) -> Result<AttributeValue, UpdateError> {
        let stored = |path: &Path| item.and_then(|item| path.resolve(item)).cloned();
        match self {
            Self::Path(path) => stored(path).ok_or(UpdateError::MissingAttribute),
            Self::Value(value) => Ok((**value).clone()),
            Self::IfNotExists(path, other) => stored(path).map_or_else(|| other.evaluate(item), Ok),
            Self::ListAppend(first, second) => match (first.evaluate(item)?, second.evaluate(item)?) {
                (AttributeValue::L(mut first), AttributeValue::L(second)) => {
                    first.extend(second);
                    Ok(AttributeValue::L(first))
                }
                _ => Err(UpdateError::OperandType),
            },
        }
    }
}

/// Returns whether a path that leads to nothing could lead to something if its last step did.
fn has_parent(item: &Item, path: &Path) -> bool {
    let Some((last, steps)) = path.elements.split_last() else { return true };
    let parent = item
        .get(&path.attribute)
        .and_then(|value| steps.iter().try_fold(value, |value, element| step(value, element)));
    matches!(
        (parent, last),
        (Some(AttributeValue::M(_)), PathElement::Name(_))
            | (Some(AttributeValue::L(_)), PathElement::Index(_))
    )
}

/// Returns the value that holds the last of `elements`, and that last one.
fn parent<'a, 'p>(
    item: &'a mut Item,
    path: &'p Path,
) -> Result<Option<(&'a mut AttributeValue, &'p PathElement)>, UpdateError> {
    let Some((last, steps)) = path.elements.split_last() else { return Ok(None) };
    let mut value = item.get_mut(&path.attribute).ok_or(UpdateError::InvalidPath)?;
    for element in steps {
        value = match (value, element) {
            (AttributeValue::M(map), PathElement::Name(name)) => map.get_mut(name),
            (AttributeValue::L(list), PathElement::Index(index)) => list.get_mut(*index as usize),
            _ => None,
        }
        .ok_or(UpdateError::InvalidPath)?;
    }
    Ok(Some((value, last)))
}

fn put(item: &mut Item, path: &Path, new: AttributeValue) -> Result<(), UpdateError> {
    match parent(item, path)? {
        None => {
            item.insert(path.attribute.clone(), new);
        }
        Some((AttributeValue::M(map), PathElement::Name(name))) => {
            map.insert(name.clone(), new);
        }
        Some((AttributeValue::L(list), PathElement::Index(index))) => match list.get_mut(*index as usize) {
            Some(element) => *element = new,
            None => list.push(new),
        },
        Some(_) => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), UpdateError> {
    match parent(item, path)? {
        None => {
            item.remove(&path.attribute);
        }
        Some((AttributeValue::M(map), PathElement::Name(name))) => {
            map.remove(name);
        }
        Some((AttributeValue::L(list), PathElement::Index(index))) => {
            let index = *index as usize;
            if index < list.len() {
                list.remove(index);
            }
        }
        Some(_) => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}
