//! DescribeTable and ListTables, and how a definition becomes a description.

use std::collections::BTreeMap;

use pdb_model::{
    Account, AnyIndex, BillingMode, EpochMillis, IndexKind, IndexName, KeySchema, ProvisionedThroughput,
    SecondaryIndex, TableDefinition, TableName, WarmThroughput,
};
use pdb_store::{ReadTx, Statistics, Table};

use super::description::{
    BillingModeSummary, GlobalIndexDescription, LocalIndexDescription, RestoreSummary, SseDescription,
    TableClassSummary, TableDescription, TableStatus, ThroughputDescription, VectorIndexDescription,
    WarmThroughputDescription,
};
use super::input::{KeySchemaElement, TableClassInput};
use super::manager::TableManager;
use super::rules::{ON_DEMAND_READS, ON_DEMAND_WRITES};
use super::transition::show;
use crate::ItemsError;

const MILLIS_A_DAY: i64 = 24 * 60 * 60 * 1000;

/// The input of ListTables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListTablesInput {
    /// Where the previous page ended; need not be a table's name.
    pub exclusive_start_table_name: Option<String>,
    /// At most so many names: 1 to 100, which is also the default.
    pub limit: Option<u32>,
}

/// The output of ListTables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListTablesOutput {
    /// Names in byte order.
    pub table_names: Vec<TableName>,
    /// The last name, if more follow.
    pub last_evaluated_table_name: Option<TableName>,
}

/// Names on a page of ListTables.
const NAMES_A_PAGE: u32 = 100;

impl TableManager {
    /// Describes a table.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`] if the table does not exist.
    pub fn describe_table(&self, table_name: &TableName) -> Result<TableDescription, ItemsError> {
        self.read(|tx| {
            let table = self.table(tx, table_name)?;
            let counts = Counts::of(tx, &table)?;
            Ok(self.describer().describe(&table.definition, &counts))
        })
    }

    /// Lists tables in the byte order of their names.
    ///
    /// # Errors
    ///
    /// Only if the store fails.
    pub fn list_tables(&self, input: &ListTablesInput) -> Result<ListTablesOutput, ItemsError> {
        let limit = input.limit.unwrap_or(NAMES_A_PAGE).clamp(1, NAMES_A_PAGE);
        let after = input.exclusive_start_table_name.as_deref();
        let mut table_names = self.read(|tx| Ok(tx.table_names(after, limit + 1)?))?;
        let is_cut = table_names.len() > limit as usize;
        table_names.truncate(limit as usize);
        let last_evaluated_table_name = table_names.last().filter(|_| is_cut).cloned();
        Ok(ListTablesOutput { table_names, last_evaluated_table_name })
    }

    pub(crate) fn describer(&self) -> Describer<'_> {
        Describer { account: &self.account, now: self.env.clock.now() }
    }
}

/// How many items and bytes a table and its indexes hold.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    table: Statistics,
    indexes: BTreeMap<IndexName, Statistics>,
}

impl Counts {
    /// Reads them.
    pub(crate) fn of(tx: &mut ReadTx<'_>, table: &Table) -> Result<Self, ItemsError> {
        let mut indexes = BTreeMap::new();
        for name in table.definition.all_indexes().map(AnyIndex::name) {
            indexes.insert(name.clone(), tx.index_statistics(table, name)?);
        }
        Ok(Self { table: tx.table_statistics(table)?, indexes })
    }

    /// Of a table whose indexes are not of interest.
    pub(crate) fn of_table(item_count: u64, size_bytes: u64) -> Self {
        Self { table: Statistics { item_count, size_bytes }, indexes: BTreeMap::new() }
    }

    pub(crate) fn item_count(&self) -> u64 {
        self.table.item_count
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.table.size_bytes
    }

    fn index(&self, name: &IndexName) -> Statistics {
        self.indexes.get(name).copied().unwrap_or_default()
    }
}

/// Turns definitions into descriptions.
pub(crate) struct Describer<'a> {
    pub(crate) account: &'a Account,
    pub(crate) now: EpochMillis,
}

