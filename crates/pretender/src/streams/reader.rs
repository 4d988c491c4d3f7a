//! What subscriptions read from.

use pdb_archive::{ArchiveLocation, ArchiveReader, ArchivedStreams};
use pdb_faults::Faults;
use pdb_model::{ApiError, ErrorCode, Operation, StreamRecord, TableName};
use pdb_streams::{
    ReaderKind, SourceError, SourcePage, SourcePosition, SourceStream, StreamManager, StreamSource,
    WakeHandle,
};

use super::Pages;
use crate::faults::mode::FaultMode;

/// The streams of a database as [`Pretender::subscribe`](crate::Pretender::subscribe) reads them: the operations of the
/// Streams API, with the faults that affect them. Does not keep the database open.
#[derive(Clone, Debug)]
pub struct StreamReader {
    streams: StreamManager,
    faults: Faults,
    mode: FaultMode,
    /// Where the database archives its streams.
    archive: Option<ArchiveLocation>,
}

impl StreamReader {
    pub(super) fn new(
        streams: StreamManager,
        faults: Faults,
        mode: FaultMode,
        archive: Option<ArchiveLocation>,
    ) -> Self {
        Self { streams, faults, mode, archive }
    }

    /// Returns the same streams from the first record of their archive on. What the archive does not have yet is read from the database, also
    /// if it has outlived the retention and was not trimmed.
    #[must_use]
    pub fn with_archive(self) -> ArchivedStreams<Self> {
        let archive = ArchiveReader::new(self.archive.clone());
        ArchivedStreams::new(Self { streams: self.streams.beyond_retention(), ..self }, archive)
    }

    /// Returns the same streams, whose readers [`Pretender::readers`](crate::Pretender::readers) lists as of this kind: for an event source
    /// mapping. `None` lists them not at all, for code that only looks.
    #[must_use]
    pub fn observed_as(&self, kind: Option<ReaderKind>) -> Self {
        Self { streams: self.streams.observed_as(kind), ..self.clone() }
    }

    /// Asks the plan of faults about a call.
    fn inject(
        &self,
        operation: Operation,
        table: impl FnOnce() -> Option<TableName>,
    ) -> Result<(), SourceError> {
        let injected = self.mode.inject(&self.faults, operation, || table().into_iter().collect());
        injected.map(drop).map_err(source_error)
    }
}

/// The table in a stream's ARN.
fn table_of(stream_arn: &str) -> Option<TableName> {
    Some(pdb_streams::parse_stream_arn(stream_arn).ok()?.table.name)
}

impl StreamSource for StreamReader {
    type Record = StreamRecord;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        self.inject(Operation::ListStreams, || table_name.parse().ok())?;
        self.streams.streams(table_name)
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        self.inject(Operation::DescribeStream, || table_of(stream_arn))?;
        self.streams.describe(stream_arn)
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        self.inject(Operation::GetShardIterator, || table_of(stream_arn))?;
        self.streams.shard_iterator(stream_arn, shard_id, position)
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<StreamRecord>, SourceError> {
        let pages = Pages { streams: &self.streams, faults: &self.faults, mode: &self.mode };
        let page = pages.get_records(iterator, limit).map_err(source_error)?;
        Ok(SourcePage { records: page.records, next_iterator: page.next_shard_iterator })
    }

    fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
        self.streams.position_of(iterator)
    }

    fn wake_on_change(&self, wake: &WakeHandle) {
        self.streams.wake_on_change(wake);
    }
}

/// Sorts errors by what a subscription does about them.
fn source_error(error: ApiError) -> SourceError {
    match error.code {
        ErrorCode::ResourceNotFoundException => SourceError::NotFound,
        ErrorCode::ExpiredIteratorException => SourceError::Expired,
        ErrorCode::TrimmedDataAccessException => SourceError::Trimmed,
        ErrorCode::ThrottlingException | ErrorCode::LimitExceededException => SourceError::Throttled,
        _ => SourceError::Failed(Box::new(error)),
    }
}
