//! A table as the store knows it: its definition, its open stream, and the SQL of its own tables.

use std::sync::Arc;

use pdb_model::{EpochMillis, IndexName, ShardId, StreamArn, StreamViewType, TableDefinition, TableName};

use crate::{
    error::StoreError,
    rows::history::OpenHistory,
    sequence::{NextCounter, times::NewestTime},
    sql::texts::{IndexTable, ItemTable, RecordTable},
    traffic::TrafficCounters,
};

/// Identifies a table for ever: a table of the same name created later has another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub(crate) i64);

/// Identifies a stream for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) i64);

/// A table, as of the transaction that looked it up.
///
/// It is cheap to keep and to clone (behind an `Arc`), but good only in the transaction it came from: a later one may
/// answer [`StoreError::TableChanged`] or [`StoreError::TableNotFound`] to it.
#[derive(Debug)]
pub struct Table {
    /// Identifies the table.
    pub id: TableId,
    /// Its schema and settings.
    pub definition: Arc<TableDefinition>,
    /// Its enabled stream.
    pub stream: Option<OpenStream>,
    pub(crate) items: Arc<ItemTable>,
    pub(crate) indexes: Vec<IndexTable>,
    /// What its changes have replaced, while it has point-in-time recovery.
    pub(crate) history: Option<OpenHistory>,
    /// The catalog's when the table changed last; PostgreSQL refuses the writes of a transaction that knows an older one.
    pub(crate) version: i64,
    pub(crate) traffic: Arc<TrafficCounters>,
}

impl Table {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &TableName {
        &self.definition.name
    }

    pub(crate) fn index(&self, name: &IndexName) -> Result<&IndexTable, StoreError> {
        self.indexes
            .iter()
            .find(|index| index.name == *name)
            .ok_or_else(|| StoreError::IndexNotFound { table: self.name().clone(), index: name.clone() })
    }

    /// The same table with another stream, or none.
    pub(crate) fn with_stream(&self, stream: Option<OpenStream>) -> Self {
        Self {
            id: self.id,
            definition: self.definition.clone(),
            stream,
            items: self.items.clone(),
            indexes: self.indexes.clone(),
            history: self.history.clone(),
            version: self.version,
            traffic: self.traffic.clone(),
        }
    }
}

/// The enabled stream of a table.
#[derive(Clone, Debug)]
pub struct OpenStream {
    /// Identifies the stream.
    pub id: StreamId,
    /// Its ARN.
    pub arn: StreamArn,
    /// Which images its records carry.
    pub view_type: StreamViewType,
    /// Its open shards, by the hash ranges they own.
    pub shards: Vec<OpenShard>,
    pub(crate) records: Arc<RecordTable>,
    /// The constant half of its records' event ids.
    pub(crate) event_salt: u64,
}

impl OpenStream {
    /// Returns the open shard that owns a token.
    #[must_use]
    pub fn shard_of(&self, token: u64) -> Option<&OpenShard> {
        let behind = self.shards.partition_point(|shard| shard.hash_from <= token);
        self.shards[..behind].last().filter(|shard| token <= shard.hash_to)
    }

    /// Returns when the oldest of the open shards was opened.
    #[must_use]
    pub fn oldest_opened(&self) -> Option<EpochMillis> {
        self.shards.iter().map(|shard| shard.opened).min()
    }
}

/// An open shard of an enabled stream.
#[derive(Clone, Debug)]
pub struct OpenShard {
    /// Its number among the shards of this table name.
    pub number: u64,
    /// Its id.
    pub id: ShardId,
    /// The first token it owns.
    pub hash_from: u64,
    /// The last token it owns.
    pub hash_to: u64,
    /// When it was opened.
    pub opened: EpochMillis,
    /// The next counter, where counters are kept in memory.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps counters in rows"))]
    pub(crate) next: NextCounter,
    /// The creation time of the newest record, where it is kept in memory.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps times in rows"))]
    pub(crate) newest: NewestTime,
}

impl OpenShard {
    /// Whether it owns all tokens.
    pub(crate) fn owns_all(&self) -> bool {
        (self.hash_from, self.hash_to) == (0, u64::MAX)
    }
}
