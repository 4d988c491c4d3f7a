//! What the check of a table's items leaves for the check of its indexes and streams.

use pdb_store::RowSum;

/// What a table has, as far as it can be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// All items could be read.
    pub(super) is_whole: bool,
    /// The sum over the items' texts.
    pub(super) items: RowSum,
    /// For each index, the sum over what it should have.
    pub(super) entries: Vec<RowSum>,
    /// For each index, the size of what it should have.
    pub(super) entry_bytes: Vec<u64>,
}
