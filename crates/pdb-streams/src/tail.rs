//! Reading a whole stream, or several, as one sequence of events.
//!
//! A [`ShardWalker`] decides which shards of a stream may be read: a shard after its parent. A [`Subscription`] is a blocking iterator over
//! the events of one or several walkers, whose open shards it reads in turn. Both read from a [`StreamSource`], a small trait: a database
//! in this process, or any endpoint of the Streams API.

mod builder;
mod checkpoint;
mod handlers;
mod lineage;
mod source;
mod subscription;
#[cfg(test)]
mod tests;
mod wake;
mod walker;

pub use builder::{StartPosition, SubscriptionBuilder};
pub use checkpoint::{Checkpoint, CheckpointError, ShardProgress, StreamProgress};
pub use handlers::Handlers;
pub use source::{
    SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream, StreamSource,
};
pub use subscription::{Event, Subscription, TailError};
pub use wake::WakeHandle;
pub use walker::{ShardRead, ShardWalker};
