//! `DescribeStream`.

use crate::list_streams::checked_limit;
use crate::manager::View;
use crate::{StreamManager, StreamsError};
use pdb_model::{
    EpochMillis, KeySchema, SequenceNumber, ShardId, StreamArn, StreamLabel, StreamStatus, StreamViewType,
    TableName,
};
use pdb_store::ShardRow;

const MAX_LIMIT: u32 = 100;

/// The input of `DescribeStream`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeStreamInput {
    /// The stream.
    pub stream_arn: StreamArn,
    /// The maximum number of shards to return; 100 by default.
    pub limit: Option<u32>,
    /// Returns only shards with a greater id. A shard with this id need not exist.
    pub exclusive_start_shard_id: Option<ShardId>,
    /// Returns only direct children of this shard: the filter `CHILD_SHARDS`.
    pub children_of: Option<ShardId>,
}

impl DescribeStreamInput {
    /// Returns the input that asks for the stream with its first 100 shards.
    #[must_use]
    pub fn new(stream_arn: StreamArn) -> Self {
        Self { stream_arn, limit: None, exclusive_start_shard_id: None, children_of: None }
    }
}

/// A stream with a page of its shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDescription {
    /// The ARN.
    pub stream_arn: StreamArn,
    /// The label.
    pub stream_label: StreamLabel,
    /// The state.
    pub stream_status: StreamStatus,
    /// The images that records contain.
    pub stream_view_type: StreamViewType,
    /// The time at which it was enabled, which is that of the label.
    pub creation_request_date_time: EpochMillis,
    /// The table's name.
    pub table_name: TableName,
    /// The key of the table when the stream was enabled.
    pub key_schema: KeySchema,
    /// The shards, ordered by id, that is by creation.
    pub shards: Vec<Shard>,
    /// The last one of this page, if there are more.
    pub last_evaluated_shard_id: Option<ShardId>,
}

/// A shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The id.
    pub shard_id: ShardId,
    /// The parent, which need not be listed any more.
    pub parent_shard_id: Option<ShardId>,
    /// A number below those of all its records.
    pub starting_sequence_number: SequenceNumber,
    /// The number of its last record, or the starting number if it has none; `None` while it is open.
    pub ending_sequence_number: Option<SequenceNumber>,
}

impl StreamManager {
    /// Describes a stream and its shards.
    ///
    /// # Errors
    ///
    /// [`StreamsError::StreamNotFound`], [`StreamsError::Validation`] if the limit is not 1 to 100,
    /// [`StreamsError::Throttled`].
    pub fn describe_stream(&self, input: &DescribeStreamInput) -> Result<StreamDescription, StreamsError> {
        let limit = checked_limit(input.limit, MAX_LIMIT, "Limit cannot be greater than the maximum: 100")?;
        if let Some(limits) = &self.limits {
            limits.describe_stream(self.env.clock.now())?;
        }
        self.read_stream(&input.stream_arn, |view| {
            let stream_status = self.status(view);
            let mut shards =
                if stream_status == StreamStatus::Enabling { Vec::new() } else { view.shards()? };
            if let Some(parent) = &input.children_of {
                shards.retain(|shard| shard.parent.as_ref() == Some(parent));
            }
            if let Some(start) = &input.exclusive_start_shard_id {
                shards.retain(|shard| shard.id > *start);
            }
            let has_more = shards.len() > limit;
            shards.truncate(limit);
            let last_evaluated_shard_id = shards.last().filter(|_| has_more).map(|shard| shard.id.clone());
            let stream = &view.stream;
            Ok(StreamDescription {
                stream_arn: stream.arn.clone(),
                stream_label: stream.label().clone(),
                stream_status,
                stream_view_type: stream.view_type,
                creation_request_date_time: stream.label().moment(),
                table_name: stream.table_name.clone(),
                key_schema: stream.key_schema.clone(),
                shards: shards.into_iter().map(Shard::from).collect(),
                last_evaluated_shard_id,
            })
        })
    }

    /// Returns the status to show. It lags behind if a transition delay was chosen, for tests of code that waits.
    fn status(&self, view: &View<'_, '_>) -> StreamStatus {
        let delay = self.options.transition_delay;
        // Not `now < since + delay`: a stream enabled twice in one millisecond is labelled with a later one.
        let is_recent = |since: EpochMillis| view.now.since(since) < delay;
        match view.stream.disabled {
            Some(disabled) if is_recent(disabled) => StreamStatus::Disabling,
            None if is_recent(view.stream.created) => StreamStatus::Enabling,
            _ => view.stream.status(),
        }
    }
}

impl From<ShardRow> for Shard {
    fn from(row: ShardRow) -> Self {
        Self {
            starting_sequence_number: row.sequence_number(row.starting),
            ending_sequence_number: row.ending.map(|ending| row.sequence_number(ending)),
            shard_id: row.id,
            parent_shard_id: row.parent,
        }
    }
}
