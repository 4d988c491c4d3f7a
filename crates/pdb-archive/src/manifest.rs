//! The manifest of a stream: its shards, and what the archive has of each.

use std::io;

use pdb_model::{EpochMillis, KeySchema, SequenceNumber, ShardId, StreamArn, StreamViewType, TableName};
use pdb_objects::ObjectError;
use pdb_store::{ShardRow, StreamRow};
use serde::{Deserialize, Serialize};

use crate::{ArchiveError, ArchiveLocation};

const VERSION: u32 = 1;
/// The longest manifest that is read. An object takes some 400 bytes of it, so this is more than a hundred years of a shard.
const MAX_MANIFEST: u64 = 512 << 20;

/// What the archive has of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    version: u32,
    /// The ARN of the stream.
    #[serde(with = "text")]
    pub stream_arn: StreamArn,
    /// The table.
    pub table_name: TableName,
    /// The label of the stream.
    pub stream_label: String,
    /// The images that its records contain.
    pub stream_view_type: StreamViewType,
    /// The key of the table.
    pub key_schema: KeySchema,
    /// When the stream was disabled, if it was when the manifest was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<EpochMillis>,
    /// The shards, in the order of their ids.
    pub shards: Vec<ArchivedShard>,
}

/// What the archive has of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedShard {
    /// The id.
    pub shard_id: String,
    /// The parent, which need not be in the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_shard_id: Option<String>,
    /// A number below those of all its records.
    #[serde(with = "text")]
    pub starting_sequence_number: SequenceNumber,
    /// The number of its last record, or the starting number if it has none; absent while the shard was open.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub ending_sequence_number: Option<SequenceNumber>,
    /// When it was opened.
    pub opened_at: EpochMillis,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<EpochMillis>,
    /// The objects with its records, in their order.
    #[serde(default)]
    pub objects: Vec<Segment>,
    /// Where records were trimmed that the archive does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// An object with records of one shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// The key of the object in the bucket of the archive.
    pub key: String,
    /// The object has all records behind this number, up to its last one.
    #[serde(with = "text")]
    pub after: SequenceNumber,
    /// The number of its first record.
    #[serde(with = "text")]
    pub first: SequenceNumber,
    /// The number of its last record.
    #[serde(with = "text")]
    pub last: SequenceNumber,
    /// How many records it has.
    pub records: u64,
    /// When the oldest of them was created.
    pub oldest: EpochMillis,
    /// When the newest of them was created.
    pub newest: EpochMillis,
    /// The size of the object.
    pub bytes: u64,
    /// The SHA-256 of the object, in hexadecimal digits.
    pub sha256: String,
}

/// Records that were trimmed before they were archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// They are behind this number.
    #[serde(with = "text")]
    pub after: SequenceNumber,
    /// They end with this number.
    #[serde(with = "text")]
    pub through: SequenceNumber,
}

impl Manifest {
    /// Returns the manifest of a stream that has nothing in the archive.
    pub(crate) fn new(stream: &StreamRow) -> Self {
        Self {
            version: VERSION,
            stream_arn: stream.arn.clone(),
            table_name: stream.table_name.clone(),
            stream_label: stream.label().as_str().to_owned(),
            stream_view_type: stream.view_type,
            key_schema: stream.key_schema.clone(),
            disabled_at: stream.disabled,
            shards: Vec::new(),
        }
    }

    /// Returns a shard.
    #[must_use]
    pub fn shard(&self, shard_id: &str) -> Option<&ArchivedShard> {
        self.shards.iter().find(|shard| shard.shard_id == shard_id)
    }

    /// Returns the entry of a shard, with what is known of it now.
    pub(crate) fn shard_of(&mut self, row: &ShardRow) -> &mut ArchivedShard {
        let at = self.shards.binary_search_by(|shard| shard.shard_id.as_str().cmp(row.id.as_str()));
        let at = at.unwrap_or_else(|at| {
            self.shards.insert(at, ArchivedShard::new(row));
            at
        });
        let shard = &mut self.shards[at];
        shard.closed_at = row.closed;
        shard.ending_sequence_number = row.ending.map(|ending| row.sequence_number(ending));
        shard
    }

    /// Reads the manifest of a stream; `None` if there is none.
    pub(crate) fn load(location: &ArchiveLocation, key: &str) -> Result<Option<Self>, ArchiveError> {
        let Some(content) = location.objects.get(&location.bucket, key, MAX_MANIFEST)? else {
            return Ok(None);
        };
        let mut manifest: Self =
            serde_json::from_slice(&content).map_err(|error| location.damaged(key, error))?;
        if manifest.version != VERSION {
            return Err(location.damaged(key, format!("it has the unknown version {}", manifest.version)));
        }
        manifest.shards.sort_by(|a, b| a.shard_id.cmp(&b.shard_id));
        Ok(Some(manifest))
    }

