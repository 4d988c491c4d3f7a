//! `EnableKinesisStreamingDestination` and its siblings.

use pdb_model::{ApiError, TableName, TimePrecision};

use super::input;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What the operations that enable and disable a destination take.
        pub(crate) struct KinesisStreamingDestinationInput<'a> {
            table_name: Text<'a> = "TableName",
            stream_arn: Text<'a> = "StreamArn",
            enable: EnableKinesisStreamingConfiguration<'a> = "EnableKinesisStreamingConfiguration",
        }

        /// How a destination is to be enabled.
        pub(crate) struct EnableKinesisStreamingConfiguration<'a> {
            precision: Text<'a> = "ApproximateCreationDateTimePrecision",
        }

        /// What UpdateKinesisStreamingDestination takes.
        pub(crate) struct UpdateKinesisStreamingDestinationInput<'a> {
            table_name: Text<'a> = "TableName",
            stream_arn: Text<'a> = "StreamArn",
            update: UpdateKinesisStreamingConfiguration<'a> = "UpdateKinesisStreamingConfiguration",
        }

        /// What is to change of a destination.
        pub(crate) struct UpdateKinesisStreamingConfiguration<'a> {
            precision: Text<'a> = "ApproximateCreationDateTimePrecision",
        }

        /// What DescribeKinesisStreamingDestination takes.
        pub(crate) struct DescribeKinesisStreamingDestinationInput<'a> {
            table_name: Text<'a> = "TableName",
        }
    }
}

/// Runs `EnableKinesisStreamingDestination`.
pub(crate) fn enable(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::KinesisStreamingDestinationInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = stream_arn(given.stream_arn.as_ref());
    let precision = enabled_precision(&mut check, given.enable.as_ref());
    check.finish()?;
    let arn = given.stream_arn.unwrap_or_default();
    wire.pretender.enable_kinesis_streaming_destination(&table_name, &arn, precision)?;
    Ok(answer(&table_name, &arn, "ENABLING", Some(("EnableKinesisStreamingConfiguration", precision))))
}

/// Runs `DisableKinesisStreamingDestination`.
pub(crate) fn disable(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::KinesisStreamingDestinationInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = stream_arn(given.stream_arn.as_ref());
    let precision = enabled_precision(&mut check, given.enable.as_ref());
    check.finish()?;
    if precision.is_some() {
        return Err(ApiError::validation(
            "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters",
        ));
    }
    let arn = given.stream_arn.unwrap_or_default();
    wire.pretender.disable_kinesis_streaming_destination(&table_name, &arn)?;
    Ok(answer(&table_name, &arn, "DISABLING", None))
}

/// Runs `UpdateKinesisStreamingDestination`.
pub(crate) fn update(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UpdateKinesisStreamingDestinationInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = stream_arn(given.stream_arn.as_ref());
    let precision = given.update.as_ref().and_then(|update| {
        let path = at("UpdateKinesisStreamingConfiguration");
        let path = path.member("ApproximateCreationDateTimePrecision");
        check.one_of::<TimePrecision>(&path, update.precision.as_ref())
    });
    check.finish()?;
    let arn = given.stream_arn.unwrap_or_default();
    let precision = wire.pretender.update_kinesis_streaming_destination(&table_name, &arn, precision)?;
    Ok(answer(&table_name, &arn, "UPDATING", Some(("UpdateKinesisStreamingConfiguration", Some(precision)))))
}

/// Runs `DescribeKinesisStreamingDestination`.
pub(crate) fn describe(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeKinesisStreamingDestinationInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let destinations = wire.pretender.describe_kinesis_streaming_destination(&table_name)?;
    Ok(JsonWriter::object_of(|json| {
        json.name("TableName").text(table_name.as_str());
        json.name("KinesisDataStreamDestinations").list(&destinations, |json, destination| {
            json.object(|json| {
                json.name("StreamArn").text(&destination.stream_arn);
                json.name("DestinationStatus").text(if destination.active { "ACTIVE" } else { "DISABLED" });
                if let Some(precision) = destination.precision {
                    json.name("ApproximateCreationDateTimePrecision").text(precision.as_str());
                }
            });
        });
    }))
}

fn enabled_precision(
    check: &mut Constraints,
    given: Option<&shapes::EnableKinesisStreamingConfiguration<'_>>,
) -> Option<TimePrecision> {
    let path = at("EnableKinesisStreamingConfiguration");
    check.one_of(&path.member("ApproximateCreationDateTimePrecision"), given?.precision.as_ref())
}

fn stream_arn(arn: Option<&Text<'_>>) -> Constraints {
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("StreamArn"), arn);
    check.text_length(&at("StreamArn"), arn, 37..=1024);
    check
}

fn answer(
    table_name: &TableName,
    stream_arn: &str,
    status: &str,
    configuration: Option<(&'static str, Option<TimePrecision>)>,
) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("TableName").text(table_name.as_str());
        json.name("StreamArn").text(stream_arn);
        json.name("DestinationStatus").text(status);
        if let Some((name, precision)) = configuration {
            json.name(name).object(|json| {
                if let Some(precision) = precision {
                    json.name("ApproximateCreationDateTimePrecision").text(precision.as_str());
                }
            });
        }
    })
}
