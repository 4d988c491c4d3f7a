//! The operations on streams.

use pdb_model::ApiError;
use pdb_store::{RecordRef, StoreError};
use pdb_streams::{
    DescribeStreamInput, GetRecordsOutput, GetShardIteratorInput, ListStreamsInput, ListStreamsOutput,
    PageContext, StreamDescription, StreamManager, SubscriptionBuilder,
};

use crate::Pretender;
use crate::errors::streams_error;

impl Pretender {
    /// Lists the streams of a table, or all, also disabled ones and those of deleted tables, for 24 hours.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn list_streams(&self, input: &ListStreamsInput) -> Result<ListStreamsOutput, ApiError> {
        self.inner.streams.list_streams(input).map_err(streams_error)
    }

    /// Describes a stream and a page of its shards.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn describe_stream(&self, input: &DescribeStreamInput) -> Result<StreamDescription, ApiError> {
        self.inner.streams.describe_stream(input).map_err(streams_error)
    }

    /// Returns an iterator at a place in a shard, which can be used for 15 minutes.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn get_shard_iterator(&self, input: &GetShardIteratorInput) -> Result<String, ApiError> {
        self.inner.streams.get_shard_iterator(input).map_err(streams_error)
    }

    /// Returns the records at an iterator, at most `limit`, at most 1000 and at most 1 MiB of them.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn get_records(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
    ) -> Result<GetRecordsOutput, ApiError> {
        self.inner.streams.get_records(shard_iterator, limit).map_err(streams_error)
    }

    /// Hands the records at an iterator to `each` as they are stored, and returns the next iterator: for who copies their
    /// text and need not parse it.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text. What `each` was given before is void then.
    pub fn get_records_with(
        &self,
        shard_iterator: &str,
        limit: Option<u32>,
        each: &mut dyn FnMut(&PageContext, &RecordRef<'_>) -> Result<(), StoreError>,
    ) -> Result<Option<String>, ApiError> {
        self.inner.streams.get_records_with(shard_iterator, limit, each).map_err(streams_error)
    }

    /// Begins a subscription: one reader of all records of one or several streams, in order, across shards.
    #[must_use]
    pub fn subscribe(&self) -> SubscriptionBuilder<StreamManager> {
        self.inner.streams.subscribe()
    }
}
