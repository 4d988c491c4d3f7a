//! Sources of stream records.

use super::WakeHandle;
use crate::EventDocument;
use pdb_model::EpochMillis;
use std::error::Error;

/// The part of the Streams API that a subscription needs: four calls, in process or over a network.
///
/// Shard ids, sequence numbers and iterators are opaque text here, because other endpoints may use other forms.
pub trait StreamSource {
    /// The type of the stream records of this source.
    type Record: SourceRecord;

    /// Returns the ARNs of the table's streams, newest first.
    ///
    /// # Errors
    ///
    /// Those of `ListStreams`.
    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError>;

    /// Describes the stream with all its shards, all pages of them.
    ///
    /// # Errors
    ///
    /// [`SourceError::NotFound`] if there is no such stream, or the errors of `DescribeStream`.
    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError>;

    /// Returns an iterator into a shard.
    ///
    /// # Errors
    ///
    /// [`SourceError::NotFound`] if the stream or the shard is gone, [`SourceError::Trimmed`] if the position is.
    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError>;

    /// Returns the records at an iterator, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// Those of `GetRecords`, as [`SourceError`].
    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<Self::Record>, SourceError>;

    /// Returns where a reader goes on that has found the records behind `position` trimmed: at the oldest record that still exists, unless
    /// the source has records on both sides of a gap.
    ///
    /// # Errors
    ///
    /// Those of [`shard_iterator`](Self::shard_iterator).
    fn position_behind_gap(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<SourcePosition, SourceError> {
        let _ = (stream_arn, shard_id, position);
        Ok(SourcePosition::TrimHorizon)
    }

    /// Returns the position of an iterator, if this source can tell.
    ///
    /// With it, a subscription that began at the end of a stream can be resumed before it has seen a record.
    fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
        let _ = iterator;
        None
    }

    /// Keeps `wake`, and calls [`WakeHandle::wake`] when records may have been added. A source that cannot tell does
    /// nothing, and is polled.
    fn wake_on_change(&self, wake: &WakeHandle) {
        let _ = wake;
    }
}

/// Passes all calls on to the source behind a pointer.
macro_rules! delegate {
    ($($pointer:ty),*) => {
        $(impl<S: StreamSource + ?Sized> StreamSource for $pointer {
            type Record = S::Record;

            fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
                (**self).streams(table_name)
            }

            fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
                (**self).describe(stream_arn)
            }

            fn shard_iterator(
                &self,
                stream_arn: &str,
                shard_id: &str,
                position: &SourcePosition,
            ) -> Result<String, SourceError> {
                (**self).shard_iterator(stream_arn, shard_id, position)
            }

            fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<Self::Record>, SourceError> {
                (**self).records(iterator, limit)
            }

            fn position_behind_gap(
                &self,
                stream_arn: &str,
                shard_id: &str,
                position: &SourcePosition,
            ) -> Result<SourcePosition, SourceError> {
                (**self).position_behind_gap(stream_arn, shard_id, position)
            }

            fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
                (**self).position_of(iterator)
            }

            fn wake_on_change(&self, wake: &WakeHandle) {
                (**self).wake_on_change(wake);
            }
        })*
    };
}

delegate!(&S, Box<S>);

/// The part of a record that a subscription needs.
pub trait SourceRecord {
    /// Returns the sequence number as the API writes it.
    fn sequence_number(&self) -> String;

    /// Returns the record in the form that event patterns are matched against. It is a record of the stream with this ARN.
    fn document(&self, stream_arn: &str) -> EventDocument;
}

/// The part of the answer of `DescribeStream` that is about lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceStream {
    /// Whether shards may still be added: the status is not `DISABLED`.
    pub is_live: bool,
    /// All listed shards.
    pub shards: Vec<SourceShard>,
}

/// The part of a shard's description that is about lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceShard {
    /// The shard's id.
    pub shard_id: String,
    /// The parent, which need not be listed any more.
    pub parent_shard_id: Option<String>,
    /// Whether it has no `EndingSequenceNumber`.
    pub is_open: bool,
    /// The `EndingSequenceNumber`, if the source knows it.
    pub ending_sequence_number: Option<String>,
}

/// One answer of `GetRecords`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePage<R> {
    /// The records, oldest first.
    pub records: Vec<R>,
    /// The iterator of the next page; `None` at the end of a closed shard.
    pub next_iterator: Option<String>,
}

/// A position in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePosition {
    /// At the oldest record that still exists.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
    /// Behind the record with this sequence number.
    After(String),
    /// At the first record that was created at this time or later.
    AtTimestamp(EpochMillis),
}

/// The error of a source; consumers react by kind.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The stream or the shard does not exist, or is gone.
    #[error("stream or shard does not exist")]
    NotFound,
    /// The iterator is older than 15 minutes.
    #[error("shard iterator has expired")]
    Expired,
    /// The position lies before the oldest record.
    #[error("records at this position have been trimmed")]
    Trimmed,
    /// Too many calls; the same call may succeed a little later.
    #[error("too many calls")]
    Throttled,
    /// Anything else.
    #[error("stream cannot be read")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}
