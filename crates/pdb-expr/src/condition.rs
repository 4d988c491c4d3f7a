//! Conditions and filters: the syntax tree and its paths.

pub(crate) mod build;
mod evaluate;
mod lower;
mod print;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pdb_model::AttributeValue;

use crate::parser::Parser;
use crate::syntax::Comparator;
use crate::{ExprError, Path, Placeholders};

pub use evaluate::compares;
pub(crate) use lower::Lowering;
pub use print::PrintedExpression;
pub(crate) use print::Printer;

/// A `ConditionExpression` or `FilterExpression`, with all names and values looked up.
///
/// [`ConditionExpression::parse`] makes one from text; legacy parameters and PartiQL build theirs from the variants.
///
/// # Examples
///
/// ```
/// use pdb_expr::{ConditionExpression, Placeholders};
/// use pdb_model::Item;
///
/// let placeholders = Placeholders::new([], [(":limit".to_owned(), 10.into())]);
/// let condition = ConditionExpression::parse("stock < :limit", &placeholders)?;
/// assert!(condition.matches(Some(&Item::from([("stock", 3.into())]))));
/// assert!(!condition.matches(None));
/// # Ok::<(), pdb_expr::ExprError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionExpression {
    /// All hold. At least two, when parsed.
    And(Vec<ConditionExpression>),
    /// One holds. At least two, when parsed.
    Or(Vec<ConditionExpression>),
    /// The condition does not hold.
    Not(Box<ConditionExpression>),
    /// The operands are both there, of one type, and compare so. `<>` is the opposite of `=`.
    Compare(Comparator, Operand, Operand),
    /// The operand lies between the bounds or equals one of them.
    Between {
        /// The operand.
        operand: Operand,
        /// The lower bound.
        lower: Operand,
        /// The upper bound.
        upper: Operand,
    },
    /// The operand equals one of the list.
    In {
        /// The operand.
        operand: Operand,
        /// What it is compared with.
        list: Vec<Operand>,
    },
    /// The path exists.
    AttributeExists(Path),
    /// The path does not exist.
    AttributeNotExists(Path),
    /// The operand is there and of the type.
    AttributeType(Operand, AttributeType),
    /// The first operand begins with the second; texts or bytes.
    BeginsWith(Operand, Operand),
    /// The first operand contains the second, as a part or as a member.
    Contains(Operand, Operand),
}

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// What the item has at the path.
    Path(Path),
    /// A constant.
    Value(Arc<AttributeValue>),
    /// The size of the operand.
    Size(Box<Operand>),
}

impl Operand {
    /// Returns the operand for a constant.
    pub fn value(value: impl Into<AttributeValue>) -> Self {
        Self::Value(Arc::new(value.into()))
    }

    /// Returns the operand for a whole attribute.
    pub fn attribute(name: impl Into<Arc<str>>) -> Self {
        Self::Path(Path::attribute(name))
    }

    /// Returns the constant if the operand is one.
    #[must_use]
    pub fn constant(&self) -> Option<&AttributeValue> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Returns the path if the operand is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        if let Self::Path(path) = self { Some(path) } else { None }
    }
}

/// A type as `attribute_type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    S,
    /// Number.
    N,
    /// Bytes.
    B,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// Set of texts.
    Ss,
    /// Set of numbers.
    Ns,
    /// Set of byte strings.
    Bs,
    /// List.
    L,
    /// Map.
    M,
}

impl AttributeType {
    /// All types.
    pub const ALL: [Self; 10] =
        [Self::S, Self::N, Self::B, Self::Bool, Self::Null, Self::Ss, Self::Ns, Self::Bs, Self::L, Self::M];

    /// Returns the name of the type as the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
            Self::L => "L",
            Self::M => "M",
        }
    }

    /// Returns the type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute_type| attribute_type.name() == name)
    }

    /// Returns the type of a value.
    #[must_use]
    pub fn of(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::S(_) => Self::S,
            AttributeValue::N(_) => Self::N,
            AttributeValue::B(_) => Self::B,
            AttributeValue::Bool(_) => Self::Bool,
            AttributeValue::Null => Self::Null,
            AttributeValue::Ss(_) => Self::Ss,
            AttributeValue::Ns(_) => Self::Ns,
            AttributeValue::Bs(_) => Self::Bs,
            AttributeValue::L(_) => Self::L,
            AttributeValue::M(_) => Self::M,
        }
    }
}

impl ConditionExpression {
    /// Parses a condition or a filter and checks all that can be checked without an item.
    ///
    /// # Errors
    ///
    /// The first fault in AWS's order: size, syntax, operators, parentheses, functions, reserved words, and then
    /// predicate by predicate placeholders, counts and operands.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, ExprError> {
        let mut parser = Parser::of_condition(text)?;
        let raw = parser.condition()?;
        parser.notes.check_condition()?;
        Lowering::new(placeholders).condition(&raw)
    }

    /// Returns the condition that holds if all of `conditions` do, or `None` if there are none.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Option<Self> {
        joined(conditions, Self::And)
    }

    /// Returns the condition that holds if one of `conditions` does, or `None` if there are none.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Option<Self> {
        joined(conditions, Self::Or)
    }

    /// Returns the condition that an attribute equals a value.
    pub fn equals(attribute: impl Into<Arc<str>>, value: impl Into<AttributeValue>) -> Self {
        Self::Compare(Comparator::Equal, Operand::attribute(attribute), Operand::value(value))
    }

    /// Returns all paths of the condition, in the order of the text, each as often as it is written.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
            Self::Not(inner) => inner.collect_paths(paths),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                left.collect_path(paths);
                right.collect_path(paths);
            }
            Self::Between { operand, lower, upper } => {
                operand.collect_path(paths);
                lower.collect_path(paths);
                upper.collect_path(paths);
            }
            Self::In { operand, list } => {
                operand.collect_path(paths);
                list.iter().for_each(|operand| operand.collect_path(paths));
            }
            Self::AttributeExists(path) | Self::AttributeNotExists(path) => paths.push(path),
            Self::AttributeType(operand, _) => operand.collect_path(paths),
        }
    }
}

impl Operand {
    fn collect_path<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Path(path) => paths.push(path),
            Self::Value(_) => {}
            Self::Size(operand) => operand.collect_path(paths),
        }
    }
}

fn joined(
    conditions: impl IntoIterator<Item = ConditionExpression>,
    join: fn(Vec<ConditionExpression>) -> ConditionExpression,
) -> Option<ConditionExpression> {
    let mut conditions: Vec<_> = conditions.into_iter().collect();
    if conditions.len() < 2 { conditions.pop() } else { Some(join(conditions)) }
}
