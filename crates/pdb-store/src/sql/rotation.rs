//! Rotation: a shard is closed and continued by a child, or two, in one transaction.
//!
//! The first to find that a shard is due rotates it: a write, a read, or the sweep.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use pdb_model::{EpochMillis, IdSource, ShardId};

use crate::{
    catalog::Catalog,
    error::StoreError,
    read_tx::ReadTx,
    rows::{
        shards::{ClosedShard, NewShard, ShardRow},
        table::{OpenShard, OpenStream, Table},
    },
    tx::Tx,
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
    /// As [`rotate_due_shards`](Self::rotate_due_shards), for a transaction that writes items and is about to append a record.
    ///
    /// A rotation locks the catalog, which on PostgreSQL comes before the items that this transaction has locked already. So
    /// there it is only noted. When the work is done it is undone, the shards are rotated, and the work is run again.
    ///
    /// # Errors
    ///
    /// As [`rotate_due_shards`](Self::rotate_due_shards).
    pub fn rotate_before_record(
        &mut self,
        table: &Arc<Table>,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(), StoreError> {
        if self.engine.put_off_rotation(&mut self.read, table, ids, now)? {
            return Ok(());
        }
        self.rotate_due_shards(table, ids, now).map(drop)
    }

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
        let table = self.catalog.current(table)?.clone();
        let (Some(age), Some(stream)) = (self.catalog.rotation_age, &table.stream) else {
            return Ok(table);
        };
        let due = stream.shards.iter().filter(|shard| shard.opened.plus(age) <= now);
        let due: Vec<u64> = due.map(|shard| shard.number).collect();
        if due.is_empty() {
            return Ok(table);
        }
        Ok(self.rotate_shards(&table, &due, ids, now)?.0)
    }

    /// Closes open shards of a table's stream and continues each in one child, which owns the same keys. Returns the table as
    /// it now is, and the children, in the order of `numbers`.
    ///
    /// The work grows with the number of shards, not with its square: a stream may have thousands, and no write runs meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if the table has no enabled stream, [`StoreError::ShardNotFound`] if it has no open
    /// shard of one of these numbers, and as [`create_shards`](Self::create_shards).
    pub fn rotate_shards(
        &mut self,
        table: &Table,
        numbers: &[u64],
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        self.continue_shards(table, numbers, |parent| vec![(parent.hash_from, parent.hash_to)], ids, now)
    }

    /// Closes open shards of a table's stream and continues each in two children, each of which owns half of its keys; in
    /// one, if it owns a single token. Returns the table as it now is, and the children.
    ///
    /// # Errors
    ///
    /// As [`rotate_shards`](Self::rotate_shards).
    pub fn split_shards(
        &mut self,
        table: &Table,
        numbers: &[u64],
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        let halves = |parent: &OpenShard| {
            let (from, to) = (parent.hash_from, parent.hash_to);
            let middle = from + (to - from) / 2;
            if from == to { vec![(from, to)] } else { vec![(from, middle), (middle + 1, to)] }
        };
        self.continue_shards(table, numbers, halves, ids, now)
    }

    /// As [`rotate_shards`](Self::rotate_shards), of one shard.
    ///
    /// # Errors
    ///
    /// As [`rotate_shards`](Self::rotate_shards).
    pub fn rotate_shard(
        &mut self,
        table: &Table,
        number: u64,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, ShardRow), StoreError> {
        let (table, mut children) = self.rotate_shards(table, &[number], ids, now)?;
        let child = children.pop().ok_or_else(|| StoreError::ShardNotFound(number.to_string()))?;
        Ok((table, child))
    }

    /// As [`split_shards`](Self::split_shards), of one shard.
    ///
    /// # Errors
    ///
    /// As [`rotate_shards`](Self::rotate_shards).
    pub fn split_shard(
        &mut self,
        table: &Table,
        number: u64,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        self.split_shards(table, &[number], ids, now)
    }

    fn continue_shards(
        &mut self,
        table: &Table,
        numbers: &[u64],
        ranges_of: impl Fn(&OpenShard) -> Vec<(u64, u64)>,
        ids: &dyn IdSource,
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        let (table, parents) = self.close_shards(table, numbers, now)?;
        let mut children = Vec::with_capacity(parents.len());
        let mut closed = HashMap::with_capacity(parents.len());
        let mut ids_used = HashSet::new();
        for ClosedShard { shard: parent, next } in &parents {
            closed.insert(parent.id.clone(), *next);
            // Later than the parent, so that text order of the ids is the order of the lineage, also while the clock stands.
            let opened = now.max(parent.opened.plus(Duration::from_millis(1)));
            for (hash_from, hash_to) in ranges_of(parent) {
                // Shards of one millisecond differ in nothing but their suffixes.
                let mut suffix = ids.next_id() as u32;
                while !ids_used.insert((opened, suffix)) {
                    suffix = suffix.wrapping_add(1);
                }
                children.push(NewShard {
                    id: ShardId::at(opened, suffix),
                    parent: Some(parent.id.clone()),
                    hash_from,
                    hash_to,
                    opened,
                });
            }
        }
        let (table, shards) = self.create_shards_after(&table, &children, &closed)?;
        // It may be undone yet, with all that its transaction does, and is then told again.
        tracing::info!(
            table = %table.name(),
            closed = parents.len(),
            opened = shards.len(),
            "closed shards, and continued them in others"
        );
        Ok((table, shards))
    }
}
