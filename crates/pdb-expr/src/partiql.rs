//! PartiQL statements, as far as DynamoDB takes them: from text to trees that name a table, a condition, an update.
//!
//! [`Statement::parse`] checks all that can be checked without a table. What the table decides is here too, as functions of
//! its key schema: [`access()`] finds the keys a `SELECT` reads, [`primary_key`] the item that a statement is about.
//!
//! # Examples
//!
//! ```
//! use pdb_expr::partiql::Statement;
//!
//! let statement = Statement::parse(r#"SELECT title, size(tags) FROM "music""#, &[]);
//! assert_eq!(statement.unwrap_err().to_string(), "Unexpected path component at 1:15:4");
//! let statement = Statement::parse(r#"DELETE FROM "music" WHERE artist = ?"#, &["Nina".into()])?;
//! let Statement::Delete(delete) = statement else { panic!("it is a DELETE") };
//! assert_eq!(delete.source.table, "music");
//! # Ok::<(), pdb_expr::partiql::PartiqlError>(())
//! ```

mod access;
mod error;
mod keywords;
mod lexer;
mod literal;
mod lower;
mod parser;
mod syntax;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pdb_model::{AttributeValue, Item};

use crate::{ConditionExpression, Path, UpdateExpression};

pub use access::{Access, access, has_other_conditions, primary_key};
pub use error::{PartiqlError, Position};

/// A PartiQL statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `SELECT`.
    Select(Select),
    /// `INSERT`.
    Insert(Insert),
    /// `UPDATE`, or `FROM` followed by `SET` or `REMOVE`.
    Update(Update),
    /// `DELETE`.
    Delete(Delete),
    /// `EXISTS(SELECT ...)`; only transactions take it.
    Exists(Select),
}

/// What a statement reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The table, by name or ARN.
    pub table: String,
    /// The index after the dot.
    pub index: Option<String>,
}

impl Source {
    /// Returns the table or index of a statement. Only the syntax is checked; a syntax error gives `None`.
    #[must_use]
    pub fn named_in(statement: &str) -> Option<Self> {
        let (raw, _) = parser::parse(statement).ok()?;
        lower::source_of(&raw)
    }
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `SELECT`, also inside of `EXISTS`.
    Select,
    /// `INSERT`.
    Insert,
    /// `UPDATE`, or `FROM` followed by `SET` or `REMOVE`.
    Update,
    /// `DELETE`.
    Delete,
}

impl StatementKind {
    /// Returns what a statement does, and to which table or index. Only the syntax is checked; a syntax error gives `None`.
    #[must_use]
    pub fn named_in(statement: &str) -> Option<(Self, Source)> {
        let (raw, _) = parser::parse(statement).ok()?;
        Some((lower::kind_of(&raw)?, lower::source_of(&raw)?))
    }
}

/// A `SELECT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// Where from.
    pub source: Source,
    /// The paths to return of each item. `None` means `*`.
    pub projection: Option<Vec<ProjectedPath>>,
    /// `WHERE`.
    pub condition: Option<ConditionExpression>,
    /// `ORDER BY`, the most significant attribute first.
    pub order_by: Vec<OrderBy>,
    /// The error for counting, which is refused. An index that PartiQL does not read is an error before that, and only known with the table.
    pub counting: Option<PartiqlError>,
}

/// One part of a `SELECT` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectedPath {
    /// What to read.
    pub path: Path,
    /// The attribute in the result: the last component of the path.
    pub name: String,
}

/// One part of an `ORDER BY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// The attribute.
    pub path: Path,
    /// Whether the order is descending.
    pub is_descending: bool,
}

/// An `INSERT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// Where to.
    pub source: Source,
    /// What.
    pub item: Arc<Item>,
}

/// An `UPDATE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Where.
    pub source: Source,
    /// What to do.
    pub update: UpdateExpression,
    /// `WHERE`: the key, and what else must hold.
    pub condition: Option<ConditionExpression>,
    /// What to answer.
    pub returning: Option<Returning>,
}

/// A `DELETE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// Where.
    pub source: Source,
    /// `WHERE`: the key, and what else must hold.
    pub condition: Option<ConditionExpression>,
    /// What to answer; only [`Returning::AllOld`].
    pub returning: Option<Returning>,
}

/// What a write answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returning {
    /// `RETURNING ALL OLD *`.
    AllOld,
    /// `RETURNING ALL NEW *`.
    AllNew,
    /// `RETURNING MODIFIED OLD *`.
    ModifiedOld,
    /// `RETURNING MODIFIED NEW *`.
    ModifiedNew,
}

impl Returning {
    /// Returns the clause as it is written.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            Self::AllOld => "RETURNING ALL OLD *",
            Self::AllNew => "RETURNING ALL NEW *",
            Self::ModifiedOld => "RETURNING MODIFIED OLD *",
            Self::ModifiedNew => "RETURNING MODIFIED NEW *",
        }
    }
}

impl Statement {
    /// Parses a statement. Each `?` stands for the next one of `parameters`.
    ///
    /// # Errors
    ///
    /// The first fault in AWS's order: syntax, literals, parameters, operand types, names of tables and indexes.
    pub fn parse(text: &str, parameters: &[AttributeValue]) -> Result<Self, PartiqlError> {
        let (raw, question_marks) = parser::parse(text)?;
        lower::statement(text, &raw, question_marks, parameters)
    }

    /// Returns the table or index the statement is about.
    #[must_use]
    pub fn source(&self) -> &Source {
        match self {
            Self::Select(select) | Self::Exists(select) => &select.source,
            Self::Insert(insert) => &insert.source,
            Self::Update(update) => &update.source,
            Self::Delete(delete) => &delete.source,
        }
    }

    /// Returns the `WHERE` of the statement.
    #[must_use]
    pub fn condition(&self) -> Option<&ConditionExpression> {
        match self {
            Self::Select(select) | Self::Exists(select) => select.condition.as_ref(),
            Self::Insert(_) => None,
            Self::Update(update) => update.condition.as_ref(),
            Self::Delete(delete) => delete.condition.as_ref(),
        }
    }

    /// Returns the `RETURNING` of the statement.
    #[must_use]
    pub fn returning(&self) -> Option<Returning> {
        match self {
            Self::Select(_) | Self::Exists(_) | Self::Insert(_) => None,
            Self::Update(update) => update.returning,
            Self::Delete(delete) => delete.returning,
        }
    }

    /// Returns whether the statement only reads. That includes `EXISTS`, although it is used with writes.
    #[must_use]
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Select(_) | Self::Exists(_))
    }
}

impl Select {
    /// Returns the result of the statement for an item.
    #[must_use]
    pub fn project(&self, item: &Item) -> Item {
        match &self.projection {
            None => item.clone(),
            Some(paths) => paths
                .iter()
                .filter_map(|part| Some((part.name.clone(), part.path.resolve(item)?.clone())))
                .collect(),
        }
    }
}
