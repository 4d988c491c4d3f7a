#![doc = include_str!("../README.md")]

mod account;
mod encoded;
mod error;
mod ids;
mod iterator;
mod key;
mod names;
mod number;
mod operation;
mod plain;
mod stream;
mod table;
mod table_features;
mod time;
mod value;
mod vector;

pub use account::{Account, StreamArn, TableArn};
pub use encoded::{EncodedItem, text_hash, write_json_string};
pub use error::{ApiError, CancellationReason, ErrorCode, ParseError};
pub use ids::{CountingIds, Env, IdSource, RandomIds};
pub use iterator::{IteratorKey, IteratorPosition, ShardIterator};
pub use key::{KeyAttribute, KeyBytes, KeyError, KeySchema, KeyValue, PrimaryKey, ScalarType};
pub use names::{IndexName, TableName};
pub use number::{IntegerError, Number, NumberError};
pub use operation::{Operation, OperationClass};
pub use plain::PlainJsonError;
pub use stream::{
    EventId, EventName, SequenceNumber, ShardId, StreamLabel, StreamRecord, StreamStatus, StreamViewType,
    UserIdentity, record_size_bytes,
};
pub use table::{
    AnyIndex, AttributeDefinition, BillingMode, IndexKind, OnDemandThroughput, Projection,
    ProvisionedThroughput, SecondaryIndex, ServerSideEncryption, StreamSettings, TableClass, TableDefinition,
    WarmThroughput,
};
pub use table_features::{
    ContributorInsights, KinesisDestination, PointInTimeRecovery, ResourcePolicy, RestoredFrom, TableChange,
    TimePrecision, Transition,
};
pub use time::{Clock, EpochMillis, ManualClock, SpeedError, SystemClock};
pub use value::{AttributeValue, Item, MAX_ITEM_BYTES, MAX_NESTING, ValueMap, ValueSet};
#[cfg(feature = "serde_dynamo")]
pub use value::{SerializeError, from_attribute_value, from_item, to_attribute_value, to_item};
pub use vector::{DistanceFunction, SearchAttribute, SearchRole, Vector, VectorFault, VectorIndex};
