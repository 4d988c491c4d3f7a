//! Statements, parsed, with the tables they name.

use pdb_expr::partiql::{PartiqlError, Statement};
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
        let named = &statement.source().table;
        let table_name = match named.parse::<TableName>() {
            Ok(name) => name,
            // No table has a name like that, unless it is the name of a resource.
            Err(_) => named.parse::<TableArn>().map_err(|_| not_found())?.name,
        };
        Ok(Self { statement, table_name })
    }
}

/// What a fault in a statement is to a client.
pub(super) fn refused(error: PartiqlError) -> ItemsError {
    ItemsError::Validation(error.to_string())
}
