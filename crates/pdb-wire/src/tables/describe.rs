//! Writing descriptions of tables, and the operations that answer nothing else: `DescribeTable`, `DeleteTable`, `ListTables`.

use pdb_model::{ApiError, AttributeDefinition, EpochMillis, OnDemandThroughput, Projection};
use pretender::tables::{
    GlobalIndexDescription, KeySchemaElement, ListTablesInput, LocalIndexDescription, TableDescription,
    ThroughputDescription, WarmThroughputDescription,
};

use super::input;
use super::vectors::write_vector_index;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What DescribeTable takes.
        pub(crate) struct DescribeTableInput<'a> {
            table_name: Text<'a> = "TableName",
        }

        /// What DeleteTable takes.
        pub(crate) struct DeleteTableInput<'a> {
            table_name: Text<'a> = "TableName",
        }

        /// What ListTables takes.
        pub(crate) struct ListTablesInput<'a> {
            exclusive_start_table_name: Text<'a> = "ExclusiveStartTableName",
            limit: i32 = "Limit",
        }
    }
}

/// Runs `DescribeTable`.
pub(crate) fn describe_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeTableInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let description = wire.pretender.describe_table(&table_name)?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("Table"), &description)))
}

/// Runs `DeleteTable`.
pub(crate) fn delete_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DeleteTableInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let description = wire.pretender.delete_table(&table_name)?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("TableDescription"), &description)))
}

/// Runs `ListTables`.
pub(crate) fn list_tables(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListTablesInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.range(&at("Limit"), given.limit, 1..=100);
    let start = given.exclusive_start_table_name.as_ref();
    input::name_constraints(&mut check, &at("ExclusiveStartTableName"), start);
    check.finish()?;
    let output = wire.pretender.list_tables(&ListTablesInput {
        exclusive_start_table_name: start.map(ToString::to_string),
        limit: given.limit.and_then(|limit| u32::try_from(limit).ok()),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("TableNames").list(&output.table_names, |json, name| json.text(name.as_str()));
        if let Some(last) = &output.last_evaluated_table_name {
            json.name("LastEvaluatedTableName").text(last.as_str());
        }
    }))
}

/// Writes a `TableDescription`.
pub(crate) fn write_table(json: &mut JsonWriter, table: &TableDescription) {
    json.object(|json| {
        if !table.attribute_definitions.is_empty() {
            json.name("AttributeDefinitions").list(&table.attribute_definitions, write_definition);
        }
        json.name("TableName").text(table.table_name.as_str());
        write_key_schema(json, &table.key_schema);
        json.name("TableStatus").text(table.table_status.as_str());
        write_timestamp(json, "CreationDateTime", table.creation_date_time);
        write_throughput(json.name("ProvisionedThroughput"), &table.provisioned_throughput);
        json.name("TableSizeBytes").integer(table.table_size_bytes);
        json.name("ItemCount").integer(table.item_count);
        json.name("TableArn").text(&table.table_arn);
        json.name("TableId").text(&table.table_id);
        write_modes(json, table);
        if !table.local_secondary_indexes.is_empty() {
            json.name("LocalSecondaryIndexes").list(&table.local_secondary_indexes, write_local_index);
        }
        if !table.global_secondary_indexes.is_empty() {
            json.name("GlobalSecondaryIndexes").list(&table.global_secondary_indexes, write_global_index);
        }
        if !table.vector_indexes.is_empty() {
            json.name("VectorIndexes").list(&table.vector_indexes, write_vector_index);
        }
        write_stream(json, table);
        write_sse(json, table);
        if let Some(restore) = &table.restore_summary {
            json.name("RestoreSummary").object(|json| {
                if let Some(arn) = &restore.source_backup_arn {
                    json.name("SourceBackupArn").text(arn);
                }
                json.name("SourceTableArn").text(&restore.source_table_arn);
                json.name("RestoreDateTime").timestamp(restore.restore_date_time.0);
                json.name("RestoreInProgress").boolean(restore.restore_in_progress);
            });
        }
        json.name("DeletionProtectionEnabled").boolean(table.deletion_protection_enabled);
    });
}

/// Writes billing mode, class, on-demand caps and warm throughput.
fn write_modes(json: &mut JsonWriter, table: &TableDescription) {
    if let Some(summary) = &table.billing_mode_summary {
        // AWS says it twice; the second member is in no service model.
        for (member, mode) in
            [("BillingModeSummary", "BillingMode"), ("TableThroughputModeSummary", "TableThroughputMode")]
        {
            json.name(member).object(|json| {
                json.name(mode).text(summary.billing_mode.as_str());
                write_timestamp(
                    json,
                    "LastUpdateToPayPerRequestDateTime",
                    summary.last_update_to_pay_per_request_date_time,
                );
            });
        }
    }
    if let Some(summary) = &table.table_class_summary {
        json.name("TableClassSummary").object(|json| {
            json.name("TableClass").text(summary.table_class.as_str());
            write_timestamp(json, "LastUpdateDateTime", summary.last_update_date_time);
        });
    }
    if let Some(caps) = &table.on_demand_throughput {
        write_on_demand(json, caps);
    }
    if let Some(warm) = &table.warm_throughput {
        write_warm(json, warm);
    }
}

