//! Commands to streams and their shards.

use std::str::FromStr;

use pretender::{EpochMillis, Pretender, ShardId, ShardSummary, StreamArn};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Commanded, Refusal};

/// The body of the commands to shards: all of a stream, or one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shards {
    stream_arn: String,
    shard_id: Option<String>,
}

/// The body of `trim`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trim {
    stream_arn: String,
    before: Option<String>,
}

impl Commanded<'_> {
    pub(super) fn list_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (stream_arn, shard_id) = body.parse()?;
        let mut shards = self.of(&stream_arn)?.shards(&stream_arn)?;
        if let Some(shard_id) = shard_id {
            shards.retain(|shard| shard.shard_id == shard_id);
            if shards.is_empty() {
                return Err(Refusal::NotFound(format!("stream has no shard `{shard_id}`")));
            }
        }
        Ok(shown(&shards))
    }

    pub(super) fn rotate_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (stream_arn, shard_id) = body.parse()?;
        Ok(shown(&self.of(&stream_arn)?.rotate_shards(&stream_arn, shard_id.as_ref())?))
    }

    pub(super) fn split_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (stream_arn, shard_id) = body.parse()?;
        Ok(shown(&self.of(&stream_arn)?.split_shards(&stream_arn, shard_id.as_ref())?))
    }

    pub(super) fn trim(&self, body: Trim) -> Result<Value, Refusal> {
        let stream_arn = arn(&body.stream_arn)?;
        let before = body.before.as_deref().map(|text| value("sequence number", text)).transpose()?;
        let report = self.of(&stream_arn)?.trim(&stream_arn, before)?;
        Ok(json!({ "records": report.records, "shards": report.shards, "streams": report.streams }))
    }

    /// Finds the database of a stream: its ARN names the region.
    fn of(&self, stream_arn: &StreamArn) -> Result<Pretender, Refusal> {
        if self.names_region || !self.control.regions.are_separate() {
            return Ok(self.pretender.clone());
        }
        self.control.database(Some(&stream_arn.table.region), false)
    }
}

impl Shards {
    fn parse(&self) -> Result<(StreamArn, Option<ShardId>), Refusal> {
        let shard_id = self.shard_id.as_deref().map(|text| value("shard id", text)).transpose()?;
        Ok((arn(&self.stream_arn)?, shard_id))
    }
}

fn arn(text: &str) -> Result<StreamArn, Refusal> {
    value("stream ARN", text)
}

fn value<T: FromStr>(what: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::Bad(format!("`{text}` is no {what}")))
}

fn shown(shards: &[ShardSummary]) -> Value {
    let shards: Vec<Value> = shards.iter().map(shard).collect();
    json!({ "shards": shards })
}

/// A shard; what it does not have is left out.
fn shard(shard: &ShardSummary) -> Value {
    let ShardSummary { shard_id, parent_shard_id, starting, ending, opened, closed, hash_range } = shard;
    let mut shown = json!({
        "shard_id": shard_id.as_str(),
        "starting_sequence_number": starting.to_string(),
        "open": closed.is_none(),
        "opened_epoch_millis": opened.0,
        // As text: JSON's readers lose the end of numbers as large as these.
        "hash_from": format!("{:016x}", hash_range.0),
        "hash_to": format!("{:016x}", hash_range.1),
    });
    if let Some(parent) = parent_shard_id {
        shown["parent_shard_id"] = parent.as_str().into();
    }
    if let Some(ending) = ending {
        shown["ending_sequence_number"] = ending.to_string().into();
    }
    if let Some(EpochMillis(closed)) = closed {
        shown["closed_epoch_millis"] = (*closed).into();
    }
    shown
}
