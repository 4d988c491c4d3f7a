//! A shard of a mapping: distributes its records over queues by key, and knows up to which record all of them are settled.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use pretender::time::EpochMillis;

use crate::batch_queue::{BatchQueue, Moment, QueueContext, QueueEvent, ReadState, Task, TaskOutcome};
use crate::event::EventRecord;
use crate::state::Backlog;

/// The records of a shard that were read and are not settled, and the queues that deliver them.
#[derive(Debug)]
pub(crate) struct Shard {
    queues: Vec<BatchQueue>,
    /// Whether each record is settled, from the first one that is not.
    pending: VecDeque<Pending>,
    /// The position of the first of `pending`.
    first: u64,
    /// The sequence number of the last record before `pending`.
    settled_to: Option<String>,
    reading: ReadState,
}

#[derive(Debug)]
struct Pending {
    sequence_number: String,
    is_settled: bool,
}

impl Shard {
    pub(crate) fn new(queues: usize) -> Self {
        Self {
            queues: std::iter::repeat_with(BatchQueue::default).take(queues).collect(),
            pending: VecDeque::new(),
            first: 0,
            settled_to: None,
            reading: ReadState::default(),
        }
    }

    /// Adds a record that is to be delivered.
    pub(crate) fn push(&mut self, record: EventRecord, now: EpochMillis) {
        let position = self.first + self.pending.len() as u64;
        let sequence_number = record.sequence_number.clone();
        self.pending.push_back(Pending { sequence_number, is_settled: false });
        let queue = queue_of(&record.key, self.queues.len());
        self.queues[queue].push(position, record, now);
        self.reading.quiet_at = None;
    }

    /// Adds a record that matches no filter. It counts as processed.
    pub(crate) fn skip(&mut self, sequence_number: String) {
        self.pending.push_back(Pending { sequence_number, is_settled: true });
        self.reading.quiet_at = None;
        self.advance();
    }

    /// Notes that there were no further records at this time.
    pub(crate) fn is_quiet(&mut self, at: EpochMillis) {
        self.reading.quiet_at = Some(at);
    }

    /// Notes that there will be no further records.
    pub(crate) fn end(&mut self) {
        self.reading.is_ended = true;
    }

    /// Returns the number of records that are not yet in a batch.
    pub(crate) fn waiting(&self) -> usize {
        self.queues.iter().map(BatchQueue::waiting).sum()
    }

    /// Returns the number of records that were read and have to be remembered, because they or earlier ones are not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.pending.len()
    }

    /// Returns what is left to do.
    pub(crate) fn backlog(&self, shard_id: &Arc<str>) -> Backlog {
        let queues = self.queues.iter().map(BatchQueue::backlog);
        let (records, oldest) = queues.fold((0, None), |(records, oldest), (more, created)| {
            (records + more, oldest.into_iter().chain(created).min())
        });
        Backlog { shard_id: shard_id.clone(), records: records as u64, oldest }
    }

    /// Returns whether all records so far are dealt with.
    pub(crate) fn is_idle(&self) -> bool {
        self.queues.iter().all(BatchQueue::is_idle)
    }

    /// Returns whether the shard has ended and all its records are dealt with.
    pub(crate) fn is_finished(&self) -> bool {
        self.reading.is_ended && self.queues.iter().all(BatchQueue::is_done)
    }

    /// Returns the sequence number up to which every record is settled; `None` before the first.
    pub(crate) fn settled_to(&self) -> Option<&str> {
        self.settled_to.as_deref()
    }

    /// Returns the end of the first pause.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.queues.iter().filter_map(BatchQueue::due).min()
    }

    /// Returns the tasks there are now, with the number of the queue of each.
    pub(crate) fn next(&mut self, context: &QueueContext<'_>, at: Moment) -> Vec<(usize, Task)> {
        let reading = self.reading;
        let queues = self.queues.iter_mut().enumerate();
        let tasks = queues.filter_map(|(n, queue)| Some((n, queue.next(context, at, reading)?))).collect();
        self.advance();
        tasks
    }

    /// Takes the outcome of a task of a queue.
    pub(crate) fn finish(
        &mut self,
        context: &QueueContext<'_>,
        at: Moment,
        queue: usize,
        outcome: TaskOutcome,
    ) {
        self.queues[queue].finish(context, at, outcome);
        self.advance();
    }

    /// Takes the events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<QueueEvent> {
        self.queues.iter_mut().flat_map(BatchQueue::take_events).collect()
    }

    /// Moves behind all records that are settled without a gap. Queues finish out of order, but a checkpoint is one sequence number: a
    /// record behind one that is not settled has to be delivered again after a restart.
    fn advance(&mut self) {
        for queue in &mut self.queues {
            for position in queue.take_settled() {
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

/// Returns the queue of a key: the same for all records of an item.
pub(crate) fn queue_of(key: &str, queues: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // The remainder of a division by a `usize` fits into one.
    (hasher.finish() % queues as u64) as usize
}

#[cfg(test)]
impl Shard {
    /// Takes all records up to this one as settled, as a mapping that resumes knows them to be.
    pub(crate) fn resume_behind(&mut self, sequence_number: String) {
        self.settled_to = Some(sequence_number);
    }

    /// Returns the numbers of the records that a queue still has.
    pub(crate) fn unsettled_numbers(&self) -> Vec<u64> {
        self.queues.iter().flat_map(BatchQueue::unsettled_numbers).collect()
    }
}
