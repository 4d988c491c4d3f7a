//! Commands on streams and shards.

use pretender::Pretender;
use pretender::model::TableArn;
use pretender::streams::{ShardId, StreamArn};
use pretender::testing::{ControlError, ShardSummary};
use pretender::time::EpochMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CommandContext, Refusal, parse_value};

/// The body of the shard commands, for all shards of a stream or one of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shards {
    stream_arn: Option<String>,
    table: Option<String>,
    #[serde(default)]
    all: bool,
    shard_id: Option<String>,
}

/// The body of `trim`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trim {
    stream_arn: Option<String>,
    table: Option<String>,
    #[serde(default)]
    all: bool,
    before: Option<String>,
}

/// The streams that a command applies to.
enum StreamSelection {
    /// The stream with this ARN.
    Stream(String),
    /// The latest stream of the table with this name or ARN.
    Table(String),
    /// All streams of the region.
    All,
}

impl CommandContext<'_> {
    pub(super) fn list_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (which, shard_id) = body.parse()?;
        self.each_stream(&which, |pretender, stream_arn| {
            let mut shards = pretender.shards(stream_arn)?;
            if let Some(shard_id) = &shard_id {
                shards.retain(|shard| shard.shard_id == *shard_id);
                if shards.is_empty() {
                    return Err(ControlError::NotFound(format!("stream has no shard `{shard_id}`")));
                }
            }
            Ok(shards)
        })
    }

    pub(super) fn rotate_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (which, shard_id) = body.parse()?;
        self.each_stream(&which, |pretender, stream_arn| {
            pretender.rotate_shards(stream_arn, shard_id.as_ref())
        })
    }

    pub(super) fn split_shards(&self, body: Shards) -> Result<Value, Refusal> {
        let (which, shard_id) = body.parse()?;
        self.each_stream(&which, |pretender, stream_arn| {
            pretender.split_shards(stream_arn, shard_id.as_ref())
        })
    }

    pub(super) fn trim(&self, body: Trim) -> Result<Value, Refusal> {
        let which = StreamSelection::of(body.stream_arn, body.table, body.all)?;
        let before = body.before.as_deref().map(|text| parse_value("sequence number", text)).transpose()?;
        if before.is_some() && matches!(which, StreamSelection::All) {
            return Err(Refusal::Bad("`before` needs a single stream, not `all`".to_owned()));
        }
        let (pretender, streams) = self.streams(&which)?;
        let (mut records, mut shards, mut gone) = (0, 0, 0);
        for stream_arn in &streams {
            let Some(report) = which.unless_skipped(pretender.trim(stream_arn, before))? else { continue };
            records += report.records;
            shards += report.shards;
            gone += report.streams;
        }
        Ok(json!({ "records": records, "shards": shards, "streams": gone }))
    }

    /// Executes an action on each stream, and returns the shards that it returns.
    fn each_stream(
        &self,
        which: &StreamSelection,
        act: impl Fn(&Pretender, &StreamArn) -> Result<Vec<ShardSummary>, ControlError>,
    ) -> Result<Value, Refusal> {
        let (pretender, streams) = self.streams(which)?;
        let mut shown = Vec::new();
        for stream_arn in &streams {
            let shards = which.unless_skipped(act(&pretender, stream_arn))?;
            shown.extend(shards.iter().flatten().map(|one| shard(stream_arn, one)));
        }
        Ok(json!({ "shards": shown }))
    }

    /// Returns the streams and their database. If there is an ARN, it names the region.
    fn streams(&self, which: &StreamSelection) -> Result<(Pretender, Vec<StreamArn>), Refusal> {
        Ok(match which {
            StreamSelection::Stream(text) => {
                let stream_arn: StreamArn = parse_value("stream ARN", text)?;
                (self.of(&stream_arn.table.region)?, vec![stream_arn])
            }
            StreamSelection::Table(text) => {
                let (pretender, table_name) = if text.starts_with("arn:") {
                    let table: TableArn = parse_value("table ARN", text)?;
                    (self.of(&table.region)?, table.name)
                } else {
                    (self.pretender.clone(), parse_value("table name", text)?)
                };
                let stream_arn = pretender.latest_stream(&table_name)?;
                (pretender, vec![stream_arn])
            }
            StreamSelection::All => (self.pretender.clone(), self.pretender.all_streams()?),
        })
    }

    /// Returns the database of the region that an ARN names.
    fn of(&self, region: &str) -> Result<Pretender, Refusal> {
        if self.names_region || !self.control.regions.are_separate() {
            return Ok(self.pretender.clone());
        }
        self.control.database(Some(region), false)
    }
}

impl StreamSelection {
    fn of(stream_arn: Option<String>, table: Option<String>, all: bool) -> Result<Self, Refusal> {
        match (stream_arn, table, all) {
            (Some(stream_arn), None, false) => Ok(Self::Stream(stream_arn)),
            (None, Some(table), false) => Ok(Self::Table(table)),
            (None, None, true) => Ok(Self::All),
            _ => Err(Refusal::Bad("expected one of `stream_arn`, `table` and `all`".to_owned())),
        }
    }

    /// For `all`, skips a stream that is disabled, or that was removed since the streams were listed.
    fn unless_skipped<T>(&self, outcome: Result<T, ControlError>) -> Result<Option<T>, ControlError> {
        match (self, outcome) {
            (Self::All, Err(ControlError::NotPossible(_) | ControlError::NotFound(_))) => Ok(None),
            (_, outcome) => outcome.map(Some),
        }
    }
}

impl Shards {
    fn parse(self) -> Result<(StreamSelection, Option<ShardId>), Refusal> {
        let shard_id = self.shard_id.as_deref().map(|text| parse_value("shard id", text)).transpose()?;
        let which = StreamSelection::of(self.stream_arn, self.table, self.all)?;
        if shard_id.is_some() && matches!(which, StreamSelection::All) {
            return Err(Refusal::Bad("`shard_id` needs a single stream, not `all`".to_owned()));
        }
        Ok((which, shard_id))
    }
}

/// Returns a shard; missing values are left out.
fn shard(stream_arn: &StreamArn, shard: &ShardSummary) -> Value {
    let ShardSummary { shard_id, parent_shard_id, starting, ending, opened, closed, hash_range } = shard;
    let mut shown = json!({
        "stream_arn": stream_arn.to_string(),
        "shard_id": shard_id.as_str(),
        "starting_sequence_number": starting.to_string(),
        "open": closed.is_none(),
        "opened_epoch_millis": opened.0,
        // As text, because JSON readers lose precision for such large numbers.
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
