//! What happened to the files of a folder, in order.

use crate::image::Replay;

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file was there, with this content, which is on the disk: it was not made by way of SQLite.
    Found(Vec<u8>),
    /// An empty file was created.
    Created,
    /// Bytes were written.
    Written {
        /// Where they begin.
        at: u64,
        /// What was written.
        bytes: Vec<u8>,
    },
    /// The file was cut to this length.
    Truncated(u64),
    /// What was written until now is on the disk.
    Synced,
    /// A sync failed: what was written until now may never reach the disk, even if later syncs succeed. An operating system may drop what
    /// it could not write, and take it for written.
    SyncFailed,
    /// The file was deleted; if `durably`, the disk knows.
    Deleted {
        /// Whether the folder was synced.
        durably: bool,
    },
    /// Not a change: a note of the test, such as "this write has been acknowledged".
    Marked(u64),
}

/// An entry of a [`Log`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The name of the file in its folder; empty for a note.
    pub file: String,
    /// What happened to it.
    pub change: Change,
}

/// All that happened in a folder since it was watched.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// In order.
    pub events: Vec<Event>,
}

impl Log {
    /// Returns what goes through the log event by event.
    #[must_use]
    pub fn replay(&self) -> Replay<'_> {
        Replay::of(self)
    }
}
