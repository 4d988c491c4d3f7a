//! Which shards may be read now: parents before children.

use super::checkpoint::{ShardProgress, StreamProgress};
use super::source::SourceShard;
use std::collections::{HashMap, HashSet};

/// Returns the shards that may be begun or resumed: not finished, not being read, and with a parent that is finished, gone, or never was.
pub(super) fn ready_shards<'s>(
    shards: &'s [SourceShard],
    progress: &StreamProgress,
    is_being_read: impl Fn(&str) -> bool,
) -> Vec<&'s SourceShard> {
    let listed: HashSet<&str> = shards.iter().map(|shard| shard.shard_id.as_str()).collect();
    let is_finished = |shard_id: &str| progress.get(shard_id).is_some_and(ShardProgress::is_finished);
    let may_begin = |shard: &&SourceShard| match shard.parent_shard_id.as_deref() {
        None => true,
        Some(parent) => is_finished(parent) || (!listed.contains(parent) && !is_being_read(parent)),
    };
    let is_left = |shard: &&SourceShard| !is_finished(&shard.shard_id) && !is_being_read(&shard.shard_id);
    shards.iter().filter(is_left).filter(may_begin).collect()
}

/// Notes shards as finished of which nothing is known, and whose children were begun: that happens after a parent is finished, or gone. A
/// source with an archive lists such shards again, long after their progress was forgotten.
pub(super) fn finish_ancestors(shards: &[SourceShard], progress: &mut StreamProgress) {
    let parents: HashMap<&str, &str> = shards
        .iter()
        .filter_map(|shard| Some((shard.shard_id.as_str(), shard.parent_shard_id.as_deref()?)))
        .collect();
    let listed: HashSet<&str> = shards.iter().map(|shard| shard.shard_id.as_str()).collect();
    let is_begun = |progress: &ShardProgress| !matches!(progress, ShardProgress::Since(_));
    let mut begun: Vec<&str> =
        parents.keys().copied().filter(|shard_id| progress.get(*shard_id).is_some_and(is_begun)).collect();
    while let Some(shard_id) = begun.pop() {
        if let Some(parent) = parents.get(shard_id)
            && listed.contains(parent)
            && !progress.contains_key(*parent)
        {
            progress.insert((*parent).to_owned(), ShardProgress::Finished { ending: None });
            begun.push(parent);
        }
    }
}

/// Begins finished shards anew that are open again: they were finished in a past that the database has abandoned.
pub(super) fn reopen_shards(shards: &[SourceShard], progress: &mut StreamProgress) {
    for shard in shards.iter().filter(|shard| shard.is_open) {
        if let Some(progress) = progress.get_mut(&shard.shard_id)
            && progress.is_finished()
        {
            *progress = ShardProgress::Begun;
        }
    }
}

/// Begins finished shards anew that were closed with another number than they are now: they were open again in between, because the database
/// went back. Notes the number of those that had none.
pub(super) fn reopen_shards_of_another_past(shards: &[SourceShard], progress: &mut StreamProgress) {
    for shard in shards {
        if let Some(now) = &shard.ending_sequence_number
            && let Some(progress) = progress.get_mut(&shard.shard_id)
            && let ShardProgress::Finished { ending } = progress
        {
            match ending {
                Some(ending) if ending != now => *progress = ShardProgress::Begun,
                _ => *ending = Some(now.clone()),
            }
        }
    }
}

/// Drops the progress of finished shards that are not listed any more: nothing can lead back to them.
pub(super) fn forget_gone_shards(shards: &[SourceShard], progress: &mut StreamProgress) {
    let listed: HashSet<&str> = shards.iter().map(|shard| shard.shard_id.as_str()).collect();
    progress.retain(|shard_id, progress| !progress.is_finished() || listed.contains(shard_id.as_str()));
}
