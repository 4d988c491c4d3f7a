//! Small documents that need no table of their own, such as the description of a backup: text by kind and name.

use crate::{
    checksum::{self, Checksum},
    driver::Row,
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    tx::Tx,
};

impl ReadTx<'_> {
    /// Returns a document.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. All methods here return the same errors.
    pub fn document(&mut self, kind: &str, name: &str) -> Result<Option<String>, StoreError> {
        self.driver.first(
            "read a document",
            "SELECT value, checksum FROM pdb_document WHERE kind = ?1 AND name = ?2",
            &[Param::Text(kind), Param::Text(name)],
            |row| read(kind, name, row, 0),
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
        let name = format!("name{}", self.driver.dialect().by_bytes());
        self.driver.all(
            "list documents",
            &format!(
                "SELECT name, value, checksum FROM pdb_document WHERE kind = ?1 AND {name} > ?2 ORDER BY {name} LIMIT ?3"
            ),
            &[Param::Text(kind), Param::Text(after.unwrap_or_default()), Param::Integer(limit.into())],
            |row| {
                let name = row.text(0)?;
                Ok((name.to_owned(), read(kind, name, row, 1)?))
            },
        )
    }
}

impl Tx<'_> {
    /// Writes a document; `name` is not empty.
    ///
    /// # Errors
    ///
    /// As [`document`](ReadTx::document).
    pub fn put_document(&mut self, kind: &str, name: &str, value: &str) -> Result<(), StoreError> {
        self.change(
            "write a document",
            "INSERT INTO pdb_document (kind, name, value, checksum) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum",
            &[
                Param::Text(kind),
                Param::Text(name),
                Param::Text(value),
                Param::Integer(sum(kind, name, value).fixed()),
            ],
        )?;
        Ok(())
    }

    /// Lets no other transaction change a document before this one has ended. What is read of it from then on is what is there.
    ///
    /// For code that reads a document and writes it anew: lock such documents before anything else, so that no two transactions wait for each
    /// other.
    ///
    /// # Errors
    ///
    /// As [`document`](ReadTx::document).
    pub fn lock_document(&mut self, kind: &str, name: &str) -> Result<(), StoreError> {
        // Where there is one writer, nobody else is there to wait for.
        if self.has_rivals() {
            self.change(
                "lock a document",
                "UPDATE pdb_document SET value = value WHERE kind = ?1 AND name = ?2",
                &[Param::Text(kind), Param::Text(name)],
            )?;
        }
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

/// The checksum of a document.
pub(crate) fn sum(kind: &str, name: &str, value: &str) -> Checksum {
    checksum::of_fixed("document", &[kind.as_bytes(), name.as_bytes(), value.as_bytes()])
}

/// Reads and checks a text, whose checksum is in the column behind it.
fn read(kind: &str, name: &str, row: &Row<'_>, column: usize) -> Result<String, StoreError> {
    let value = row.text(column)?;
    sum(kind, name, value).verify_fixed(row.optional_integer(column + 1)?, "document")?;
    Ok(value.to_owned())
}
