//! Streams: the four operations of DynamoDB Streams, and subscriptions that read all shards of a stream in order.
//!
//! # Examples
//!
//! A [`Subscription`] walks the shards as a consumer must: parents before children, a new iterator for one that has expired.
//!
//! ```
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! let orders = TableName::new("Orders")?;
//! db.create_table(CreateTableInput {
//!     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
//!     ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
//! })?;
//! db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", "o1")))?;
//!
//! let mut events = db.subscribe().table("Orders").start()?;
//! let event = events.next().expect("there is a record")?;
//! assert_eq!(event.record.event_name, EventName::Insert);
//! // A later subscription that starts from the checkpoint gets the records behind this one.
//! let checkpoint = events.checkpoint();
//! # let _ = checkpoint;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reader;

use std::sync::Arc;

use pdb_faults::{Faults, Injection};
use pdb_model::{ApiError, Operation};
#[doc(inline)]
pub use pdb_model::{
    EventId, EventName, SequenceNumber, ShardId, StreamArn, StreamLabel, StreamRecord, StreamStatus,
    StreamViewType, UserIdentity, record_size_bytes,
};
#[doc(inline)]
pub use pdb_store::RecordRef;
use pdb_store::StoreError;
use pdb_streams::StreamManager;
#[doc(inline)]
pub use pdb_streams::{
    Checkpoint, CheckpointError, DescribeStreamInput, Event, EventDocument, EventPattern, GetRecordsOutput,
    GetShardIteratorInput, Handlers, ITERATOR_LIFE, ListStreamsInput, ListStreamsOutput, PageContext,
    PatternError, RETENTION, ReaderKind, Shard, ShardIteratorType, ShardProgress, StartPosition,
    StreamDescription, StreamProgress, StreamSummary, Subscription, SubscriptionBuilder, TailError,
};

/// Sources of records for a [`Subscription`] other than this database, and the walk over the shards of a stream.
pub mod source {
    #[doc(inline)]
    pub use pdb_streams::{
        ShardRead, ShardWalker, SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard,
        SourceStream, StreamSource, WakeHandle,
    };
}

use crate::Pretender;
use crate::access::{NeedsPermissions, Resource};
use crate::errors::streams_error;
use crate::faults::mode::FaultMode;
use crate::faults::named_tables::{NamesTables, tables_of};

pub use reader::StreamReader;

impl Pretender {
    /// Lists the streams of a table, or all streams. Disabled streams, and those of deleted tables, are listed for 24 hours.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn list_streams(&self, input: &ListStreamsInput) -> Result<ListStreamsOutput, ApiError> {
        self.inject(Operation::ListStreams, input)?;
        self.inner.streams.list_streams(input).map_err(streams_error)
    }

    /// Async variant of [`Pretender::list_streams`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::list_streams`].
    pub async fn list_streams_async(&self, input: &ListStreamsInput) -> Result<ListStreamsOutput, ApiError> {
        self.inject_async(Operation::ListStreams, input).await?;
        let input = input.clone();
        self.in_background(move |db| db.inner.streams.list_streams(&input).map_err(streams_error)).await
    }

    /// Describes a stream and a page of its shards.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn describe_stream(&self, input: &DescribeStreamInput) -> Result<StreamDescription, ApiError> {
        self.inject(Operation::DescribeStream, input)?;
        self.inner.streams.describe_stream(input).map_err(streams_error)
    }

    /// Async variant of [`Pretender::describe_stream`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::describe_stream`].
    pub async fn describe_stream_async(
        &self,
        input: &DescribeStreamInput,
    ) -> Result<StreamDescription, ApiError> {
        self.inject_async(Operation::DescribeStream, input).await?;
        let input = input.clone();
        self.in_background(move |db| db.inner.streams.describe_stream(&input).map_err(streams_error)).await
    }

    /// Returns an iterator at a position in a shard. It expires after 15 minutes.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn get_shard_iterator(&self, input: &GetShardIteratorInput) -> Result<String, ApiError> {
        self.inject(Operation::GetShardIterator, input)?;
        self.inner.streams.get_shard_iterator(input).map_err(streams_error)
    }

    /// Async variant of [`Pretender::get_shard_iterator`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::get_shard_iterator`].
    pub async fn get_shard_iterator_async(&self, input: &GetShardIteratorInput) -> Result<String, ApiError> {
        self.inject_async(Operation::GetShardIterator, input).await?;
        let input = input.clone();
        self.in_background(move |db| db.inner.streams.get_shard_iterator(&input).map_err(streams_error)).await
    }

    /// Returns the records at an iterator: at most `limit`, at most 1,000, and at most 1 MiB of them.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn get_records(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
    ) -> Result<GetRecordsOutput, ApiError> {
        self.authorize(Operation::GetRecords, &IteratorText(shard_iterator))?;
        self.pages().get_records(shard_iterator, limit)
    }

    /// Async variant of [`Pretender::get_records`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::get_records`].
    pub async fn get_records_async(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
    ) -> Result<GetRecordsOutput, ApiError> {
        let injection = self.inject_async(Operation::GetRecords, &IteratorText(shard_iterator)).await?;
        let iterator = shard_iterator.to_owned();
        self.in_background(move |db| db.pages().read(injection.as_deref(), &iterator, limit)).await
    }

    /// Calls `each` with the records at an iterator as they are stored, and returns the next iterator. For callers that copy the text
    /// of records and need not parse it.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text. Records that `each` has received are to be discarded then.
    pub fn get_records_with(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
        each: EachRecord<'_>,
    ) -> Result<Option<String>, ApiError> {
        self.authorize(Operation::GetRecords, &IteratorText(shard_iterator))?;
        self.pages().get_records_with(shard_iterator, limit, each)
    }

    /// Returns the streams of this database as a [`StreamSource`](pdb_streams::StreamSource), for readers that walk shards by
    /// themselves.
    #[must_use]
    pub fn streams(&self) -> StreamReader {
        let Self { inner, fault_mode, .. } = self;
        let streams = inner.streams.observed_as(Some(ReaderKind::Subscription));
        StreamReader::new(streams, inner.faults.clone(), fault_mode.clone(), self.archive_location())
    }

    /// Returns the streams of this database for code that only looks: it meets no faults, [`Pretender::readers`] does not list it, and what
    /// it reads is not taken from the rates of [`Builder::enforce_limits`](crate::Builder::enforce_limits).
    #[must_use]
    pub fn observed_streams(&self) -> StreamReader {
        let faults = self.inner.faults.clone();
        StreamReader::new(self.looking_streams(), faults, FaultMode::Off, self.archive_location())
    }

    /// Returns a handle to the same database for code that only looks at streams: as [`Pretender::observed_streams`], with the operations
    /// of the API.
    #[must_use]
    pub fn as_observer(&self) -> Self {
        let observed = Some(Arc::new(self.looking_streams()));
        Self { observed, ..self.without_faults() }
    }

    fn looking_streams(&self) -> StreamManager {
        self.inner.streams.without_limits().observed_as(None)
    }

    /// Begins a subscription: a reader of all records of one or several streams, in order, across shards.
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// db.create_table(CreateTableInput {
    ///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
    ///     ..CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None)
    /// })?;
    /// db.put_item(PutItemInput::new("Orders".parse()?, Item::new().with("id", "o1")))?;
    /// for event in db.subscribe().table("Orders").start()? {
    ///     println!("{}", event?.record.keys.json());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self) -> SubscriptionBuilder<StreamReader> {
        Subscription::builder(self.streams())
    }

    fn pages(&self) -> Pages<'_> {
        let streams = self.observed.as_deref().unwrap_or(&self.inner.streams);
        Pages { streams, faults: &self.inner.faults, mode: &self.fault_mode }
    }
}

