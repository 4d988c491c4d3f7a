//! `ListStreams`.

use pdb_model::{ApiError, TableName};
use pretender::streams::ListStreamsInput;

use super::{constrain_arn, stream_arn};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::*;

    shape! {
        /// What ListStreams takes.
        pub(crate) struct ListStreamsInput<'a> {
            table_name: Text<'a> = "TableName",
            limit: i32 = "Limit",
            exclusive_start_stream_arn: Text<'a> = "ExclusiveStartStreamArn",
        }
    }
}

/// Runs `ListStreams`.
pub(crate) fn list_streams(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::ListStreamsInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    // Unlike the table operations, this one takes no ARN here.
    check.text_length(&at("TableName"), input.table_name.as_ref(), 3..=255);
    check.name_pattern(&at("TableName"), input.table_name.as_ref());
    check.range(&at("Limit"), input.limit, 1..=i32::MAX);
    constrain_arn(&mut check, &at("ExclusiveStartStreamArn"), input.exclusive_start_stream_arn.as_ref());
    check.finish()?;

    let no_name = |_| ApiError::validation("Invalid TableName");
    let output = wire.pretender.list_streams(&ListStreamsInput {
        table_name: input.table_name.as_deref().map(TableName::new).transpose().map_err(no_name)?,
        limit: input.limit.map(i32::unsigned_abs),
        exclusive_start_stream_arn: input
            .exclusive_start_stream_arn
            .as_deref()
            .map(stream_arn)
            .transpose()?,
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Streams").list(&output.streams, |json, stream| {
            json.object(|json| {
                json.name("StreamArn").text(&stream.stream_arn.to_string());
                json.name("TableName").text(stream.table_name.as_str());
                json.name("StreamLabel").text(stream.stream_label.as_str());
            });
        });
        if let Some(arn) = &output.last_evaluated_stream_arn {
            json.name("LastEvaluatedStreamArn").text(&arn.to_string());
        }
    }))
}
