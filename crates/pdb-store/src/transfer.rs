//! Copying a whole database into another, row by row as they are stored, between any two engines.
//!
//! A database consists of its [`Shape`] (definitions, streams, shards, settings: small, copied in one transaction) and of
//! [`Part`]s (rows, many), copied in steps in the order of their keys. So what is there tells where to go on: the greatest key.
//! From before its first row to the end of the copy the target has a mark, and [`Store::open`] refuses it.

mod damage;
mod digest;
mod layout;
pub(crate) mod rows;
mod shape;

pub use digest::Digest;
pub use layout::Part;
pub use rows::{Place, Rows};
pub use shape::Shape;

use std::sync::Arc;

use crate::{
    driver::Row,
    error::{OpenError, StoreError},
    options::StoreOptions,
    params::Param,
    read_tx::ReadTx,
    rows::table::Table,
    sequence::leap,
    sql::settings::{self, COPY_MARK},
    store::Store,
    transfer::rows::{Parameters, Value, read_row},
    tx::Tx,
};

impl Store {
    /// Opens a database to copy another into it, also one where an earlier copy was not finished. No program may use it at
    /// the same time.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn open_to_fill(options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_marked(options)
    }

    /// Refuses a database into which a copy was begun and not finished.
    pub(crate) fn refuse_if_marked(self, options: &StoreOptions) -> Result<Self, StoreError> {
        match self.read_once(|tx| tx.copy_source())? {
            None => Ok(self),
            Some(_) => {
                self.close();
                Err(OpenError::Unfinished(options.location.to_string()).into())
            }
        }
    }
}

impl ReadTx<'_> {
    /// Returns what [`Tx::begin_copy`] noted, if a copy into this database was begun and not finished.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. All methods here return the same errors.
    pub fn copy_source(&mut self) -> Result<Option<String>, StoreError> {
        settings::get(self.driver, COPY_MARK, |value| Ok(String::from_utf8_lossy(value).into_owned()))
    }

    /// Returns up to some megabytes of rows of a part, behind `after`.
    ///
    /// # Errors
    ///
    /// As [`copy_source`](Self::copy_source).
    pub fn rows(&mut self, part: &Part, after: &Place) -> Result<Rows, StoreError> {
        // A copy of damage would say that all is well.
        let page = self.rows_or_damage(part, after)?;
        let rows: Result<Vec<_>, _> = page.rows.into_iter().map(|row| row.map(|(row, _)| row)).collect();
        Ok(Rows(rows?))
    }

    /// Returns about how many rows a part has, and how many bytes they take. All rows are not read for it: of stream records
    /// and histories a few tell the size of all. `shape` is that of this database. What is small has none.
    ///
    /// # Errors
    ///
    /// As [`copy_source`](Self::copy_source).
    pub fn extent(&mut self, part: &Part, shape: &Shape) -> Result<(u64, u64), StoreError> {
        let statistics = match part {
            Part::Items(table) => {
                let table = self.table(table)?;
                self.table_statistics(&table)?
            }
            Part::Index(table, index) | Part::Vectors(table, index) => {
                let table = self.table(table)?;
                self.index_statistics(&table, index)?
            }
            Part::Records(table) => {
                let rows = shape.records_of(table);
                return self.extent_by_sample(part, rows);
            }
            Part::History(table) => {
                let rows = shape.changes_of(table);
                return self.extent_by_sample(part, rows);
            }
            Part::Kept(_) | Part::Tokens | Part::Documents => return Ok((0, 0)),
        };
        Ok((statistics.item_count, statistics.size_bytes))
    }

    /// The extent of a part with so many rows, of which a few tell the size of all.
    fn extent_by_sample(&mut self, part: &Part, rows: u64) -> Result<(u64, u64), StoreError> {
        let sql = format!(
            "SELECT count(*), CAST(coalesce(sum(size_bytes), 0) AS BIGINT) \
             FROM (SELECT size_bytes FROM {} LIMIT 200) AS sample",
            part.layout(self.driver.dialect()).quoted()
        );
        let sample = |row: &Row<'_>| Ok((row.count(0)?, row.count(1)?));
        let (count, bytes) = self.driver.first("measure rows", &sql, &[], sample)?.unwrap_or_default();
        Ok((rows, bytes.saturating_mul(rows).checked_div(count).unwrap_or(0)))
    }

    /// Returns the place behind the last row of a part.
    ///
    /// # Errors
    ///
    /// As [`copy_source`](Self::copy_source).
    pub fn end_of(&mut self, part: &Part) -> Result<Place, StoreError> {
        let layout = part.layout(self.driver.dialect());
        let (sql, keys) = (layout.select_last(), &layout.columns[..layout.keys]);
        Ok(Place(self.driver.first("find the last row", &sql, &[], |row| read_row(row, keys))?))
    }
}

