//! What is wrong with an expression, in AWS's words.

use std::fmt;

/// The request parameter an expression came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
    /// `KeyConditionExpression`.
    KeyCondition,
    /// `ProjectionExpression`.
    Projection,
    /// `SearchConditionExpression`.
    SearchCondition,
    /// `UpdateExpression`.
    Update,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::SearchCondition => "SearchConditionExpression",
            Self::Update => "UpdateExpression",
        })
    }
}

/// Why an expression is refused before any item is looked at.
///
/// `Display` is AWS's text without the words that name the parameter; [`ExprError::message`] adds them where AWS does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// The text is empty or only white space.
    #[error("The expression can not be empty;")]
    Empty,
    /// A condition of more than 4096 bytes: a filter or a key condition too.
    #[error("Expression size has exceeded the maximum allowed size; expression size: {0}")]
    TooLong(usize),
    /// An update or a projection of more than 4096 bytes. AWS does not say how many.
    ///
    /// Evidence: aws/aws-sdk-java-v2#4597 and awslabs/aws-athena-query-federation#388, with a size for a filter in
    /// pynamodb/PynamoDB#979.
    #[error("Expression size has exceeded the maximum allowed size;")]
    TooLongWithoutSize,
    /// More than 300 operators.
    #[error("The expression contains too many operators; operator count: {0}")]
    TooManyOperators(usize),
    /// A token that cannot continue a legal expression.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// The offending token, or `<EOF>`.
        token: String,
        /// The source around it.
        near: String,
    },
    /// A pair of parentheses that directly encloses another.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// A function that does not exist.
    #[error("Invalid function name; function: {0}")]
    InvalidFunction(String),
    /// A function in a place where its result has no use.
    #[error("The function is not allowed to be used this way in an expression; function: {0}")]
    FunctionMisuse(&'static str),
    /// A literal name that is a reserved word.
    #[error("Attribute name is a reserved keyword; reserved keyword: {0}")]
    Reserved(String),
    /// A list index that does not fit 32 bits.
    #[error("List index is not within the allowable range; index: [{0}]")]
    ListIndex(String),
    /// A path of more than 32 levels, its attribute included.
    #[error("The document path has too many nesting levels; nesting levels: {0}")]
    PathDepth(usize),
    /// A `#name` without a definition.
    #[error("An expression attribute name used in the document path is not defined; attribute name: {0}")]
    UndefinedName(String),
    /// A `:value` without a definition.
    #[error("An expression attribute value used in expression is not defined; attribute value: {0}")]
    UndefinedValue(String),
    /// Too many or too few operands.
    #[error(
        "Incorrect number of operands for operator or function; operator or function: {operator}, number of operands: {count}"
    )]
    OperandCount {
        /// The operator or function.
        operator: &'static str,
        /// How many operands it was given.
        count: usize,
    },
    /// The same path on both sides.
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {path}"
    )]
    SameOperands {
        /// The operator or function.
        operator: &'static str,
        /// The path, as messages print it.
        path: String,
    },
    /// A function that wants a path got something else.
    #[error("Operator or function requires a document path; operator or function: {0}")]
    PathRequired(&'static str),
    /// A constant of a type that the operator or function does not take.
    #[error(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {operand}"
    )]
    OperandType {
        /// The operator or function.
        operator: &'static str,
        /// The type of the operand.
        operand: &'static str,
    },
    /// A constant of a type that `ADD` or `DELETE` does not take.
    #[error("Incorrect operand type for operator or function; operator: {operator}, operand type: {operand}")]
    ActionOperandType {
        /// `ADD` or `DELETE`.
        operator: &'static str,
        /// The type of the operand, in the long form.
        operand: &'static str,
    },
    /// The second argument of `attribute_type` names no type.
    #[error("Invalid attribute type name found; type: {0}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}")]
    InvalidTypeName(String),
    /// Bounds of different types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenTypes {
        /// The lower bound, as messages print it.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// Bounds in the wrong order.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenOrder {
        /// The lower bound, as messages print it.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// One of two paths contains the other.
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
    )]
    PathsOverlap {
        /// The path written first.
        one: String,
        /// The other path.
        two: String,
    },
    /// Two paths that need a map and a list in the same place.
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
    )]
    PathsConflict {
        /// The path written first.
        one: String,
        /// The other path.
        two: String,
    },
    /// A section of an update that appears twice.
    #[error("The \"{0}\" section can only be used once in an update expression;")]
    RepeatedSection(&'static str),
    /// An operator that a key condition does not know.
    #[error("Invalid operator used in KeyConditionExpression: {0}")]
    KeyOperator(&'static str),
    /// A key condition with something nested in it.
    #[error("KeyConditionExpressions cannot contain nested operations")]
    KeyNested,
    /// A key condition on something inside an attribute.
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    KeyNestedAttribute,
    /// Two conditions on one key attribute.
    #[error("KeyConditionExpressions must only contain one condition per key")]
    KeyRepeated,
    /// `BETWEEN` or `begins_with` that does not begin with the key attribute.
    #[error(
        "Invalid condition in KeyConditionExpression: {0} operator must have the key attribute as its first operand"
    )]
    KeyNotFirst(&'static str),
    /// A condition that compares two attributes.
    #[error("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")]
    KeyTwoAttributes,
    /// A condition that names no attribute.
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    KeyNoAttribute,
    /// A condition of a search that is not an equality of an attribute and a constant, or a conjunction of such.
    #[error("Invalid comparator used in SearchConditionExpression")]
    SearchComparator,
    /// A condition of a search on something inside an attribute.
    #[error("SearchConditionExpression cannot have conditions on nested attributes")]
    SearchNestedAttribute,
    /// Two conditions of a search on one attribute.
    #[error("SearchConditionExpression must only contain one condition per attribute")]
    SearchRepeated,
}

impl ExprError {
    /// Returns the message a client sees for the error in the given parameter.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_expr::{ExprError, Parameter};
    ///
    /// assert_eq!(
    ///     ExprError::Empty.message(Parameter::Filter),
    ///     "Invalid FilterExpression: The expression can not be empty;"
    /// );
    /// ```
    #[must_use]
    pub fn message(&self, parameter: Parameter) -> String {
        match self {
            // These name the parameter themselves.
            Self::KeyOperator(_) | Self::KeyNotFirst(_) | Self::KeyTwoAttributes | Self::KeyNoAttribute => {
                self.to_string()
            }
            _ => format!("Invalid {parameter}: {self}"),
        }
    }
}
