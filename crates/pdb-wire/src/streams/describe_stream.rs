//! `DescribeStream`.

use pdb_model::{ApiError, KeySchema};
use pretender::streams::{DescribeStreamInput, Shard, StreamDescription};

use super::{constrain_arn, constrain_shard_id, shard_id, stream_arn};
use crate::Wire;
use crate::constraint::{Constraints, at, wire_enum};
use crate::decode::{Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::*;

    shape! {
        /// What DescribeStream takes.
        pub(crate) struct DescribeStreamInput<'a> {
            stream_arn: Text<'a> = "StreamArn",
            limit: i32 = "Limit",
            exclusive_start_shard_id: Text<'a> = "ExclusiveStartShardId",
            shard_filter: ShardFilter<'a> = "ShardFilter",
        }

        /// Which shards to describe.
        pub(crate) struct ShardFilter<'a> {
            r#type: Text<'a> = "Type",
            shard_id: Text<'a> = "ShardId",
        }
    }
}

/// How shards are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShardFilterType {
    /// The direct children of a shard.
    ChildShards,
}

wire_enum!(ShardFilterType { "CHILD_SHARDS" => Self::ChildShards });

/// Runs `DescribeStream`.
pub(crate) fn describe_stream(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::DescribeStreamInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("StreamArn"), input.stream_arn.as_ref());
    constrain_arn(&mut check, &at("StreamArn"), input.stream_arn.as_ref());
    check.range(&at("Limit"), input.limit, 1..=i32::MAX);
    constrain_shard_id(&mut check, &at("ExclusiveStartShardId"), input.exclusive_start_shard_id.as_ref());
    if let Some(filter) = &input.shard_filter {
        let at_filter = at("ShardFilter");
        check.required(&at_filter.member("Type"), filter.r#type.as_ref());
        check.one_of::<ShardFilterType>(&at_filter.member("Type"), filter.r#type.as_ref());
        check.required(&at_filter.member("ShardId"), filter.shard_id.as_ref());
        constrain_shard_id(&mut check, &at_filter.member("ShardId"), filter.shard_id.as_ref());
    }
    check.finish()?;

    let parent = input.shard_filter.and_then(|filter| filter.shard_id);
    let description = wire.pretender.describe_stream(&DescribeStreamInput {
        stream_arn: stream_arn(&input.stream_arn.unwrap_or_default())?,
        limit: input.limit.map(i32::unsigned_abs),
        exclusive_start_shard_id: input.exclusive_start_shard_id.as_deref().map(shard_id).transpose()?,
        children_of: parent.as_deref().map(shard_id).transpose()?,
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("StreamDescription").object(|json| write_description(json, &description));
    }))
}

fn write_description(json: &mut JsonWriter, description: &StreamDescription) {
    json.name("StreamArn").text(&description.stream_arn.to_string());
    json.name("StreamLabel").text(description.stream_label.as_str());
    json.name("StreamStatus").text(description.stream_status.as_str());
    json.name("StreamViewType").text(description.stream_view_type.as_str());
    json.name("CreationRequestDateTime").timestamp(description.creation_request_date_time.0);
    json.name("TableName").text(description.table_name.as_str());
    json.name("KeySchema");
    write_key_schema(json, &description.key_schema);
    json.name("Shards").list(&description.shards, write_shard);
    if let Some(id) = &description.last_evaluated_shard_id {
        json.name("LastEvaluatedShardId").text(id.as_str());
    }
}

/// Writes a key schema as the API shows it: `[{"AttributeName":"pk","KeyType":"HASH"}]`.
pub(crate) fn write_key_schema(json: &mut JsonWriter, schema: &KeySchema) {
    let hash = schema.hash.iter().map(|attribute| (attribute, "HASH"));
    let range = schema.range.iter().map(|attribute| (attribute, "RANGE"));
    json.list(hash.chain(range), |json, (attribute, key_type)| {
        json.object(|json| {
            json.name("AttributeName").text(&attribute.name);
            json.name("KeyType").text(key_type);
        });
    });
}

fn write_shard(json: &mut JsonWriter, shard: &Shard) {
    json.object(|json| {
        json.name("ShardId").text(shard.shard_id.as_str());
        json.name("SequenceNumberRange").object(|json| {
            json.name("StartingSequenceNumber").text(&shard.starting_sequence_number.to_string());
            if let Some(ending) = &shard.ending_sequence_number {
                json.name("EndingSequenceNumber").text(&ending.to_string());
            }
        });
        if let Some(parent) = &shard.parent_shard_id {
            json.name("ParentShardId").text(parent.as_str());
        }
    });
}
