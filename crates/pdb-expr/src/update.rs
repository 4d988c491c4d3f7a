//! Updates: the syntax tree and its paths.

mod apply;
mod draft;
mod lower;
mod print;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pdb_model::{AttributeValue, Item};

use crate::path::check_distinct;
use crate::projection::project_paths;
use crate::{ExprError, Path};

pub use apply::UpdateError;
pub(crate) use lower::check_type;

/// An `UpdateExpression`, with all names and values looked up.
///
/// [`UpdateExpression::parse`] parses a text, and [`UpdateExpression::new`] takes actions. No target contains another.
///
/// # Examples
///
/// ```
/// use pdb_expr::{Placeholders, UpdateExpression};
/// use pdb_model::Item;
///
/// let placeholders = Placeholders::new([], [(":one".to_owned(), 1.into())]);
/// let update = UpdateExpression::parse("ADD visits :one REMOVE draft", &placeholders)?;
/// let key = Item::from([("pk", "page".into())]);
/// let new = update.apply(None, &key)?.expect("the update adds something");
/// assert_eq!(new, Item::from([("pk", "page".into()), ("visits", 1.into())]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateExpression {
    actions: Vec<UpdateAction>,
    dialect: UpdateDialect,
}

/// Which texts an update has when a stored value does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateDialect {
    /// `UpdateExpression`.
    #[default]
    Expression,
    /// `AttributeUpdates`.
    AttributeUpdates,
}

/// An action of an update.
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateAction {
    /// Sets the value at a path.
    Set(Path, SetValue),
    /// Removes the value at a path.
    Remove(Path),
    /// Adds a number to a number, members to a set, or (only in `AttributeUpdates`) elements to a list.
    Add(Path, Arc<AttributeValue>),
    /// Removes members from a set.
    Delete(Path, Arc<AttributeValue>),
}

/// The value that `SET` stores.
#[derive(Clone, Debug, PartialEq)]
pub enum SetValue {
    /// A value.
    Operand(UpdateOperand),
    /// The sum of two numbers.
    Plus(UpdateOperand, UpdateOperand),
    /// The difference of two numbers.
    Minus(UpdateOperand, UpdateOperand),
}

/// A value in an update.
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateOperand {
    /// What the item has at the path.
    Path(Path),
    /// A constant.
    Value(Arc<AttributeValue>),
    /// The item's value at the path, or the operand if there is none.
    IfNotExists(Path, Box<UpdateOperand>),
    /// The concatenation of two lists.
    ListAppend(Box<UpdateOperand>, Box<UpdateOperand>),
}

impl UpdateOperand {
    /// Returns the operand for a constant.
    pub fn value(value: impl Into<AttributeValue>) -> Self {
        Self::Value(Arc::new(value.into()))
    }
}

impl SetValue {
    /// Returns the constant if the value is one.
    #[must_use]
    pub fn constant(&self) -> Option<&AttributeValue> {
        if let Self::Operand(UpdateOperand::Value(value)) = self { Some(value) } else { None }
    }
}

impl UpdateAction {
    /// Returns the path that the action changes.
    #[must_use]
    pub fn target(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

impl UpdateExpression {
    /// Returns the update of these actions.
    ///
    /// # Errors
    ///
    /// [`ExprError::PathsOverlap`] or [`ExprError::PathsConflict`].
    pub fn new(actions: Vec<UpdateAction>, dialect: UpdateDialect) -> Result<Self, ExprError> {
        check_distinct(actions.iter().map(UpdateAction::target))?;
        Ok(Self { actions, dialect })
    }

    /// Returns the update of these actions, whose targets are different whole attributes.
    pub(crate) fn of_attributes(actions: Vec<UpdateAction>, dialect: UpdateDialect) -> Self {
        Self { actions, dialect }
    }

    /// Returns the actions in the order of the text.
    #[must_use]
    pub fn actions(&self) -> &[UpdateAction] {
        &self.actions
    }

    /// Returns the paths that the update changes, in the order of the text.
    pub fn targets(&self) -> impl Iterator<Item = &Path> {
        self.actions.iter().map(UpdateAction::target)
    }

    /// Returns the attributes that the update sets as a whole, with the constants they are set to.
    ///
    /// What these do to an index key is known before the item is read.
    pub fn direct_assignments(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.actions.iter().filter_map(|action| match action {
            UpdateAction::Set(path, value) if !path.is_nested() => {
                Some((&*path.attribute, value.constant()?))
            }
            _ => None,
        })
    }

    /// Returns what the item has at the targets: the `Attributes` of `UPDATED_OLD` (given the old item) and `UPDATED_NEW`
    /// (given the new one), or nothing if it has none of them.
    #[must_use]
    pub fn project_targets(&self, item: Option<Item>) -> Option<Item> {
        let found = project_paths(self.targets(), item?);
        if found.is_empty() { None } else { Some(found) }
    }
}