    /// Writes the manifest.
    pub(crate) fn save(&self, location: &ArchiveLocation) -> Result<(), ArchiveError> {
        let key = location.manifest_key(&self.stream_arn);
        let content = serde_json::to_vec(self)
            .map_err(|error| ObjectError::from_io(&location.bucket, &key, io::Error::other(error)))?;
        Ok(location.objects.put(&location.bucket, &key, &content)?)
    }
}

/// What the archive has behind a position in a shard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Behind<'m> {
    /// The next records are in this object.
    Segment(&'m Segment),
    /// The next records were trimmed; those behind this number were not.
    Gap(SequenceNumber),
    /// The archive ends at this position, or before it.
    End,
}

impl ArchivedShard {
    fn new(row: &ShardRow) -> Self {
        Self {
            shard_id: row.id.as_str().to_owned(),
            parent_shard_id: row.parent.as_ref().map(|parent: &ShardId| parent.as_str().to_owned()),
            starting_sequence_number: row.sequence_number(row.starting),
            ending_sequence_number: None,
            opened_at: row.opened,
            closed_at: None,
            objects: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Returns the number through which the archive has the shard, or knows that it never will; `None` if there is nothing.
    pub(crate) fn through(&self) -> Option<SequenceNumber> {
        let objects = self.objects.iter().map(|segment| segment.last);
        objects.chain(self.gaps.iter().map(|gap| gap.through)).max()
    }

    /// Adds an object, in the order of numbers.
    pub(crate) fn add(&mut self, segment: Segment) {
        self.objects.retain(|known| known.key != segment.key);
        let at =
            self.objects.partition_point(|known| (known.last, known.after) < (segment.last, segment.after));
        self.objects.insert(at, segment);
    }

    /// Returns what the archive has behind a position.
    pub(crate) fn behind(&self, position: SequenceNumber) -> Behind<'_> {
        // Two processes may have archived the same records: the longest of the objects saves the others.
        let covers = |segment: &&Segment| segment.after <= position && position < segment.last;
        if let Some(segment) = self.objects.iter().filter(covers).max_by_key(|segment| segment.last) {
            return Behind::Segment(segment);
        }
        let gap = self.gaps.iter().find(|gap| gap.after <= position && position < gap.through);
        if let Some(gap) = gap {
            return Behind::Gap(gap.through);
        }
        let next = self.objects.iter().map(|segment| segment.after).filter(|after| *after > position).min();
        next.map_or(Behind::End, Behind::Gap)
    }
}

/// A value as its text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{borrow::Cow, fmt::Display, str::FromStr};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'d, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'d>,
    {
        <Cow<'_, str>>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A value as its text, if there is one.
mod optional_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{borrow::Cow, fmt::Display, str::FromStr};

    #[expect(clippy::ref_option, reason = "serde passes the field")]
    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'d, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'d>,
    {
        let text = <Option<Cow<'_, str>>>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(counter: u64) -> SequenceNumber {
        SequenceNumber { counter, shard: 1 }
    }

    fn segment(after: u64, last: u64) -> Segment {
        Segment {
            key: format!("{after}-{last}"),
            after: number(after),
            first: number(after + 1),
            last: number(last),
            records: last - after,
            oldest: EpochMillis(0),
            newest: EpochMillis(0),
            bytes: 1,
            sha256: String::new(),
        }
    }

    #[test]
    fn positions_are_found_in_objects_gaps_and_behind_the_end() {
        let mut shard = ArchivedShard {
            shard_id: "shardId-00000001571767321804-697ce3d2".to_owned(),
            parent_shard_id: None,
            starting_sequence_number: number(10),
            ending_sequence_number: None,
            opened_at: EpochMillis(0),
            closed_at: None,
            objects: Vec::new(),
            gaps: vec![Gap { after: number(30), through: number(40) }],
        };
        // The second one was written by another process; nothing tells of what is missing behind 50.
        for segment in [segment(60, 70), segment(10, 30), segment(10, 20), segment(40, 50)] {
            shard.add(segment);
        }
        let show = |position| match shard.behind(number(position)) {
            Behind::Segment(segment) => segment.key.clone(),
            Behind::Gap(through) => format!("gap {}", through.counter),
            Behind::End => "end".to_owned(),
        };
        for (position, expected) in [
            (10, "10-30"),
            (20, "10-30"),
            (30, "gap 40"),
            (35, "gap 40"),
            (40, "40-50"),
            (50, "gap 60"),
            (60, "60-70"),
            (70, "end"),
            (9, "gap 10"),
        ] {
            assert_eq!(show(position), expected, "{position}");
        }
        assert_eq!(shard.through(), Some(number(70)));
        let text = serde_json::to_string(&shard).unwrap();
        assert_eq!(serde_json::from_str::<ArchivedShard>(&text).unwrap(), shard);
    }
}
