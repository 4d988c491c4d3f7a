//! The order of the records of each item, along the lineage of shards.

use crate::history::{KEYS, ShownChange};

use super::{Record, Whole};

impl Whole {
    /// Returns the ancestors of a shard, the oldest first, and the shard itself.
    #[must_use]
    pub fn lineage(&self, shard: usize) -> Vec<usize> {
        let mut lineage = vec![shard];
        while let Some(parent) = self.shards[lineage[lineage.len() - 1]].parent {
            lineage.push(parent);
        }
        lineage.reverse();
        lineage
    }

    /// Returns the records of an item with their shards. `Err` if two of them are in shards of which none descends from the other, so that
    /// no reader could tell their order.
    ///
    /// # Errors
    ///
    /// The two shards.
    pub fn of_key(&self, key: usize) -> Result<Vec<(usize, &Record)>, String> {
        let mut records = Vec::new();
        let mut last = None;
        // Parents come before their children.
        for (at, shard) in self.shards.iter().enumerate() {
            let before = records.len();
            records
                .extend(shard.records.iter().filter(|record| record.key == key).map(|record| (at, record)));
            if records.len() == before {
                continue;
            }
            if let Some(last) = last.replace(at).filter(|last| !self.lineage(at).contains(last)) {
                let [one, other] = [last, at].map(|at| &self.shards[at].id);
                return Err(format!(
                    "key {key} has records in {one} and in {other}, which does not descend from it"
                ));
            }
        }
        Ok(records)
    }
}

/// Returns the records of a group for the checker, from its streams.
///
/// # Errors
///
/// The errors of [`Whole::of_key`].
pub fn shown_changes(streams: &[&Whole]) -> Result<Vec<Vec<ShownChange>>, String> {
    let mut shown = vec![Vec::new(); KEYS];
    for whole in streams {
        for (key, changes) in shown.iter_mut().enumerate() {
            for (shard, record) in whole.of_key(key)? {
                let mut before = vec![0; KEYS];
                for at in whole.lineage(shard) {
                    let earlier = whole.shards[at].records.iter();
                    let earlier =
                        earlier.take_while(|it| at != shard || it.sequence_number < record.sequence_number);
                    earlier.for_each(|earlier| before[earlier.key] += 1);
                }
                changes.push(ShownChange { item: record.new, before });
            }
        }
    }
    Ok(shown)
}
