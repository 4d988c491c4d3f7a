//! Copies of a table's items: kept under a name of their own for backups, or made from table to table.

use crate::{driver::Param, error::StoreError, names, table::Table, tx::Tx};

impl Tx<'_> {
    /// Copies the items of a table, so that they survive it, under a name that no other copy has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`]. So with all methods here.
    pub fn keep_items(&mut self, table: &Table, name: &str) -> Result<(), StoreError> {
        let items = self.item_table(table)?;
        let columns = self.driver.dialect().item_columns();
        self.define(
            "copy items",
            &format!(
                "CREATE TABLE {} AS SELECT {columns} FROM {items}",
                names::quoted(&names::kept_table(name))
            ),
        )
    }

    /// Fills an empty table with items that [`keep_items`](Self::keep_items) copied. Indexes learn nothing of it, nor does the
    /// stream; no item expires.
    ///
    /// # Errors
    ///
    /// As [`keep_items`](Self::keep_items).
    pub fn restore_items(&mut self, table: &Table, name: &str) -> Result<(), StoreError> {
        self.fill(table, &names::quoted(&names::kept_table(name)))
    }

    /// Fills an empty table with the items of another, as [`restore_items`](Self::restore_items) does.
    ///
    /// # Errors
    ///
    /// As [`keep_items`](Self::keep_items).
    pub fn copy_items(&mut self, from: &Table, to: &Table) -> Result<(), StoreError> {
        let items = self.item_table(from)?;
        self.fill(to, &items)
    }

    /// Forgets items that [`keep_items`](Self::keep_items) copied.
    ///
    /// # Errors
    ///
    /// As [`keep_items`](Self::keep_items).
    pub fn drop_kept_items(&mut self, name: &str) -> Result<(), StoreError> {
        let sql = format!("DROP TABLE IF EXISTS {}", names::quoted(&names::kept_table(name)));
        self.define("drop a copy of items", &sql)
    }

    fn fill(&mut self, table: &Table, source: &str) -> Result<(), StoreError> {
        let items = self.item_table(table)?;
        let statistic = self.catalog.current(table)?.items.statistic;
        let columns = self.driver.dialect().item_columns();
        self.touch(table);
        self.change(
            "restore items",
            &format!("INSERT INTO {items} ({columns}) SELECT {columns} FROM {source}"),
            &[],
        )?;
        let sums = self.driver.first(
            "count items",
            &format!("SELECT count(*), CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM {items}"),
            &[] as &[Param<'_>],
            |row| Ok((row.integer(0)?, row.integer(1)?)),
        )?;
        let (count, size) = sums.unwrap_or_default();
        self.count(statistic, count, size);
        Ok(())
    }

    fn item_table(&mut self, table: &Table) -> Result<String, StoreError> {
        let table = self.catalog.current(table)?;
        Ok(names::quoted(&names::item_table(table.name().as_str())))
    }
}
