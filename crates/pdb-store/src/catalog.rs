//! All tables and streams, in memory, as of one commit; copied when a transaction defines something anew.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use pdb_model::{StreamArn, StreamLabel, TableName};

use crate::{
    error::StoreError,
    rows::{
        shards::StreamRow,
        table::{Table, TableId},
    },
    shared_map::SharedMap,
    traffic::TrafficRegistry,
};

/// All tables by name and by id, and all streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    by_name: SharedMap<TableName, Arc<Table>>,
    by_id: SharedMap<TableId, Arc<Table>>,
    /// Also disabled ones, and those of dropped tables.
    streams: SharedMap<(TableName, StreamLabel), Arc<StreamRow>>,
    /// How old a shard may become; a setting of this process, kept here because every transaction has the catalog.
    pub(crate) rotation_age: Option<Duration>,
    /// Counts commits that changed any of this, on PostgreSQL; 0 on SQLite, whose catalog has one owner.
    pub(crate) version: i64,
    /// The state of SQLite's schema, a new value after each definition.
    pub(crate) schema: Arc<SqlSchema>,
    /// Where tables have the counters of their traffic from; the same in all catalogs of a store.
    pub(crate) traffic: Arc<TrafficRegistry>,
}

/// A state of SQLite's schema.
#[derive(Debug, Default)]
pub(crate) struct SqlSchema {
    /// Reads on the writer's connection, because their own did not know this state.
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "only SQLite keeps a schema for each connection")
    )]
    pub(crate) reads_via_writer: AtomicUsize,
}

impl Catalog {
    pub(crate) fn empty(rotation_age: Option<Duration>, version: i64, traffic: Arc<TrafficRegistry>) -> Self {
        Self { rotation_age, version, traffic, ..Self::default() }
    }

    /// About how many tables SQLite has for what is in here.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sql_tables(&self) -> usize {
        self.by_name.len() + self.streams.len()
    }

    /// The SQL tables that there are for what is in here.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sql_table_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for table in self.by_name.values() {
            names.push(crate::names::item_table(table.name().as_str()));
            names.extend(table.indexes.iter().map(|index| index.table.clone()));
            names.extend(table.history.as_ref().map(|history| history.sql.name.clone()));
        }
        names.extend(self.streams.values().map(|stream| stream.records.name.clone()));
        names
    }

    pub(crate) fn get(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.by_name.get(name)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.by_name.values()
    }

    /// Names after `after`, in byte order.
    pub(crate) fn names_after<'a>(&'a self, after: Option<&str>) -> impl Iterator<Item = &'a TableName> {
        self.by_name
            .starting_at(move |name| after.is_some_and(|after| name.as_str() <= after))
            .map(|(name, _)| name)
    }

    /// Returns the table as it now is, if it has the definition that `known` has.
    ///
    /// Shards may differ: they are looked up when a record is appended.
    pub(crate) fn current(&self, known: &Table) -> Result<&Arc<Table>, StoreError> {
        match self.by_id.get(&known.id) {
            None => Err(StoreError::TableNotFound(known.name().clone())),
            Some(table) if Arc::ptr_eq(&table.definition, &known.definition) => Ok(table),
            Some(_) => Err(StoreError::TableChanged(known.name().clone())),
        }
    }

    /// Notes a table that is new, or changed by this version.
    pub(crate) fn insert(&mut self, table: Table) -> Arc<Table> {
        self.insert_loaded(Arc::new(Table { version: self.version, ..table }))
    }

    pub(crate) fn insert_loaded(&mut self, table: Arc<Table>) -> Arc<Table> {
        self.by_name.insert(table.name().clone(), table.clone());
        self.by_id.insert(table.id, table.clone());
        table
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn by_id(&self, id: TableId) -> Option<&Arc<Table>> {
        self.by_id.get(&id)
    }

    pub(crate) fn remove(&mut self, table: &Table) {
        self.by_name.remove(table.name());
        self.by_id.remove(&table.id);
    }

    /// Streams, ordered by table name and label.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Arc<StreamRow>> {
        self.streams.values()
    }

    /// Streams of a table name, ordered by label.
    pub(crate) fn streams_of<'a>(&'a self, name: &'a TableName) -> impl Iterator<Item = &'a Arc<StreamRow>> {
        let from = self.streams.starting_at(move |(of, _)| of < name);
        from.take_while(move |((of, _), _)| of == name).map(|(_, stream)| stream)
    }

    /// The stream of this table name and label; labels are unique within a name.
    pub(crate) fn stream(&self, arn: &StreamArn) -> Option<&Arc<StreamRow>> {
        self.streams.get(&(arn.table.name.clone(), arn.label.clone()))
    }

    pub(crate) fn insert_stream(&mut self, stream: StreamRow) {
        let key = (stream.table_name.clone(), stream.arn.label.clone());
        self.streams.insert(key, Arc::new(stream));
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn insert_loaded_stream(&mut self, stream: Arc<StreamRow>) {
        let key = (stream.table_name.clone(), stream.arn.label.clone());
        self.streams.insert(key, stream);
    }

    pub(crate) fn remove_stream(&mut self, stream: &StreamRow) {
        self.streams.remove(&(stream.table_name.clone(), stream.arn.label.clone()));
    }
}
