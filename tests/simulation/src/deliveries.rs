//! What a consumer has received, and whether that is everything, once, in order.

use std::collections::{BTreeMap, BTreeSet};

use pretender::streams::{SequenceNumber, StreamArn};
use pretender::time::EpochMillis;

use crate::model::Model;
use crate::violation::{Checked, ensure};

/// The deliveries of one consumer.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    seen: BTreeMap<StreamArn, BTreeSet<SequenceNumber>>,
    /// Records that need no delivery, and may have one.
    excused: BTreeMap<StreamArn, BTreeSet<SequenceNumber>>,
    /// Whether a record may come again: after a restart without a checkpoint, a restored past, or a fault that repeats records.
    pub may_repeat: bool,
}

impl Deliveries {
    /// Notes that a record needs no delivery.
    pub fn excuse(&mut self, arn: &StreamArn, number: SequenceNumber) {
        self.excused.entry(arn.clone()).or_default().insert(number);
    }

    /// Returns whether a record has been delivered, or need not be.
    #[must_use]
    pub fn has(&self, arn: &StreamArn, number: SequenceNumber) -> bool {
        [&self.seen, &self.excused]
            .iter()
            .any(|known| known.get(arn).is_some_and(|numbers| numbers.contains(&number)))
    }

    /// Checks that the change of the same item before this one was delivered, or lies before it in its batch, if it still can be.
    ///
    /// # Errors
    ///
    /// If it was not.
    pub fn check_order(
        &self,
        model: &Model,
        arn: &StreamArn,
        key: &str,
        number: SequenceNumber,
        of_batch: &[SequenceNumber],
        now: EpochMillis,
    ) -> Checked {
        let Some(stream) = model.streams.get(arn) else { return Ok(()) };
        if let Some(before) = stream.before(key, number)
            && !self.has(arn, before)
            && !of_batch.contains(&before)
            && stream.find(before, now).is_some()
        {
            ensure!(false, "record {number} of {key} comes before {before}, the change before it");
        }
        Ok(())
    }

    /// Notes a delivery.
    ///
    /// # Errors
    ///
    /// If it comes twice.
    pub fn deliver(&mut self, arn: &StreamArn, number: SequenceNumber) -> Checked {
        let is_new = self.seen.entry(arn.clone()).or_default().insert(number);
        ensure!(is_new || self.may_repeat, "record {number} of {arn} comes twice");
        Ok(())
    }

    /// Checks that every record of a table's streams, from one stream on, has come.
    ///
    /// # Errors
    ///
    /// The first record that has not.
    pub fn check_complete(&self, model: &Model, table: u8, from: &StreamArn, now: EpochMillis) -> Checked {
        for (arn, stream) in model.listed(now) {
            if stream.table != table || arn.label < from.label {
                continue;
            }
            for bound in stream.visible(now) {
                let record = &bound.record;
                let has = self.has(arn, record.sequence_number);
                ensure!(has, "a consumer of {arn} has caught up without {record:?}");
            }
        }
        Ok(())
    }

    /// Forgets what nobody can deliver any more.
    pub fn forget(&mut self, model: &Model) {
        self.seen.retain(|arn, _| model.streams.contains_key(arn));
        self.excused.retain(|arn, _| model.streams.contains_key(arn));
    }
}
