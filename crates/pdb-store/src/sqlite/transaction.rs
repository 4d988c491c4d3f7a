//! SQLite's part of a transaction that writes: there is one writer, so nothing has to be locked.

use std::sync::Arc;

use pdb_model::{EpochMillis, IdSource, StreamLabel, TableName};

use crate::{
    error::{During, StoreError},
    read_tx::ReadTx,
    rows::{
        columns::RecordColumns,
        records::AppendedRecord,
        table::{OpenShard, StreamId, Table, TableId},
    },
    sequence::{event_id, memory},
    sql::texts::ItemTable,
};

/// How far a job of a group has come.
#[derive(Debug)]
pub(crate) struct SqliteTx {
    /// Another job of the same group has written: what this one writes needs a savepoint to be undone alone.
    needs_savepoint: bool,
    /// This job has written.
    pub(crate) wrote: bool,
    /// The savepoint is there.
    pub(crate) has_savepoint: bool,
}

impl SqliteTx {
    pub(crate) fn new(needs_savepoint: bool) -> Self {
        Self { needs_savepoint, wrote: false, has_savepoint: false }
    }

    #[inline]
    pub(crate) fn before_write(&mut self, read: &mut ReadTx<'_>) -> Result<(), StoreError> {
        if !self.wrote {
            if self.needs_savepoint {
                read.driver.execute("SAVEPOINT job", &[]).during("set a savepoint")?;
                self.has_savepoint = true;
            }
            self.wrote = true;
        }
        Ok(())
    }

    pub(crate) fn before_definition(&mut self, _: &mut ReadTx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn before_redefinition(&mut self, _: &mut ReadTx<'_>, _: TableId) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn after_stream_change(&mut self, _: &mut ReadTx<'_>, _: StreamId) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn after_new_statistic(
        &mut self,
        _: &mut ReadTx<'_>,
        _: i64,
        _: TableId,
        _: &str,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn note_table(&mut self, _: TableId) {}

    pub(crate) fn lock_items(&mut self, _: &mut ReadTx<'_>, _: &TableName) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn lock_absence(
        &mut self,
        _: &mut ReadTx<'_>,
        _: &ItemTable,
        _: &[u8],
    ) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn lock_stream(&mut self, _: &mut ReadTx<'_>, _: StreamId) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn try_lock_stream(&mut self, _: &mut ReadTx<'_>, _: StreamId) -> Result<bool, StoreError> {
        Ok(true)
    }

    pub(crate) fn has_rivals(&self) -> bool {
        false
    }

    pub(crate) fn order_records_as(&mut self, _: usize) {}

    pub(crate) fn append_record(
        &mut self,
        read: &mut ReadTx<'_>,
        AppendedRecord { stream, shard, record, user_identity, size_bytes }: AppendedRecord<'_>,
    ) -> Result<(), StoreError> {
        let number = memory::draw_for_record(shard)?;
        let user_identity = user_identity.as_deref();
        let sum = record.checksum(size_bytes, user_identity);
        let event_id = event_id(stream.event_salt, number).to_string();
        let day = StreamLabel::at(record.created);
        let columns = RecordColumns {
            sequence_number: number,
            event_id: &event_id,
            checksum: sum.stored_of_record(stream.records.salt, number),
            ..record.columns(shard.number, &day, user_identity, size_bytes)
        };
        self.before_write(read)?;
        let appended = read.driver.execute(&stream.records.append, &columns.params());
        appended.during("append a stream record")?;
        Ok(())
    }

    pub(crate) fn flush_records(&mut self, _: &mut ReadTx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn draw_counter(
        &mut self,
        _: &mut ReadTx<'_>,
        _: StreamId,
        shard: &OpenShard,
    ) -> Result<u64, StoreError> {
        Ok(memory::draw(shard))
    }

    pub(crate) fn close_shard(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        shard: &OpenShard,
        now: EpochMillis,
        last: u64,
    ) -> Result<u64, StoreError> {
        self.before_write(read)?;
        memory::close(read.driver, stream, shard, now, last)
    }

    /// A rotation locks nothing that this transaction could hold already, so it need not be put off.
    pub(crate) fn put_off_rotation(
        &mut self,
        _: &mut ReadTx<'_>,
        _: &Arc<Table>,
        _: &dyn IdSource,
        _: EpochMillis,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }
}
