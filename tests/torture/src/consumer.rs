//! A consumer that polls a stream, keeps a checkpoint for each shard, and must get every record once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::door::Door;
use crate::seen::{Seen, id_of, records_of, shards_of, stream_of};

/// A consumer, and what it has got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consumer {
    /// The number of the last record of each shard.
    pub(crate) checkpoints: BTreeMap<String, String>,
    pub(crate) got: Vec<String>,
}

impl Consumer {
    /// Reads on in all shards; returns how many records that gave. Each page counts as soon as it is there, as for a consumer that is
    /// not told how its next request fails.
    pub(crate) fn poll(&mut self, door: &dyn Door) -> Result<usize, String> {
        let stream = stream_of(door)?;
        let before = self.got.len();
        for (shard, _) in shards_of(door, &stream)? {
            let after = self.checkpoints.get(&shard).cloned();
            let records = records_of(door, &stream, &shard, after.as_deref())?;
            self.take(&shard, &records);
        }
        Ok(self.got.len() - before)
    }

    /// Notes records of a shard.
    pub(crate) fn take(&mut self, shard: &str, records: &[Value]) {
        self.got.extend(records.iter().map(|record| id_of(record).to_owned()));
        if let Some(last) = records.last().and_then(|last| last["dynamodb"]["SequenceNumber"].as_str()) {
            self.checkpoints.insert(shard.to_owned(), last.to_owned());
        }
    }

    /// Reads the rest, and checks that it got every record once. Of those in `lost` it may have some that are gone.
    pub(crate) fn finish(
        &mut self,
        door: &dyn Door,
        now: &Seen,
        lost: &BTreeSet<String>,
    ) -> Result<(), String> {
        while self.poll(door)? > 0 {}
        let mut got = BTreeSet::new();
        if let Some(twice) = self.got.iter().find(|id| !got.insert((*id).clone())) {
            return Err(format!("a consumer got {twice} twice"));
        }
        for (shard, record) in now.records() {
            if !got.remove(id_of(record)) {
                return Err(format!("a consumer missed a record of {}: {record}", shard.id));
            }
        }
        match got.iter().find(|id| !lost.contains(*id)) {
            Some(gone) => Err(format!("a consumer got {gone}, which is not in the stream any more")),
            None => Ok(()),
        }
    }
}
