//! Histories: `pdb_history_<t>`, what each change of a table's items has replaced, and `pdb_history`, a row for each of them.
//!
//! A history is there while the table has point-in-time recovery. A change appends one row behind all others: a number, the moment, the key, and the
//! item before the change, if there was one. So the table as it was at a moment is the table as it is, where each item that has changed since is
//! replaced by what the first of its changes since has noted. Nothing has to be copied when a history begins, and to trim it removes its first rows.

use std::ops::ControlFlow;

use pdb_model::{EncodedItem, EpochMillis, KeyBytes, TableDefinition, TableName, text_hash};

use crate::{
    checksum::{self, Checksum, Salt},
    driver::{Driver, RangeStep, Row},
    error::{During, StoreError},
    names::{self, quoted},
    params::Param,
    read_tx::ReadTx,
    rows::{
        history::{AppendedChange, ChangeRef, HistorySpan, OldImageRef, OpenHistory},
        table::{Table, TableId},
    },
    sql::texts::HistoryTable,
    tx::Tx,
};

impl ReadTx<'_> {
    /// Returns the moments that the history of a table leads back to, if it has one.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`] or [`StoreError::TableChanged`] if `table` is not from this transaction; [`StoreError::Database`],
    /// [`StoreError::Corrupt`]. All methods here return the same errors.
    pub fn history_span(&mut self, table: &Table) -> Result<Option<HistorySpan>, StoreError> {
        let table = self.catalog.current(table)?;
        let Some(history) = &table.history else { return Ok(None) };
        let span = span(self.driver, table.id, table.name(), &history.sql);
        span.map(Some).map_err(|error| error.of_table(table.name()))
    }

    /// Returns whether a history has a change that was made at `horizon` or before: whether there is something to trim.
    ///
    /// # Errors
    ///
    /// As [`history_span`](Self::history_span).
    pub fn has_history_before(&mut self, table: &Table, horizon: EpochMillis) -> Result<bool, StoreError> {
        let table = self.catalog.current(table)?;
        let Some(history) = &table.history else { return Ok(false) };
        let first =
            self.driver.first("look for old changes", &history.sql.oldest, &[Param::Integer(1)], |row| {
                row.integer(1)
            })?;
        Ok(first.is_some_and(|changed| changed <= horizon.0))
    }
}

