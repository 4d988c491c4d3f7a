//! `RestoreTableFromBackup`, `RestoreTableToPointInTime`.

use pdb_model::{ApiError, TableArn, TableName};
use pretender::tables::{RestoreOverrides, RestoreToPointInTimeInput};

use super::backups::moment;
use super::describe::write_table;
use super::input;
use super::shapes::{
    GlobalSecondaryIndex, LocalSecondaryIndex, OnDemandThroughput, ProvisionedThroughput, SSESpecification,
    VectorIndex,
};
use super::vectors::vector_indexes;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body};
use crate::items::table;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::super::shapes::{
        GlobalSecondaryIndex, LocalSecondaryIndex, OnDemandThroughput, ProvisionedThroughput,
        SSESpecification, VectorIndex,
    };
    use crate::decode::{Text, shape};

    shape! {
        /// What RestoreTableFromBackup takes.
        pub(crate) struct RestoreTableFromBackupInput<'a> {
            target_table_name: Text<'a> = "TargetTableName",
            backup_arn: Text<'a> = "BackupArn",
            billing_mode: Text<'a> = "BillingModeOverride",
            global_indexes: Vec<GlobalSecondaryIndex<'a>> = "GlobalSecondaryIndexOverride",
            local_indexes: Vec<LocalSecondaryIndex<'a>> = "LocalSecondaryIndexOverride",
            vector_indexes: Vec<VectorIndex<'a>> = "VectorIndexOverride",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughputOverride",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughputOverride",
            sse_specification: SSESpecification<'a> = "SSESpecificationOverride",
        }

        /// What RestoreTableToPointInTime takes.
        pub(crate) struct RestoreTableToPointInTimeInput<'a> {
            source_table_arn: Text<'a> = "SourceTableArn",
            source_table_name: Text<'a> = "SourceTableName",
            target_table_name: Text<'a> = "TargetTableName",
            use_latest_restorable_time: bool = "UseLatestRestorableTime",
            restore_date_time: f64 = "RestoreDateTime",
            billing_mode: Text<'a> = "BillingModeOverride",
            global_indexes: Vec<GlobalSecondaryIndex<'a>> = "GlobalSecondaryIndexOverride",
            local_indexes: Vec<LocalSecondaryIndex<'a>> = "LocalSecondaryIndexOverride",
            vector_indexes: Vec<VectorIndex<'a>> = "VectorIndexOverride",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughputOverride",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughputOverride",
            sse_specification: SSESpecification<'a> = "SSESpecificationOverride",
        }
    }
}

/// Runs `RestoreTableFromBackup`.
pub(crate) fn restore_table_from_backup(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::RestoreTableFromBackupInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let target = target(&mut check, given.target_table_name.as_ref());
    check.required(&at("BackupArn"), given.backup_arn.as_ref());
    check.text_length(&at("BackupArn"), given.backup_arn.as_ref(), 37..=1024);
    let overrides = Overrides {
        billing_mode: given.billing_mode.as_ref(),
        global_indexes: given.global_indexes.as_ref(),
        local_indexes: given.local_indexes.as_ref(),
        vector_indexes: given.vector_indexes.as_ref(),
        provisioned_throughput: given.provisioned_throughput.as_ref(),
        on_demand_throughput: given.on_demand_throughput.as_ref(),
        sse_specification: given.sse_specification.as_ref(),
    };
    let overrides = overrides.checked(&mut check);
    check.finish()?;
    let target = input::checked(target, "TargetTableName")?;
    let backup_arn = given.backup_arn.unwrap_or_default();
    let table = wire.pretender.restore_table_from_backup(&target, &backup_arn, overrides)?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("TableDescription"), &table)))
}

/// Runs `RestoreTableToPointInTime`.
pub(crate) fn restore_table_to_point_in_time(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::RestoreTableToPointInTimeInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let target = target(&mut check, given.target_table_name.as_ref());
    input::name_constraints(&mut check, &at("SourceTableName"), given.source_table_name.as_ref());
    let overrides = Overrides {
        billing_mode: given.billing_mode.as_ref(),
        global_indexes: given.global_indexes.as_ref(),
        local_indexes: given.local_indexes.as_ref(),
        vector_indexes: given.vector_indexes.as_ref(),
        provisioned_throughput: given.provisioned_throughput.as_ref(),
        on_demand_throughput: given.on_demand_throughput.as_ref(),
        sse_specification: given.sse_specification.as_ref(),
    };
    let overrides = overrides.checked(&mut check);
    check.finish()?;
    let source = match (&given.source_table_name, &given.source_table_arn) {
        (Some(source), None) | (None, Some(source)) => source.to_string(),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::validation(
                "Invalid Request: Either one of SourceTableName or SourceTableArn must be specified, but not both",
            ));
        }
    };
    if table::is_elsewhere(&source, wire.only_region())
        && let Ok(arn) = source.parse::<TableArn>()
    {
        return Err(input::no_table_of_backups(&arn.name));
    }
    let table = wire.pretender.restore_table_to_point_in_time(RestoreToPointInTimeInput {
        source_table: source,
        target_table_name: input::checked(target, "TargetTableName")?,
        use_latest_restorable_time: given.use_latest_restorable_time.unwrap_or_default(),
        restore_date_time: given.restore_date_time.map(moment),
        overrides,
    })?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("TableDescription"), &table)))
}

fn target(check: &mut Constraints, given: Option<&Text<'_>>) -> Option<TableName> {
    check.required(&at("TargetTableName"), given);
    input::name_constraints(check, &at("TargetTableName"), given);
    TableName::new(given?).ok()
}

/// Members both operations have.
struct Overrides<'i, 'a> {
    billing_mode: Option<&'i Text<'a>>,
    global_indexes: Option<&'i Vec<GlobalSecondaryIndex<'a>>>,
    local_indexes: Option<&'i Vec<LocalSecondaryIndex<'a>>>,
    vector_indexes: Option<&'i Vec<VectorIndex<'a>>>,
    provisioned_throughput: Option<&'i ProvisionedThroughput>,
    on_demand_throughput: Option<&'i OnDemandThroughput>,
    sse_specification: Option<&'i SSESpecification<'a>>,
}

impl Overrides<'_, '_> {
    fn checked(self, check: &mut Constraints) -> RestoreOverrides {
        RestoreOverrides {
            billing_mode: input::billing_mode(check, "BillingModeOverride", self.billing_mode),
            global_secondary_indexes: input::global_indexes(
                check,
                &at("GlobalSecondaryIndexOverride"),
                self.global_indexes,
            ),
            local_secondary_indexes: input::local_indexes(
                check,
                &at("LocalSecondaryIndexOverride"),
                self.local_indexes,
            ),
            vector_indexes: vector_indexes(check, &at("VectorIndexOverride"), self.vector_indexes),
            provisioned_throughput: input::throughput(
                check,
                &at("ProvisionedThroughputOverride"),
                self.provisioned_throughput,
            ),
            on_demand_throughput: input::on_demand(self.on_demand_throughput),
            sse_specification: input::encryption(check, "SSESpecificationOverride", self.sse_specification),
        }
    }
}
