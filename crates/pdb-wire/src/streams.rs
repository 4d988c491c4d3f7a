//! The four operations of DynamoDB Streams.

mod describe_stream;
mod get_records;
mod get_shard_iterator;
mod list_streams;

pub(crate) use describe_stream::describe_stream;
pub(crate) use get_records::get_records;
pub(crate) use get_shard_iterator::get_shard_iterator;
pub(crate) use list_streams::list_streams;

use pdb_model::{ApiError, ShardId, StreamArn};

use crate::constraint::{Constraints, Path};
use crate::decode::Text;

/// Bounds a stream's ARN.
fn constrain_arn(check: &mut Constraints, path: &Path<'_>, arn: Option<&Text<'_>>) {
    check.text_length(path, arn, 37..=1024);
}

/// Bounds a shard's id.
fn constrain_shard_id(check: &mut Constraints, path: &Path<'_>, id: Option<&Text<'_>>) {
    check.text_length(path, id, 28..=65);
}

/// Reads an ARN that has passed the constraints.
fn stream_arn(text: &str) -> Result<StreamArn, ApiError> {
    text.parse().map_err(|_| ApiError::validation("Invalid StreamArn"))
}

/// Reads a shard's id that has passed the constraints: every text of that length may name one.
fn shard_id(text: &str) -> Result<ShardId, ApiError> {
    text.parse().map_err(|_| ApiError::validation("Invalid ShardId"))
}
