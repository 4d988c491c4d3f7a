//! `GetRecords`.

use crate::list_streams::checked_limit;
use crate::options::ITERATOR_LIFE;
use crate::readers::reader_of;
use crate::{StreamManager, StreamsError};
use pdb_model::{EpochMillis, IteratorPosition, SequenceNumber, ShardIterator, StreamRecord};
use pdb_store::{RecordRef, StoreError, TableTraffic};
use std::ops::ControlFlow;

/// The most records of a page.
const MAX_RECORDS: u32 = 1_000;
/// The most bytes of a page, counted as `SizeBytes`; one record always fits.
const MAX_PAGE_BYTES: u64 = 1_048_576;

/// A page of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetRecordsOutput {
    /// The records, oldest first.
    pub records: Vec<StreamRecord>,
    /// The iterator of the next page; `None` at the end of a closed shard.
    pub next_shard_iterator: Option<String>,
}

/// Properties that all records of a page share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageContext {
    /// The region of the stream.
    pub region: String,
    /// The stream's view type.
    pub view_type: pdb_model::StreamViewType,
}

impl StreamManager {
    /// Returns the records at an iterator: at most `limit`, at most 1000, and at most 1 MiB of them.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Validation`] if the limit is not in 1 to 1000, or this database did not issue the iterator,
    /// [`StreamsError::ExpiredIterator`], [`StreamsError::StreamNotFound`], [`StreamsError::IteratorShardNotFound`],
    /// [`StreamsError::Trimmed`], [`StreamsError::Throttled`], [`StreamsError::TooManyReaders`].
    pub fn get_records(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
    ) -> Result<GetRecordsOutput, StreamsError> {
        let mut records = Vec::new();
        let next_shard_iterator = self.get_records_with(shard_iterator, limit, &mut |page, record| {
            records.push(record.to_record(page.view_type)?);
            Ok(())
        })?;
        Ok(GetRecordsOutput { records, next_shard_iterator })
    }

    /// Passes the records at an iterator to `each` in their stored form, so that their text can be copied without being
    /// parsed. Returns the next iterator.
    ///
    /// # Errors
    ///
    /// Those of [`StreamManager::get_records`] and of `each`. After an error, discard what `each` received before.
    pub fn get_records_with(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
        each: &mut dyn FnMut(&PageContext, &RecordRef<'_>) -> Result<(), StoreError>,
    ) -> Result<Option<String>, StreamsError> {
        let limit = page_limit(limit)?;
        let (iterator, now) = self.live_iterator(shard_iterator)?;
        let reader = reader_of(&iterator);
        if let Some(limits) = &self.limits {
            limits.get_records(now, format!("{}/{}", iterator.stream_arn, iterator.shard_id), reader)?;
        }
        let position = self.read_stream(&iterator.stream_arn, |view| {
            let shard = view.shard(&iterator.shard_id)?.ok_or(StreamsError::IteratorShardNotFound)?;
            let from = view.first_counter(&shard, iterator.position)?;
            let page = PageContext {
                region: view.stream.arn.table.region.clone(),
                view_type: view.stream.view_type,
            };
            let mut left = limit;
            let mut bytes_left = MAX_PAGE_BYTES;
            let mut last = None;
            let mut failed = None;
            let mut traffic = TableTraffic::default();
            view.tx.records(&view.stream, shard.number, from, &mut |record| {
                if left == 0 || (last.is_some() && record.size_bytes > bytes_left) {
                    return ControlFlow::Break(());
                }
                if let Err(error) = each(&page, &record) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                left -= 1;
                traffic.delivered_records += 1;
                traffic.delivered_bytes += record.size_bytes;
                bytes_left = bytes_left.saturating_sub(record.size_bytes);
                last = Some(record.sequence_number);
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            if traffic.delivered_records > 0 && self.reader_kind.is_some() {
                view.tx.count_traffic_of(&view.stream.table_name, traffic);
            }
            // A closed shard ends at its ending number. It also ends with an empty page, because nothing can be added to it.
            let is_end = match (shard.ending, last) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(ending), Some(last)) => last.counter >= ending,
            };
            let position = last.map_or(iterator.position, IteratorPosition::After);
            Ok((!is_end).then_some(position))
        })?;
        if let Some(kind) = self.reader_kind {
            self.readers.note(kind, &iterator, position, now);
        }
        Ok(position.map(|position| self.iterator_behind(&iterator, position)))
    }

    /// Returns an iterator at the same position as another one, as a page without records returns it.
    ///
    /// # Errors
    ///
    /// Those of [`StreamManager::get_records`] that do not come from reading.
    pub fn renew_iterator(&self, shard_iterator: &str, limit: Option<u32>) -> Result<String, StreamsError> {
        page_limit(limit)?;
        let (iterator, _) = self.live_iterator(shard_iterator)?;
        self.read_stream(&iterator.stream_arn, |view| {
            let shard = view.shard(&iterator.shard_id)?.ok_or(StreamsError::IteratorShardNotFound)?;
            view.first_counter(&shard, iterator.position).map(drop)
        })?;
        Ok(self.iterator_behind(&iterator, iterator.position))
    }

    /// Returns an iterator in the shard of another one, at the record with this number; `None` if the other one is there
    /// already, or if this database did not issue it.
    #[must_use]
    pub fn iterator_at(&self, shard_iterator: &str, number: SequenceNumber) -> Option<String> {
        let iterator = ShardIterator::decode(shard_iterator, &self.key).ok()?;
        let position = IteratorPosition::At(number);
        (iterator.position != position).then(|| self.iterator_behind(&iterator, position))
    }

    /// Issues the next iterator of a chain.
    fn iterator_behind(&self, iterator: &ShardIterator, position: IteratorPosition) -> String {
        self.iterator(&iterator.stream_arn, &iterator.shard_id, position, Some(reader_of(iterator)))
    }

    /// Decodes an iterator, and refuses one that has expired. Returns the present time, too.
    fn live_iterator(&self, shard_iterator: &str) -> Result<(ShardIterator, EpochMillis), StreamsError> {
        let iterator = ShardIterator::decode(shard_iterator, &self.key)
            .map_err(|_| StreamsError::validation("Invalid ShardIterator"))?;
        let now = self.env.clock.now();
        if now.since(iterator.issued) > ITERATOR_LIFE {
            return Err(StreamsError::ExpiredIterator);
        }
        Ok((iterator, now))
    }
}

fn page_limit(limit: Option<u32>) -> Result<usize, StreamsError> {
    checked_limit(limit, MAX_RECORDS, "Limit should be less than or equal to 1000")
}
