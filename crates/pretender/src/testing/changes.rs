//! Streams as lists of changes: expectations, consumers that catch up, exports and their replay.
//!
//! All of it reads the streams without faults: those affect the consumer under test, not the test's own checks.

use std::io::{BufRead, Write};
use std::time::Duration;

use pdb_assert::{
    CatchUpError, Change, ExpectChanges, ExportError, ImportError, ReadError, expect_changes, export, import,
    read_changes, subscribe_to,
};
use pdb_items::{DeleteItemInput, ItemsError, PutItemInput};
use pdb_model::{ApiError, EventName, TableName};
use pdb_streams::{Checkpoint, SubscriptionBuilder};

use crate::Pretender;
use crate::streams::StreamReader;

/// Outcome of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Items that were put.
    pub puts: u64,
    /// Items that were deleted.
    pub deletes: u64,
}

/// Why a replay ended early. The changes of the lines before have been applied.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A line cannot be read, or is not a stream record.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A record has no image of the item after the change.
    #[error("line {0} has no new image: the stream must be NEW_IMAGE or NEW_AND_OLD_IMAGES to be replayed")]
    NoImage(u64),
    /// The table refused the change.
    #[error("line {line} cannot be replayed: {}", source.message)]
    Refused {
        /// Counted from 1.
        line: u64,
        /// The error of the operation.
        source: ApiError,
    },
}

/// # Changes
///
/// `stream` is the ARN of a stream, or the name of a table, which means its latest stream.
impl Pretender {
    /// Reads all changes that a stream has now. Those of one item are in the order of its writes.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if there is no such stream.
    pub fn changes(&self, stream: &str) -> Result<Vec<Change>, ReadError> {
        read_changes(self.without_faults_of(stream))
    }

    /// Begins an expectation of the changes in a stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// db.create_table(CreateTableInput {
    ///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
    ///     ..CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None)
    /// })?;
    /// let item = Item::new().with("id", "o1");
    /// db.put_item(PutItemInput::new("Orders".parse()?, item.clone()))?;
    /// db.expect_changes("Orders").of_key(item.clone()).insert(item).check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect_changes(&self, stream: &str) -> ExpectChanges<StreamReader> {
        expect_changes(self.without_faults_of(stream))
    }

    /// Waits until a consumer has read all records of a stream. `position` is called repeatedly and returns the checkpoint of the consumer.
    ///
    /// # Errors
    ///
    /// [`CatchUpError`] if that takes longer than `deadline`. Its text lists the records that are unread.
    pub fn wait_until_caught_up(
        &self,
        stream: &str,
        deadline: Duration,
        position: impl FnMut() -> Checkpoint,
    ) -> Result<(), CatchUpError> {
        pdb_assert::wait_until_caught_up(|| self.without_faults_of(stream), deadline, position)
    }

    /// Writes all records of a stream as JSON, one on each line, in the form in which Lambda delivers them; returns their number.
    ///
    /// # Errors
    ///
    /// [`ExportError`]. What was written before the error stays.
    pub fn export_changes(&self, stream: &str, out: &mut dyn Write) -> Result<u64, ExportError> {
        export(self.without_faults_of(stream), out)
    }

    /// Applies the records of a file to a table, in order: a file that [`Pretender::export_changes`] wrote, or one with a record
    /// as `GetRecords` answers it on each line. `INSERT` and `MODIFY` put the new image, `REMOVE` deletes the key. Applied to an
    /// empty table, the records of a stream that began with its table give exactly the items of that table.
    ///
    /// The table's own stream records what changes.
    ///
    /// # Errors
    ///
    /// [`ReplayError`], at the first line that cannot be applied; those before have been.
    pub fn replay(&self, table_name: &TableName, file: impl BufRead) -> Result<ReplayReport, ReplayError> {
        self.replay_changes(table_name, import(file))
    }

    /// Applies changes to a table as [`Pretender::replay`] does, each with the number of the line that an error is to name.
    ///
    /// # Errors
    ///
    /// As [`Pretender::replay`].
    pub fn replay_changes(
        &self,
        table_name: &TableName,
        changes: impl IntoIterator<Item = Result<(u64, Change), ImportError>>,
    ) -> Result<ReplayReport, ReplayError> {
        let mut report = ReplayReport::default();
        for change in changes {
            let (line, change) = change?;
            let refused = |error: ItemsError| ReplayError::Refused { line, source: self.api_error(error) };
            match (change.event_name, change.new_image) {
                (EventName::Remove, _) => {
                    let input = DeleteItemInput::new(table_name.clone(), change.keys);
                    self.inner.items.delete_item(input).map_err(refused)?;
                    report.deletes += 1;
                }
                (EventName::Insert | EventName::Modify, Some(image)) => {
                    let input = PutItemInput::new(table_name.clone(), image);
                    self.inner.items.put_item(input).map_err(refused)?;
                    report.puts += 1;
                }
                (EventName::Insert | EventName::Modify, None) => return Err(ReplayError::NoImage(line)),
            }
        }
        Ok(report)
    }

    /// A reader of a stream that is not affected by faults.
    fn without_faults_of(&self, stream: &str) -> SubscriptionBuilder<StreamReader> {
        subscribe_to(self.observed_streams(), stream)
    }
}
