//! What the engines do at the moments of a transaction that writes.
//!
//! SQLite has one writer, so nearly all of it is nothing there. On PostgreSQL others write at the same time: locks are taken, and some
//! work waits for the end of the transaction. Each engine has its own part in `transaction.rs` of its folder, with a method for each
//! moment; statements call the moment and need not know the engine.

use std::sync::Arc;

use pdb_model::{EpochMillis, IdSource, TableName};

#[cfg(feature = "postgres")]
use crate::postgres::transaction::PostgresTx;
#[cfg(feature = "sqlite")]
use crate::sqlite::transaction::SqliteTx;
use crate::{
    error::StoreError,
    read_tx::ReadTx,
    rows::{
        history::AppendedChange,
        records::AppendedRecord,
        table::{OpenShard, StreamId, Table, TableId},
    },
    sql::texts::ItemTable,
};

/// The engine's part of a transaction that writes. The engine that runs the transaction owns it, and lends it to the transaction.
pub(crate) enum EngineTx<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut SqliteTx),
    #[cfg(feature = "postgres")]
    Postgres(&'a mut PostgresTx),
}

/// Calls the method of this name of the engine's part.
macro_rules! call {
    ($part:expr, $method:ident($($argument:expr),*)) => {
        match $part {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(part) => part.$method($($argument),*),
            #[cfg(feature = "postgres")]
            Self::Postgres(part) => part.$method($($argument),*),
        }
    };
}

impl EngineTx<'_> {
    /// Before every statement that writes.
    #[inline]
    pub(crate) fn before_write(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        call!(self, before_write(read))
    }

    /// Before anything that the catalog has is looked at in order to be changed.
    ///
    /// Fails with [`StoreError::Conflict`] if the catalog is no longer as this transaction knows it.
    pub(crate) fn before_definition(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        call!(self, before_definition(read))
    }

    /// Before a table's definition or open shards are changed, and before a shard is locked for that. Afterwards no other transaction has
    /// unfinished work on the table, and none that began before can finish.
    pub(crate) fn before_redefinition(
        &mut self,
        read: &mut ReadTx<'_>,
        table: TableId,
    ) -> Result<(), StoreError> {
        call!(self, before_redefinition(read, table))
    }

    /// When a stream is created or disabled: notes the version of the catalog in its row.
    pub(crate) fn after_stream_change(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
    ) -> Result<(), StoreError> {
        call!(self, after_stream_change(read, stream))
    }

    /// After a table or an index got its row of statistics.
    pub(crate) fn after_new_statistic(
        &mut self,
        read: &mut ReadTx<'_>,
        id: i64,
        table: TableId,
        index: &str,
    ) -> Result<(), StoreError> {
        call!(self, after_new_statistic(read, id, table, index))
    }

    /// This transaction writes to a table, and may be committed only if the table is still the same.
    #[inline]
    pub(crate) fn note_table(&mut self, table: TableId) {
        call!(self, note_table(table));
    }

    /// Keeps others from changing items of a table until the commit.
    pub(crate) fn lock_items(&mut self, read: &mut ReadTx<'_>, table: &TableName) -> Result<(), StoreError> {
        call!(self, lock_items(read, table))
    }

    /// Keeps others from making the item of a key until the commit. The key is not there.
    pub(crate) fn lock_absence(
        &mut self,
        read: &mut ReadTx<'_>,
        items: &ItemTable,
        key: &[u8],
    ) -> Result<(), StoreError> {
        call!(self, lock_absence(read, items, key))
    }

    /// Keeps others from removing a stream, its shards or its records until the commit.
    pub(crate) fn lock_stream(&mut self, read: &mut ReadTx<'_>, stream: StreamId) -> Result<(), StoreError> {
        call!(self, lock_stream(read, stream))
    }

    /// The same; returns false at once if another transaction holds the stream.
    pub(crate) fn try_lock_stream(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
    ) -> Result<bool, StoreError> {
        call!(self, try_lock_stream(read, stream))
    }

    /// Whether others may write at the same time.
    pub(crate) fn has_rivals(&self) -> bool {
        call!(self, has_rivals())
    }

    /// The records to come belong to the write of this position in the request.
    pub(crate) fn order_records_as(&mut self, position: usize) {
        call!(self, order_records_as(position));
    }

    /// Appends a record to its shard, at once or before the commit.
    #[inline]
    pub(crate) fn append_record(
        &mut self,
        read: &mut ReadTx<'_>,
        record: AppendedRecord<'_>,
    ) -> Result<(), StoreError> {
        call!(self, append_record(read, record))
    }

    /// Appends a change to the history of its table, at once or before the commit.
    pub(crate) fn append_change(
        &mut self,
        read: &mut ReadTx<'_>,
        table: TableId,
        change: AppendedChange<'_>,
    ) -> Result<(), StoreError> {
        call!(self, append_change(read, table, change))
    }

    /// Appends the records now that wait for the commit.
    ///
    /// Before their shards are closed, trimmed or emptied, and before a number is drawn from one of them by other means. Reads do not do it:
    /// on PostgreSQL they see a record only after this, or after the commit.
    pub(crate) fn flush_records(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        call!(self, flush_records(read))
    }

    /// Draws a counter of an open shard, which no record gets.
    pub(crate) fn draw_counter(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        shard: &OpenShard,
    ) -> Result<u64, StoreError> {
        call!(self, draw_counter(read, stream, shard))
    }

    /// Notes that a shard is closed, whose last record has the counter `last`; returns a counter above all that it has used.
    pub(crate) fn close_shard(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        shard: &OpenShard,
        now: EpochMillis,
        last: u64,
    ) -> Result<u64, StoreError> {
        call!(self, close_shard(read, stream, shard, now, last))
    }

    /// A closed shard is about to be deleted.
    pub(crate) fn before_shard_deletion(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        number: u64,
    ) -> Result<(), StoreError> {
        call!(self, before_shard_deletion(read, stream, number))
    }

    /// Shards of a table are due to be rotated, and this transaction, which may have locked items, is about to append a record. Returns
    /// whether the rotation was put off: then the transaction is undone at its end, and runs again after the rotation.
    pub(crate) fn put_off_rotation(
        &mut self,
        read: &mut ReadTx<'_>,
        table: &Arc<Table>,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<bool, StoreError> {
        call!(self, put_off_rotation(read, table, ids, now))
    }
}
