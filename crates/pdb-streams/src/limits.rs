//! AWS's rates, for those who want to see their consumers throttled.

use crate::StreamsError;
use pdb_model::EpochMillis;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

/// Calls of `ListStreams` a second.
const LIST_STREAMS_RATE: u32 = 5;
/// Calls of `DescribeStream` a second.
const DESCRIBE_STREAM_RATE: u32 = 10;
/// Calls of `GetRecords` a second, for each shard.
const GET_RECORDS_RATE: u32 = 5;
/// Readers of a shard at the same time. A reader is a chain of iterators that began with one `GetShardIterator`.
const READERS: usize = 2;
const WINDOW_MILLIS: i64 = 1_000;
/// So many windows are kept before the stale ones are thrown out.
const WINDOWS_KEPT: usize = 1_024;

/// Counts calls in windows of a second of the injected clock.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    windows: Mutex<HashMap<Counted, Window>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    ListStreams,
    DescribeStream,
    GetRecords(String),
}

#[derive(Debug)]
struct Window {
    began: EpochMillis,
    calls: u32,
    readers: Vec<u32>,
}

impl Limits {
    pub(crate) fn list_streams(&self, now: EpochMillis) -> Result<(), StreamsError> {
        self.count(now, Counted::ListStreams, LIST_STREAMS_RATE, None)
    }

    pub(crate) fn describe_stream(&self, now: EpochMillis) -> Result<(), StreamsError> {
        self.count(now, Counted::DescribeStream, DESCRIBE_STREAM_RATE, None)
    }

    /// `shard` names the shard among all shards, `reader` the reader among its readers.
    pub(crate) fn get_records(
        &self,
        now: EpochMillis,
        shard: String,
        reader: u32,
    ) -> Result<(), StreamsError> {
        self.count(now, Counted::GetRecords(shard), GET_RECORDS_RATE, Some(reader))
    }

    fn count(
        &self,
        now: EpochMillis,
        what: Counted,
        rate: u32,
        reader: Option<u32>,
    ) -> Result<(), StreamsError> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_KEPT {
            windows.retain(|_, window| window.is_current(now));
        }
        let window = match windows.entry(what) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Window::new(now)),
        };
        if !window.is_current(now) {
            *window = Window::new(now);
        }
        if let Some(reader) = reader
            && !window.readers.contains(&reader)
        {
            if window.readers.len() == READERS {
                return Err(StreamsError::TooManyReaders);
            }
            window.readers.push(reader);
        }
        if window.calls == rate {
            return Err(StreamsError::Throttled);
        }
        window.calls += 1;
        Ok(())
    }
}

impl Window {
    fn new(began: EpochMillis) -> Self {
        Self { began, calls: 0, readers: Vec::new() }
    }

    /// A clock that was set back ends the window too.
    fn is_current(&self, now: EpochMillis) -> bool {
        (0..WINDOW_MILLIS).contains(&(now.0.saturating_sub(self.began.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(results: impl Iterator<Item = Result<(), StreamsError>>) -> String {
        results
            .map(|result| match result {
                Ok(()) => '.',
                Err(StreamsError::Throttled) => 't',
                Err(_) => 'r',
            })
            .collect()
    }

    #[test]
    fn rates_hold_for_a_second() {
        let limits = Limits::default();
        let at = EpochMillis;
        assert_eq!(count((0..7).map(|_| limits.list_streams(at(10)))), ".....tt");
        assert_eq!(count((0..12).map(|_| limits.describe_stream(at(10)))), "..........tt");
        assert_eq!(count((0..6).map(|_| limits.get_records(at(10), "a".into(), 1))), ".....t");
        assert_eq!(count((0..6).map(|_| limits.get_records(at(10), "b".into(), 1))), ".....t");
        assert_eq!(count([1009, 1010].into_iter().map(|now| limits.list_streams(at(now)))), "t.");
        // Also when the clock goes back.
        assert_eq!(count([1010, 9].into_iter().map(|now| limits.describe_stream(at(now)))), "..");
    }

    #[test]
    fn a_shard_has_two_readers() {
        let limits = Limits::default();
        let get = |now, reader| limits.get_records(EpochMillis(now), "a".into(), reader);
        assert_eq!(
            count([(0, 1), (0, 2), (0, 3), (0, 1), (1000, 3)].into_iter().map(|(n, r)| get(n, r))),
            "..r.."
        );
    }

    #[test]
    fn stale_windows_are_thrown_out() {
        let limits = Limits::default();
        for shard in 0..WINDOWS_KEPT {
            limits.get_records(EpochMillis(0), shard.to_string(), 1).unwrap();
        }
        limits.get_records(EpochMillis(1000), "new".into(), 1).unwrap();
        assert_eq!(limits.windows.lock().unwrap().len(), 1);
    }
}
