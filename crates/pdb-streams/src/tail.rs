//! Reading a whole stream, or several, as one sequence of events.
//!
//! A [`Subscription`] is a blocking iterator that walks the lineage: a shard only after its parent, children as soon as
//! their parent is exhausted, several open shards in turn. It is written against [`StreamSource`], a small trait, so that
//! it reads a database in this process as well as any endpoint of the Streams API.

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
