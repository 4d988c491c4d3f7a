//! The sixth migration: a history for each table that has point-in-time recovery already.
//!
//! Earlier versions only noted the setting. The new history is empty and knows no moment at which it began, because the store reads no clock: it can
//! lead back to its first change.

use crate::{
    driver::Driver,
    error::{During, StoreError},
    names,
    sql::{history, tables},
};

/// Makes the histories, in the open transaction.
pub(crate) fn begin_histories(driver: Driver<'_>) -> Result<(), StoreError> {
    let sql = "SELECT id, item_table, definition, checksum FROM pdb_metadata ORDER BY table_name";
    for (id, _, definition) in driver.all("list tables", sql, &[], tables::read_metadata)? {
        if definition.point_in_time_recovery.is_some() {
            let create = driver.dialect().create_history(&names::history_table(definition.name.as_str()));
            // As for every table made at run time: see `Tx::define`.
            let create = create.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            driver.batch(&create).during("create a table for a history")?;
            history::insert_row(driver, id, &definition.name, None)?;
        }
    }
    Ok(())
}