fn write_stream(json: &mut JsonWriter, table: &TableDescription) {
    if let Some(view_type) = table.stream_view_type {
        json.name("StreamSpecification").object(|json| {
            json.name("StreamEnabled").boolean(true);
            json.name("StreamViewType").text(view_type.as_str());
        });
    }
    if let Some(arn) = &table.latest_stream_arn {
        json.name("LatestStreamLabel").text(arn.label.as_str());
        json.name("LatestStreamArn").text(&arn.to_string());
    }
}

/// Writes the `SSEDescription`, if there is one.
pub(crate) fn write_sse(json: &mut JsonWriter, table: &TableDescription) {
    if let Some(sse) = &table.sse_description {
        json.name("SSEDescription").object(|json| {
            json.name("Status").text(if sse.is_updating { "UPDATING" } else { "ENABLED" });
            json.name("SSEType").text("KMS");
            json.name("KMSMasterKeyArn").text(&sse.kms_master_key_arn);
        });
    }
}

fn write_definition(json: &mut JsonWriter, definition: &AttributeDefinition) {
    json.object(|json| {
        json.name("AttributeName").text(&definition.name);
        json.name("AttributeType").text(definition.scalar_type.name());
    });
}

/// Writes the member `KeySchema`, unless it is empty.
pub(crate) fn write_key_schema(json: &mut JsonWriter, schema: &[KeySchemaElement]) {
    if schema.is_empty() {
        return;
    }
    json.name("KeySchema").list(schema, |json, element| {
        json.object(|json| {
            json.name("AttributeName").text(&element.attribute_name);
            json.name("KeyType").text(element.key_type.as_str());
        });
    });
}

/// Writes the member `Projection`.
pub(crate) fn write_projection(json: &mut JsonWriter, projection: &Projection) {
    json.name("Projection").object(|json| {
        json.name("ProjectionType").text(match projection {
            Projection::All => "ALL",
            Projection::KeysOnly => "KEYS_ONLY",
            Projection::Include(_) => "INCLUDE",
        });
        if let Projection::Include(names) = projection {
            json.name("NonKeyAttributes").list(names, |json, name| json.text(name));
        }
    });
}

fn write_local_index(json: &mut JsonWriter, index: &LocalIndexDescription) {
    json.object(|json| {
        json.name("IndexName").text(index.index_name.as_str());
        write_key_schema(json, &index.key_schema);
        write_projection(json, &index.projection);
        json.name("IndexSizeBytes").integer(index.index_size_bytes);
        json.name("ItemCount").integer(index.item_count);
        json.name("IndexArn").text(&index.index_arn);
    });
}

fn write_global_index(json: &mut JsonWriter, index: &GlobalIndexDescription) {
    json.object(|json| {
        json.name("IndexName").text(index.index_name.as_str());
        write_key_schema(json, &index.key_schema);
        write_projection(json, &index.projection);
        json.name("IndexStatus").text(index.index_status.as_str());
        if let Some(backfilling) = index.backfilling {
            json.name("Backfilling").boolean(backfilling);
        }
        write_throughput(json.name("ProvisionedThroughput"), &index.provisioned_throughput);
        json.name("IndexSizeBytes").integer(index.index_size_bytes);
        json.name("ItemCount").integer(index.item_count);
        json.name("IndexArn").text(&index.index_arn);
        if let Some(caps) = &index.on_demand_throughput {
            write_on_demand(json, caps);
        }
        if let Some(warm) = &index.warm_throughput {
            write_warm(json, warm);
        }
    });
}

fn write_throughput(json: &mut JsonWriter, throughput: &ThroughputDescription) {
    json.object(|json| {
        write_timestamp(json, "LastIncreaseDateTime", throughput.last_increase_date_time);
        write_timestamp(json, "LastDecreaseDateTime", throughput.last_decrease_date_time);
        json.name("NumberOfDecreasesToday").integer(throughput.number_of_decreases_today);
        json.name("ReadCapacityUnits").integer(throughput.read_capacity_units);
        json.name("WriteCapacityUnits").integer(throughput.write_capacity_units);
    });
}

/// Writes the member `ProvisionedThroughput` with nothing but the units, as backups describe it.
pub(crate) fn write_units(json: &mut JsonWriter, throughput: &ThroughputDescription) {
    json.name("ProvisionedThroughput").object(|json| {
        json.name("ReadCapacityUnits").integer(throughput.read_capacity_units);
        json.name("WriteCapacityUnits").integer(throughput.write_capacity_units);
    });
}

/// Writes the member `OnDemandThroughput`; -1 is what AWS shows for a cap that is not set.
pub(crate) fn write_on_demand(json: &mut JsonWriter, caps: &OnDemandThroughput) {
    json.name("OnDemandThroughput").object(|json| {
        json.name("MaxReadRequestUnits").integer(caps.max_read_units.unwrap_or(-1));
        json.name("MaxWriteRequestUnits").integer(caps.max_write_units.unwrap_or(-1));
    });
}

fn write_warm(json: &mut JsonWriter, warm: &WarmThroughputDescription) {
    json.name("WarmThroughput").object(|json| {
        json.name("ReadUnitsPerSecond").integer(warm.read_units_per_second);
        json.name("WriteUnitsPerSecond").integer(warm.write_units_per_second);
        json.name("Status").text(warm.status.as_str());
    });
}

/// Writes a member that is a timestamp, if there is one.
pub(crate) fn write_timestamp(json: &mut JsonWriter, name: &'static str, moment: Option<EpochMillis>) {
    if let Some(moment) = moment {
        json.name(name).timestamp(moment.0);
    }
}
