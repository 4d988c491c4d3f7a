//! Which readers a store has: chains of shard iterators that are in use.
//!
//! An iterator carries the number of its chain, so each page that is read says which reader has come how far.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdb_model::{EpochMillis, IteratorPosition, ShardId, ShardIterator, StreamArn};

use crate::options::ITERATOR_LIFE;

/// The most readers that are remembered. Beyond that, the one that has not read for the longest time is forgotten.
const MAX_READERS: usize = 1_000;

/// Who reads a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReaderKind {
    /// A client that calls `GetRecords`.
    Iterator,
    /// A subscription in this process.
    Subscription,
    /// An event source mapping in this process.
    Trigger,
}

impl ReaderKind {
    /// Returns the name: `iterator`, `subscription` or `trigger`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iterator => "iterator",
            Self::Subscription => "subscription",
            Self::Trigger => "trigger",
        }
    }
}

/// Returns the part of the nonce that identifies a reader.
pub(crate) fn reader_of(iterator: &ShardIterator) -> u32 {
    iterator.nonce >> 16
}

/// Identifies a reader of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ReaderKey {
    shard_id: ShardId,
    reader: u32,
}

/// A reader, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct KnownReader {
    pub(crate) kind: ReaderKind,
    pub(crate) reader: u32,
    pub(crate) stream_arn: StreamArn,
    pub(crate) shard_id: ShardId,
    pub(crate) position: IteratorPosition,
    pub(crate) last_read: EpochMillis,
}

/// The readers of a store.
#[derive(Debug, Default)]
pub(crate) struct Readers(Mutex<HashMap<ReaderKey, KnownReader>>);

impl Readers {
    /// Notes that a reader has used an iterator, and where its next page begins; `None` if it has come to the end of the shard.
    pub(crate) fn note(
        &self,
        kind: ReaderKind,
        iterator: &ShardIterator,
        next: Option<IteratorPosition>,
        now: EpochMillis,
    ) {
        let key = ReaderKey { shard_id: iterator.shard_id.clone(), reader: reader_of(iterator) };
        let mut readers = self.lock();
        let Some(position) = next else {
            readers.remove(&key);
            return;
        };
        if let Some(known) = readers.get_mut(&key).filter(|known| known.stream_arn == iterator.stream_arn) {
            (known.position, known.last_read) = (position, now);
            return;
        }
        if readers.len() >= MAX_READERS {
            forget_oldest(&mut readers);
        }
        let known = KnownReader {
            kind,
            reader: key.reader,
            stream_arn: iterator.stream_arn.clone(),
            shard_id: key.shard_id.clone(),
            position,
            last_read: now,
        };
        readers.insert(key, known);
    }

    /// Returns the readers whose iterators are still alive, ordered by stream, shard and number. Forgets the others.
    pub(crate) fn list(&self, now: EpochMillis) -> Vec<KnownReader> {
        let mut readers = self.lock();
        readers.retain(|_, reader| now.since(reader.last_read) <= ITERATOR_LIFE);
        let mut list: Vec<KnownReader> = readers.values().cloned().collect();
        drop(readers);
        list.sort_by(|a, b| {
            let key =
                |reader: &KnownReader| (reader.stream_arn.clone(), reader.shard_id.clone(), reader.reader);
            key(a).cmp(&key(b))
        });
        list
    }

    /// Entries are changed in single steps.
    fn lock(&self) -> MutexGuard<'_, HashMap<ReaderKey, KnownReader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_oldest(readers: &mut HashMap<ReaderKey, KnownReader>) {
    let oldest = readers.iter().min_by_key(|(_, reader)| reader.last_read).map(|(key, _)| key.clone());
    if let Some(key) = oldest {
        readers.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iterator(reader: u32) -> ShardIterator {
        ShardIterator {
            stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017"
                .parse()
                .unwrap(),
            shard_id: ShardId::at(EpochMillis(1), 1),
            position: IteratorPosition::TrimHorizon,
            issued: EpochMillis(1),
            nonce: reader << 16,
        }
    }

    #[test]
    fn readers_are_forgotten_when_their_iterators_have_expired() {
        let readers = Readers::default();
        let (kind, position) = (ReaderKind::Iterator, Some(IteratorPosition::TrimHorizon));
        readers.note(kind, &iterator(1), position, EpochMillis(0));
        readers.note(kind, &iterator(2), position, EpochMillis(1_000));
        readers.note(kind, &iterator(1), position, EpochMillis(2_000));
        let numbers = |now| readers.list(now).iter().map(|reader| reader.reader).collect::<Vec<_>>();
        assert_eq!(numbers(EpochMillis(900_000)), [1, 2]);
        assert_eq!(numbers(EpochMillis(901_001)), [1]);
        readers.note(kind, &iterator(1), None, EpochMillis(901_002));
        assert!(numbers(EpochMillis(901_003)).is_empty());
    }

    #[test]
    fn the_number_of_readers_is_limited() {
        let readers = Readers::default();
        for reader in 0..=MAX_READERS as u32 {
            let position = Some(IteratorPosition::TrimHorizon);
            readers.note(ReaderKind::Iterator, &iterator(reader), position, EpochMillis(reader.into()));
        }
        let list = readers.list(EpochMillis(0));
        assert_eq!((list.len(), list[0].reader), (MAX_READERS, 1));
    }
}
