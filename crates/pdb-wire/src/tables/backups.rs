//! `CreateBackup`, `DescribeBackup`, `DeleteBackup`, `ListBackups`.

use pdb_model::{ApiError, EpochMillis, TableName};
use pretender::tables::{BackupDescription, BackupDetails, ListBackupsInput, TableDescription};

use super::describe::{write_key_schema, write_on_demand, write_projection, write_sse, write_units};
use super::input;
use super::time_to_live::write_time_to_live;
use super::vectors::write_vector_index_info;
use crate::Wire;
use crate::constraint::{Constraints, at, wire_enum};
use crate::decode::{Text, decode_body};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What CreateBackup takes.
        pub(crate) struct CreateBackupInput<'a> {
            table_name: Text<'a> = "TableName",
            backup_name: Text<'a> = "BackupName",
        }

        /// What DescribeBackup takes.
        pub(crate) struct DescribeBackupInput<'a> {
            backup_arn: Text<'a> = "BackupArn",
        }

        /// What DeleteBackup takes.
        pub(crate) struct DeleteBackupInput<'a> {
            backup_arn: Text<'a> = "BackupArn",
        }

        /// What ListBackups takes.
        pub(crate) struct ListBackupsInput<'a> {
            table_name: Text<'a> = "TableName",
            limit: i32 = "Limit",
            time_range_lower_bound: f64 = "TimeRangeLowerBound",
            time_range_upper_bound: f64 = "TimeRangeUpperBound",
            exclusive_start_backup_arn: Text<'a> = "ExclusiveStartBackupArn",
            backup_type: Text<'a> = "BackupType",
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum BackupType {
    User,
    System,
    AwsBackup,
    All,
}

wire_enum!(BackupType {
    "USER" => BackupType::User,
    "SYSTEM" => BackupType::System,
    "AWS_BACKUP" => BackupType::AwsBackup,
    "ALL" => BackupType::All,
});

/// Runs `CreateBackup`.
pub(crate) fn create_backup(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::CreateBackupInput<'_> = decode_body(body)?;
    let table_name = input::table_name_of_backups(wire, given.table_name.as_ref())?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("BackupName"), given.backup_name.as_ref());
    input::name_constraints(&mut check, &at("BackupName"), given.backup_name.as_ref());
    check.finish()?;
    let details = wire.pretender.create_backup(&table_name, &given.backup_name.unwrap_or_default())?;
    Ok(JsonWriter::object_of(|json| {
        json.name("BackupDetails").object(|json| write_details(json, &details));
    }))
}

/// Runs `DescribeBackup`.
pub(crate) fn describe_backup(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeBackupInput<'_> = decode_body(body)?;
    check_arn(given.backup_arn.as_ref())?;
    let backup = wire.pretender.describe_backup(&given.backup_arn.unwrap_or_default())?;
    Ok(JsonWriter::object_of(|json| write_backup(json, &backup)))
}

/// Runs `DeleteBackup`.
pub(crate) fn delete_backup(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DeleteBackupInput<'_> = decode_body(body)?;
    check_arn(given.backup_arn.as_ref())?;
    let backup = wire.pretender.delete_backup(&given.backup_arn.unwrap_or_default())?;
    Ok(JsonWriter::object_of(|json| write_backup(json, &backup)))
}

/// Runs `ListBackups`.
pub(crate) fn list_backups(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListBackupsInput<'_> = decode_body(body)?;
    let table_name: Option<TableName> = match &given.table_name {
        Some(_) => Some(input::table_name_of_backups(wire, given.table_name.as_ref())?),
        None => None,
    };
    let mut check = Constraints::new(Texts::CLASSIC);
    check.range(&at("Limit"), given.limit, 1..=100);
    let start = given.exclusive_start_backup_arn.as_ref();
    check.text_length(&at("ExclusiveStartBackupArn"), start, 37..=1024);
    let backup_type = check.one_of::<BackupType>(&at("BackupType"), given.backup_type.as_ref());
    check.finish()?;
    let output = wire.pretender.list_backups(&ListBackupsInput {
        table_name,
        time_range_lower_bound: given.time_range_lower_bound.map(moment),
        time_range_upper_bound: given.time_range_upper_bound.map(moment),
        only_system: matches!(backup_type, Some(BackupType::System | BackupType::AwsBackup)),
        exclusive_start_backup_arn: start.map(ToString::to_string),
        limit: given.limit.and_then(|limit| u32::try_from(limit).ok()),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("BackupSummaries").list(&output.backup_summaries, |json, backup| {
            json.object(|json| {
                json.name("TableName").text(backup.table_name.as_str());
                json.name("TableId").text(&backup.table_id);
                json.name("TableArn").text(&backup.table_arn);
                write_details(json, &backup.details);
            });
        });
        if let Some(last) = &output.last_evaluated_backup_arn {
            json.name("LastEvaluatedBackupArn").text(last);
        }
    }))
}

