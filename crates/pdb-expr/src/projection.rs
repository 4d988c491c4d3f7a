//! Projections: which parts of an item an answer has.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pdb_model::{AttributeValue, Item, ValueMap};

use crate::condition::{Lowering, PrintedExpression, Printer};
use crate::parser::Parser;
use crate::path::check_distinct;
use crate::{ExprError, Path, PathElement, Placeholders};

/// A `ProjectionExpression`, with all names looked up. No path in it contains another.
///
/// # Examples
///
/// ```
/// use pdb_expr::{Placeholders, ProjectionExpression};
/// use pdb_model::Item;
///
/// let projection = ProjectionExpression::parse("pk, absent", &Placeholders::default())?;
/// let item = Item::from([("pk", "a".into()), ("total", 3.into())]);
/// assert_eq!(projection.apply(item), Item::from([("pk", "a".into())]));
/// # Ok::<(), pdb_expr::ExprError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionExpression {
    paths: Vec<Path>,
    tree: BTreeMap<Arc<str>, Part>,
}

/// What to keep of a value.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Whole,
    Entries(BTreeMap<Arc<str>, Part>),
    /// Elements in ascending order; the result has no gaps.
    Elements(BTreeMap<u32, Part>),
}

impl ProjectionExpression {
    /// Parses a projection and checks all that can be checked without an item.
    ///
    /// # Errors
    ///
    /// The first fault in AWS's order: size, syntax, reserved words, undefined names, overlaps, conflicts.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, ExprError> {
        let mut parser = Parser::of_update(text)?;
        let raw = parser.projection()?;
        parser.notes.check_update()?;
        let lowering = Lowering::new(placeholders);
        Self::new(raw.iter().map(|path| lowering.path(path)).collect::<Result<_, _>>()?)
    }

    /// Returns the projection to these paths.
    ///
    /// # Errors
    ///
    /// [`ExprError::PathsOverlap`] or [`ExprError::PathsConflict`].
    pub fn new(paths: Vec<Path>) -> Result<Self, ExprError> {
        check_distinct(&paths)?;
        let tree = tree(&paths);
        Ok(Self { paths, tree })
    }

    /// Returns the projection to whole attributes. Repeated names are ignored.
    pub fn attributes(names: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        let tree: BTreeMap<_, _> = names.into_iter().map(|name| (name.into(), Part::Whole)).collect();
        Self { paths: tree.keys().map(|name| Path::attribute(Arc::clone(name))).collect(), tree }
    }

    /// Returns the paths in the order of the text.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// Returns the top-level attributes that the projection takes something from, sorted.
    pub fn attribute_names(&self) -> impl Iterator<Item = &str> {
        self.tree.keys().map(|name| &**name)
    }

    /// Returns whether the projection has only whole attributes.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.tree.values().all(|part| *part == Part::Whole)
    }

    /// Returns the parts of the item that the projection selects, which may be none.
    #[must_use]
    pub fn apply(&self, item: Item) -> Item {
        project(&self.tree, item)
    }

    /// Returns the projection as a request would carry it.
    #[must_use]
    pub fn printed(&self) -> PrintedExpression {
        let mut printer = Printer::new();
        printer.list(&self.paths, Printer::path);
        printer.finish()
    }
}

/// For people: as [`ProjectionExpression::printed`].
impl fmt::Display for ProjectionExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.paths.iter().enumerate().try_for_each(|(position, path)| {
            let separator = if position > 0 { ", " } else { "" };
            write!(f, "{separator}{path}")
        })
    }
}

/// Returns the parts of `item` at the paths, in their hierarchy. No path may contain another.
pub(crate) fn project_paths<'a>(paths: impl IntoIterator<Item = &'a Path>, item: Item) -> Item {
    project(&tree(paths), item)
}

fn tree<'a>(paths: impl IntoIterator<Item = &'a Path>) -> BTreeMap<Arc<str>, Part> {
    let mut tree = BTreeMap::new();
    for path in paths {
        match path.elements.split_first() {
            None => {
                tree.insert(path.attribute.clone(), Part::Whole);
            }
            Some((first, rest)) => {
                tree.entry(path.attribute.clone()).or_insert_with(|| Part::empty(first)).extend(first, rest);
            }
        }
    }
    tree
}

impl Part {
    /// Returns an empty part of the kind of value into which `element` steps.
    fn empty(element: &PathElement) -> Self {
        match element {
            PathElement::Name(_) => Self::Entries(BTreeMap::new()),
            PathElement::Index(_) => Self::Elements(BTreeMap::new()),
        }
    }

    fn extend(&mut self, first: &PathElement, rest: &[PathElement]) {
        let new = || rest.first().map_or(Self::Whole, Self::empty);
        let part = match (self, first) {
            (Self::Entries(entries), PathElement::Name(name)) => {
                entries.entry(name.clone()).or_insert_with(new)
            }
            (Self::Elements(elements), PathElement::Index(index)) => {
                elements.entry(*index).or_insert_with(new)
            }
            // Paths that contain or contradict each other are refused before.
            _ => return,
        };
        if let Some((next, rest)) = rest.split_first() {
            part.extend(next, rest);
        }
    }

    /// Returns the selected parts of a value.
    fn apply(&self, value: AttributeValue) -> Option<AttributeValue> {
        match (self, value) {
            (Self::Whole, value) => Some(value),
            (Self::Entries(entries), AttributeValue::M(map)) => {
                let kept = map.into_iter().filter_map(|(name, value)| {
                    let value = entries.get(name.as_str())?.apply(value)?;
                    Some((name, value))
                });
                let kept: ValueMap = kept.collect();
                if kept.is_empty() { None } else { Some(AttributeValue::M(kept)) }
            }
            (Self::Elements(elements), AttributeValue::L(list)) => {
                let kept = list
                    .into_iter()
                    .enumerate()
                    .filter_map(|(index, value)| elements.get(&u32::try_from(index).ok()?)?.apply(value));
                let kept: Vec<_> = kept.collect();
                if kept.is_empty() { None } else { Some(AttributeValue::L(kept)) }
            }
            _ => None,
        }
    }
}

fn project(tree: &BTreeMap<Arc<str>, Part>, item: Item) -> Item {
    let kept = item.0.into_iter().filter_map(|(name, value)| {
        let value = tree.get(name.as_str())?.apply(value)?;
        Some((name, value))
    });
    kept.collect()
}

#[cfg(test)]
mod tests;
