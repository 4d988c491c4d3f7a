//! Consumption of DynamoDB Streams: list, describe, iterate, read.

mod pattern;
mod tail;

pub use pattern::{EventDocument, EventPattern, PatternError};
pub use tail::{
    Checkpoint, CheckpointError, Event, Handlers, SourceError, SourcePage, SourcePosition, SourceRecord,
    SourceShard, SourceStream, StartPosition, StreamSource, Subscription, SubscriptionBuilder, TailError,
    WakeHandle,
};
