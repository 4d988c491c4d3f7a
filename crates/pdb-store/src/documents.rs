//! Small documents that need no table of their own, such as the description of a backup: text by kind and name.

use crate::{
    dialect::Dialect,
    driver::Param,
    error::StoreError,
    tx::{ReadTx, Tx},
};

impl ReadTx<'_> {
    /// Returns a document.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. So with all methods here.
    pub fn document(&mut self, kind: &str, name: &str) -> Result<Option<String>, StoreError> {
        self.driver.first(
            "read a document",
            "SELECT value FROM pdb_document WHERE kind = ?1 AND name = ?2",
            &[Param::Text(kind), Param::Text(name)],
            |row| Ok(row.text(0)?.to_owned()),
        )
    }

    /// Returns up to `limit` documents of a kind, name and text, in the byte order of names, beginning after `after`.
    ///
    /// # Errors
    ///
    /// As [`document`](Self::document).
    pub fn documents(
        &mut self,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let name = match self.driver.dialect() {
            Dialect::Sqlite => "name",
            // A database's own collation is not ours to choose.
            Dialect::Postgres => "name COLLATE \"C\"",
        };
        self.driver.all(
            "list documents",
            &format!(
                "SELECT name, value FROM pdb_document WHERE kind = ?1 AND {name} > ?2 ORDER BY {name} LIMIT ?3"
            ),
            &[Param::Text(kind), Param::Text(after.unwrap_or_default()), Param::Integer(limit.into())],
            |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())),
        )
    }
}

impl Tx<'_> {
    /// As [`ReadTx::document`], and keeps everybody else from changing the document until the commit, if it is there.
    ///
    /// # Errors
    ///
    /// As [`document`](ReadTx::document).
    pub fn document(&mut self, kind: &str, name: &str) -> Result<Option<String>, StoreError> {
        let sql = match self.driver.dialect() {
            Dialect::Sqlite => return ReadTx::document(self, kind, name),
            Dialect::Postgres => "SELECT value FROM pdb_document WHERE kind = ?1 AND name = ?2 FOR UPDATE",
        };
        let params = [Param::Text(kind), Param::Text(name)];
        self.driver.first("lock a document", sql, &params, |row| Ok(row.text(0)?.to_owned()))
    }

    /// Writes a document; `name` is not empty.
    ///
    /// # Errors
    ///
    /// As [`document`](ReadTx::document).
    pub fn put_document(&mut self, kind: &str, name: &str, value: &str) -> Result<(), StoreError> {
        self.change(
            "write a document",
            "INSERT INTO pdb_document (kind, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value",
            &[Param::Text(kind), Param::Text(name), Param::Text(value)],
        )?;
        Ok(())
    }

    /// Removes a document; returns whether it was there.
    ///
    /// # Errors
    ///
    /// As [`document`](ReadTx::document).
    pub fn delete_document(&mut self, kind: &str, name: &str) -> Result<bool, StoreError> {
        let gone = self.change(
            "delete a document",
            "DELETE FROM pdb_document WHERE kind = ?1 AND name = ?2",
            &[Param::Text(kind), Param::Text(name)],
        )?;
        Ok(gone == 1)
    }
}
