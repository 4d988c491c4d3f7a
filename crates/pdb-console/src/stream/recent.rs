//! The records that a page shows before anything happens.

use std::cmp::Reverse;

use pretender::streams::source::{SourceError, SourcePosition, StreamSource};
use pretender::streams::{
    SequenceNumber, ShardProgress, StartPosition, StreamArn, StreamReader, StreamRecord,
};
use pretender::testing::ShardSummary;
use pretender::time::EpochMillis;

use super::filter::Filter;
use super::position::Position;
use crate::Context;
use crate::shown::plural;
use crate::tail::{ShardRecord, ShortCheckpoint, Walk, shards_of};

/// How many of the last records are shown.
const MAX_RECENT: usize = 50;
/// How many records are shown from a position on.
pub(super) const MAX_PAGE: usize = 200;
/// How many records are looked at to find those that match a filter.
const MAX_LOOKED_AT: usize = 50_000;
/// How many of the last records of a shard are looked at for that.
pub(super) const MAX_LOOKED_AT_BACK: u64 = 1_000;

/// The size of the last records of a shard that are looked at.
const MAX_BYTES_BACK: u64 = 8 * 1024 * 1024;

/// The records of a page, and the place behind them.
#[derive(Debug)]
pub(super) struct Records {
    /// In the order of their times.
    pub(super) rows: Vec<ShardRecord>,
    pub(super) checkpoint: ShortCheckpoint,
    /// Whether there were no further ones.
    pub(super) are_all: bool,
    /// Whether these are the last ones, and others may lie before them.
    pub(super) are_last: bool,
}

impl Records {
    /// Reads the records of a stream from a position on.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(super) fn read(
        context: &Context<'_>,
        arn: &StreamArn,
        filter: &Filter,
        position: &Position,
    ) -> Result<Self, String> {
        read(context, arn, filter, position).map_err(|error| match error {
            SourceError::NotFound => "The stream does not exist any more.".to_owned(),
            error => format!("The records cannot be read: {error}."),
        })
    }

    /// Returns the times of the oldest and of the newest record.
    pub(super) fn times(&self) -> Option<(EpochMillis, EpochMillis)> {
        let times = || self.rows.iter().map(|new| new.record.created);
        times().min().zip(times().max())
    }

    /// Returns what is shown, in words.
    pub(super) fn summary(&self) -> String {
        let count = plural(self.rows.len() as u64, "record");
        match (self.are_last, self.are_all) {
            _ if self.rows.is_empty() && self.are_all => "no records".to_owned(),
            (true, _) => format!("the last {count}"),
            (false, true) => format!("{count}: all up to now"),
            (false, false) => format!("{count}; there are more"),
        }
    }
}

fn read(
    context: &Context<'_>,
    arn: &StreamArn,
    filter: &Filter,
    position: &Position,
) -> Result<Records, SourceError> {
    let pretender = context.pretender();
    let mut walk = match position {
        Position::Latest => return read_last(context, arn, filter),
        Position::TrimHorizon => Walk::start(pretender, arn, StartPosition::TrimHorizon)?,
        Position::Since(time) => Walk::start(pretender, arn, StartPosition::AtTimestamp(*time))?,
        Position::After(checkpoint) => {
            let arn = StreamArn { label: checkpoint.label(), ..arn.clone() };
            Walk::resume(pretender, &arn, checkpoint)?
        }
    };
    let text = arn.to_string();
    let (rows, are_all) =
        walk.read_merged(MAX_PAGE, MAX_LOOKED_AT, |record| filter.matches(record, &text))?;
    Ok(Records { rows, are_all, are_last: false, checkpoint: walk.checkpoint() })
}

