//! RestoreTableFromBackup and RestoreTableToPointInTime.
//!
//! Evidence: `dynamodb.md` 14, `bulk-import-export.md` 4.2. Restored are items, keys, indexes, billing and encryption; not tags, expiry, streams,
//! policies, recovery and deletion protection. Items are those of the moment, settings those that the source has now.

use pdb_model::{
    BillingMode, EpochMillis, IndexKind, IndexName, OnDemandThroughput, RestoredFrom, SecondaryIndex,
    TableArn, TableChange, TableDefinition, TableName, VectorIndex,
};
use pdb_store::Tx;

use super::backfill::fill_index;
use super::backup::stored_backup;
use super::continuous_backups::{missing, unavailable};
use super::definition::{projection, provisioned};
use super::describe::{Counts, elements};
use super::description::TableDescription;
use super::input::{
    GlobalIndexInput, KeySchemaElement, LocalIndexInput, ProjectionInput, SseSpecification, ThroughputInput,
};
use super::manager::{TableManager, find_table};
use super::rules::{invalid, named_caps, refused};
use super::update_indexes::used_attributes;
use super::vector_input::VectorIndexInput;
use super::vector_rules::check_on_demand;
use crate::ItemsError;

/// In what a restored table is to differ from its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreOverrides {
    /// The billing mode.
    pub billing_mode: Option<BillingMode>,
    /// Those of the source's global indexes that are wanted.
    pub global_secondary_indexes: Option<Vec<GlobalIndexInput>>,
    /// Those of the source's local indexes that are wanted.
    pub local_secondary_indexes: Option<Vec<LocalIndexInput>>,
    /// Those of the source's vector indexes that are wanted.
    pub vector_indexes: Option<Vec<VectorIndexInput>>,
    /// The provisioned units.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// The on-demand caps.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// The encryption.
    pub sse_specification: Option<SseSpecification>,
}

/// The input of RestoreTableToPointInTime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreToPointInTimeInput {
    /// The table to copy, by name or ARN.
    pub source_table: String,
    /// The new table.
    pub target_table_name: TableName,
    /// The latest moment.
    pub use_latest_restorable_time: bool,
    /// A certain moment: the table as it was after all changes of this millisecond and before.
    pub restore_date_time: Option<EpochMillis>,
    /// In what the new table is to differ.
    pub overrides: RestoreOverrides,
}

