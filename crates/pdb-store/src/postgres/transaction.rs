//! PostgreSQL's part of a transaction that writes. Others write at the same time, also from other processes.
//!
//! Everybody locks in one order, so that no two transactions wait for each other: documents that are locked to be changed, the catalog, whole tables of items by name, items and
//! entries in the order of their keys, tokens and documents, the rows of statistics, histories, streams, the shards. Those from the rows of statistics on
//! come with the commit (`before_commit`):
//!
//! * A row of statistics of each table written to is updated only if it has the version of the table that this transaction knows. A
//!   transaction that changes a table locks the catalog first, then gives all of these rows a new version
//!   (`before_redefinition`): that waits for the writers which have passed, and makes all others run again.
//! * A change in a history draws its number from the row of the history, which stays locked until the commit.
//! * A record draws its number from the row of its shard, which stays locked until the commit.

use std::sync::{Arc, Mutex, PoisonError};

use pdb_model::{EpochMillis, IdSource, TableName};

use crate::{
    driver::Driver,
    error::{During, StoreError},
    names,
    params::Param,
    postgres::{queued_change::QueuedChange, queued_record::QueuedRecord, slots::SLOTS, texts},
    read_tx::ReadTx,
    rows::{
        history::AppendedChange,
        records::AppendedRecord,
        table::{OpenShard, StreamId, Table, TableId},
    },
    sequence::stored,
    sql::texts::ItemTable,
};

/// What a transaction holds, and what it has put off to its end.
#[derive(Debug, Default)]
pub(crate) struct PostgresTx {
    /// The tables it has written to.
    written: Vec<TableId>,
    /// The tables whose definition or shards it has changed.
    redefined: Vec<TableId>,
    /// It holds the catalog.
    pub(crate) holds_catalog: bool,
    /// It holds the catalog, or tried to and found it changed.
    pub(crate) wants_catalog: bool,
    /// What has to be done in a transaction before this one.
    pub(crate) due_rotations: Vec<DueRotation>,
    /// Changes that have yet to be appended to histories.
    changes: Vec<QueuedChange>,
    /// Stream records that have yet to be appended.
    records: Vec<QueuedRecord>,
    /// Which of several writes of a request is carried out.
    position: usize,
}

/// A rotation that a transaction found due. It is done in a transaction of its own before that one runs again.
#[derive(Debug)]
pub(crate) struct DueRotation {
    pub(crate) table: TableName,
    pub(crate) now: EpochMillis,
    pub(crate) ids: DrawnIds,
}

/// Ids that were drawn in advance.
#[derive(Debug)]
pub(crate) struct DrawnIds(Mutex<Vec<u128>>);

impl IdSource for DrawnIds {
    fn next_id(&self) -> u128 {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There are as many as shards were due, and others can only have made that fewer. Siblings may have the same anyway.
        if ids.len() > 1 { ids.remove(0) } else { ids.first().copied().unwrap_or_default() }
    }
}

