//! Which tables operations on items may use.

use std::sync::Arc;

use pdb_model::{Env, TableChange, TableName};
use pdb_store::{ReadTx, StoreError, Table};

/// Returns a table. One that is shown as being created is not found, as on AWS.
///
/// # Errors
///
/// [`StoreError::TableNotFound`].
pub(crate) fn ready_table(
    env: &Env,
    tx: &mut ReadTx<'_>,
    name: &TableName,
) -> Result<Arc<Table>, StoreError> {
    let table = tx.table(name)?;
    // The clock is read only for tables that ever had something to wait for.
    if table.definition.transition.is_some()
        && table.definition.change_in_progress(env.clock.now()) == Some(&TableChange::Creation)
    {
        return Err(StoreError::TableNotFound(name.clone()));
    }
    Ok(table)
}
