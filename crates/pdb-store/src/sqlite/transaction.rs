//! SQLite's part of a transaction that writes: there is one writer, so nothing has to be locked.

use std::sync::Arc;

use pdb_model::{EncodedItem, EpochMillis, IdSource, StreamLabel, TableName};

use crate::{
    error::{During, StoreError},
    params::Param,
    read_tx::ReadTx,
    rows::{
        columns::RecordColumns,
        history::AppendedChange,
        records::{AppendedRecord, NewRecord},
        table::{OpenShard, OpenStream, StreamId, Table, TableId},
    },
    sequence::{drawn::last_record, event_id, memory, range_of, signed, times},
    sql::texts::ItemTable,
    sqlite::floor,
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
        let record =
            &NewRecord { created: self.creation_time(read, stream, shard, record)?, ..record.clone() };
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

    /// Returns the creation time that a record gets, which is about to be the next of its shard.
    ///
    /// What memory knows of the newest record may be too late: that of a record whose transaction failed. It is never too early, because
    /// it does not go down. So while it is ahead of the clock, each write asks the database.
    #[inline]
    fn creation_time(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: &OpenStream,
        shard: &OpenShard,
        record: &NewRecord<'_>,
    ) -> Result<EpochMillis, StoreError> {
        let newest = shard.newest.get();
        if record.created >= newest {
            shard.newest.set(record.created);
            return Ok(record.created);
        }
        self.creation_time_behind(read, stream, shard, record.created)
    }

    #[cold]
    fn creation_time_behind(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: &OpenStream,
        shard: &OpenShard,
        created: EpochMillis,
    ) -> Result<EpochMillis, StoreError> {
        let last = last_record(read.driver, &stream.records, range_of(shard.number))?;
        let newest = last.map_or(created, |(_, newest)| newest);
        if times::is_jitter(created, newest) {
            return Ok(created.max(newest));
        }
        self.before_write(read)?;
        // The record that is appended has the counter before the next, and nothing but this transaction can draw meanwhile.
        let sql = format!(
            "UPDATE pdb_shard SET time_steps = {} WHERE stream_id = ?1 AND number = ?2",
            times::with_step("?3")
        );
        let counter = shard.next.get() - 1;
        let params = [stream.id.0, signed(shard.number), signed(counter)].map(Param::Integer);
        read.driver.execute(&sql, &params).during("note that a clock stepped back")?;
        Ok(created)
    }

    /// Numbers and times are in memory. What a failed transaction has drawn or raised stays so: times do not decrease all the same.
    pub(crate) fn append_change(
        &mut self,
        read: &mut ReadTx<'_>,
        _: TableId,
        change: AppendedChange<'_>,
    ) -> Result<(), StoreError> {
        let AppendedChange { history, key, old, changed } = change;
        let changed = changed.max(history.newest.get());
        history.newest.set(changed);
        let number = signed(history.next.draw());
        let params = [
            Param::Integer(number),
            Param::Integer(changed.0),
            Param::Blob(key.as_bytes()),
            Param::optional_text(old.map(EncodedItem::json)),
            Param::Integer(change.size_bytes()),
            Param::Integer(change.checksum().stored_of_change(history.sql.salt, number, changed.0)),
        ];
        self.before_write(read)?;
        read.driver.execute(&history.sql.append, &params).during("append to a history")?;
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

    /// A copy may have the shard, and take the place of this database: its numbers must not be given out again then.
    pub(crate) fn before_shard_deletion(
        &mut self,
        read: &mut ReadTx<'_>,
        stream: StreamId,
        number: u64,
    ) -> Result<(), StoreError> {
        self.before_write(read)?;
        floor::note_shard(read.driver, stream, number)
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