impl Tx<'_> {
    /// Appends to the history of a table, if it has one, what a change of an item replaces: `old`, the item before it.
    ///
    /// The change is noted as of `changed`, or of the newest one, if the clock was set back since: times do not decrease.
    ///
    /// # Errors
    ///
    /// As [`history_span`](ReadTx::history_span).
    pub fn append_change(
        &mut self,
        table: &Table,
        key: &KeyBytes,
        old: Option<&EncodedItem>,
        changed: EpochMillis,
    ) -> Result<(), StoreError> {
        let table = self.catalog.current(table)?.clone();
        let Some(history) = &table.history else { return Ok(()) };
        self.note_table(&table);
        let change = AppendedChange { history, key, old, changed };
        self.engine.append_change(&mut self.read, table.id, change)
    }

    /// Fills an empty table with the items of another as they were at a moment, after all changes that were made by then. Indexes learn nothing of it,
    /// nor does the stream; no item expires. The moment must be one that the history leads back to.
    ///
    /// # Errors
    ///
    /// As [`history_span`](ReadTx::history_span).
    pub fn copy_past_items(
        &mut self,
        from: &Table,
        to: &Table,
        moment: EpochMillis,
    ) -> Result<(), StoreError> {
        let from = self.catalog.current(from)?.clone();
        let Some(history) = &from.history else { return self.copy_items(&from, to) };
        let first = first_after(self.driver, &history.sql, moment);
        let Some(first) = first.map_err(|error| error.of_table(from.name()))? else {
            return self.copy_items(&from, to);
        };
        // The statement below believes what it reads.
        verify_from(self.driver, &history.sql, first, &mut || ControlFlow::Continue(()))
            .map_err(|error| error.of_table(from.name()))?;
        let to_salt = self.catalog.current(to)?.items.salt;
        let table = |table: &Table| quoted(&names::item_table(table.name().as_str()));
        let sql = self.driver.dialect().restore_past(&table(&from), &quoted(&history.sql.name), &table(to));
        self.note_table(to);
        let params = [
            Param::Integer(from.items.salt.difference_to(to_salt)),
            Param::Integer(history.sql.salt.difference_to(to_salt)),
            Param::Integer(first),
            Param::Integer(moment.0),
        ];
        self.change("restore items of the past", &sql, &params)?;
        self.count_filled(to)
    }

    /// Removes up to `limit` of the oldest changes of a history, none that was made behind `horizon`; returns how many. From then on no moment before
    /// the horizon can be restored.
    ///
    /// # Errors
    ///
    /// As [`history_span`](ReadTx::history_span).
    pub fn trim_history(
        &mut self,
        table: &Table,
        horizon: EpochMillis,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let table = self.catalog.current(table)?.clone();
        let Some(history) = &table.history else { return Ok(0) };
        let mut through = None;
        let limit = [Param::Integer(limit.into())];
        self.driver.query("look for old changes", &history.sql.oldest, &limit, |row| {
            if row.integer(1)? > horizon.0 {
                return Ok(ControlFlow::Break(()));
            }
            through = Some(row.integer(0)?);
            Ok(ControlFlow::Continue(()))
        })?;
        let Some(through) = through else { return Ok(0) };
        let earliest = stored_earliest(self.driver, table.id, table.name())?;
        let earliest = earliest.map_or(horizon, |earliest| earliest.max(horizon));
        // First, so that of two that trim, or of one that trims and one that ends the history, the second waits here.
        let noted = self.change(
            "note how far a history is trimmed",
            "UPDATE pdb_history SET earliest_at = ?2, checksum = ?3 WHERE table_id = ?1",
            &[
                Param::Integer(table.id.0),
                Param::Integer(earliest.0),
                Param::Integer(row_sum(table.name(), Some(earliest)).fixed()),
            ],
        )?;
        if noted == 0 {
            return Ok(0);
        }
        Ok(self.change("trim a history", &history.sql.trim, &[Param::Integer(through)])? as u64)
    }

    /// Begins a history, if a table that is getting this definition is to have one and has none; ends it, if it is the other way round. The caller has
    /// stopped the writers of the table.
    pub(crate) fn replace_history(
        &mut self,
        id: TableId,
        known: Option<&OpenHistory>,
        definition: &TableDefinition,
    ) -> Result<Option<OpenHistory>, StoreError> {
        match (known, &definition.point_in_time_recovery) {
            (None, None) => Ok(None),
            (Some(known), Some(_)) => Ok(Some(known.clone())),
            (Some(known), None) => {
                self.drop_history(id, known)?;
                Ok(None)
            }
            (None, Some(recovery)) => {
                let dialect = self.driver.dialect();
                let name = names::history_table(definition.name.as_str());
                self.define("create a table for a history", &dialect.create_history(&name))?;
                self.before_write()?;
                insert_row(self.driver, id, &definition.name, Some(recovery.enabled))?;
                Ok(Some(OpenHistory::after(dialect.history_table(name), Some((0, recovery.enabled)))))
            }
        }
    }

    /// Ends a history. Its row goes first: that waits for who trims.
    pub(crate) fn drop_history(&mut self, id: TableId, history: &OpenHistory) -> Result<(), StoreError> {
        let sql = "DELETE FROM pdb_history WHERE table_id = ?1";
        self.change("forget a history", sql, &[Param::Integer(id.0)])?;
        self.define("drop a history", &format!("DROP TABLE {}", quoted(&history.sql.name)))
    }

    /// Removes all that a history has. It begins anew with the next change, as if nothing had ever been in the table.
    pub(crate) fn clear_history(&mut self, table: &Table) -> Result<(), StoreError> {
        let Some(history) = &table.history else { return Ok(()) };
        let sql = "UPDATE pdb_history SET earliest_at = NULL, checksum = ?2 WHERE table_id = ?1";
        let sum = row_sum(table.name(), None).fixed();
        self.change("forget the past", sql, &[Param::Integer(table.id.0), Param::Integer(sum)])?;
        let sql = format!("DELETE FROM {}", quoted(&history.sql.name));
        self.change("remove all changes of a history", &sql, &[])?;
        Ok(())
    }
}

/// Notes a history, whose first change will have the number 1.
pub(crate) fn insert_row(
    driver: Driver<'_>,
    id: TableId,
    table: &TableName,
    earliest: Option<EpochMillis>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO pdb_history (table_id, earliest_at, next_number, newest_at, checksum) \
               VALUES (?1, ?2, 1, ?3, ?4)";
    let params = [
        Param::Integer(id.0),
        Param::optional_integer(earliest.map(|earliest| earliest.0)),
        Param::Integer(earliest.map_or(0, |earliest| earliest.0)),
        Param::Integer(row_sum(table, earliest).fixed()),
    ];
    driver.execute(sql, &params).during("note a history")?;
    Ok(())
}

/// The checksum of the row of a history. Its table is named and not numbered, because each database numbers its own.
pub(crate) fn row_sum(table: &TableName, earliest: Option<EpochMillis>) -> Checksum {
    let sum = checksum::of_fixed("history", &[table.as_str().as_bytes()]);
    sum.number(earliest.map_or(u64::MAX, |earliest| earliest.0 as u64))
}

