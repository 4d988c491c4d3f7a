//! Which shards may be read now: parents before children.

use super::checkpoint::{ShardProgress, StreamProgress};
use super::source::SourceShard;

/// Returns the shards that may be begun or resumed: not finished, not being read, and with a parent that is finished,
/// gone, or never was.
pub fn ready_shards<'s>(
    shards: &'s [SourceShard],
    progress: &StreamProgress,
    is_being_read: impl Fn(&str) -> bool,
) -> Vec<&'s SourceShard> {
    let finished = |shard_id: &str| progress.get(shard_id) == Some(&ShardProgress::Finished);
    let listed = |shard_id: &str| shards.iter().any(|shard| shard.shard_id == shard_id);
    shards
        .iter()
        .filter(|shard| !finished(&shard.shard_id) && !is_being_read(&shard.shard_id))
        .filter(|shard| match shard.parent_shard_id.as_deref() {
            None => true,
            Some(parent) => finished(parent) || (!listed(parent) && !is_being_read(parent)),
        })
        .collect()
}

/// Begins finished shards anew that are open again: they were finished in a past that the database has abandoned.
pub fn reopen_shards(shards: &[SourceShard], progress: &mut StreamProgress) {
    for shard in shards.iter().filter(|shard| shard.is_open) {
        if let Some(progress) = progress.get_mut(&shard.shard_id)
            && *progress == ShardProgress::Finished
        {
            *progress = ShardProgress::Begun;
        }
    }
}

/// Drops the progress of finished shards that are not listed any more: nothing can lead back to them.
pub fn forget_gone_shards(shards: &[SourceShard], progress: &mut StreamProgress) {
    progress.retain(|shard_id, progress| {
        *progress != ShardProgress::Finished || shards.iter().any(|shard| shard.shard_id == *shard_id)
    });
}
