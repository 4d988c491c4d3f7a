//! The parameters as values.

use std::fmt;

use pdb_model::AttributeValue;

/// How the entries of a legacy condition combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConditionalOperator {
    /// All must hold.
    #[default]
    And,
    /// One must hold.
    Or,
}

/// An operator of a legacy condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonOperator {
    /// `EQ`.
    Eq,
    /// `NE`.
    Ne,
    /// `IN`.
    In,
    /// `LE`.
    Le,
    /// `LT`.
    Lt,
    /// `GE`.
    Ge,
    /// `GT`.
    Gt,
    /// `BETWEEN`.
    Between,
    /// `NOT_NULL`.
    NotNull,
    /// `NULL`.
    Null,
    /// `CONTAINS`.
    Contains,
    /// `NOT_CONTAINS`.
    NotContains,
    /// `BEGINS_WITH`.
    BeginsWith,
}

impl ComparisonOperator {
    /// All operators.
    pub const ALL: [Self; 13] = [
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::Le,
        Self::Lt,
        Self::Ge,
        Self::Gt,
        Self::Between,
        Self::NotNull,
        Self::Null,
        Self::Contains,
        Self::NotContains,
        Self::BeginsWith,
    ];

    /// Returns the operator as the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "EQ",
            Self::Ne => "NE",
            Self::In => "IN",
            Self::Le => "LE",
            Self::Lt => "LT",
            Self::Ge => "GE",
            Self::Gt => "GT",
            Self::Between => "BETWEEN",
            Self::NotNull => "NOT_NULL",
            Self::Null => "NULL",
            Self::Contains => "CONTAINS",
            Self::NotContains => "NOT_CONTAINS",
            Self::BeginsWith => "BEGINS_WITH",
        }
    }
}

impl fmt::Display for ComparisonOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A condition on one attribute, of `KeyConditions`, `QueryFilter` and `ScanFilter`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The operator.
    pub comparison_operator: ComparisonOperator,
    /// What the attribute is compared with.
    pub attribute_value_list: Vec<AttributeValue>,
}

/// A condition on one attribute, of `Expected`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedAttributeValue {
    /// The value the attribute must have.
    pub value: Option<AttributeValue>,
    /// Whether the attribute must exist.
    pub exists: Option<bool>,
    /// The operator.
    pub comparison_operator: Option<ComparisonOperator>,
    /// What the attribute is compared with.
    pub attribute_value_list: Option<Vec<AttributeValue>>,
}

/// What a legacy update does to an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttributeAction {
    /// Replaces the attribute.
    #[default]
    Put,
    /// Adds to a number, a set or a list.
    Add,
    /// Removes the attribute, or elements of a set.
    Delete,
}

/// The update of one attribute, of `AttributeUpdates`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeValueUpdate {
    /// What to do.
    pub action: AttributeAction,
    /// With which value.
    pub value: Option<AttributeValue>,
}
