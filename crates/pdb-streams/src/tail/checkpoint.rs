//! The position of a consumer, in a form that can be stored.

use pdb_model::EpochMillis;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The position of a consumer in every shard of every stream that it reads.
///
/// `Display` and `FromStr` are inverse to each other. The text is JSON and has a version.
///
/// # Examples
///
/// ```
/// use pdb_streams::Checkpoint;
///
/// let checkpoint = Checkpoint::default();
/// assert_eq!(checkpoint.to_string().parse::<Checkpoint>()?, checkpoint);
/// # Ok::<(), pdb_streams::CheckpointError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) streams: BTreeMap<String, StreamProgress>,
}

/// For consumers that are not subscriptions: builds a checkpoint shard by shard.
impl Checkpoint {
    /// Adds a shard that was read up to the record with this sequence number.
    #[must_use]
    pub fn after(
        self,
        stream_arn: impl Into<String>,
        shard_id: impl Into<String>,
        sequence_number: impl Into<String>,
    ) -> Self {
        self.with(stream_arn.into(), shard_id.into(), ShardProgress::After(sequence_number.into()))
    }

    /// Adds a shard that was read to its end, so that only its children are read.
    #[must_use]
    pub fn finished(self, stream_arn: impl Into<String>, shard_id: impl Into<String>) -> Self {
        self.with(stream_arn.into(), shard_id.into(), ShardProgress::Finished { ending: None })
    }

    fn with(mut self, stream_arn: String, shard_id: String, progress: ShardProgress) -> Self {
        self.streams.entry(stream_arn).or_default().insert(shard_id, progress);
        self
    }
}

/// The error of a text that is not a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text is not a checkpoint of a stream subscription")]
pub struct CheckpointError;

/// The positions in the shards of one stream, by shard id.
pub type StreamProgress = BTreeMap<String, ShardProgress>;

/// The position in one shard. A shard without one has not been begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardProgress {
    /// Begun at the trim horizon; no record has been seen.
    Begun,
    /// Begun at the end; no record has been seen. This iterator is all there is to resume from.
    Latest(String),
    /// To be read from the first record that was created at this time or later; no record has been seen.
    Since(EpochMillis),
    /// Read up to the record with this sequence number.
    After(String),
    /// Read to its end.
    Finished {
        /// The `EndingSequenceNumber` of the shard, if it is known. If it is another one later, the shard was open again meanwhile.
        ending: Option<String>,
    },
}

impl ShardProgress {
    /// Returns whether the shard is read to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Finished { .. })
    }
}

const VERSION: u64 = 1;

/// Returns whether two streams belong to one table, by their ARNs.
pub(super) fn are_of_one_table(one: &str, other: &str) -> bool {
    let table = |stream_arn| str::rsplit_once(stream_arn, "/stream/").map(|(table, _)| table);
    table(one).is_some_and(|of_one| Some(of_one) == table(other))
}

impl Checkpoint {
    /// Returns the checkpoint of a reader of one stream.
    #[must_use]
    pub fn of_stream(stream_arn: &str, progress: StreamProgress) -> Self {
        Self { streams: BTreeMap::from([(stream_arn.to_owned(), progress)]) }
    }

    /// Returns the ARN of the newest stream in it that belongs to the table of another stream.
    #[must_use]
    pub fn newest_of_table(&self, stream_arn: &str) -> Option<&str> {
        // The ARNs of one table differ in their labels only, and those are ordered as text.
        let known = self.streams.keys().map(String::as_str);
        known.filter(|known| are_of_one_table(known, stream_arn)).max()
    }

    /// Returns how far the stream with this ARN has been read; `None` if it has not been begun.
    #[must_use]
    pub fn stream(&self, stream_arn: &str) -> Option<&StreamProgress> {
        self.streams.get(stream_arn)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams: Map<String, Value> = self
            .streams
            .iter()
            .map(|(arn, shards)| {
                let shards: Map<String, Value> =
                    shards.iter().map(|(id, p)| (id.clone(), encode(p))).collect();
                (arn.clone(), Value::Object(shards))
            })
            .collect();
        json!({ "version": VERSION, "streams": streams }).fmt(f)
    }
}

fn encode(progress: &ShardProgress) -> Value {
    match progress {
        ShardProgress::Begun => json!({ "at": "TRIM_HORIZON" }),
        ShardProgress::Latest(iterator) => json!({ "iterator": iterator }),
        ShardProgress::Since(time) => json!({ "since": time }),
        ShardProgress::After(number) => json!({ "after": number }),
        ShardProgress::Finished { ending: None } => json!({ "at": "END" }),
        ShardProgress::Finished { ending: Some(number) } => json!({ "at": "END", "ending": number }),
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let value: Value = serde_json::from_str(text).map_err(|_| CheckpointError)?;
        if value["version"].as_u64() != Some(VERSION) {
            return Err(CheckpointError);
        }
        let streams = value["streams"].as_object().ok_or(CheckpointError)?;
        let streams = streams
            .iter()
            .map(|(arn, shards)| {
                let shards = shards.as_object().ok_or(CheckpointError)?;
                let shards = shards.iter().map(|(id, value)| Ok((id.clone(), decode(value)?)));
                Ok((arn.clone(), shards.collect::<Result<StreamProgress, _>>()?))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { streams })
    }
}

fn decode(value: &Value) -> Result<ShardProgress, CheckpointError> {
    if let Some(time) = value["since"].as_i64() {
        return Ok(ShardProgress::Since(EpochMillis(time)));
    }
    match (value["at"].as_str(), value["iterator"].as_str(), value["after"].as_str()) {
        (Some("TRIM_HORIZON"), None, None) => Ok(ShardProgress::Begun),
        (Some("END"), None, None) => {
            Ok(ShardProgress::Finished { ending: value["ending"].as_str().map(str::to_owned) })
        }
        (None, Some(iterator), None) => Ok(ShardProgress::Latest(iterator.to_owned())),
        (None, None, Some(number)) => Ok(ShardProgress::After(number.to_owned())),
        _ => Err(CheckpointError),
    }
}
