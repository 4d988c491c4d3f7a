//! Rotation: a shard is closed and continued by a child, or two, in one transaction.
//!
//! Whoever comes first to a shard that is due rotates it: a write, a read, or the sweep.

use std::{sync::Arc, time::Duration};

use pdb_model::{EpochMillis, IdSource, ShardId};

use crate::{
    catalog::Catalog,
    error::StoreError,
    shard_rows::ShardRow,
    shards::NewShard,
    table::{OpenShard, OpenStream, Table},
    tx::{ReadTx, Tx},
};

impl Catalog {
    pub(crate) fn is_rotation_due(&self, table: &Table, now: EpochMillis) -> bool {
        let Some(age) = self.rotation_age else { return false };
        let oldest = table.stream.as_ref().and_then(OpenStream::oldest_opened);
        oldest.is_some_and(|opened| opened.plus(age) <= now)
    }
}

impl ReadTx<'_> {
    /// Returns how old an open shard may become; `None` if shards are not rotated by age.
    #[must_use]
    pub fn rotation_age(&self) -> Option<Duration> {
        self.catalog.rotation_age
    }

    /// Returns whether an open shard of the table's stream has outlived the rotation age. Costs no access to the database.
    #[must_use]
    pub fn is_rotation_due(&self, table: &Table, now: EpochMillis) -> bool {
        self.catalog.is_rotation_due(table, now)
    }
}

impl Tx<'_> {
    /// Rotates the open shards of a table's stream that have outlived the rotation age. Returns the table as it now is.
    ///
    /// # Errors
    ///
    /// As [`rotate_shard`](Self::rotate_shard).
    pub fn rotate_due_shards(
        &mut self,
        table: &Arc<Table>,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<Arc<Table>, StoreError> {
        // The caller's may be older than an earlier write of this transaction, which rotated already.
        let mut table = self.catalog.current(table)?.clone();
        let (Some(age), Some(stream)) = (self.catalog.rotation_age, table.stream.clone()) else {
            return Ok(table);
        };
        for shard in stream.shards.iter().filter(|shard| shard.opened.plus(age) <= now) {
            table = self.rotate_shard(&table, shard.number, ids, now)?.0;
        }
        Ok(table)
    }

    /// Closes an open shard of a table's stream and continues it in one child, which owns the same keys. Returns the table
    /// as it now is, and the child.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if the table has no enabled stream, [`StoreError::ShardNotFound`] if it has no open
    /// shard of this number, and as [`create_shard`](Self::create_shard).
    pub fn rotate_shard(
        &mut self,
        table: &Table,
        number: u64,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, ShardRow), StoreError> {
        let parent = open_shard(table, number)?;
        let (table, mut children) =
            self.continue_shard(table, &parent, &[(parent.hash_from, parent.hash_to)], ids, now)?;
        let child = children.pop().ok_or_else(|| StoreError::ShardNotFound(number.to_string()))?;
        Ok((table, child))
    }

    /// Closes an open shard of a table's stream and continues it in two children, each of which owns half of its keys; in
    /// one, if it owns a single token. Returns the table as it now is, and the children.
    ///
    /// # Errors
    ///
    /// As [`rotate_shard`](Self::rotate_shard).
    pub fn split_shard(
        &mut self,
        table: &Table,
        number: u64,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        let parent = open_shard(table, number)?;
        let (from, to) = (parent.hash_from, parent.hash_to);
        let middle = from + (to - from) / 2;
        let halves: &[(u64, u64)] =
            if from == to { &[(from, to)] } else { &[(from, middle), (middle + 1, to)] };
        self.continue_shard(table, &parent, halves, ids, now)
    }

    fn continue_shard(
        &mut self,
        table: &Table,
        parent: &OpenShard,
        ranges: &[(u64, u64)],
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        let mut table = self.close_shard(table, parent.number, now)?;
        // Later than the parent, so that text order of the ids is the order of the lineage, also while the clock stands.
        let opened = now.max(parent.opened.plus(Duration::from_millis(1)));
        let mut children = Vec::with_capacity(ranges.len());
        let mut suffix = None;
        for (hash_from, hash_to) in ranges {
            let drawn = ids.next_id() as u32;
            // Siblings differ in nothing but their suffixes.
            let fresh = if suffix == Some(drawn) { drawn.wrapping_add(1) } else { drawn };
            suffix = Some(fresh);
            let shard = NewShard {
                id: ShardId::at(opened, fresh),
                parent: Some(parent.id.clone()),
                hash_from: *hash_from,
                hash_to: *hash_to,
                opened,
            };
            let (changed, child) = self.create_shard(&table, &shard)?;
            table = changed;
            children.push(child);
        }
        Ok((table, children))
    }
}

fn open_shard(table: &Table, number: u64) -> Result<OpenShard, StoreError> {
    let stream = table.stream.as_ref();
    let stream = stream.ok_or_else(|| StoreError::StreamNotFound(format!("of table {}", table.name())))?;
    let shard = stream.shards.iter().find(|shard| shard.number == number);
    shard.cloned().ok_or_else(|| StoreError::ShardNotFound(number.to_string()))
}
