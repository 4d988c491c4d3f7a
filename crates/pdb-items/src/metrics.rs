//! Item collection metrics.

use std::collections::BTreeMap;

use pdb_model::{IndexKind, Item, TableDefinition, TableName};

use crate::options::ReturnItemCollectionMetrics;

/// The size of one item collection: the items of a table with local indexes that share a partition key.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemCollectionMetrics {
    /// The partition key.
    pub item_collection_key: Item,
    /// Between which two numbers of gigabytes the size lies.
    pub size_estimate_range_gb: [f64; 2],
}

/// Item collection metrics of several writes, by table.
pub type MetricsByTable = BTreeMap<TableName, Vec<ItemCollectionMetrics>>;

impl ItemCollectionMetrics {
    /// The metrics of the collection that `key` (an item or its key) belongs to, if they are asked for and the table
    /// has collections.
    pub(crate) fn of(
        table: &TableDefinition,
        key: &Item,
        asked: ReturnItemCollectionMetrics,
    ) -> Option<Self> {
        let has_collections = table.indexes.iter().any(|index| index.kind == IndexKind::Local);
        if asked == ReturnItemCollectionMetrics::None || !has_collections {
            return None;
        }
        let hash = &table.key_schema.hash;
        let item_collection_key = hash
            .iter()
            .filter_map(|attribute| Some((attribute.name.clone(), key.get(&attribute.name)?.clone())))
            .collect();
        Some(Self { item_collection_key, size_estimate_range_gb: [0.0, 1.0] })
    }
}