/// The first moment that the row of a history has.
pub(crate) fn stored_earliest(
    driver: Driver<'_>,
    id: TableId,
    table: &TableName,
) -> Result<Option<EpochMillis>, StoreError> {
    let sql = "SELECT earliest_at, checksum FROM pdb_history WHERE table_id = ?1";
    let found = driver.first("read the row of a history", sql, &[Param::Integer(id.0)], |row| {
        let earliest = row.optional_integer(0)?.map(EpochMillis);
        row_sum(table, earliest).verify_fixed(row.optional_integer(1)?, "history")?;
        Ok(earliest)
    })?;
    found.ok_or_else(|| StoreError::corrupt("history", "its row is missing"))
}

pub(crate) fn span(
    driver: Driver<'_>,
    id: TableId,
    table: &TableName,
    sql: &HistoryTable,
) -> Result<HistorySpan, StoreError> {
    let newest = last(driver, sql)?.map(|(_, changed)| changed);
    let earliest = match stored_earliest(driver, id, table)? {
        Some(earliest) => Some(earliest),
        // Nobody knows when it began: it was before the first change.
        None => first_from(driver, sql, i64::MIN)?.map(|(_, changed)| changed),
    };
    Ok(HistorySpan { earliest, newest })
}

pub(crate) type NumberAndTime = (i64, EpochMillis);

/// Returns the first and the last change of a history, if it has one.
pub(crate) fn ends(
    driver: Driver<'_>,
    sql: &HistoryTable,
) -> Result<Option<(NumberAndTime, NumberAndTime)>, StoreError> {
    Ok(first_from(driver, sql, i64::MIN)?.zip(last(driver, sql)?))
}

pub(crate) fn last(driver: Driver<'_>, sql: &HistoryTable) -> Result<Option<NumberAndTime>, StoreError> {
    driver.first("find the last change", &sql.last, &[], |row| read_change(row, sql.salt))
}

/// Returns the first change whose number is not below `from`.
fn first_from(
    driver: Driver<'_>,
    sql: &HistoryTable,
    from: i64,
) -> Result<Option<NumberAndTime>, StoreError> {
    driver.first("find a change", &sql.first, &[Param::Integer(from)], |row| read_change(row, sql.salt))
}

/// Checks the changes whose number is not below `from`, and calls `each` for each.
pub(crate) fn verify_from(
    driver: Driver<'_>,
    sql: &HistoryTable,
    from: i64,
    each: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<(), StoreError> {
    driver.read_records("read changes", &sql.read, (from, i64::MAX), |row| {
        read_change(row, sql.salt)?;
        let bytes = usize::try_from(row.count(4)?).unwrap_or(usize::MAX);
        Ok(RangeStep { flow: each(), bytes })
    })
}

/// Reads and checks a change; returns its number and its moment.
fn read_change(row: &Row<'_>, salt: Salt) -> Result<NumberAndTime, StoreError> {
    let change = read_whole_change(row, salt)?;
    Ok((change.number, change.changed))
}

/// Reads and checks a change.
pub(crate) fn read_whole_change<'r>(row: &Row<'r>, salt: Salt) -> Result<ChangeRef<'r>, StoreError> {
    let (number, changed, size_bytes) = (row.integer(0)?, row.integer(1)?, row.count(4)?);
    let (key, json) = (row.key(2, 6)?, row.optional_text(3)?);
    let hash = json.map(|json| text_hash(json.as_bytes()));
    let sum = checksum::of_past_item(&key, hash, size_bytes);
    sum.verify_change(salt, (number, changed), row.optional_integer(5)?)?;
    let old = json.zip(hash).map(|(json, hash)| OldImageRef { json, size_bytes, hash });
    Ok(ChangeRef { number, changed: EpochMillis(changed), key, old })
}

/// Returns a number below which all changes were made by `moment`, and from which on all were made after it; `None` if there are none of these. A
/// binary search, because times do not decrease.
pub(crate) fn first_after(
    driver: Driver<'_>,
    sql: &HistoryTable,
    moment: EpochMillis,
) -> Result<Option<i64>, StoreError> {
    let Some((mut to, _)) = last(driver, sql)?.filter(|(_, changed)| *changed > moment) else {
        return Ok(None);
    };
    let Some((mut from, _)) = first_from(driver, sql, i64::MIN)? else { return Ok(None) };
    // Changes below `from` were made by the moment, and none from `to` on was.
    while from < to {
        let middle = from + (to - from) / 2;
        match first_from(driver, sql, middle)? {
            Some((number, changed)) if changed <= moment => from = number + 1,
            Some(_) | None => to = middle,
        }
    }
    Ok(Some(to))
}
