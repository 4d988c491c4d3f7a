//! The tables of imports and bulk operations. That of an import is shown as being created until all items are in it.
//!
//! Evidence: `bulk-import-export.md` 1.5, 2.2.

use std::sync::Arc;

use pdb_model::{EpochMillis, TableChange, TableDefinition, TableName, Transition};
use pdb_store::{Table, Tx};

use super::create_rules::check;
use super::input::CreateTableInput;
use super::manager::{TableManager, find_table};
use super::transition::{check_created, in_use};
use crate::ItemsError;
use crate::ready::ready_table;

impl TableManager {
    /// Checks all of the input of an import's table that can be checked without the store.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`].
    pub fn check_imported_table(&self, input: &CreateTableInput) -> Result<(), ItemsError> {
        check(input)
    }

    /// Creates the table of an import in the caller's transaction. Until [`finish_import`](Self::finish_import), it is `CREATING`, and no
    /// operation on items finds it. The input has been checked.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceInUse`] if there is a table of this name.
    pub fn create_imported_table(
        &self,
        tx: &mut Tx<'_>,
        input: &CreateTableInput,
    ) -> Result<Arc<Table>, ItemsError> {
        let table_name = &input.table_name;
        if let Some(existing) = find_table(tx, table_name)? {
            check_created(&existing.definition, self.env.clock.now())?;
            return Err(ItemsError::ResourceInUse(format!("Table already exists: {table_name}")));
        }
        let now = tx.moment(|| self.env.clock.now());
        let mut definition = self.definition(input, now)?;
        definition.transition =
            Some(Transition { change: TableChange::Creation, until: EpochMillis(i64::MAX) });
        Ok(tx.create_table(&definition)?)
    }

    /// Returns the table of an import, if it is still there and still being created.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn imported_table(
        &self,
        tx: &mut Tx<'_>,
        table_name: &TableName,
        table_id: &str,
    ) -> Result<Option<Arc<Table>>, ItemsError> {
        let table = find_table(tx, table_name)?;
        Ok(table.filter(|table| {
            table.definition.table_id == table_id
                && table.definition.transition.as_ref().is_some_and(is_of_import)
        }))
    }

    /// Returns a table that operations on items can use.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`].
    pub fn ready_table(&self, tx: &mut Tx<'_>, table_name: &TableName) -> Result<Arc<Table>, ItemsError> {
        Ok(ready_table(&self.env, tx, table_name)?)
    }

    /// Returns a table for which a bulk operation can be started.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::ResourceInUse`] while an index is being created.
    pub fn bulk_target(&self, tx: &mut Tx<'_>, table_name: &TableName) -> Result<Arc<Table>, ItemsError> {
        let table = self.ready_table(tx, table_name)?;
        match table.definition.change_in_progress(self.env.clock.now()) {
            Some(TableChange::IndexCreation(index) | TableChange::VectorIndexCreation { index, .. }) => {
                Err(in_use(&format!("Index is being created. Table: {table_name} Index: {index}")))
            }
            Some(_) | None => Ok(table),
        }
    }

    /// Makes the table of an import ready for use.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn finish_import(&self, tx: &mut Tx<'_>, table: &Table) -> Result<(), ItemsError> {
        let mut definition = (*table.definition).clone();
        definition.transition = None;
        let now = tx.moment(|| self.env.clock.now());
        self.begin(&mut definition, TableChange::Creation, now);
        Ok(tx.replace_definition(&definition).map(drop)?)
    }

    /// Removes the table of an import that could not begin.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn abandon_import(&self, tx: &mut Tx<'_>, table: &Table) -> Result<(), ItemsError> {
        let now = tx.moment(|| self.env.clock.now());
        Ok(tx.drop_table(table.name(), now).map(drop)?)
    }
}

/// Returns whether a table is that of an import that has not ended: nobody may take its items for all.
pub(crate) fn is_being_imported(table: &TableDefinition) -> bool {
    table.transition.as_ref().is_some_and(is_of_import)
}

/// No other transition lasts for ever.
fn is_of_import(transition: &Transition) -> bool {
    transition.change == TableChange::Creation && transition.until == EpochMillis(i64::MAX)
}