/// Reads the last records. They are those before the place at which a tail begins, so that none is shown twice or not at all.
fn read_last(context: &Context<'_>, arn: &StreamArn, filter: &Filter) -> Result<Records, SourceError> {
    let pretender = context.pretender();
    let mut walk = Walk::start(pretender, arn, StartPosition::Latest)?;
    let source = pretender.observed_streams();
    let text = arn.to_string();
    let mut shards = shards_of(pretender, arn)?;
    shards.sort_by_key(|shard| (shard.ending.is_some(), Reverse((shard.closed, shard.shard_id.clone()))));
    let wanted = if filter.wants_all() { MAX_RECENT as u64 } else { MAX_LOOKED_AT_BACK };
    let mut rows: Vec<ShardRecord> = Vec::new();
    for shard in &shards {
        let Some(newest) = newest(shard, &walk) else { continue };
        // Open shards come first. The records of closed ones are older.
        if shard.ending.is_some() && rows.len() >= MAX_RECENT {
            break;
        }
        let records = last_records(&source, &text, shard, newest, wanted)?;
        let matching = records.into_iter().filter(|record| filter.matches(record, &text));
        rows.extend(matching.map(|record| ShardRecord { shard_id: shard.shard_id.as_str().into(), record }));
        rows.sort_by_key(|new| (new.record.created, new.record.sequence_number));
        rows.drain(..rows.len().saturating_sub(MAX_RECENT));
    }
    if let Some(last) = rows.last() {
        walk.keep_last((last.shard_id.clone(), last.record.sequence_number));
    }
    Ok(Records { rows, are_all: true, are_last: true, checkpoint: walk.checkpoint() })
}

/// Returns the number of the newest record of a shard: where a walk that began at the end stands, or where the shard ends.
fn newest(shard: &ShardSummary, walk: &Walk) -> Option<SequenceNumber> {
    match (shard.ending, walk.progress().get(shard.shard_id.as_str())) {
        (Some(ending), _) => Some(ending),
        (None, Some(ShardProgress::After(number))) => number.parse().ok(),
        (None, _) => None,
    }
}

/// Returns the last records of a shard up to a number: about `wanted` of them, in their order.
fn last_records(
    source: &StreamReader,
    arn: &str,
    shard: &ShardSummary,
    newest: SequenceNumber,
    wanted: u64,
) -> Result<Vec<StreamRecord>, SourceError> {
    let mut back = wanted;
    loop {
        let from = newest.counter.saturating_sub(back).max(shard.starting.counter);
        let is_all = from == shard.starting.counter;
        let from = SequenceNumber { counter: from, shard: shard.starting.shard };
        let records = records_between(source, arn, shard, (!is_all).then_some(from), newest)?;
        // Numbers may be left out, so that fewer records lie behind a number than one would think.
        if is_all || !records.is_empty() {
            return Ok(records);
        }
        back = back.saturating_mul(16);
    }
}

/// Keeps the last records that may be kept in memory together; at least one.
fn keep_last(records: &mut Vec<StreamRecord>) {
    let mut bytes = 0;
    let fitting = records.iter().rev().take(MAX_LOOKED_AT_BACK as usize).take_while(|record| {
        let fits = bytes == 0 || bytes + record.size_bytes <= MAX_BYTES_BACK;
        bytes += record.size_bytes;
        fits
    });
    let kept = fitting.count();
    records.drain(..records.len() - kept);
}

/// Returns the records of a shard behind a number, or from its oldest one on, up to another number.
fn records_between(
    source: &StreamReader,
    arn: &str,
    shard: &ShardSummary,
    from: Option<SequenceNumber>,
    newest: SequenceNumber,
) -> Result<Vec<StreamRecord>, SourceError> {
    let shard_id = shard.shard_id.as_str();
    let position =
        from.map_or(SourcePosition::TrimHorizon, |number| SourcePosition::After(number.to_string()));
    let iterator = match source.shard_iterator(arn, shard_id, &position) {
        Err(SourceError::Trimmed) => source.shard_iterator(arn, shard_id, &SourcePosition::TrimHorizon),
        // The shard was removed meanwhile.
        Err(SourceError::NotFound) => return Ok(Vec::new()),
        iterator => iterator,
    };
    let mut next = Some(iterator?);
    let mut found = Vec::new();
    while let Some(iterator) = next {
        let page = source.records(&iterator, None)?;
        let is_end =
            page.records.is_empty() || page.records.iter().any(|record| record.sequence_number >= newest);
        found.extend(page.records.into_iter().filter(|record| record.sequence_number <= newest));
        keep_last(&mut found);
        next = page.next_iterator.filter(|_| !is_end);
    }
    Ok(found)
}
