//! The snapshots of a database in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdb_store::{CopyDescription, DatabaseCopy};

/// The named snapshots of a database in memory; they live as long as it does.
#[derive(Debug, Default)]
pub(crate) struct MemorySnapshots(Mutex<BTreeMap<String, (DatabaseCopy, CopyDescription)>>);

impl MemorySnapshots {
    /// Locks the snapshots.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (DatabaseCopy, CopyDescription)>> {
        // Entries are inserted and removed as a whole, so the map is consistent after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
