#![doc = include_str!("../README.md")]

mod answer_size;
mod batch_get_item;
mod batch_write_item;
mod bulk;
mod capacity;
mod config;
mod delete_item;
mod distance;
mod error;
mod expressions;
mod found_item;
mod get_item;
mod habits;
mod item_filter;
mod items_page;
mod key_range;
mod keys;
pub mod legacy;
mod manager;
mod metrics;
mod options;
mod page;
pub mod partiql;
mod put_item;
mod query;
mod ready;
mod scan;
mod search_vectors;
mod select;
mod start_key;
pub mod tables;
mod transact_get_items;
mod transact_write_items;
mod transaction;
mod update_item;
mod vectors;
mod write;

pub use batch_get_item::{BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes};
pub use batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput, WriteRequest};
pub use bulk::{
    BulkBatch, BulkChange, BulkCondition, BulkOutcome, BulkUsage, BulkWrite, EncodedPut, ItemReader,
    PlannedBulkWrite,
};
pub use capacity::{Capacity, CapacityUnits, ConsumedCapacity, VectorCapacity};
pub use config::ItemsConfig;
pub use delete_item::{DeleteItemInput, DeleteItemOutput};
pub use error::ItemsError;
pub use found_item::FoundItem;
pub use get_item::{GetItemInput, GetItemOutput};
pub use habits::Habits;
pub use item_filter::{ItemFilter, ParsedItemFilter};
pub use items_page::EncodedItems;
pub use manager::ItemManager;
pub use metrics::{ItemCollectionMetrics, MetricsByTable};
pub use options::{
    MessageLayer, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure, Select,
};
pub use put_item::{PutItemInput, PutItemOutput};
pub use query::{PageOutput, QueryInput};
pub use scan::ScanInput;
pub use search_vectors::{SearchResult, SearchVectorsInput, SearchVectorsOutput};
pub use transact_get_items::{
    TransactGet, TransactGetItemsInput, TransactGetItemsOutput, check_transact_gets,
};
pub use transact_write_items::{
    TransactAction, TransactWrite, TransactWriteItemsInput, TransactWriteItemsOutput, check_transact_writes,
};
pub use update_item::{UpdateItemInput, UpdateItemOutput};
