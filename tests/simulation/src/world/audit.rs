//! The audit: finds the record of each change, before anything can take it away.
//!
//! It reads all shards of a stream behind what it has read, without faults and without being seen. It runs when another actor is about to
//! look at a stream, and before every step that may remove records or change shards.

use pretender::streams::{
    DescribeStreamInput, GetRecordsOutput, GetShardIteratorInput, ShardId, ShardIteratorType, StreamArn,
};

use super::World;
use crate::model::ModelShard;
use crate::violation::{Checked, Unexpected, Violation, ensure};

/// An open shard of this age is rotated by the next call that looks at its stream.
const ROTATION_MILLIS: i64 = 4 * 3600 * 1000;
/// An iterator of the audit is renewed before it expires.
const ITERATOR_MILLIS: i64 = 14 * 60 * 1000;

impl World {
    /// Finds the records of all streams.
    pub(crate) fn audit_all(&mut self) -> Checked {
        let arns: Vec<StreamArn> = self.model.streams.keys().cloned().collect();
        arns.iter().try_for_each(|arn| self.audit(arn))
    }

    /// Finds all records of a stream that are expected.
    pub(crate) fn audit(&mut self, arn: &StreamArn) -> Checked {
        let now = self.now();
        let Some(stream) = self.model.streams.get(arn) else { return Ok(()) };
        if stream.is_purged(now) {
            return Ok(());
        }
        let mut open = stream.shards.values().filter(|shard| shard.summary.ending.is_none());
        let is_due = open.any(|shard| now.0 - shard.summary.opened.0 >= ROTATION_MILLIS);
        if is_due && stream.disabled.is_none() {
            let input = DescribeStreamInput::new(arn.clone());
            self.observer.describe_stream(&input).expected_to("describe a stream")?;
        }
        if is_due || stream.is_changed {
            self.refresh(arn)?;
        }
        let Some(stream) = self.model.streams.get(arn) else { return Ok(()) };
        if stream.pending() == 0 {
            return Ok(());
        }
        // Parents have lower ids than their children, because ids begin with the time.
        let is_unread = |shard: &ModelShard| !shard.is_read && shard.is_listed(now);
        let unread = stream.shards.iter().filter(|(_, shard)| is_unread(shard));
        let unread: Vec<ShardId> = unread.map(|(id, _)| id.clone()).collect();
        let mut found = Vec::new();
        for shard_id in unread {
            self.read_shard(arn, &shard_id, &mut found)?;
        }
        // Keys move from parents to children, whose numbers are higher.
        found.sort_by_key(|(_, record)| record.sequence_number);
        let Some(stream) = self.model.streams.get_mut(arn) else { return Ok(()) };
        for (shard_id, record) in found {
            let counter = record.sequence_number.counter;
            let highest = self.highest.entry(shard_id.clone()).or_default();
            ensure!(counter > *highest, "number {counter} of {shard_id} was given out before");
            *highest = counter;
            stream.bind(&shard_id, record)?;
        }
        ensure!(
            stream.pending() == 0,
            "{} records of {arn} are lost; the first is {}",
            stream.pending(),
            stream.first_pending()
        );
        Ok(())
    }

    /// Lists the shards of a stream anew.
    pub(crate) fn refresh(&mut self, arn: &StreamArn) -> Checked {
        let now = self.now();
        let listed = self.db.shards(arn).expected_to("list shards")?;
        for shard in &listed {
            self.digest.add(shard.shard_id.as_str());
        }
        match self.model.streams.get_mut(arn) {
            Some(stream) => stream.take_shards(listed, now),
            None => Ok(()),
        }
    }

    /// Reads a shard behind what the audit has read of it.
    fn read_shard(
        &mut self,
        arn: &StreamArn,
        shard_id: &ShardId,
        found: &mut Vec<(ShardId, pretender::streams::StreamRecord)>,
    ) -> Checked {
        let now = self.now();
        let mut iterator = match self.audits.remove(shard_id) {
            Some((iterator, issued)) if now.0 - issued.0 < ITERATOR_MILLIS => iterator,
            _ => self.audit_iterator(arn, shard_id)?,
        };
        loop {
            let page = self.read_page(&iterator)?;
            let is_empty = page.records.is_empty();
            found.extend(page.records.into_iter().map(|record| (shard_id.clone(), record)));
            let Some(next) = page.next_shard_iterator else {
                if let Some(shard) =
                    self.model.streams.get_mut(arn).and_then(|stream| stream.shards.get_mut(shard_id))
                {
                    ensure!(shard.summary.ending.is_some(), "the open shard {shard_id} has an end");
                    shard.is_read = true;
                }
                return Ok(());
            };
            iterator = next;
            if is_empty {
                self.audits.insert(shard_id.clone(), (iterator, now));
                return Ok(());
            }
        }
    }

    fn read_page(&mut self, iterator: &str) -> Checked<GetRecordsOutput> {
        let mut page = self.observer.get_records(iterator, None).expected_to("read for the audit")?;
        self.planted.spoil_page(&mut page.records);
        for record in &page.records {
            self.digest_record(record);
        }
        Ok(page)
    }

    /// Adds all that a record has to the digest.
    pub(crate) fn digest_record(&mut self, record: &pretender::streams::StreamRecord) {
        self.digest.add_number(record.sequence_number.counter);
        self.digest.add_number(record.sequence_number.shard);
        self.digest.add(record.event_id.0.to_be_bytes());
        self.digest.add(record.event_name.as_str());
        self.digest.add_number(record.created.0.unsigned_abs());
        self.digest.add(record.keys.json());
        for image in [&record.old_image, &record.new_image].into_iter().flatten() {
            self.digest.add(image.json());
        }
    }

    fn audit_iterator(&self, arn: &StreamArn, shard_id: &ShardId) -> Checked<String> {
        let shard = self.model.streams.get(arn).and_then(|stream| stream.shards.get(shard_id));
        let shard = shard.ok_or_else(|| Violation(format!("no shard {shard_id}")))?;
        let horizon = shard.horizon(self.now());
        let shard_iterator_type = match shard.last {
            Some(last) if last.counter > horizon => ShardIteratorType::AfterSequenceNumber(last),
            // All that was found is trimmed.
            _ => ShardIteratorType::TrimHorizon,
        };
        let input = GetShardIteratorInput {
            stream_arn: arn.clone(),
            shard_id: shard_id.clone(),
            shard_iterator_type,
        };
        self.observer.get_shard_iterator(&input).expected_to("get an iterator for the audit")
    }
}