impl Describer<'_> {
    /// Describes a table as DescribeTable does.
    pub(crate) fn describe(&self, definition: &TableDefinition, counts: &Counts) -> TableDescription {
        let table_arn = self.account.table_arn(&definition.name);
        let global = definition.indexes_of(IndexKind::Global).map(|index| {
            let (index_arn, counts) = (table_arn.index_arn(&index.name), counts.index(&index.name));
            self.global_index(index, definition.billing_mode, index_arn, counts)
        });
        let local = definition.indexes_of(IndexKind::Local).map(|index| {
            let counts = counts.index(&index.name);
            LocalIndexDescription {
                index_name: index.name.clone(),
                key_schema: elements(&index.key_schema),
                projection: index.projection.clone(),
                index_size_bytes: counts.size_bytes,
                item_count: counts.item_count,
                index_arn: table_arn.index_arn(&index.name),
            }
        });
        let vectors = definition.vector_indexes.iter().map(|index| {
            let counts = counts.index(&index.name);
            VectorIndexDescription {
                index: index.clone(),
                index_status: TableStatus::Active,
                backfilling: None,
                index_size_bytes: counts.size_bytes,
                item_count: counts.item_count,
                index_arn: table_arn.index_arn(&index.name),
            }
        });
        let mut description = TableDescription {
            table_name: definition.name.clone(),
            table_arn: table_arn.to_string(),
            table_id: definition.table_id.clone(),
            table_status: TableStatus::Active,
            attribute_definitions: definition.attribute_definitions.clone(),
            key_schema: elements(&definition.key_schema),
            creation_date_time: Some(definition.created),
            item_count: counts.item_count(),
            table_size_bytes: counts.size_bytes(),
            provisioned_throughput: self.throughput(&definition.provisioned_throughput),
            billing_mode_summary: definition.last_update_to_pay_per_request.map(|moment| {
                BillingModeSummary {
                    billing_mode: definition.billing_mode,
                    last_update_to_pay_per_request_date_time: Some(moment),
                }
            }),
            deletion_protection_enabled: definition.deletion_protection,
            warm_throughput: Some(warm(
                definition.warm_throughput,
                definition.billing_mode,
                &definition.provisioned_throughput,
            )),
            on_demand_throughput: definition.on_demand_throughput,
            table_class_summary: definition.table_class.map(|class| TableClassSummary {
                table_class: if class.infrequent_access {
                    TableClassInput::StandardInfrequentAccess
                } else {
                    TableClassInput::Standard
                },
                last_update_date_time: class.last_update,
            }),
            sse_description: definition.server_side_encryption.as_ref().map(|encryption| SseDescription {
                is_updating: false,
                kms_master_key_arn: encryption.kms_key_arn.clone(),
            }),
            stream_view_type: definition.enabled_stream().map(|stream| stream.view_type),
            latest_stream_arn: definition.stream.as_ref().map(|stream| stream.arn.clone()),
            global_secondary_indexes: global.collect(),
            local_secondary_indexes: local.collect(),
            vector_indexes: vectors.collect(),
            restore_summary: definition.restored_from.as_ref().map(|from| RestoreSummary {
                source_backup_arn: from.backup_arn.clone(),
                source_table_arn: from.table_arn.clone(),
                restore_date_time: from.moment,
                restore_in_progress: false,
            }),
        };
        show(definition, self.now, &mut description);
        description
    }

    /// Describes a table that was just created; `shows_warm` says whether warm throughput was asked for.
    pub(crate) fn created(&self, definition: &TableDefinition, shows_warm: bool) -> TableDescription {
        let mut description = self.describe(definition, &Counts::default());
        description.table_status = TableStatus::Creating;
        if let Some(summary) = &mut description.billing_mode_summary {
            summary.last_update_to_pay_per_request_date_time = None;
        }
        description.warm_throughput =
            description.warm_throughput.filter(|_| shows_warm).map(WarmThroughputDescription::updating);
        if let Some(restore) = &mut description.restore_summary {
            restore.restore_in_progress = true;
        }
        for index in &mut description.vector_indexes {
            index.index_status = TableStatus::Creating;
        }
        for index in &mut description.global_secondary_indexes {
            index.index_status = TableStatus::Creating;
            let asked = definition.index(index.index_name.as_str()).and_then(|index| index.warm_throughput);
            index.warm_throughput =
                index.warm_throughput.filter(|_| asked.is_some()).map(WarmThroughputDescription::updating);
        }
        description
    }

    /// Describes a table that was just deleted: AWS returns only a few members of it.
    pub(crate) fn deleted(&self, definition: &TableDefinition, counts: &Counts) -> TableDescription {
        let whole = self.describe(definition, counts);
        let is_on_demand = definition.billing_mode == BillingMode::PayPerRequest;
        TableDescription {
            table_status: TableStatus::Deleting,
            attribute_definitions: Vec::new(),
            key_schema: Vec::new(),
            creation_date_time: None,
            billing_mode_summary: whole.billing_mode_summary.filter(|_| is_on_demand),
            warm_throughput: None,
            on_demand_throughput: None,
            table_class_summary: None,
            sse_description: None,
            stream_view_type: None,
            latest_stream_arn: None,
            global_secondary_indexes: Vec::new(),
            local_secondary_indexes: Vec::new(),
            vector_indexes: Vec::new(),
            restore_summary: None,
            ..whole
        }
    }

    fn global_index(
        &self,
        index: &SecondaryIndex,
        billing_mode: BillingMode,
        index_arn: String,
        counts: Statistics,
    ) -> GlobalIndexDescription {
        GlobalIndexDescription {
            index_name: index.name.clone(),
            key_schema: elements(&index.key_schema),
            projection: index.projection.clone(),
            index_status: TableStatus::Active,
            backfilling: None,
            provisioned_throughput: self.throughput(&index.provisioned_throughput),
            index_size_bytes: counts.size_bytes,
            item_count: counts.item_count,
            index_arn,
            warm_throughput: Some(warm(index.warm_throughput, billing_mode, &index.provisioned_throughput)),
            on_demand_throughput: index.on_demand_throughput,
        }
    }

    fn throughput(&self, throughput: &ProvisionedThroughput) -> ThroughputDescription {
        ThroughputDescription {
            read_capacity_units: throughput.read_units,
            write_capacity_units: throughput.write_units,
            number_of_decreases_today: decreases_on_day_of(self.now, throughput),
            last_increase_date_time: throughput.last_increase,
            last_decrease_date_time: throughput.last_decrease,
        }
    }
}

