//! The third migration on SQLite: tables are walked in the order in which their rows lie, which does not change.

use std::ops::ControlFlow;

use crate::{
    driver::Driver,
    error::{During, StoreError},
    migrate::keys::{self, KeyTable, Keys, READING, RenewedRow, WRITING},
    names::quoted,
    params::Param,
};

/// Rows that are read at once. Of each its keys are kept in memory, 12 KB at most.
const STEP_ROWS: i64 = 250;

/// Gives every row its new key, in the open transaction.
pub(crate) fn renew(driver: Driver<'_>) -> Result<(), StoreError> {
    keys::renew(driver, |table, _| renew_table(driver, table))
}

fn renew_table(driver: Driver<'_>, table: &KeyTable<'_>) -> Result<(), StoreError> {
    let (name, key) = (quoted(&table.name), table.key());
    let base = if table.index.is_some() { "base" } else { key };
    let select = format!(
        "SELECT {key}, {base}, item, size_bytes, checksum, rowid FROM {name} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2"
    );
    let update = match table.index {
        None => format!("UPDATE {name} SET key = ?2, checksum = ?3 WHERE rowid = ?1"),
        Some(_) => format!("UPDATE {name} SET entry = ?2, checksum = ?3, base = ?4 WHERE rowid = ?1"),
    };
    let mut after = i64::MIN;
    loop {
        let (mut renewed, mut rows) = (Vec::new(), 0);
        driver.query(READING, &select, &[Param::Integer(after), Param::Integer(STEP_ROWS)], |row| {
            after = row.integer(5)?;
            rows += 1;
            // A column of another type is damage as well.
            if let (Ok(key), Ok(base)) = (row.blob(0), row.blob(1)) {
                renewed.extend(table.renewed(row, Keys { key, base })?.map(|renewed| (after, renewed)));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (id, row) in &renewed {
            write(driver, &update, *id, row, table.index.is_some())?;
        }
        if rows < STEP_ROWS {
            return Ok(());
        }
    }
}

fn write(
    driver: Driver<'_>,
    update: &str,
    id: i64,
    row: &RenewedRow,
    is_entry: bool,
) -> Result<(), StoreError> {
    let params = [
        Param::Integer(id),
        Param::Blob(&row.key),
        Param::optional_integer(row.checksum),
        Param::Blob(&row.base),
    ];
    let params = if is_entry { &params[..] } else { &params[..3] };
    if driver.execute(update, params).during(WRITING)? != 1 {
        return Err(StoreError::corrupt("key", "its row is gone"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
