//! Applying an update to an item.

use pdb_model::{AttributeValue, Item, MAX_ITEM_BYTES, MAX_NESTING, NumberError};

use super::draft::{Draft, Made, Measure, Measures};
use super::{UpdateAction, UpdateDialect, UpdateExpression};
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
    /// The result is larger than an item may be.
    #[error("Item size to update has exceeded the maximum allowed size")]
    TooLarge,
}

/// What an action does to its target.
enum Effect<'u, 'i> {
    Put(Draft<'u, 'i>),
    Remove,
    /// There is no value to remove, but the target must have a parent.
    Nothing,
}

impl UpdateExpression {
    /// Applies the update to `old`, or to `key` if there is no item yet. Returns `None` if there is no item and the update only removes.
    ///
    /// All values are read from the old item, or from `key` if there is none: the item that is made has these attributes, so AWS
    /// lets an update refer to them. Nothing is copied before it is known to fit an item, so that an update takes no
    /// more memory than the old item and the new one, however often it names a value.
    ///
    /// # Errors
    ///
    /// The first [`UpdateError`] among the values, then among the targets, then in the result. Of results that are too large only
    /// those are refused here whose new values alone are.
    pub fn apply(&self, old: Option<Item>, key: &Item) -> Result<Option<Item>, UpdateError> {
        if old.is_none() && !self.creates() {
            return Ok(None);
        }
        let base = old.as_ref().unwrap_or(key);
        let mut puts = Vec::with_capacity(self.actions.len());
        let mut removals = Vec::new();
        let mut absent = Vec::new();
        for action in &self.actions {
            match self.effect(action, base)? {
                Effect::Put(value) => puts.push((action.target(), value)),
                Effect::Remove => removals.push(action.target()),
                Effect::Nothing => absent.push(action.target()),
            }
        }
        let mut absent = absent.into_iter().filter(|_| old.is_some());
        if !puts.iter().all(|(path, _)| has_parent(base, path)) || !absent.all(|path| has_parent(base, path))
        {
            return Err(UpdateError::InvalidPath);
        }
        check_measures(&puts)?;
        // Elements after the end of a list are appended in the order of their indexes; removals mean the positions of the
        // old list, so they come last, and the highest index first.
        puts.sort_by_key(|(path, _)| *path);
        removals.sort_by(|one, two| two.cmp(one));
        let puts: Vec<(&Path, Made<'_>)> =
            puts.into_iter().map(|(path, value)| (path, value.make())).collect();
        let mut new = old.unwrap_or_else(|| key.clone());
        for (path, value) in puts {
            put(&mut new, path, value)?;
        }
        for path in removals {
            remove(&mut new, path)?;
        }
        Ok(Some(new))
    }

    /// Returns whether the update creates an item if there is none.
    fn creates(&self) -> bool {
        self.actions.is_empty()
            || self
                .actions
                .iter()
                .any(|action| matches!(action, UpdateAction::Set(..) | UpdateAction::Add(..)))
    }

    fn effect<'u: 'i, 'i>(
        &'u self,
        action: &'u UpdateAction,
        base: &'i Item,
    ) -> Result<Effect<'u, 'i>, UpdateError> {
        let stored = |path: &'u Path| path.resolve(base);
        match action {
            UpdateAction::Set(_, value) => value.draft(&stored).map(Effect::Put),
            UpdateAction::Remove(path) => Ok(stored(path).map_or(Effect::Nothing, |_| Effect::Remove)),
            UpdateAction::Add(path, value) => match stored(path) {
                None => Ok(Effect::Put(Draft::Constant(value))),
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

    fn sum<'u: 'i, 'i>(
        &self,
        stored: &'i AttributeValue,
        added: &'u AttributeValue,
    ) -> Result<Draft<'u, 'i>, UpdateError> {
        use AttributeValue as V;
        match (stored, added) {
            (V::N(stored), V::N(added)) => {
                stored.checked_add(added).map(Draft::Number).map_err(|_| UpdateError::Overflow)
            }
            (V::Ss(_), V::Ss(_)) | (V::Ns(_), V::Ns(_)) | (V::Bs(_), V::Bs(_)) => {
                Ok(Draft::Union(stored, added))
            }
            (V::L(_), V::L(_)) if self.dialect == UpdateDialect::AttributeUpdates => {
                Ok(Draft::Lists(vec![stored, added]))
            }
            _ => Err(self.mismatch()),
        }
    }

    fn difference<'u, 'i>(
        &self,
        stored: &AttributeValue,
        taken: &AttributeValue,
    ) -> Result<Effect<'u, 'i>, UpdateError> {
        let (left, is_empty) = match (stored, taken) {
            (AttributeValue::Ss(stored), AttributeValue::Ss(taken)) => {
                let left = stored.difference(taken);
                let is_empty = left.is_empty();
                (AttributeValue::Ss(left), is_empty)
            }
            (AttributeValue::Ns(stored), AttributeValue::Ns(taken)) => {
                let left = stored.difference(taken);
                let is_empty = left.is_empty();
                (AttributeValue::Ns(left), is_empty)
            }
            (AttributeValue::Bs(stored), AttributeValue::Bs(taken)) => {
                let left = stored.difference(taken);
                let is_empty = left.is_empty();
                (AttributeValue::Bs(left), is_empty)
            }
            _ => return Err(self.mismatch()),
        };
        Ok(if is_empty { Effect::Remove } else { Effect::Put(Draft::Rest(left)) })
    }
}

/// Refuses values that nest too deep where they are put, and values that are together larger than an item may be.
///
/// All of them will be in the result, with the names they are put under, because no target contains another.
fn check_measures(puts: &[(&Path, Draft<'_, '_>)]) -> Result<(), UpdateError> {
    let mut measures = Measures::default();
    let mut least_bytes = 0u64;
    for (path, value) in puts {
        let Measure { size_bytes, depth } = measures.of(value);
        if path.elements.len() + depth > MAX_NESTING {
            return Err(UpdateError::TooDeep);
        }
        let name_bytes = match path.elements.last() {
            None => path.attribute.len(),
            Some(PathElement::Name(name)) => name.len(),
            Some(PathElement::Index(_)) => 0,
        };
        least_bytes = least_bytes.saturating_add(size_bytes).saturating_add(name_bytes as u64);
    }
    if least_bytes > MAX_ITEM_BYTES { Err(UpdateError::TooLarge) } else { Ok(()) }
}

/// Returns whether the parent of a path exists and has the type that the last step needs.
fn has_parent(item: &Item, path: &Path) -> bool {
    let Some((last, steps)) = path.elements.split_last() else { return true };
    let parent = item
        .get(&*path.attribute)
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
    let mut value = item.get_mut(&*path.attribute).ok_or(UpdateError::InvalidPath)?;
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

fn put(item: &mut Item, path: &Path, new: Made<'_>) -> Result<(), UpdateError> {
    match parent(item, path)? {
        None => match item.get_mut(&*path.attribute) {
            Some(value) => replace(value, new),
            None => {
                item.insert(path.attribute.to_string(), new.into_value());
            }
        },
        Some((AttributeValue::M(map), PathElement::Name(name))) => match map.get_mut(name) {
            Some(value) => replace(value, new),
            None => {
                map.insert(&**name, new.into_value());
            }
        },
        Some((AttributeValue::L(list), PathElement::Index(index))) => match list.get_mut(*index as usize) {
            Some(element) => replace(element, new),
            None => list.push(new.into_value()),
        },
        Some(_) => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}

/// Puts a value in the place of another, which is gone before a constant is copied.
fn replace(value: &mut AttributeValue, new: Made<'_>) {
    *value = AttributeValue::Null;
    *value = new.into_value();
}

fn remove(item: &mut Item, path: &Path) -> Result<(), UpdateError> {
    match parent(item, path)? {
        None => {
            item.remove(&*path.attribute);
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
