//! The keys of the objects of an archive.
//!
//! ```text
//! PREFIX/TABLE/LABEL.ACCOUNT.REGION/manifest.json
//! PREFIX/TABLE/LABEL.ACCOUNT.REGION/SHARD/HOUR_AFTER_LAST.jsonl.zst
//! ```
//!
//! The name of an object with records says which interval of sequence numbers it covers: behind `AFTER`, up to `LAST`. Records never change, so
//! two objects with one name have the same content, even if several processes have written them, several times. And the archive can be put together from the
//! names alone, if a manifest lacks them.

use pdb_model::{EpochMillis, SequenceNumber, StreamArn, StreamLabel};

use crate::ArchiveLocation;

pub(crate) const MANIFEST: &str = "manifest.json";
const ENDING: &str = ".jsonl.zst";
const HOUR: i64 = 60 * 60 * 1000;

/// Returns the number of the hour of a time.
pub(crate) fn hour_of(time: EpochMillis) -> i64 {
    time.0.div_euclid(HOUR)
}

impl ArchiveLocation {
    /// Returns what the keys of all objects of a table's streams begin with.
    pub(crate) fn table_folder(&self, table_name: &str) -> String {
        let prefix = &self.prefix;
        if prefix.is_empty() { format!("{table_name}/") } else { format!("{prefix}/{table_name}/") }
    }

    /// Returns what the keys of all objects of a stream begin with.
    pub(crate) fn stream_folder(&self, stream: &StreamArn) -> String {
        // File systems of Windows have no colons in names.
        let label = stream.label.as_str().replace(':', "-");
        let table = self.table_folder(stream.table.name.as_str());
        format!("{table}{label}.{}.{}/", stream.table.account, stream.table.region.replace('/', "_"))
    }

    /// Returns what the keys of all objects of a shard begin with.
    pub(crate) fn shard_folder(&self, stream: &StreamArn, shard_id: &str) -> String {
        format!("{}{shard_id}/", self.stream_folder(stream))
    }

    /// Returns the key of the manifest of a stream.
    pub(crate) fn manifest_key(&self, stream: &StreamArn) -> String {
        self.stream_folder(stream) + MANIFEST
    }
}

/// Returns the name of an object, without its folder.
pub(crate) fn object_name(hour: i64, after: SequenceNumber, last: SequenceNumber) -> String {
    let hour = StreamLabel::at(EpochMillis(hour.saturating_mul(HOUR)));
    format!("{}_{after}_{last}{ENDING}", hour.as_str().get(..13).unwrap_or_default())
}

/// Returns the interval of sequence numbers that an object covers: behind the first one, up to the second one. `None` if it is no object
/// with records.
pub(crate) fn interval_of(key: &str) -> Option<(SequenceNumber, SequenceNumber)> {
    let name = key.rsplit('/').next()?.strip_suffix(ENDING)?;
    let mut parts = name.split('_').skip(1);
    let interval = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdb_objects::NoObjects;
    use std::sync::Arc;

    #[test]
    fn keys_say_what_is_in_the_objects() {
        let number = |counter| SequenceNumber { counter, shard: 7 };
        let hour = hour_of(EpochMillis(1_772_356_542_017));
        let name = object_name(hour, number(0), number(12));
        assert_eq!(name, "2026-03-01T09_000000000000000000007_1200000000000000000007.jsonl.zst");
        assert_eq!(interval_of(&format!("a_b/c/{name}")), Some((number(0), number(12))));
        for other in ["manifest.json", "a/2026-03-01T09.jsonl.zst", "x_1_2.jsonl.zst"] {
            assert_eq!(interval_of(other), None);
        }
        let options = "b/x".parse().unwrap();
        let location = ArchiveLocation::new(Arc::new(NoObjects), &options);
        let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
        let key = location.manifest_key(&stream.parse().unwrap());
        assert_eq!(key, "x/Orders/2026-03-01T09-15-42.017.000000000000.us-east-1/manifest.json");
    }
}
