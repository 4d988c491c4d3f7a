//! Document paths: an attribute, and a way into its value.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pdb_model::{AttributeValue, Item};

use crate::ExprError;

/// How many levels a path may have; its attribute is the first.
pub const MAX_PATH_DEPTH: usize = 32;

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathElement {
    /// The value of a map under this name.
    Name(Arc<str>),
    /// The element of a list at this position, counted from 0.
    Index(u32),
}

/// A document path: the name of a top-level attribute, and the steps into its value.
///
/// Names are the attributes' own: a dot in a name is a part of it. They are shared: an expression of 4 KB can use a placeholder
/// a thousand times whose name has 64 KB. `Display` is for people: `a.b[1]`.
///
/// # Examples
///
/// ```
/// use pdb_expr::Path;
/// use pdb_model::{AttributeValue, Item};
///
/// let item = Item::from([("tags", AttributeValue::L(vec!["red".into(), "new".into()]))]);
/// assert_eq!(Path::attribute("tags").index(1).resolve(&item), Some(&"new".into()));
/// assert_eq!(Path::attribute("tags").index(2).resolve(&item), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The top-level attribute.
    pub attribute: Arc<str>,
    /// The steps below it.
    pub elements: Vec<PathElement>,
}

impl Path {
    /// Returns the path of a whole attribute.
    pub fn attribute(name: impl Into<Arc<str>>) -> Self {
        Self { attribute: name.into(), elements: Vec::new() }
    }

    /// Returns the path extended by a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.elements.push(PathElement::Name(name.into()));
        self
    }

    /// Returns the path extended by a list index.
    #[must_use]
    pub fn index(mut self, index: u32) -> Self {
        self.elements.push(PathElement::Index(index));
        self
    }

    /// Returns whether the path leads into an attribute, and not to a whole one.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        !self.elements.is_empty()
    }

    /// Returns the value at the path, or `None` if a step is missing or does not fit the type of its value.
    #[must_use]
    pub fn resolve<'a>(&self, item: &'a Item) -> Option<&'a AttributeValue> {
        self.elements.iter().try_fold(item.get(&*self.attribute)?, |value, element| step(value, element))
    }

    /// Returns the path as AWS's messages print it: `[a, b, [1]]`.
    #[must_use]
    pub fn bracketed(&self) -> String {
        let mut text = format!("[{}", self.attribute);
        for element in &self.elements {
            match element {
                PathElement::Name(name) => {
                    text.push_str(", ");
                    text.push_str(name);
                }
                PathElement::Index(index) => text.push_str(&format!(", [{index}]")),
            }
        }
        text.push(']');
        text
    }
}

/// Returns the value at one step into `value`.
pub(crate) fn step<'a>(value: &'a AttributeValue, element: &PathElement) -> Option<&'a AttributeValue> {
    match (value, element) {
        (AttributeValue::M(map), PathElement::Name(name)) => map.get(name),
        (AttributeValue::L(list), PathElement::Index(index)) => list.get(*index as usize),
        _ => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        self.elements.iter().try_for_each(|element| match element {
            PathElement::Name(name) => write!(f, ".{name}"),
            PathElement::Index(index) => write!(f, "[{index}]"),
        })
    }
}

/// Checks the depth of a path with this many steps below its attribute.
pub(crate) fn check_depth(steps: usize) -> Result<(), ExprError> {
    if steps < MAX_PATH_DEPTH { Ok(()) } else { Err(ExprError::PathDepth(steps + 1)) }
}

/// How two paths stand to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Apart,
    Overlap,
    Conflict,
}

fn relation(one: &Path, two: &Path) -> Relation {
    if one.attribute != two.attribute {
        return Relation::Apart;
    }
    for pair in one.elements.iter().zip(&two.elements) {
        match pair {
            (PathElement::Name(a), PathElement::Name(b)) if a == b => {}
            (PathElement::Index(a), PathElement::Index(b)) if a == b => {}
            (PathElement::Name(_), PathElement::Index(_)) | (PathElement::Index(_), PathElement::Name(_)) => {
                return Relation::Conflict;
            }
            _ => return Relation::Apart,
        }
    }
    Relation::Overlap
}

/// Checks that no path contains another, then that no two need a map and a list in the same place.
///
/// # Errors
///
/// [`ExprError::PathsOverlap`] or [`ExprError::PathsConflict`] for the first such pair.
pub(crate) fn check_distinct<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), ExprError> {
    // Only paths of one attribute can meet; grouping them keeps an expression of a thousand names cheap.
    let mut seen: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    let mut conflict = None;
    for two in paths {
        let group = seen.entry(&two.attribute).or_default();
        for one in group.iter() {
            match relation(one, two) {
                Relation::Apart => {}
                Relation::Overlap => {
                    return Err(ExprError::PathsOverlap { one: one.bracketed(), two: two.bracketed() });
                }
                Relation::Conflict if conflict.is_some() => {}
                Relation::Conflict => {
                    conflict = Some(ExprError::PathsConflict { one: one.bracketed(), two: two.bracketed() });
                }
            }
        }
        group.push(two);
    }
    conflict.map_or(Ok(()), Err)
}

/// Compares two values for `<` and its kin: only texts, numbers and bytes have an order, and only among themselves.
pub(crate) fn compare(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.cmp(right)),
        (AttributeValue::N(left), AttributeValue::N(right)) => Some(left.cmp(right)),
        (AttributeValue::B(left), AttributeValue::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
