//! What an archive has done since the database was opened.

use pdb_model::EpochMillis;

/// What an archive has done since the database was opened, and how it is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// Objects with records that were written.
    pub objects: u64,
    /// Records in them.
    pub records: u64,
    /// Attempts to archive what was due of a stream that failed.
    pub failures: u64,
    /// Records that were trimmed although they are not in the archive, because it was broken for too long.
    pub lost_records: u64,
    /// When the oldest of the records was created that the last attempt should have archived and did not; `None` if all is well.
    pub oldest_waiting: Option<EpochMillis>,
    /// Why the last attempt failed; `None` if it did not.
    pub last_error: Option<String>,
}
