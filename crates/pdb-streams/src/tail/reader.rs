//! The reading of one shard.

use super::checkpoint::{ShardProgress, StreamProgress};
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
///
/// # Errors
///
/// Those of [`StreamSource::shard_iterator`].
pub fn iterator_behind<S: StreamSource>(
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

/// Returns the progress of a reader that begins at the end of a stream: open shards at their ends, closed ones as read.
///
/// # Errors
///
/// Those of [`StreamSource::describe`] and [`StreamSource::shard_iterator`].
pub fn begin_at_end<S: StreamSource>(source: &S, stream_arn: &str) -> Result<StreamProgress, SourceError> {
    let mut begun = StreamProgress::new();
    for shard in source.describe(stream_arn)?.shards {
        let progress = if shard.is_open {
            let iterator = source.shard_iterator(stream_arn, &shard.shard_id, &SourcePosition::Latest)?;
            progress_at_end(source, &iterator)
        } else {
            ShardProgress::Finished
        };
        begun.insert(shard.shard_id, progress);
    }
    Ok(begun)
}

/// Returns the progress that a shard begun at its end has before it has seen a record.
fn progress_at_end<S: StreamSource>(source: &S, iterator: &str) -> ShardProgress {
    match source.position_of(iterator) {
        Some(SourcePosition::After(number)) => ShardProgress::After(number),
        Some(SourcePosition::TrimHorizon) => ShardProgress::Begun,
        Some(SourcePosition::Latest) | None => ShardProgress::Latest(iterator.to_owned()),
    }
}