/// Where a restored table's items come from.
enum Source<'a> {
    /// A backup, by the store's name for its items.
    Backup(&'a str),
    /// A table, as it was at a moment.
    Table(&'a TableName, EpochMillis),
}

impl TableManager {
    /// Makes a new table of a backup.
    ///
    /// # Errors
    ///
    /// [`ItemsError::BackupNotFound`], [`ItemsError::TableAlreadyExists`], [`ItemsError::Validation`].
    pub fn restore_table_from_backup(
        &self,
        target_table_name: &TableName,
        backup_arn: &str,
        overrides: RestoreOverrides,
    ) -> Result<TableDescription, ItemsError> {
        let (target, backup_arn) = (target_table_name.clone(), backup_arn.to_owned());
        self.write(move |manager, tx| {
            let backup = stored_backup(tx, &backup_arn)?;
            let from = RestoredFrom {
                backup_arn: Some(backup_arn.clone()),
                table_arn: manager.table_arn(&backup.definition.name),
                moment: backup.created(),
            };
            let definition = manager.restored(&backup.definition, &target, from, &overrides)?;
            manager.restore(tx, &definition, &Source::Backup(backup.item_name()))
        })
    }

    /// Makes a new table of another one as it was at a moment.
    ///
    /// # Errors
    ///
    /// [`ItemsError::TableNotFound`], [`ItemsError::PointInTimeRecoveryUnavailable`],
    /// [`ItemsError::InvalidRestoreTime`], [`ItemsError::TableAlreadyExists`], [`ItemsError::Validation`].
    pub fn restore_table_to_point_in_time(
        &self,
        input: RestoreToPointInTimeInput,
    ) -> Result<TableDescription, ItemsError> {
        if input.use_latest_restorable_time == input.restore_date_time.is_some() {
            return Err(request(
                "Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both",
            ));
        }
        let source = input
            .source_table
            .parse::<TableArn>()
            .map(|arn| arn.name)
            .or_else(|_| input.source_table.parse());
        let source: TableName = source.map_err(|_| request("Invalid source table"))?;
        self.write(move |manager, tx| {
            let table = find_table(tx, &source)?.ok_or_else(|| missing(&source))?;
            let recovery = manager.recovery(tx, &table)?.ok_or_else(|| unavailable(&source))?;
            let latest = recovery.latest_restorable_date_time;
            let moment = input.restore_date_time.unwrap_or(latest);
            if !(recovery.earliest_restorable_date_time..=latest).contains(&moment) {
                return Err(ItemsError::InvalidRestoreTime(
                    "The specified restore time is not within the restorable window".to_owned(),
                ));
            }
            let from = RestoredFrom { backup_arn: None, table_arn: manager.table_arn(&source), moment };
            let definition =
                manager.restored(&table.definition, &input.target_table_name, from, &input.overrides)?;
            manager.restore(tx, &definition, &Source::Table(&source, moment))
        })
    }

    fn restored(
        &self,
        source: &TableDefinition,
        target: &TableName,
        from: RestoredFrom,
        overrides: &RestoreOverrides,
    ) -> Result<TableDefinition, ItemsError> {
        let now = self.env.clock.now();
        let billing_mode = overrides.billing_mode.unwrap_or(source.billing_mode);
        check_billing(source, overrides)?;
        let indexes = restored_indexes(source, overrides)?;
        let vector_indexes = restored_vector_indexes(source, overrides)?;
        if !vector_indexes.is_empty() {
            check_on_demand(billing_mode)?;
        }
        let is_on_demand = billing_mode == BillingMode::PayPerRequest;
        let units = match overrides.provisioned_throughput {
            Some(units) => provisioned(Some(units)),
            None if is_on_demand => provisioned(None),
            None => source.provisioned_throughput,
        };
        let encryption = match &overrides.sse_specification {
            Some(specification) => self.encryption(Some(specification)),
            None => source.server_side_encryption.clone(),
        };
        let mut definition = TableDefinition {
            billing_mode,
            last_update_to_pay_per_request: is_on_demand.then_some(now),
            provisioned_throughput: units,
            on_demand_throughput: overrides
                .on_demand_throughput
                .or(source.on_demand_throughput)
                .filter(|_| is_on_demand),
            table_class: source.table_class,
            server_side_encryption: encryption,
            restored_from: Some(from),
            indexes,
            vector_indexes,
            ..TableDefinition::minimal(target.clone(), self.fresh_uuid(), now, source.key_schema.clone())
        };
        let used = used_attributes(&definition);
        definition.attribute_definitions = source
            .attribute_definitions
            .iter()
            .filter(|attribute| used.contains(&attribute.name))
            .cloned()
            .collect();
        self.begin(&mut definition, TableChange::Creation, now);
        Ok(definition)
    }

    fn restore(
        &self,
        tx: &mut Tx<'_>,
        definition: &TableDefinition,
        source: &Source<'_>,
    ) -> Result<TableDescription, ItemsError> {
        if find_table(tx, &definition.name)?.is_some() {
            return Err(ItemsError::TableAlreadyExists(format!("Table already exists: {}", definition.name)));
        }
        let table = tx.create_table(definition)?;
        match source {
            Source::Backup(name) => tx.restore_items(&table, name)?,
            Source::Table(name, moment) => {
                let source = self.table(tx, name)?;
                tx.copy_past_items(&source, &table, *moment)?;
            }
        }
        for index in definition.all_indexes() {
            fill_index(tx, &table, index.name(), &self.activities)?;
        }
        let mut description = self.describer().created(definition, false);
        let counts = Counts::of(tx, &table)?;
        description.item_count = counts.item_count();
        description.table_size_bytes = counts.size_bytes();
        Ok(description)
    }
}

fn check_billing(source: &TableDefinition, overrides: &RestoreOverrides) -> Result<(), ItemsError> {
    let has_units = overrides.provisioned_throughput.is_some();
    let of_indexes = overrides.global_secondary_indexes.iter().flatten();
    let caps = of_indexes.map(|index| index.on_demand_throughput).chain([overrides.on_demand_throughput]);
    if let Some((name, _)) = caps.flatten().flat_map(named_caps).find(|(_, units)| *units < 1) {
        return Err(request(&format!("Requested {name} for OnDemandThroughput is outside of valid range")));
    }
    match overrides.billing_mode {
        Some(BillingMode::PayPerRequest) if has_units => Err(request(
            "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST",
        )),
        None if has_units && source.billing_mode == BillingMode::PayPerRequest => {
            Err(request("Cannot override ProvisionedThroughput if BillingMode is PAY_PER_REQUEST"))
        }
        Some(BillingMode::Provisioned) if !has_units && source.billing_mode == BillingMode::PayPerRequest => {
            Err(request(
                "ProvisionedThroughput must be overridden if BillingMode is overridden to PROVISIONED",
            ))
        }
        Some(BillingMode::PayPerRequest | BillingMode::Provisioned) | None => Ok(()),
    }
}

fn restored_indexes(
    source: &TableDefinition,
    overrides: &RestoreOverrides,
) -> Result<Vec<SecondaryIndex>, ItemsError> {
    let mut indexes = Vec::new();
    match &overrides.global_secondary_indexes {
        None => indexes.extend(source.indexes_of(IndexKind::Global).cloned()),
        Some(wanted) => {
            for index in wanted {
                let mut known = matching(
                    source,
                    IndexKind::Global,
                    &index.index_name,
                    &index.key_schema,
                    &index.projection,
                )?;
                if index.provisioned_throughput.is_some() {
                    known.provisioned_throughput = provisioned(index.provisioned_throughput);
                }
                known.on_demand_throughput = index.on_demand_throughput.or(known.on_demand_throughput);
                indexes.push(known);
            }
        }
    }
    match &overrides.local_secondary_indexes {
        None => indexes.extend(source.indexes_of(IndexKind::Local).cloned()),
        Some(wanted) => {
            for index in wanted {
                let (name, key, projection) = (&index.index_name, &index.key_schema, &index.projection);
                indexes.push(matching(source, IndexKind::Local, name, key, projection)?);
            }
        }
    }
    for (n, index) in indexes.iter().enumerate() {
        if indexes[..n].iter().any(|earlier| earlier.name == index.name) {
            return Err(invalid(format!("Duplicate index name: {}", index.name)));
        }
    }
    match overrides.billing_mode.unwrap_or(source.billing_mode) {
        BillingMode::PayPerRequest => {
            for index in &mut indexes {
                index.provisioned_throughput = provisioned(None);
            }
        }
        BillingMode::Provisioned => {
            for index in &mut indexes {
                index.on_demand_throughput = None;
            }
            let globals = indexes.iter().filter(|index| index.kind == IndexKind::Global);
            let without_units: Vec<&str> = globals
                .filter(|index| index.provisioned_throughput == provisioned(None))
                .map(|index| index.name.as_str())
                .collect();
            if !without_units.is_empty() {
                let names = without_units.join(",");
                return Err(invalid(format!("ProvisionedThroughput must be specified for index: {names}")));
            }
        }
    }
    Ok(indexes)
}

/// Returns the vector indexes of a restored table: those of the source, or some of them.
fn restored_vector_indexes(
    source: &TableDefinition,
    overrides: &RestoreOverrides,
) -> Result<Vec<VectorIndex>, ItemsError> {
    let Some(wanted) = &overrides.vector_indexes else { return Ok(source.vector_indexes.clone()) };
    let mut restored: Vec<VectorIndex> = Vec::with_capacity(wanted.len());
    for index in wanted {
        let known = source.vector_index(index.index_name.as_str()).filter(|known| {
            let searched = known.search_schema.iter().map(|of| (of.attribute.name.as_str(), of.role));
            known.vector_attribute == index.vector_attribute
                && u64::from(known.dimensions) == index.dimensions
                && known.distance_function == index.distance_function
                && known.projection == projection(&index.projection)
                && searched.eq(index.schema().iter().map(|of| (of.attribute_name.as_str(), of.role)))
        });
        let known = known.ok_or_else(|| mismatch(&index.index_name))?;
        if restored.iter().any(|earlier| earlier.name == known.name) {
            return Err(invalid(format!("Duplicate index name: {}", known.name)));
        }
        restored.push(known.clone());
    }
    Ok(restored)
}

/// The refusal of an index that the source does not have in this form.
fn mismatch(name: &IndexName) -> ItemsError {
    request(&format!(
        "Index {name} does not match a secondary index that existed in the source table and cannot be created during the \
         restore operation"
    ))
}

fn matching(
    source: &TableDefinition,
    kind: IndexKind,
    name: &IndexName,
    key_schema: &[KeySchemaElement],
    wanted: &ProjectionInput,
) -> Result<SecondaryIndex, ItemsError> {
    let known = source.indexes_of(kind).find(|known| {
        known.name == *name
            && elements(&known.key_schema) == key_schema
            && known.projection == projection(wanted)
    });
    known.cloned().ok_or_else(|| mismatch(name))
}

fn request(text: &str) -> ItemsError {
    refused(format!("Invalid Request: {text}"))
}
