//! The reading of one shard.

use super::checkpoint::ShardProgress;
use super::source::{SourceError, SourcePosition, StreamSource};
use std::collections::VecDeque;
use std::sync::Arc;

/// One shard being read: a page of records and the way to the next.
#[derive(Debug)]
pub(super) struct Reader<R> {
    pub(super) stream: usize,
    pub(super) shard_id: Arc<str>,
    pub(super) records: VecDeque<R>,
    /// `None` once the shard has no more pages.
    pub(super) iterator: Option<String>,
    /// Empty pages since the last record.
    pub(super) empty_pages: u32,
}

/// Gets an iterator that continues behind `progress`; `None` begins at the trim horizon.
///
/// A shard begun at its end that cannot say where that was, and whose iterator has died meanwhile, is read from the trim
/// horizon: better too much than a gap.
pub(super) fn iterator_behind<S: StreamSource>(
    source: &S,
    stream_arn: &str,
    shard_id: &str,
    progress: Option<&ShardProgress>,
) -> Result<String, SourceError> {
    let position = match progress {
        None | Some(ShardProgress::Begun | ShardProgress::Latest(_) | ShardProgress::Finished) => {
            SourcePosition::TrimHorizon
        }
        Some(ShardProgress::After(number)) => SourcePosition::After(number.clone()),
    };
    source.shard_iterator(stream_arn, shard_id, &position)
}

/// Returns the progress that a shard begun at its end has before it has seen a record.
pub(super) fn progress_at_end<S: StreamSource>(source: &S, iterator: &str) -> ShardProgress {
    match source.position_of(iterator) {
        Some(SourcePosition::After(number)) => ShardProgress::After(number),
        Some(SourcePosition::TrimHorizon) => ShardProgress::Begun,
        Some(SourcePosition::Latest) | None => ShardProgress::Latest(iterator.to_owned()),
    }
}
