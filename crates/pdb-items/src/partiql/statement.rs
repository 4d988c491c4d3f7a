//! Statements, parsed, with the tables they name.

use pdb_expr::partiql::{PartiqlError, Source, Statement, StatementKind};
use pdb_model::{AttributeValue, TableArn, TableName};

use crate::ItemsError;
use crate::error::not_found;
use crate::write::check_new_item;

/// A statement and the name of its table.
#[derive(Clone, Debug)]
pub(super) struct ParsedStatement {
    pub(super) statement: Statement,
    pub(super) table_name: TableName,
}

impl ParsedStatement {
    /// Parses a statement and checks all that can be checked without its table.
    pub(super) fn parse(text: &str, parameters: &[AttributeValue]) -> Result<Self, ItemsError> {
        let statement = Statement::parse(text, parameters).map_err(refused)?;
        if let Statement::Insert(insert) = &statement {
            check_new_item(&insert.item)?;
        }
        // No table has another name, unless it is the name of a resource.
        let table_name = table_of(statement.source()).ok_or_else(not_found)?;
        Ok(Self { statement, table_name })
    }
}

/// Returns the table that a statement names, by name or ARN, looking at its syntax only; `None` if that is wrong.
#[must_use]
pub fn table_named_by(statement: &str) -> Option<TableName> {
    table_of(&Source::named_in(statement)?)
}

/// Returns what a statement does, to which table, and to which of its indexes, looking at its syntax only; `None` if that is wrong. The
/// name of the index is as the statement has it.
#[must_use]
pub fn access_named_by(statement: &str) -> Option<(StatementKind, TableName, Option<String>)> {
    let (kind, source) = StatementKind::named_in(statement)?;
    Some((kind, table_of(&source)?, source.index))
}

/// Returns the region of the table that a statement names by ARN, looking at its syntax only; `None` if it names none so.
#[must_use]
pub fn region_named_by(statement: &str) -> Option<String> {
    Some(Source::named_in(statement)?.table.parse::<TableArn>().ok()?.region)
}

fn table_of(Source { table, .. }: &Source) -> Option<TableName> {
    table.parse().ok().or_else(|| Some(table.parse::<TableArn>().ok()?.name))
}

/// What a fault in a statement is to a client.
pub(super) fn refused(error: PartiqlError) -> ItemsError {
    ItemsError::Validation(error.to_string())
}