/// Returns how often units were lowered on the UTC day of `now`.
pub(crate) fn decreases_on_day_of(now: EpochMillis, throughput: &ProvisionedThroughput) -> u32 {
    let day = |moment: EpochMillis| moment.0.div_euclid(MILLIS_A_DAY);
    match throughput.last_decrease {
        Some(last) if day(last) == day(now) => throughput.decreases,
        Some(_) | None => 0,
    }
}

/// Returns what is warm: what was asked for, but at least what the table has anyway.
pub(crate) fn warm(
    asked: Option<WarmThroughput>,
    billing_mode: BillingMode,
    provisioned: &ProvisionedThroughput,
) -> WarmThroughputDescription {
    let (reads, writes) = match billing_mode {
        BillingMode::PayPerRequest => (ON_DEMAND_READS, ON_DEMAND_WRITES),
        BillingMode::Provisioned => (provisioned.read_units, provisioned.write_units),
    };
    WarmThroughputDescription {
        read_units_per_second: asked.map_or(reads, |asked| asked.read_units.max(reads)),
        write_units_per_second: asked.map_or(writes, |asked| asked.write_units.max(writes)),
        status: TableStatus::Active,
    }
}

/// Returns a key schema as the API lists it.
pub(crate) fn elements(key_schema: &KeySchema) -> Vec<KeySchemaElement> {
    let hash = key_schema.hash.iter().map(|attribute| KeySchemaElement::hash(&attribute.name));
    let range = key_schema.range.iter().map(|attribute| KeySchemaElement::range(&attribute.name));
    hash.chain(range).collect()
}
