//! Shards and their lineage.

use std::collections::BTreeMap;

use pdb_store::{ShardRow, StreamRow};

use super::findings::{FindingKind, Findings};

/// Checks the shards of a stream, which are ordered by their ids. Returns whether all shards that the stream ever had are there, none
/// of them trimmed.
pub(super) fn check_shards(stream: &StreamRow, shards: &[ShardRow], findings: &mut Findings<'_>) -> bool {
    let subject = format!("stream {}", stream.arn);
    let mut add = |detail: &str| findings.add(FindingKind::Shard, &subject, detail);
    let by_id: BTreeMap<&str, &ShardRow> = shards.iter().map(|shard| (shard.id.as_str(), shard)).collect();
    let mut is_whole = shards.iter().all(|shard| shard.trimmed == 0);
    for shard in shards {
        let name = shard.id.as_str();
        if shard.hash_from > shard.hash_to {
            add(&format!("{name} owns no keys"));
        }
        match (shard.closed, shard.ending) {
            (None, None) => {}
            (Some(_), Some(ending)) if shard.starting <= ending && ending < shard.least_next => {}
            (Some(_), Some(_)) => add(&format!("{name} ends before it starts, or above its next number")),
            (Some(_), None) => add(&format!("{name} is closed and has no ending number")),
            (None, Some(_)) => add(&format!("{name} is open and has an ending number")),
        }
        if shard.trimmed >= shard.least_next && !shard.is_open() {
            add(&format!("{name} is trimmed above its last number"));
        }
        let Some(parent_id) = &shard.parent else { continue };
        // A parent that is gone was trimmed, and removed when it was empty.
        let Some(parent) = by_id.get(parent_id.as_str()) else {
            is_whole = false;
            continue;
        };
        if parent.is_open() {
            add(&format!("{name} continues {parent_id}, which is open"));
        }
        if shard.number <= parent.number || shard.starting <= parent.ending.unwrap_or(0) {
            add(&format!("{name} does not start above its parent {parent_id}"));
        }
        if shard.hash_from < parent.hash_from || shard.hash_to > parent.hash_to {
            add(&format!("{name} owns keys that its parent {parent_id} did not"));
        }
    }
    let open: Vec<&ShardRow> = shards.iter().filter(|shard| shard.is_open()).collect();
    if stream.disabled.is_some() {
        if !open.is_empty() {
            add("it is disabled and has an open shard");
        }
    } else if let Some(gap) = uncovered(&open) {
        add(&gap);
    }
    is_whole
}

/// Says where open shards do not share all keys among them.
fn uncovered(open: &[&ShardRow]) -> Option<String> {
    let mut ranges: Vec<(u64, u64)> = open.iter().map(|shard| (shard.hash_from, shard.hash_to)).collect();
    ranges.sort_unstable();
    let mut next = Some(0);
    for (from, to) in ranges {
        match next {
            Some(next) if from == next => {}
            Some(next) if from > next => {
                return Some(format!("no open shard owns the keys from {next:016x} on"));
            }
            _ => return Some(format!("two open shards own the keys from {from:016x} on")),
        }
        next = to.checked_add(1);
    }
    next.map(|next| format!("no open shard owns the keys from {next:016x} on"))
}
