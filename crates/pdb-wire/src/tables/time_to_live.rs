//! `UpdateTimeToLive`, `DescribeTimeToLive`.

use pdb_model::ApiError;
use pretender::tables::TimeToLiveSpecification;

use super::input;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What UpdateTimeToLive takes.
        pub(crate) struct UpdateTimeToLiveInput<'a> {
            table_name: Text<'a> = "TableName",
            time_to_live_specification: TimeToLiveSpecification<'a> = "TimeToLiveSpecification",
        }

        /// Whether and when items expire.
        pub(crate) struct TimeToLiveSpecification<'a> {
            enabled: bool = "Enabled",
            attribute_name: Text<'a> = "AttributeName",
        }

        /// What DescribeTimeToLive takes.
        pub(crate) struct DescribeTimeToLiveInput<'a> {
            table_name: Text<'a> = "TableName",
        }
    }
}

/// Runs `UpdateTimeToLive`.
pub(crate) fn update_time_to_live(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UpdateTimeToLiveInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let path = at("TimeToLiveSpecification");
    check.required(&path, given.time_to_live_specification.as_ref());
    if let Some(specification) = &given.time_to_live_specification {
        let at_name = path.member("AttributeName");
        check.required(&at_name, specification.attribute_name.as_ref());
        check.text_length(&at_name, specification.attribute_name.as_ref(), 1..=255);
        check.required(&path.member("Enabled"), specification.enabled.as_ref());
    }
    check.finish()?;
    let given = given.time_to_live_specification.unwrap_or_default();
    let specification = TimeToLiveSpecification {
        enabled: given.enabled.unwrap_or_default(),
        attribute_name: given.attribute_name.unwrap_or_default().into_owned(),
    };
    let specification = wire.pretender.update_time_to_live(&table_name, specification)?;
    Ok(JsonWriter::object_of(|json| {
        json.name("TimeToLiveSpecification").object(|json| {
            json.name("Enabled").boolean(specification.enabled);
            json.name("AttributeName").text(&specification.attribute_name);
        });
    }))
}

/// Runs `DescribeTimeToLive`.
pub(crate) fn describe_time_to_live(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeTimeToLiveInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let attribute_name = wire.pretender.describe_time_to_live(&table_name)?;
    Ok(JsonWriter::object_of(|json| write_time_to_live(json, attribute_name.as_deref())))
}

/// Writes the member `TimeToLiveDescription`.
pub(crate) fn write_time_to_live(json: &mut JsonWriter, attribute_name: Option<&str>) {
    json.name("TimeToLiveDescription").object(|json| {
        json.name("TimeToLiveStatus").text(if attribute_name.is_some() { "ENABLED" } else { "DISABLED" });
        if let Some(attribute_name) = attribute_name {
            json.name("AttributeName").text(attribute_name);
        }
    });
}
