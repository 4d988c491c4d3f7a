//! The parser's result for an expression, before names and values are looked up. It borrows from the text, and only its syntax is checked.

/// A path as written; each name is literal or a `#name`.
#[derive(Debug)]
pub(crate) struct RawPath<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) elements: Vec<RawElement<'a>>,
}

#[derive(Debug)]
pub(crate) enum RawElement<'a> {
    Name(&'a str),
    Index(u32),
}

/// The functions of all expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Contains,
    Size,
    IfNotExists,
    ListAppend,
}

impl Function {
    const ALL: [Self; 8] = [
        Self::AttributeExists,
        Self::AttributeNotExists,
        Self::AttributeType,
        Self::BeginsWith,
        Self::Contains,
        Self::Size,
        Self::IfNotExists,
        Self::ListAppend,
    ];

    /// Returns the function of this name; the case matters.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AttributeExists => "attribute_exists",
            Self::AttributeNotExists => "attribute_not_exists",
            Self::AttributeType => "attribute_type",
            Self::BeginsWith => "begins_with",
            Self::Contains => "contains",
            Self::Size => "size",
            Self::IfNotExists => "if_not_exists",
            Self::ListAppend => "list_append",
        }
    }

    /// Returns how many arguments the function takes.
    pub(crate) fn arity(self) -> usize {
        match self {
            Self::AttributeExists | Self::AttributeNotExists | Self::Size => 1,
            Self::AttributeType
            | Self::BeginsWith
            | Self::Contains
            | Self::IfNotExists
            | Self::ListAppend => 2,
        }
    }

    /// Returns whether the function is a condition by itself.
    pub(crate) fn is_condition(self) -> bool {
        match self {
            Self::AttributeExists
            | Self::AttributeNotExists
            | Self::AttributeType
            | Self::BeginsWith
            | Self::Contains => true,
            Self::Size | Self::IfNotExists | Self::ListAppend => false,
        }
    }
}

/// A function with its arguments; there is at least one.
#[derive(Debug)]
pub(crate) struct RawCall<'a> {
    /// The name as written; it may be no function's.
    pub(crate) name: &'a str,
    /// Where the name stands.
    pub(crate) start: usize,
    pub(crate) arguments: Vec<RawOperand<'a>>,
}

#[derive(Debug)]
pub(crate) enum RawOperand<'a> {
    Path(RawPath<'a>),
    /// A `:value`.
    Value(&'a str),
    Call(RawCall<'a>),
}

/// An operator between two operands of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `=`.
    Equal,
    /// `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Comparator {
    /// Returns the operator as it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Returns whether the operator needs values that have an order.
    #[must_use]
    pub fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Returns the operator that means the same with its operands exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Debug)]
pub(crate) enum RawCondition<'a> {
    And(Vec<RawCondition<'a>>),
    Or(Vec<RawCondition<'a>>),
    Not(Box<RawCondition<'a>>),
    Compare(Comparator, Box<[RawOperand<'a>; 2]>),
    /// The operand and its bounds.
    Between(Box<[RawOperand<'a>; 3]>),
    In(Box<RawOperand<'a>>, Vec<RawOperand<'a>>),
    Call(RawCall<'a>),
}

/// The sections of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Set,
    Remove,
    Add,
    Delete,
}

impl Section {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Remove => "REMOVE",
            Self::Add => "ADD",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Debug)]
pub(crate) enum RawAction<'a> {
    Set(RawPath<'a>, RawSetValue<'a>),
    Remove(RawPath<'a>),
    Add(RawPath<'a>, &'a str),
    Delete(RawPath<'a>, &'a str),
}

impl<'a> RawAction<'a> {
    pub(crate) fn target(&self) -> &RawPath<'a> {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }
}

#[derive(Debug)]
pub(crate) enum RawSetValue<'a> {
    Operand(RawOperand<'a>),
    Plus(RawOperand<'a>, RawOperand<'a>),
    Minus(RawOperand<'a>, RawOperand<'a>),
}
