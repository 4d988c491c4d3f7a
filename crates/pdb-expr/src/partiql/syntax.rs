//! The parser's result for a statement, before literals are converted and parameters inserted.

use super::Returning;

/// A part of the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) enum RawStatement {
    Select(RawSelect),
    Exists(RawSelect),
    Insert {
        source: RawSource,
        value: RawExpr,
    },
    Update {
        source: RawSource,
        operations: Vec<RawOperation>,
        condition: Option<RawExpr>,
        returning: Option<Returning>,
    },
    Delete {
        source: RawSource,
        condition: Option<RawExpr>,
        returning: Option<Returning>,
    },
    /// An expression where a statement should be.
    Expression(RawExpr),
}

/// The components of a table's path.
pub(super) type RawSource = Vec<String>;

#[derive(Debug)]
pub(super) struct RawSelect {
    /// `None` means `*`.
    pub(super) list: Option<Vec<RawExpr>>,
    pub(super) source: RawSource,
    pub(super) condition: Option<RawExpr>,
    /// Each expression with whether the order is descending.
    pub(super) order_by: Vec<(RawExpr, bool)>,
}

#[derive(Debug)]
pub(super) enum RawOperation {
    /// A target, which is a path, and its new value.
    Set(RawExpr, RawExpr),
    Remove(RawExpr),
}

#[derive(Debug)]
pub(super) struct RawExpr {
    pub(super) kind: RawKind,
    /// The first token: what positions point to.
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum RawKind {
    Text(String),
    /// A number as written, with its sign.
    Number(String),
    Bool(bool),
    Null,
    Missing,
    List(Vec<RawExpr>),
    /// Keys and values.
    Tuple(Vec<(RawExpr, RawExpr)>),
    Bag(Vec<RawExpr>),
    /// `?`, counted from 0.
    Parameter(usize),
    Path(String, Vec<RawStep>),
    /// A function; the name in lower case.
    Call(String, Vec<RawExpr>),
    /// `*` as an argument.
    Star,
    /// At least two.
    And(Vec<RawExpr>),
    /// At least two.
    Or(Vec<RawExpr>),
    /// A comparison or an arithmetic operation.
    Binary(&'static str, Box<[RawExpr; 2]>),
    Not(Box<RawExpr>),
    Between(Box<[RawExpr; 3]>),
    In(Box<[RawExpr; 2]>),
    /// A type as written, in upper case.
    Is(Box<RawExpr>, String),
    Like(Box<[RawExpr; 2]>),
}

#[derive(Debug)]
pub(super) enum RawStep {
    Name(String),
    /// The digits of an index.
    Index(String),
}
