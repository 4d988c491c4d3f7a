//! One shard: its records spread over lanes by key, and how far all of them have come.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use pretender::time::EpochMillis;

use crate::event::EventRecord;
use crate::lane::{Lane, Moment, Outcome, Reading, Surroundings, Task, Told};

/// The records of a shard that were read and are not settled, and those that do the work.
#[derive(Debug)]
pub(crate) struct Shard {
    lanes: Vec<Lane>,
    /// Whether each record is settled, from the first one that is not.
    pending: VecDeque<Pending>,
    /// The position of the first of `pending`.
    first: u64,
    /// The sequence number of the last record before `pending`.
    settled_to: Option<String>,
    reading: Reading,
}

#[derive(Debug)]
struct Pending {
    sequence_number: String,
    is_settled: bool,
}

impl Shard {
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            lanes: std::iter::repeat_with(Lane::default).take(lanes).collect(),
            pending: VecDeque::new(),
            first: 0,
            settled_to: None,
            reading: Reading::default(),
        }
    }

    /// Adds a record that is to be delivered.
    pub(crate) fn push(&mut self, record: EventRecord, now: EpochMillis) {
        let position = self.first + self.pending.len() as u64;
        let sequence_number = record.sequence_number.clone();
        self.pending.push_back(Pending { sequence_number, is_settled: false });
        let lane = lane_of(&record.key, self.lanes.len());
        self.lanes[lane].push(position, record, now);
        self.reading.quiet_at = None;
    }

    /// Adds a record that no filter lets through: it counts as processed.
    pub(crate) fn skip(&mut self, sequence_number: String) {
        self.pending.push_back(Pending { sequence_number, is_settled: true });
        self.reading.quiet_at = None;
        self.advance();
    }

    /// Notes that there were no more records at this time.
    pub(crate) fn is_quiet(&mut self, at: EpochMillis) {
        self.reading.quiet_at = Some(at);
    }

    /// Notes that there will be no more records.
    pub(crate) fn end(&mut self) {
        self.reading.is_ended = true;
    }

    /// Returns how many records wait to become part of a batch.
    pub(crate) fn waiting(&self) -> usize {
        self.lanes.iter().map(Lane::waiting).sum()
    }

    /// Returns how many records were read and cannot be forgotten yet, as they, or one before them, are not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.pending.len()
    }

    /// Returns whether nothing is left to do with the records so far.
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.iter().all(Lane::is_idle)
    }

    /// Returns whether all there ever will be is done.
    pub(crate) fn is_finished(&self) -> bool {
        self.reading.is_ended && self.lanes.iter().all(Lane::is_done)
    }

    /// Returns the sequence number up to which every record is settled; `None` before the first.
    pub(crate) fn settled_to(&self) -> Option<&str> {
        self.settled_to.as_deref()
    }

    /// Returns when the first pause ends.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.lanes.iter().filter_map(Lane::due).min()
    }

    /// Returns what is to be done now, with the number of the lane that wants it.
    pub(crate) fn next(&mut self, around: &Surroundings<'_>, at: Moment) -> Vec<(usize, Task)> {
        let reading = self.reading;
        let lanes = self.lanes.iter_mut().enumerate();
        let tasks = lanes.filter_map(|(n, lane)| Some((n, lane.next(around, at, reading)?))).collect();
        self.advance();
        tasks
    }

    /// Takes what came of a lane's task.
    pub(crate) fn finish(&mut self, around: &Surroundings<'_>, at: Moment, lane: usize, outcome: Outcome) {
        self.lanes[lane].finish(around, at, outcome);
        self.advance();
    }

    /// Takes what happened since it was last asked.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        self.lanes.iter_mut().flat_map(Lane::take_told).collect()
    }

    /// Moves behind all records that are settled without a gap.
    fn advance(&mut self) {
        for lane in &mut self.lanes {
            for position in lane.take_settled() {
                let at = position.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
                if let Some(pending) = at.and_then(|at| self.pending.get_mut(at)) {
                    pending.is_settled = true;
                }
            }
        }
        while self.pending.front().is_some_and(|pending| pending.is_settled) {
            self.settled_to = self.pending.pop_front().map(|pending| pending.sequence_number);
            self.first += 1;
        }
    }
}

/// Returns the lane of a key: the same for all records of an item.
pub(crate) fn lane_of(key: &str, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // What is left of a division by a usize is one.
    (hasher.finish() % lanes as u64) as usize
}

#[cfg(test)]
impl Shard {
    /// Takes all records up to this one as settled, as a mapping that resumes knows them to be.
    pub(crate) fn resume_behind(&mut self, sequence_number: String) {
        self.settled_to = Some(sequence_number);
    }

    /// Returns the numbers of the records that a lane still has.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.lanes.iter().flat_map(Lane::held).collect()
    }
}