impl Tx<'_> {
    /// Marks this database as the target of a copy from `source`, a text that tells sources apart, and takes over the shape of
    /// the source, with tables that are still empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableExists`] if it holds tables already, [`StoreError::Database`]. All methods here return the same errors.
    pub fn begin_copy(&mut self, source: &str, shape: &Shape) -> Result<(), StoreError> {
        self.set(COPY_MARK, source.as_bytes())?;
        self.take_shape(shape)
    }

    /// Removes all that a copy which was not finished has left here, but for the mark: its source is not what it was.
    ///
    /// # Errors
    ///
    /// As [`begin_copy`](Self::begin_copy).
    pub fn discard_copy(&mut self) -> Result<(), StoreError> {
        self.clear_database()
    }

    /// Removes the mark: from now on the database can be opened. Open shards go on far above the numbers of the source, which may
    /// have given out more by now.
    ///
    /// # Errors
    ///
    /// As [`begin_copy`](Self::begin_copy).
    pub fn finish_copy(&mut self) -> Result<(), StoreError> {
        let sql = leap::raise_all_stored(self.driver.dialect());
        self.change("go on with higher sequence numbers", &sql, &leap::values(None))?;
        self.change("remove a mark", "DELETE FROM pdb_setting WHERE name = ?1", &[Param::Text(COPY_MARK)])?;
        Ok(())
    }

    /// Adds rows that [`ReadTx::rows`] returned of the same part, none of which is there yet.
    ///
    /// # Errors
    ///
    /// As [`begin_copy`](Self::begin_copy).
    pub fn add_rows(&mut self, part: &Part, rows: &Rows) -> Result<(), StoreError> {
        let dialect = self.driver.dialect();
        let layout = part.layout(dialect);
        let sql = layout.insert();
        for row in &rows.0 {
            let row = Parameters::row(dialect, &layout, row);
            self.change("write copied rows", &sql, &row.list())?;
        }
        if let Some((table, statistic)) = self.statistic_of(part)? {
            let size = |row: &Vec<Value>| match row.get(layout.size_column()) {
                Some(Value::Integer(size)) => *size,
                _ => 0,
            };
            self.note_table(&table);
            self.count(statistic, rows.len() as i64, rows.0.iter().map(size).sum());
        }
        Ok(())
    }

    /// Empties a part that is too small to go on in the middle of, tokens or documents.
    ///
    /// # Errors
    ///
    /// As [`begin_copy`](Self::begin_copy).
    pub fn clear(&mut self, part: &Part) -> Result<(), StoreError> {
        self.change(
            "empty a table",
            &format!("DELETE FROM {}", part.layout(self.driver.dialect()).quoted()),
            &[],
        )?;
        Ok(())
    }

    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.before_write()?;
        settings::set(self.driver, name, value)
    }

    fn statistic_of(&mut self, part: &Part) -> Result<Option<(Arc<Table>, i64)>, StoreError> {
        Ok(match part {
            Part::Items(table) => {
                let table = self.table(table)?;
                let statistic = table.items.statistic;
                Some((table, statistic))
            }
            Part::Index(table, index) | Part::Vectors(table, index) => {
                let table = self.table(table)?;
                let statistic = table.index(index)?.sql.statistic;
                Some((table, statistic))
            }
            Part::Records(_) | Part::History(_) | Part::Kept(_) | Part::Tokens | Part::Documents => None,
        })
    }
}
