//! PartiQL: the three operations that execute statements.

mod batch_execute_statement;
mod execute_statement;
mod execute_transaction;

pub(crate) use batch_execute_statement::batch_execute_statement;
pub(crate) use execute_statement::execute_statement;
pub(crate) use execute_transaction::execute_transaction;

use pdb_model::{ApiError, AttributeValue};
use pretender::items::partiql::region_named_by;

use crate::Wire;
use crate::constraint::{Constraints, Path};
use crate::decode::Text;
use crate::layer::Texts;
use crate::value::Value;

/// Whether a statement names a table of another region, by ARN, where regions are kept apart.
fn is_elsewhere(wire: &Wire, statement: &str) -> bool {
    // Most statements name no ARN, and are not parsed twice.
    let region = || statement.contains("arn:").then(|| region_named_by(statement)).flatten();
    wire.only_region().is_some_and(|only| region().is_some_and(|region| region != only))
}

/// Checks a statement and its parameters at their paths.
fn constrain_statement(
    check: &mut Constraints,
    (at_statement, statement): (&Path<'_>, Option<&Text<'_>>),
    (at_parameters, parameters): (&Path<'_>, Option<&Vec<Value>>),
) {
    check.required(at_statement, statement);
    check.text_length(at_statement, statement, 1..=8192);
    check.list_length(at_parameters, parameters, 1..=usize::MAX);
}

/// Takes the parameters of a statement. PartiQL has not moved to the newer texts.
fn parameters(given: Option<Vec<Value>>) -> Result<Vec<AttributeValue>, ApiError> {
    given.into_iter().flatten().map(|value| value.checked(Texts::CLASSIC)).collect()
}