impl PostgresTx {
    pub(crate) fn before_write(&mut self, _: &mut ReadTx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn before_definition(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        if self.holds_catalog {
            return Ok(());
        }
        self.wants_catalog = true;
        let during = "lock the catalog";
        let sql = "SELECT version FROM pdb_catalog WHERE id = 1 FOR UPDATE";
        let version = read.driver.first(during, sql, &[], |row| row.integer(0))?;
        if version != Some(read.catalog.version) {
            return Err(read.driver.stale());
        }
        self.holds_catalog = true;
        let catalog = read.catalog_mut();
        catalog.version += 1;
        let version = [Param::Integer(catalog.version)];
        let sql = "UPDATE pdb_catalog SET version = ?1 WHERE id = 1";
        read.driver.execute(sql, &version).during("count up the catalog")?;
        Ok(())
    }

    pub(crate) fn before_redefinition(
        &mut self,
        read: &mut ReadTx<'_>,
        table: TableId,
    ) -> Result<(), StoreError> {
        if self.redefined.contains(&table) {
            return Ok(());
        }
        let params = [Param::Integer(table.0), Param::Integer(read.catalog.version)];
        let sql = "UPDATE pdb_statistic SET version = ?2 WHERE table_id = ?1 AND index_name = ''";
        read.driver.execute(sql, &params).during("stop writers of a table")?;
        let sql = "UPDATE pdb_metadata SET version = ?2 WHERE id = ?1";
        read.driver.execute(sql, &params).during("note a table's version")?;
        self.redefined.push(table);
        if let Some(known) = read.catalog.by_id(table).cloned() {
            read.catalog_mut().insert(known.with_stream(known.stream.clone()));
        }
        Ok(())
    }

    pub(crate) fn after_stream_change(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
    ) -> Result<(), StoreError> {
        let params = [Param::Integer(stream.0), Param::Integer(read.catalog.version)];
        let sql = "UPDATE pdb_stream SET version = ?2 WHERE id = ?1";
        read.driver.execute(sql, &params).during("note a stream's version")?;
        Ok(())
    }

    /// Makes the other rows of the statistic, so that writers do not wait for each other.
    pub(crate) fn after_new_statistic(
        &mut self,
        read: &mut ReadTx<'_>,
        id: i64,
        table: TableId,
        index: &str,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO pdb_statistic (id, slot, table_id, index_name, item_count, size_bytes) \
                   SELECT CAST(?1 AS BIGINT), slot, CAST(?2 AS BIGINT), CAST(?3 AS TEXT), 0, 0 \
                   FROM generate_series(1, ?4) AS slot";
        let params =
            [Param::Integer(id), Param::Integer(table.0), Param::Text(index), Param::Integer(SLOTS - 1)];
        read.driver.execute(sql, &params).during("note statistics")?;
        Ok(())
    }

    pub(crate) fn note_table(&mut self, table: TableId) {
        if !self.written.contains(&table) {
            self.written.push(table);
        }
    }

    pub(crate) fn lock_items(&mut self, read: &mut ReadTx<'_>, table: &TableName) -> Result<(), StoreError> {
        let items = names::quoted(&names::item_table(table.as_str()));
        let sql = format!("LOCK TABLE {items} IN EXCLUSIVE MODE");
        read.driver.batch(&sql).during("lock a table of items")
    }

    /// Inserts a row of this key and removes it again: nobody can insert a key that an open transaction has inserted.
    pub(crate) fn lock_absence(
        &mut self,
        read: &mut ReadTx<'_>,
        items: &ItemTable,
        key: &[u8],
    ) -> Result<(), StoreError> {
        let during = "lock the absence of an item";
        let key = texts::key_columns(key);
        let row = key.all([Param::Text(""), Param::Integer(0), Param::Null, Param::Null]);
        read.driver.execute(&items.insert, &row).during(during)?;
        read.driver.execute(&items.delete, &key.identity([])).during(during)?;
        Ok(())
    }

    pub(crate) fn lock_stream(&mut self, read: &mut ReadTx<'_>, stream: StreamId) -> Result<(), StoreError> {
        let sql = "SELECT id FROM pdb_stream WHERE id = ?1 FOR UPDATE";
        lock_stream(read.driver, sql, stream).map(drop)
    }

    pub(crate) fn try_lock_stream(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM pdb_stream WHERE id = ?1 FOR UPDATE SKIP LOCKED";
        lock_stream(read.driver, sql, stream)
    }

    pub(crate) fn has_rivals(&self) -> bool {
        true
    }

    pub(crate) fn order_records_as(&mut self, position: usize) {
        self.position = position;
    }

    /// A record waits for the commit, because its shard is locked with it.
    pub(crate) fn append_record(
        &mut self,
        _: &mut ReadTx<'_>,
        record: AppendedRecord<'_>,
    ) -> Result<(), StoreError> {
        self.records.push(QueuedRecord::new(record, self.position));
        Ok(())
    }

    /// A change waits for the commit, because the row of its history is locked with it.
    pub(crate) fn append_change(
        &mut self,
        _: &mut ReadTx<'_>,
        table: TableId,
        change: AppendedChange<'_>,
    ) -> Result<(), StoreError> {
        self.changes.push(QueuedChange::new(table, change));
        Ok(())
    }

    pub(crate) fn flush_records(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        let mut records = std::mem::take(&mut self.records);
        // Stable: the records of one write stay in their order.
        records.sort_by_key(QueuedRecord::order);
        QueuedRecord::append_all(&records, read.driver)
    }

    pub(crate) fn draw_counter(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        shard: &OpenShard,
    ) -> Result<u64, StoreError> {
        self.flush_records(read)?;
        stored::draw(read.driver, stream, shard)
    }

    pub(crate) fn close_shard(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        shard: &OpenShard,
        now: EpochMillis,
        last: u64,
    ) -> Result<u64, StoreError> {
        stored::close(read.driver, stream, shard, now, last)
    }

    /// No copy takes the place of a database on a server.
    pub(crate) fn before_shard_deletion(
        &mut self,
        _: &mut ReadTx<'_>,
        _: StreamId,
        _: u64,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// A rotation locks the catalog, which comes before the items that this transaction may have locked. So it is only noted.
    pub(crate) fn put_off_rotation(
        &mut self,
        read: &mut ReadTx<'_>,
        table: &Arc<Table>,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<bool, StoreError> {
        if self.due_rotations.iter().any(|due| due.table == *table.name()) {
            return Ok(true);
        }
        let due = match (read.catalog.rotation_age, &read.catalog.current(table)?.stream) {
            (Some(age), Some(stream)) => {
                stream.shards.iter().filter(|shard| shard.opened.plus(age) <= now).count()
            }
            (None, _) | (_, None) => 0,
        };
        let ids = DrawnIds(Mutex::new((0..due).map(|_| ids.next_id()).collect()));
        self.due_rotations.push(DueRotation { table: table.name().clone(), now, ids });
        Ok(true)
    }

    /// Writes what was put off: counts and sizes, table by table, then histories likewise, then stream records, shard by shard.
    ///
    /// A table is found unchanged, and kept so until the commit, with its row of statistics in `slot`. So this is done for every table
    /// written to, also if there is nothing to count.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a table has changed: the transaction must be run again.
    pub(crate) fn before_commit(&mut self, read: &mut ReadTx<'_>, slot: i64) -> Result<(), StoreError> {
        let driver = read.driver;
        let mut written = std::mem::take(&mut self.written);
        written.sort_unstable();
        for id in written {
            // Dropped in this very transaction.
            let Some(table) = read.catalog.by_id(id).cloned() else { continue };
            let (count, size) = read.deltas.take(table.items.statistic);
            let sql = "UPDATE pdb_statistic SET item_count = item_count + ?4, size_bytes = size_bytes + ?5 \
                       WHERE id = ?1 AND slot = ?2 AND version = ?3";
            let params = [
                Param::Integer(table.items.statistic),
                Param::Integer(slot),
                Param::Integer(table.version),
                Param::Integer(count),
                Param::Integer(size),
            ];
            if driver.execute(sql, &params).during("write statistics")? != 1 {
                return Err(driver.stale());
            }
        }
        for (statistic, count, size) in read.deltas.take_all() {
            let sql = "UPDATE pdb_statistic SET item_count = item_count + ?3, size_bytes = size_bytes + ?4 \
                       WHERE id = ?1 AND slot = ?2";
            let params = [
                Param::Integer(statistic),
                Param::Integer(slot),
                Param::Integer(count),
                Param::Integer(size),
            ];
            driver.execute(sql, &params).during("write statistics")?;
        }
        QueuedChange::append_all(std::mem::take(&mut self.changes), driver)?;
        self.flush_records(read)
    }
}

fn lock_stream(driver: Driver<'_>, sql: &str, stream: StreamId) -> Result<bool, StoreError> {
    Ok(driver.first("lock a stream", sql, &[Param::Integer(stream.0)], |_| Ok(()))?.is_some())
}
