//! What is wrong with a statement, in AWS's words.

use std::fmt;

use pdb_model::NumberError;

use crate::{ExprError, KeyConditionError};

/// A position in a statement. `Display` is `line:column:length`, in characters, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// How many characters.
    pub length: usize,
}

impl Position {
    /// Returns the position of the bytes from `start` to `end` of a text.
    pub(crate) fn of(text: &str, start: usize, end: usize) -> Self {
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: text[start..end].chars().count(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.line, self.column, self.length)
    }
}

/// Why a statement is refused. `Display` is AWS's text, whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartiqlError {
    /// The statement does not follow the grammar. Lexical errors say no more than that.
    #[error("Statement wasn't well formed, can't be processed: {0}")]
    Malformed(&'static str),
    /// A name for a table or a column.
    #[error("Aliasing is not supported")]
    Aliasing,
    /// An operation that the grammar has and DynamoDB does not.
    #[error("Unsupported operation: {0}")]
    UnsupportedOperation(&'static str),
    /// A clause that the grammar has and DynamoDB does not.
    #[error("Unsupported clause: {clause} at {position}")]
    UnsupportedClause {
        /// The first word of the clause.
        clause: String,
        /// Where it stands.
        position: Position,
    },
    /// A number literal that DynamoDB cannot store.
    #[error("{error} under {path}")]
    Number {
        /// What is wrong with it.
        error: NumberError,
        /// The place in the literal: `root`, `root.x`, `root[1]`.
        path: String,
    },
    /// Something other than a value inside a value.
    #[error("Unsupported data type: {what} under key {path} at {position}")]
    UnsupportedData {
        /// What it is.
        what: String,
        /// The place in the literal.
        path: String,
        /// Where it stands.
        position: Position,
    },
    /// A tuple or a path with an attribute that has no name.
    #[error("One or more parameter values were invalid: Empty attribute name")]
    EmptyName,
    /// `<<>>`.
    #[error("Empty bags are not supported")]
    EmptyBag,
    /// A bag of members that form no set of DynamoDB.
    #[error("Bags must contain only strings, only numbers or only binary values")]
    MixedBag,
    /// A bag with a member twice.
    #[error("One or more parameter values were invalid: Input collection [{0}] contains duplicates.")]
    Duplicates(String),
    /// More or fewer parameters than question marks.
    #[error("Number of parameters in request and statement don't match.")]
    ParameterCount,
    /// What conditions and updates refuse too, without a prefix here.
    #[error(transparent)]
    Expression(#[from] ExprError),
    /// Something other than a path in the `SELECT` list.
    #[error("Unexpected path component at {0}")]
    UnexpectedPathComponent(Position),
    /// A function that does not exist.
    #[error("Unrecognized function: {name} at {position}")]
    UnrecognizedFunction {
        /// The name in lower case.
        name: String,
        /// Where it stands.
        position: Position,
    },
    /// `set_add` or `set_delete` of another path than the assigned one.
    #[error("The first argument to {function} must equal the assignment value at {position}")]
    SetTarget {
        /// The function in upper case.
        function: &'static str,
        /// Where the function stands.
        position: Position,
    },
    /// `set_add` or `set_delete` of a value that is not a set.
    #[error("The second argument to {function} must be a value with type SET at {position}")]
    SetArgument {
        /// The function in upper case.
        function: &'static str,
        /// Where the first argument stands.
        position: Position,
    },
    /// `set_add` or `set_delete` with more or fewer arguments than two.
    #[error("{function} must have exactly two arguments at {position}")]
    SetArgumentCount {
        /// The function in upper case.
        function: &'static str,
        /// Where the function stands.
        position: Position,
    },
    /// A `RETURNING` that a `DELETE` cannot have.
    #[error("Invalid returning clause: {0}. Only RETURNING ALL OLD * is allowed in DELETE statements.")]
    DeleteReturning(&'static str),
    /// A table or index with an empty name.
    #[error("Path component cannot be an empty string")]
    EmptyPathComponent,
    /// A table followed by more than an index.
    #[error("A path may contain at most 2 components in the FROM clause")]
    TooManyPathComponents,
    /// The key condition of a `SELECT` does not fit the schema.
    #[error(transparent)]
    Key(#[from] KeyConditionError),
    /// A write without an equality on each key attribute.
    #[error("Where clause does not contain a mandatory equality on all key attributes")]
    MissingKeyEquality,
    /// Alternatives that read parts of one partition more than once.
    #[error("Overlapping conditions with range keys are not supported in where clause")]
    OverlappingConditions,
    /// An index that the table does not have.
    #[error("The table does not have the specified index")]
    UnknownIndex,
    /// A strongly consistent read of a global index.
    #[error("Strongly consistent read is not supported on Global Secondary Indexes")]
    ConsistentIndexRead,
    /// A read of an index with several hash or range attributes.
    #[error(
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
    )]
    MultiAttributeKeys,
    /// An `INSERT` into an index.
    #[error("FROM clause may only contain a single table name")]
    InsertIntoIndex,
    /// An `UPDATE` or `DELETE` of an index.
    #[error("This operation is not supported on an index")]
    WriteToIndex,
}
