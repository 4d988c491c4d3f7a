//! Defining tables: `pdb_metadata`, and the making and dropping of a table's own tables.

use std::sync::Arc;

use pdb_model::{EpochMillis, TableDefinition, TableName};

use crate::{
    checksum::{self, Checksum},
    driver::Row,
    error::StoreError,
    names,
    params::Param,
    rows::table::{Table, TableId},
    sql::texts::{self, IndexTable, create_expiry_index},
    tx::Tx,
};

impl Tx<'_> {
    /// Makes a table with the indexes its definition names, all empty, and without a stream (see
    /// [`create_stream`](Self::create_stream)). Later jobs see it at once, readers after the commit.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableExists`], [`StoreError::Database`].
    pub fn create_table(&mut self, definition: &TableDefinition) -> Result<Arc<Table>, StoreError> {
        self.lock_catalog()?;
        if self.catalog.get(&definition.name).is_some() {
            return Err(StoreError::TableExists(definition.name.clone()));
        }
        let name = definition.name.as_str();
        let item_table = names::item_table(name);
        let id = TableId(self.insert(
            "note a table",
            "INSERT INTO pdb_metadata (table_name, item_table, definition, stream_enabled) VALUES (?1, ?2, '', 0) \
             RETURNING id",
            &[Param::Text(name), Param::Text(&item_table)],
        )?);
        let dialect = self.driver.dialect();
        self.define("create a table of items", &dialect.create_items(&item_table))?;
        let statistic = self.create_statistic(id, "")?;
        let traffic = self.catalog.traffic.of(&definition.name);
        self.catalog_mut().insert(Table {
            id,
            definition: Arc::new(TableDefinition {
                indexes: Vec::new(),
                vector_indexes: Vec::new(),
                time_to_live_attribute: None,
                point_in_time_recovery: None,
                ..definition.clone()
            }),
            stream: None,
            items: Arc::new(dialect.item_table(&item_table, statistic)),
            indexes: Vec::new(),
            history: None,
            version: 0,
            traffic,
        });
        self.replace_definition(definition)
    }

    /// Replaces the definition of a table: notes the settings, makes indexes that are new in it (empty: filling them is
    /// `pdb-capture`'s), drops those no longer in it; so also with the index that finds expired items, which a table has
    /// while it has a time-to-live attribute, and with its history, which it has while it has point-in-time recovery. The key schema
    /// cannot change.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`], [`StoreError::Database`].
    pub fn replace_definition(&mut self, definition: &TableDefinition) -> Result<Arc<Table>, StoreError> {
        self.lock_catalog()?;
        let old = self.table(&definition.name)?;
        // What needs a lock on a whole table comes first: for that, PostgreSQL waits for writers that may themselves wait for `lock_definition`.
        let gone: Vec<&IndexTable> =
            old.indexes.iter().filter(|index| definition.any_index(index.name.as_str()).is_none()).collect();
        let switches_expiry = old.definition.time_to_live_attribute != definition.time_to_live_attribute;
        if switches_expiry || !gone.is_empty() {
            // The caller will note for all items when they expire. And a writer in the middle of a batch has locked entries,
            // and goes on to items that others have locked who would wait here for entries.
            self.lock_items(old.name())?;
        }
        if switches_expiry {
            self.replace_expiry_index(&old, definition)?;
        }
        for gone in &gone {
            self.define("drop an index", &format!("DROP TABLE {}", names::quoted(&gone.table)))?;
        }
        self.lock_definition(old.id)?;
        for gone in gone {
            self.change(
                "forget statistics",
                "DELETE FROM pdb_statistic WHERE id = ?1",
                &[Param::Integer(gone.sql.statistic)],
            )?;
        }
        let dialect = self.driver.dialect();
        let mut indexes = Vec::with_capacity(old.indexes.len() + 1);
        for (name, kind) in texts::indexes_of(definition) {
            if let Some(known) = old.indexes.iter().find(|known| known.name == *name) {
                indexes.push(known.clone());
                continue;
            }
            let table = kind.table(&definition.name, name);
            self.define("create an index", &dialect.create_entries(&table, kind))?;
            let statistic = self.create_statistic(old.id, name.as_str())?;
            indexes.push(dialect.index_table(&definition.name, (name, kind), statistic));
        }
        let history = self.replace_history(old.id, old.history.as_ref(), definition)?;
        let json = serde_json::to_string(definition).map_err(|e| StoreError::corrupt("definition", e))?;
        let stream = definition.stream.as_ref();
        self.change(
            "note a table's definition",
            "UPDATE pdb_metadata SET definition = ?2, stream_enabled = ?3, stream_view_type = ?4, \
             stream_arn = ?5, stream_label = ?6, checksum = ?7 WHERE id = ?1",
            &[
                Param::Integer(old.id.0),
                Param::Text(&json),
                Param::Integer(definition.enabled_stream().is_some().into()),
                Param::optional_text(stream.map(|stream| stream.view_type.as_str())),
                Param::optional_text(stream.map(|stream| stream.arn.to_string()).as_deref()),
                Param::optional_text(stream.map(|stream| stream.label.as_str())),
                Param::Integer(definition_sum(definition.name.as_str(), &json).fixed()),
            ],
        )?;
        Ok(self.catalog_mut().insert(Table {
            id: old.id,
            definition: Arc::new(definition.clone()),
            stream: old.stream.clone(),
            items: old.items.clone(),
            indexes,
            history,
            version: 0,
            traffic: old.traffic.clone(),
        }))
    }

    /// Makes the index that finds expired items, or drops it. Each object of SQL costs every later definition, and every
    /// connection, a little, so tables do without it until it is needed. (Tables that were made at schema version 1 always have it.)
    fn replace_expiry_index(&mut self, old: &Table, definition: &TableDefinition) -> Result<(), StoreError> {
        let index = names::expiry_index(definition.name.as_str());
        let items = names::item_table(definition.name.as_str());
        match (&old.definition.time_to_live_attribute, &definition.time_to_live_attribute) {
            (None, Some(_)) => self.define("create an index", &create_expiry_index(&index, &items)),
            (Some(_), None) => {
                self.define("drop an index", &format!("DROP INDEX IF EXISTS {}", names::quoted(&index)))
            }
            (None, None) | (Some(_), Some(_)) => Ok(()),
        }
    }

    /// Drops a table with its items, indexes and history, and disables its stream at `now`. Its streams stay readable.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`], [`StoreError::Database`].
    pub fn drop_table(&mut self, name: &TableName, now: EpochMillis) -> Result<(), StoreError> {
        self.lock_catalog()?;
        let table = self.table(name)?;
        // First, as in `replace_definition`; and the items before the entries, as writers lock them.
        self.lock_items(name)?;
        for index in &table.indexes {
            self.define("drop an index", &format!("DROP TABLE {}", names::quoted(&index.table)))?;
        }
        let item_table = names::quoted(&names::item_table(name.as_str()));
        self.define("drop a table of items", &format!("DROP TABLE {item_table}"))?;
        if let Some(history) = &table.history {
            self.lock_definition(table.id)?;
            self.drop_history(table.id, history)?;
        }
        let table = self.close_stream(&table, now)?;
        let id = [Param::Integer(table.id.0)];
        self.change("forget statistics", "DELETE FROM pdb_statistic WHERE table_id = ?1", &id)?;
        self.change("forget a table", "DELETE FROM pdb_metadata WHERE id = ?1", &id)?;
        self.catalog_mut().remove(&table);
        Ok(())
    }

    fn create_statistic(&mut self, table: TableId, index: &str) -> Result<i64, StoreError> {
        let id = self.insert(
            "note statistics",
            "INSERT INTO pdb_statistic (table_id, index_name, item_count, size_bytes) VALUES (?1, ?2, 0, 0) RETURNING id",
            &[Param::Integer(table.0), Param::Text(index)],
        )?;
        self.engine.after_new_statistic(&mut self.read, id, table, index)?;
        Ok(id)
    }
}

/// Reads and checks the definition of a table.
pub(crate) fn read_metadata(row: &Row<'_>) -> Result<(TableId, String, TableDefinition), StoreError> {
    let definition: TableDefinition =
        serde_json::from_str(row.text(2)?).map_err(|e| StoreError::corrupt("table definition", e))?;
    let item_table = row.text(1)?;
    // It becomes part of statements.
    if item_table != names::item_table(definition.name.as_str()) {
        return Err(StoreError::corrupt("table definition", "its rows are said to be in a table of another")
            .of_table(&definition.name));
    }
    let sum = definition_sum(definition.name.as_str(), row.text(2)?);
    sum.verify_fixed(row.optional_integer(3)?, "table definition")
        .map_err(|e| e.of_table(&definition.name))?;
    Ok((TableId(row.integer(0)?), item_table.to_owned(), definition))
}

fn definition_sum(table: &str, json: &str) -> Checksum {
    checksum::of_fixed("definition", &[table.as_bytes(), json.as_bytes()])
}
