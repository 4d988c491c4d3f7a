//! The third migration on PostgreSQL: tables are walked in the order of their keys. A row that was given a greater key is met again, and
//! needs no other.

use std::ops::ControlFlow;

use crate::{
    driver::Driver,
    error::{During, StoreError},
    migrate::keys::{self, KeyTable, Keys, READING, RenewedRow, WRITING},
    names::quoted,
    params::Param,
    postgres::{page::Page, texts},
};

/// Gives every row its new key, in the open transaction.
pub(crate) fn renew(driver: Driver<'_>) -> Result<(), StoreError> {
    keys::renew(driver, |table, is_kept| {
        if !is_kept {
            return renew_table(driver, table);
        }
        // The items of a backup have no SQL index.
        let index = format!("CREATE INDEX pdb_renewal ON {} (key_head, key_tail)", quoted(&table.name));
        driver.batch(&index).during(WRITING)?;
        renew_table(driver, table)?;
        driver.batch("DROP INDEX pdb_renewal").during(WRITING)
    })
}

fn renew_table(driver: Driver<'_>, table: &KeyTable<'_>) -> Result<(), StoreError> {
    let (name, key) = (quoted(&table.name), table.key());
    // Others who write meanwhile would write a key of the earlier schema.
    driver.batch(&format!("LOCK TABLE {name} IN EXCLUSIVE MODE")).during(WRITING)?;
    let is_entry = table.index.is_some();
    let (base, set_base) =
        if is_entry { ("base".to_owned(), ", base = ?7") } else { (format!("{key}_head"), "") };
    let select = format!(
        "SELECT {key}_head, {base}, item, size_bytes, checksum, {key}_rest FROM {name} \
         WHERE {key}_head >= ?1 AND ({key}_head, {key}_rest) > (?1, ?2) ORDER BY {key}_head, {key}_rest LIMIT "
    );
    let update = format!(
        "UPDATE {name} SET {key}_head = ?3, {key}_tail = ?4, {key}_rest = ?5, checksum = ?6{set_base} \
         WHERE {key}_head = ?1 AND {key}_tail = ?2"
    );
    let (mut after, mut page) = (Vec::new(), Page::first());
    loop {
        let mut renewed = Vec::new();
        let lower = texts::key_columns(&after);
        let mut last = None;
        driver.query(READING, &page.limited(&select), &lower.bound([]), |row| {
            page.read(row.text(2)?.len());
            let key = row.key(0, 5)?;
            let base = if is_entry { row.blob(1)? } else { &key };
            let new = table.renewed(row, Keys { key: &key, base })?;
            renewed.extend(new.map(|renewed| (key.to_vec(), renewed)));
            last = Some(key.into_owned());
            Ok(ControlFlow::Continue(()))
        })?;
        for (old, row) in &renewed {
            write(driver, &update, old, row, is_entry)?;
        }
        let Some(last) = last.filter(|_| page.is_full()) else { return Ok(()) };
        (after, page) = (last, page.next());
    }
}

fn write(
    driver: Driver<'_>,
    update: &str,
    old: &[u8],
    row: &RenewedRow,
    is_entry: bool,
) -> Result<(), StoreError> {
    let (old, new) = (texts::key_columns(old), texts::key_columns(&row.key));
    let mut params = [&old.identity([])[..], &new.all([Param::optional_integer(row.checksum)])].concat();
    if is_entry {
        params.push(Param::Blob(&row.base));
    }
    if driver.execute(update, &params).during(WRITING)? != 1 {
        return Err(StoreError::corrupt("key", "its row is gone"));
    }
    Ok(())
}
