//! Copies of a table's items: kept under a name of their own for backups, or made from table to table.

use crate::{
    checksum::{MASK, Salt},
    error::StoreError,
    names,
    params::Param,
    rows::table::Table,
    tx::Tx,
};

impl Tx<'_> {
    /// Copies the items of a table, so that they survive it, under a name that no other copy has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`]. All methods here return the same errors.
    pub fn keep_items(&mut self, table: &Table, name: &str) -> Result<(), StoreError> {
        let items = self.item_table(table)?;
        let kept = names::kept_table(name);
        let sql = self.driver.dialect().create_kept(&kept);
        self.define("make a table for a backup", &sql)?;
        let salts = (self.catalog.current(table)?.items.salt, Salt::of(&kept));
        self.copy_rows("copy items", salts, &items, &names::quoted(&kept))
    }

    /// Fills an empty table with items that [`keep_items`](Self::keep_items) copied. Indexes learn nothing of it, nor does the
    /// stream; no item expires.
    ///
    /// # Errors
    ///
    /// As [`keep_items`](Self::keep_items).
    pub fn restore_items(&mut self, table: &Table, name: &str) -> Result<(), StoreError> {
        let kept = names::kept_table(name);
        self.fill(table, Salt::of(&kept), &names::quoted(&kept))
    }

    /// Fills an empty table with the items of another, as [`restore_items`](Self::restore_items) does.
    pub(crate) fn copy_items(&mut self, from: &Table, to: &Table) -> Result<(), StoreError> {
        let (items, salt) = (self.item_table(from)?, self.catalog.current(from)?.items.salt);
        self.fill(to, salt, &items)
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

    fn fill(&mut self, table: &Table, salt: Salt, source: &str) -> Result<(), StoreError> {
        let items = self.item_table(table)?;
        let own_salt = self.catalog.current(table)?.items.salt;
        self.note_table(table);
        self.copy_rows("restore items", (salt, own_salt), source, &items)?;
        self.count_filled(table)
    }

    /// Counts the items of a table that was empty before it was filled.
    pub(crate) fn count_filled(&mut self, table: &Table) -> Result<(), StoreError> {
        let (items, statistic) = (self.item_table(table)?, self.catalog.current(table)?.items.statistic);
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

    /// Copies items from one SQL table to another, with checksums as those of the other are.
    fn copy_rows(
        &mut self,
        during: &'static str,
        (from_salt, to_salt): (Salt, Salt),
        from: &str,
        to: &str,
    ) -> Result<(), StoreError> {
        let columns = self.driver.dialect().item_columns();
        let sql = format!(
            "INSERT INTO {to} ({columns}, checksum) SELECT {columns}, (checksum + ?1) & {MASK} FROM {from}"
        );
        self.change(during, &sql, &[Param::Integer(from_salt.difference_to(to_salt))])?;
        Ok(())
    }

    fn item_table(&mut self, table: &Table) -> Result<String, StoreError> {
        let table = self.catalog.current(table)?;
        Ok(names::quoted(&names::item_table(table.name().as_str())))
    }
}
