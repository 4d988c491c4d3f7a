//! The names that nearly every program and test needs, for `use pretender::prelude::*`.
//!
//! The modules have the rest: outputs, options and rarely used inputs.

#[doc(no_inline)]
pub use crate::Pretender;
#[doc(no_inline)]
pub use crate::errors::{ApiError, ErrorCode};
#[doc(no_inline)]
pub use crate::faults::{Fault, FaultKind, OperationGroup};
#[doc(no_inline)]
pub use crate::items::{
    BatchGetItemInput, BatchWriteItemInput, DeleteItemInput, GetItemInput, KeysAndAttributes, PutItemInput,
    QueryInput, ReturnValues, ScanInput, SearchVectorsInput, TransactAction, TransactGet,
    TransactGetItemsInput, TransactWrite, TransactWriteItemsInput, UpdateItemInput, WriteRequest,
};
#[doc(no_inline)]
pub use crate::model::{AttributeValue, IndexName, Item, Operation, ScalarType, TableName, item};
#[doc(no_inline)]
pub use crate::streams::{
    Checkpoint, DescribeStreamInput, Event, EventName, EventPattern, GetShardIteratorInput, ListStreamsInput,
    SequenceNumber, ShardId, ShardIteratorType, StartPosition, StreamArn, StreamRecord, StreamViewType,
    TailError,
};
#[doc(no_inline)]
pub use crate::tables::{
    AttributeDefinition, CreateTableInput, DistanceFunction, GlobalIndexInput, GlobalIndexUpdate,
    KeySchemaElement, ListTablesInput, LocalIndexInput, SearchSchemaElement, StreamSpecification,
    TimeToLiveSpecification, UpdateTableInput, VectorIndexInput, VectorIndexUpdate,
};
#[doc(no_inline)]
pub use crate::testing::Change;
#[doc(no_inline)]
pub use crate::time::{Clock, EpochMillis, ManualClock};
