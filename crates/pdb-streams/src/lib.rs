#![doc = include_str!("../README.md")]

mod describe_stream;
mod error;
mod get_records;
mod get_shard_iterator;
mod limits;
mod list_streams;
mod local;
mod manager;
mod observe;
mod options;
mod pattern;
mod position;
mod readers;
mod tail;

pub use describe_stream::{DescribeStreamInput, Shard, StreamDescription};
pub use error::StreamsError;
pub use get_records::{GetRecordsOutput, PageContext};
pub use get_shard_iterator::{GetShardIteratorInput, ShardIteratorType, parse_stream_arn};
pub use list_streams::{ListStreamsInput, ListStreamsOutput, StreamSummary};
pub use manager::StreamManager;
pub use observe::{Backlog, ReaderReport, ShardReport, StreamReport};
pub use options::{ITERATOR_LIFE, RETENTION, StreamOptions};
pub use pattern::{EventDocument, EventPattern, PatternError};
pub use readers::ReaderKind;
pub use tail::{
    Checkpoint, CheckpointError, Event, Handlers, ShardProgress, ShardRead, ShardWalker, SourceError,
    SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream, StartPosition, StreamProgress,
    StreamSource, Subscription, SubscriptionBuilder, TailError, WakeHandle,
};