/// Called with each record of a page, as it is stored.
pub type EachRecord<'a> = &'a mut dyn FnMut(&PageContext, &RecordRef<'_>) -> Result<(), StoreError>;

/// `GetRecords` and the faults that affect it.
#[derive(Clone, Copy, Debug)]
struct Pages<'a> {
    streams: &'a StreamManager,
    faults: &'a Faults,
    mode: &'a FaultMode,
}

impl Pages<'_> {
    fn get_records(self, shard_iterator: &str, limit: Option<u32>) -> Result<GetRecordsOutput, ApiError> {
        let injection = self.inject(shard_iterator)?;
        self.read(injection.as_deref(), shard_iterator, limit)
    }

    fn get_records_with(
        self,
        shard_iterator: &str,
        limit: Option<u32>,
        each: EachRecord<'_>,
    ) -> Result<Option<String>, ApiError> {
        let injection = self.inject(shard_iterator)?;
        self.read_with(injection.as_deref(), shard_iterator, limit, each)
    }

    fn inject(self, shard_iterator: &str) -> Result<Option<Arc<Injection>>, ApiError> {
        let text = IteratorText(shard_iterator);
        self.mode.inject(self.faults, Operation::GetRecords, || tables_of(&text))
    }

    fn read(
        self,
        injection: Option<&Injection>,
        shard_iterator: &str,
        limit: Option<u32>,
    ) -> Result<GetRecordsOutput, ApiError> {
        let mut records = Vec::new();
        let next_shard_iterator = self.read_with(injection, shard_iterator, limit, &mut |page, record| {
            records.push(record.to_record(page.view_type)?);
            Ok(())
        })?;
        Ok(GetRecordsOutput { records, next_shard_iterator })
    }

    fn read_with(
        self,
        injection: Option<&Injection>,
        shard_iterator: &str,
        limit: Option<u32>,
        each: EachRecord<'_>,
    ) -> Result<Option<String>, ApiError> {
        if injection.is_some_and(Injection::is_empty_page) {
            return self.streams.renew_iterator(shard_iterator, limit).map(Some).map_err(streams_error);
        }
        if !self.faults.is_armed() {
            return self.streams.get_records_with(shard_iterator, limit, each).map_err(streams_error);
        }
        let mut last = None;
        let next = self.streams.get_records_with(shard_iterator, limit, &mut |page, record| {
            last = Some(record.sequence_number);
            each(page, record)
        });
        let next = next.map_err(streams_error)?;
        Ok(last.and_then(|last| self.repeated(shard_iterator, last)).or(next))
    }

    /// Returns an iterator at the last record of a page, if a fault delivers that record again. A page that begins with the record is
    /// not repeated, so that a reader makes progress even if it reads one record at a time.
    fn repeated(self, shard_iterator: &str, last: SequenceNumber) -> Option<String> {
        let again = self.streams.iterator_at(shard_iterator, last)?;
        let table = IteratorText(shard_iterator).stream_arn()?.table.name;
        self.mode.repeats_record(self.faults, &table).then_some(again)
    }
}

/// A shard iterator, whose front part can be read without its key.
struct IteratorText<'a>(&'a str);

impl IteratorText<'_> {
    fn stream_arn(&self) -> Option<StreamArn> {
        self.0.split('|').next()?.parse().ok()
    }
}

impl NeedsPermissions for IteratorText<'_> {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        resources.extend(self.stream_arn().map(|arn| Resource::Arn(arn.table.name.clone(), arn.to_string())));
    }
}

impl NamesTables for IteratorText<'_> {
    fn add_tables(&self, tables: &mut Vec<pdb_model::TableName>) {
        tables.extend(self.stream_arn().map(|arn| arn.table.name));
    }
}
