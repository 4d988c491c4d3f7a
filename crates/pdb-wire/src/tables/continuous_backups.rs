//! `DescribeContinuousBackups`, `UpdateContinuousBackups`.

use pdb_model::ApiError;
use pretender::tables::PointInTimeRecoveryDescription;

use super::input;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What DescribeContinuousBackups takes.
        pub(crate) struct DescribeContinuousBackupsInput<'a> {
            table_name: Text<'a> = "TableName",
        }

        /// What UpdateContinuousBackups takes.
        pub(crate) struct UpdateContinuousBackupsInput<'a> {
            table_name: Text<'a> = "TableName",
            specification: PointInTimeRecoverySpecification = "PointInTimeRecoverySpecification",
        }

        /// The switch of point-in-time recovery.
        pub(crate) struct PointInTimeRecoverySpecification {
            enabled: bool = "PointInTimeRecoveryEnabled",
            recovery_period_in_days: i32 = "RecoveryPeriodInDays",
        }
    }
}

/// Runs `DescribeContinuousBackups`.
pub(crate) fn describe_continuous_backups(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeContinuousBackupsInput<'_> = decode_body(body)?;
    let table_name = input::table_name_of_backups(wire, given.table_name.as_ref())?;
    let recovery = wire.pretender.describe_continuous_backups(&table_name)?;
    Ok(answer(recovery.as_ref()))
}

/// Runs `UpdateContinuousBackups`.
pub(crate) fn update_continuous_backups(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UpdateContinuousBackupsInput<'_> = decode_body(body)?;
    let table_name = input::table_name_of_backups(wire, given.table_name.as_ref())?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let path = at("PointInTimeRecoverySpecification");
    check.required(&path, given.specification.as_ref());
    if let Some(specification) = &given.specification {
        check.required(&path.member("PointInTimeRecoveryEnabled"), specification.enabled.as_ref());
        check.range(&path.member("RecoveryPeriodInDays"), specification.recovery_period_in_days, 1..=35);
    }
    check.finish()?;
    let given = given.specification.unwrap_or_default();
    let recovery = wire.pretender.update_continuous_backups(
        &table_name,
        given.enabled.unwrap_or_default(),
        given.recovery_period_in_days.and_then(|days| u32::try_from(days).ok()),
    )?;
    Ok(answer(recovery.as_ref()))
}

fn answer(recovery: Option<&PointInTimeRecoveryDescription>) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("ContinuousBackupsDescription").object(|json| {
            json.name("ContinuousBackupsStatus").text("ENABLED");
            json.name("PointInTimeRecoveryDescription").object(|json| {
                let status = if recovery.is_some() { "ENABLED" } else { "DISABLED" };
                json.name("PointInTimeRecoveryStatus").text(status);
                if let Some(recovery) = recovery {
                    json.name("RecoveryPeriodInDays").integer(recovery.recovery_period_in_days);
                    json.name("EarliestRestorableDateTime")
                        .timestamp(recovery.earliest_restorable_date_time.0);
                    json.name("LatestRestorableDateTime").timestamp(recovery.latest_restorable_date_time.0);
                }
            });
        });
    })
}