/// Checks a backup's ARN.
fn check_arn(arn: Option<&Text<'_>>) -> Result<(), ApiError> {
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("BackupArn"), arn);
    check.text_length(&at("BackupArn"), arn, 37..=1024);
    check.finish()
}

/// Epoch seconds with a fraction, as timestamps are sent.
pub(crate) fn moment(seconds: f64) -> EpochMillis {
    EpochMillis((seconds * 1000.0).round() as i64)
}

fn write_details(json: &mut JsonWriter, details: &BackupDetails) {
    json.name("BackupArn").text(&details.backup_arn);
    json.name("BackupName").text(&details.backup_name);
    json.name("BackupCreationDateTime").timestamp(details.backup_creation_date_time.0);
    json.name("BackupStatus").text(details.backup_status.as_str());
    json.name("BackupType").text("USER");
    json.name("BackupSizeBytes").integer(details.backup_size_bytes);
}

fn write_backup(json: &mut JsonWriter, backup: &BackupDescription) {
    json.name("BackupDescription").object(|json| {
        json.name("BackupDetails").object(|json| write_details(json, &backup.details));
        json.name("SourceTableDetails").object(|json| write_source(json, &backup.source));
        json.name("SourceTableFeatureDetails").object(|json| write_features(json, backup));
    });
}

fn write_source(json: &mut JsonWriter, source: &TableDescription) {
    json.name("TableName").text(source.table_name.as_str());
    json.name("TableId").text(&source.table_id);
    json.name("TableArn").text(&source.table_arn);
    json.name("TableSizeBytes").integer(source.table_size_bytes);
    write_key_schema(json, &source.key_schema);
    if let Some(created) = source.creation_date_time {
        json.name("TableCreationDateTime").timestamp(created.0);
    }
    write_units(json, &source.provisioned_throughput);
    if let Some(caps) = &source.on_demand_throughput {
        write_on_demand(json, caps);
    }
    json.name("ItemCount").integer(source.item_count);
    let billing_mode = source.billing_mode_summary.map(|summary| summary.billing_mode.as_str());
    json.name("BillingMode").text(billing_mode.unwrap_or("PROVISIONED"));
}

fn write_features(json: &mut JsonWriter, backup: &BackupDescription) {
    let source = &backup.source;
    if !source.local_secondary_indexes.is_empty() {
        json.name("LocalSecondaryIndexes").list(&source.local_secondary_indexes, |json, index| {
            json.object(|json| {
                json.name("IndexName").text(index.index_name.as_str());
                write_key_schema(json, &index.key_schema);
                write_projection(json, &index.projection);
            });
        });
    }
    if !source.global_secondary_indexes.is_empty() {
        json.name("GlobalSecondaryIndexes").list(&source.global_secondary_indexes, |json, index| {
            json.object(|json| {
                json.name("IndexName").text(index.index_name.as_str());
                write_key_schema(json, &index.key_schema);
                write_projection(json, &index.projection);
                write_units(json, &index.provisioned_throughput);
                if let Some(caps) = &index.on_demand_throughput {
                    write_on_demand(json, caps);
                }
            });
        });
    }
    if !source.vector_indexes.is_empty() {
        json.name("VectorIndexes").list(&source.vector_indexes, write_vector_index_info);
    }
    if let Some(view_type) = source.stream_view_type {
        json.name("StreamDescription").object(|json| {
            json.name("StreamEnabled").boolean(true);
            json.name("StreamViewType").text(view_type.as_str());
        });
    }
    write_time_to_live(json, backup.time_to_live_attribute.as_deref());
    write_sse(json, source);
}
