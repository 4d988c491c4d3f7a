//! `GetShardIterator`.

use pdb_model::ApiError;
use pretender::streams::{GetShardIteratorInput, ShardIteratorType};

use super::{constrain_arn, constrain_shard_id, shard_id, stream_arn};
use crate::Wire;
use crate::constraint::{Constraints, at, wire_enum};
use crate::decode::{Text, Timestamp, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::*;

    shape! {
        /// What GetShardIterator takes.
        pub(crate) struct GetShardIteratorInput<'a> {
            stream_arn: Text<'a> = "StreamArn",
            shard_id: Text<'a> = "ShardId",
            shard_iterator_type: Text<'a> = "ShardIteratorType",
            sequence_number: Text<'a> = "SequenceNumber",
            timestamp: Timestamp = "Timestamp",
        }
    }
}

/// The words of `ShardIteratorType`; two of them mean something only with a sequence number, and one only with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TypeWord {
    After,
    Latest,
    At,
    TrimHorizon,
    AtTimestamp,
}

// Where AWS lists the fifth word is not known: streams-at-timestamp.md section 5.1.
wire_enum!(TypeWord {
    "AFTER_SEQUENCE_NUMBER" => Self::After,
    "LATEST" => Self::Latest,
    "AT_SEQUENCE_NUMBER" => Self::At,
    "TRIM_HORIZON" => Self::TrimHorizon,
    "AT_TIMESTAMP" => Self::AtTimestamp,
});

/// Runs `GetShardIterator`.
pub(crate) fn get_shard_iterator(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::GetShardIteratorInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("StreamArn"), input.stream_arn.as_ref());
    constrain_arn(&mut check, &at("StreamArn"), input.stream_arn.as_ref());
    check.required(&at("ShardId"), input.shard_id.as_ref());
    constrain_shard_id(&mut check, &at("ShardId"), input.shard_id.as_ref());
    check.required(&at("ShardIteratorType"), input.shard_iterator_type.as_ref());
    check.one_of::<TypeWord>(&at("ShardIteratorType"), input.shard_iterator_type.as_ref());
    check.text_length(&at("SequenceNumber"), input.sequence_number.as_ref(), 21..=40);
    check.finish()?;

    let stream_arn = stream_arn(&input.stream_arn.unwrap_or_default())?;
    let word = input.shard_iterator_type.unwrap_or_default();
    let time = input.timestamp.map(|Timestamp(time)| time);
    let shard_iterator_type = ShardIteratorType::from_request(&word, input.sequence_number.as_deref(), time)
        .map_err(|error| ApiError::validation(error.to_string()))?
        .unwrap_or(ShardIteratorType::TrimHorizon);
    let iterator = wire.pretender.get_shard_iterator(&GetShardIteratorInput {
        stream_arn,
        shard_id: shard_id(&input.shard_id.unwrap_or_default())?,
        shard_iterator_type,
    })?;
    Ok(JsonWriter::object_of(|json| json.name("ShardIterator").text(&iterator)))
}
