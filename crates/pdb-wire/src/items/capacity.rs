//! Consumed capacity and item collection metrics in answers.

use pretender::items::{Capacity, ConsumedCapacity, ItemCollectionMetrics, MetricsByTable, VectorCapacity};

use super::table::ShownTables;
use crate::json::JsonWriter;

/// Writes `ConsumedCapacity`; `shown` is the table as the request names it.
pub(crate) fn write_capacity(json: &mut JsonWriter, consumed: &ConsumedCapacity, shown: &str) {
    json.object(|json| {
        json.name("TableName").text(shown);
        write_units(json, &consumed.total);
        if let Some(table) = &consumed.table {
            json.name("Table").object(|json| write_units(json, table));
        }
        for (member, indexes) in [
            ("LocalSecondaryIndexes", &consumed.local_secondary_indexes),
            ("GlobalSecondaryIndexes", &consumed.global_secondary_indexes),
        ] {
            if !indexes.is_empty() {
                json.name(member).object(|json| {
                    for (index, capacity) in indexes {
                        json.key(index.as_str()).object(|json| write_units(json, capacity));
                    }
                });
            }
        }
        if !consumed.vector_indexes.is_empty() {
            json.name("VectorIndexes").object(|json| {
                for (index, capacity) in &consumed.vector_indexes {
                    write_vector_capacity(json.key(index.as_str()), *capacity);
                }
            });
        }
    });
}

/// Writes a `VectorCapacity`.
pub(crate) fn write_vector_capacity(json: &mut JsonWriter, capacity: VectorCapacity) {
    json.object(|json| {
        for (member, bytes) in [
            ("VectorSearchRequestBytes", capacity.vector_search_request_bytes),
            ("VectorWriteRequestBytes", capacity.vector_write_request_bytes),
        ] {
            if let Some(bytes) = bytes {
                json.name(member).double(bytes as f64);
            }
        }
    });
}

fn write_units(json: &mut JsonWriter, capacity: &Capacity) {
    json.name("CapacityUnits").raw(&capacity.capacity_units.to_string());
    if let Some(units) = capacity.read_capacity_units {
        json.name("ReadCapacityUnits").raw(&units.to_string());
    }
    if let Some(units) = capacity.write_capacity_units {
        json.name("WriteCapacityUnits").raw(&units.to_string());
    }
}

/// Writes one element of `ItemCollectionMetrics`.
pub(crate) fn write_metrics(json: &mut JsonWriter, metrics: &ItemCollectionMetrics) {
    json.object(|json| {
        json.name("ItemCollectionKey").raw(&metrics.item_collection_key.to_string());
        json.name("SizeEstimateRangeGB")
            .list(metrics.size_estimate_range_gb, |json, size| json.decimal(size));
    });
}

/// Writes the member `ItemCollectionMetrics` of an operation on several tables, if there is something in it.
pub(crate) fn write_metrics_by_table(json: &mut JsonWriter, metrics: &MetricsByTable, tables: &ShownTables) {
    if metrics.is_empty() {
        return;
    }
    json.name("ItemCollectionMetrics").object(|json| {
        for (table, list) in metrics {
            json.key(tables.shown(table)).list(list, write_metrics);
        }
    });
}
