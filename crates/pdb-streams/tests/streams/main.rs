//! The operations of DynamoDB Streams over a database in memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod at_timestamp;
mod concurrent;
mod describe_stream;
mod get_records;
mod get_shard_iterator;
mod harness;
mod histories;
mod limits;
mod list_streams;
mod retention;
mod rotation;
mod subscribe;
