//! Streams as files with one record a line.

use std::io::{self, BufRead, Write};

use pdb_streams::{SourceRecord, StreamSource, SubscriptionBuilder};

use crate::read::ReadError;
use crate::{Change, ChangeParseError};

/// Why a stream could not be written to a file.
#[derive(thiserror::Error)]
pub enum ExportError {
    /// The stream cannot be read, or records were trimmed meanwhile.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error("the export cannot be written: {0}")]
    Write(io::Error),
}

/// Why a line of a file could not be read.
#[derive(thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// The number of the line, from 1.
        line: u64,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// The line is not a stream record.
    #[error("line {line} is not a stream record: {source}")]
    Record {
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        source: ChangeParseError,
    },
}

impl ImportError {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        match self {
            Self::Read { line, .. } | Self::Record { line, .. } => *line,
        }
    }
}

/// Writes all records that a stream has now, one a line. Returns how many.
///
/// A line is a JSON object: the record in the form in which Lambda delivers it, with the stream in `eventSourceARN`. Records of one item come
/// in the order of its writes.
///
/// # Errors
///
/// [`ExportError`]. The lines before the failure have been written.
pub fn export<S: StreamSource>(
    stream: SubscriptionBuilder<S>,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let mut written = 0;
    for event in stream.follow(false).start().map_err(ReadError::Stream)? {
        let event = event.map_err(ReadError::Stream)?;
        writeln!(out, "{}", event.record.document(&event.stream_arn)).map_err(ExportError::Write)?;
        written += 1;
    }
    out.flush().map_err(ExportError::Write)?;
    Ok(written)
}

/// Reads a file that [`export`] has written, or that has a record on each line in the form in which `GetRecords` returns it.
///
/// Empty lines are skipped. Each change comes with the number of its line, from 1.
///
/// # Examples
///
/// ```
/// let file = r#"{"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "o1"}}}}"#;
/// let changes: Result<Vec<_>, _> = pdb_assert::import(file.as_bytes()).collect();
/// assert_eq!(changes?[0].1.to_string(), r#"pk="o1" INSERT"#);
/// # Ok::<(), pdb_assert::ImportError>(())
/// ```
pub fn import(file: impl BufRead) -> impl Iterator<Item = Result<(u64, Change), ImportError>> {
    (1..).zip(file.lines()).filter_map(|(line, text)| match text {
        Err(source) => Some(Err(ImportError::Read { line, source })),
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => {
            let change = Change::parse(&text).map_err(|source| ImportError::Record { line, source });
            Some(change.map(|change| (line, change)))
        }
    })
}
