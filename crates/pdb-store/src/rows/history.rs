//! The history of a table: what each change of an item has replaced.

use std::{borrow::Cow, sync::Arc};

use pdb_model::{EncodedItem, EpochMillis, KeyBytes};

use crate::{
    checksum::{self, Checksum},
    sequence::{NextCounter, signed, times::NewestTime},
    sql::texts::HistoryTable,
};

/// The history that a table has while point-in-time recovery is enabled.
#[derive(Clone, Debug)]
pub(crate) struct OpenHistory {
    pub(crate) sql: Arc<HistoryTable>,
    /// The next number, where it is kept in memory.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps numbers in rows"))]
    pub(crate) next: NextCounter,
    /// The time of the newest change, where it is kept in memory.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps times in rows"))]
    pub(crate) newest: NewestTime,
}

impl OpenHistory {
    /// A history whose last change has this number and time.
    pub(crate) fn after(sql: HistoryTable, last: Option<(i64, EpochMillis)>) -> Self {
        let (number, newest) = last.unzip();
        let next = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0) + 1;
        Self { sql: Arc::new(sql), next: NextCounter::new(next), newest: NewestTime::new(newest) }
    }
}

/// A change that is to be appended to a history.
#[derive(Clone, Copy)]
pub(crate) struct AppendedChange<'c> {
    pub(crate) history: &'c OpenHistory,
    /// The key of the item.
    pub(crate) key: &'c KeyBytes,
    /// The item before the change, if there was one.
    pub(crate) old: Option<&'c EncodedItem>,
    /// When the change is made; it is noted as later if the newest one is.
    pub(crate) changed: EpochMillis,
}

impl AppendedChange<'_> {
    /// The size of the item before the change.
    pub(crate) fn size_bytes(&self) -> i64 {
        signed(self.old.map_or(0, EncodedItem::size_bytes))
    }

    /// The checksum of the change, to which its number and its time are added.
    pub(crate) fn checksum(&self) -> Checksum {
        let hash = self.old.map(EncodedItem::text_hash);
        checksum::of_past_item(self.key.as_bytes(), hash, self.old.map_or(0, EncodedItem::size_bytes))
    }
}

/// A change of a history, as it is stored.
pub(crate) struct ChangeRef<'r> {
    pub(crate) number: i64,
    pub(crate) changed: EpochMillis,
    pub(crate) key: Cow<'r, [u8]>,
    /// The item before the change, if there was one.
    pub(crate) old: Option<OldImageRef<'r>>,
}

/// The item before a change, as it is stored.
#[derive(Clone, Copy)]
pub(crate) struct OldImageRef<'r> {
    pub(crate) json: &'r str,
    pub(crate) size_bytes: u64,
    pub(crate) hash: u64,
}

impl OldImageRef<'_> {
    /// Returns the item as a value of its own.
    pub(crate) fn to_item(self) -> EncodedItem {
        EncodedItem::from_stored_with_hash(self.json.to_owned(), self.size_bytes, self.hash)
    }
}

/// The moments that a history leads back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistorySpan {
    /// The first moment at which the table can be seen; `None` if nobody knows when the history began, and it has no change yet.
    pub earliest: Option<EpochMillis>,
    /// When the newest change was made that the history has.
    pub newest: Option<EpochMillis>,
}
