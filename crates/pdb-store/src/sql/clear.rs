//! Emptying a table as if nothing had ever been in it.

use std::sync::Arc;

use pdb_model::EpochMillis;

use crate::{
    error::StoreError,
    names,
    params::Param,
    read_tx::ReadTx,
    rows::table::Table,
    sequence::{self, drawn::last_counter},
    sql::records,
    tx::Tx,
};

/// What emptying a table removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClearReport {
    /// Its items.
    pub items: u64,
    /// The records of its streams, of disabled ones too.
    pub records: u64,
}

impl Tx<'_> {
    /// Removes all items of a table and all entries of its indexes, without records of it, and forgets its past: its history, the records of
    /// its streams, their closed shards, and the disabled streams. The open shards of an enabled stream stay as they are after
    /// a trim: their numbers go on. Forgets all clients' tokens too, since transactions under them may have written here.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`], [`StoreError::TableChanged`], [`StoreError::Database`].
    pub fn clear_table(&mut self, table: &Table) -> Result<ClearReport, StoreError> {
        let table = self.catalog.current(table)?.clone();
        // No other transaction writes here until this is done.
        self.lock_items(table.name())?;
        // Before the counts, as transactions under tokens do it.
        self.change("forget tokens", "DELETE FROM pdb_token", &[])?;
        self.lock_definition(table.id)?;
        let table = self.catalog.current(&table)?.clone();
        self.note_table(&table);
        self.engine.flush_records(&mut self.read)?;
        let items = self.clear_items(&table)?;
        self.clear_history(&table)?;
        let records = self.clear_streams(&table)?;
        Ok(ClearReport { items, records })
    }

    /// Removes everything that is in a database, but not its settings.
    pub(crate) fn clear_database(&mut self) -> Result<(), StoreError> {
        self.lock_catalog()?;
        let tables = self.tables()?;
        // All of them first, in the order in which transactions over several tables lock items.
        for table in &tables {
            self.lock_items(table.name())?;
        }
        for name in tables_named(self, "pdb_backup_")? {
            self.define("drop a copy of items", &format!("DROP TABLE {}", names::quoted(&name)))?;
        }
        self.change("forget documents", "DELETE FROM pdb_document", &[])?;
        self.change("forget tokens", "DELETE FROM pdb_token", &[])?;
        for table in tables {
            self.drop_table(table.name(), EpochMillis(0))?;
        }
        for stream in self.streams(None)? {
            self.delete_stream(&stream)?;
        }
        Ok(())
    }

    fn clear_items(&mut self, table: &Arc<Table>) -> Result<u64, StoreError> {
        let had = self.table_statistics(table)?;
        self.count(
            table.items.statistic,
            -sequence::signed(had.item_count),
            -sequence::signed(had.size_bytes),
        );
        let name = names::quoted(&names::item_table(table.name().as_str()));
        let gone = self.change("remove all items", &format!("DELETE FROM {name}"), &[])?;
        for index in &table.indexes {
            let had = self.index_statistics(table, &index.name)?;
            self.count(
                index.sql.statistic,
                -sequence::signed(had.item_count),
                -sequence::signed(had.size_bytes),
            );
            let sql = format!("DELETE FROM {}", names::quoted(&index.table));
            self.change("remove all entries of an index", &sql, &[])?;
        }
        Ok(gone as u64)
    }

    fn clear_streams(&mut self, table: &Arc<Table>) -> Result<u64, StoreError> {
        let streams = self.streams(Some(table.name()))?;
        let Some(any) = streams.first() else { return Ok(0) };
        for stream in &streams {
            self.lock_stream(stream.id)?;
        }
        for shard in table.stream.iter().flat_map(|stream| &stream.shards) {
            let last = last_counter(self.driver, &any.records, shard.number)?;
            self.change(
                "note how far a shard is trimmed",
                &format!(
                    "UPDATE pdb_shard SET {} \
                     WHERE stream_id IN (SELECT id FROM pdb_stream WHERE table_name = ?1) AND number = ?2",
                    records::set_trimmed()
                ),
                &[
                    Param::Text(table.name().as_str()),
                    Param::Integer(sequence::signed(shard.number)),
                    Param::Integer(sequence::signed(last.unwrap_or(0))),
                ],
            )?;
        }
        // The streams of one table name have one table of records.
        let sql = format!("DELETE FROM {}", names::quoted(&any.records.name));
        let gone = self.change("remove all stream records", &sql, &[])?;
        for stream in &streams {
            if stream.disabled.is_some() {
                self.delete_stream(stream)?;
                continue;
            }
            for shard in self.shards(stream.id)?.iter().filter(|shard| !shard.is_open()) {
                self.delete_shard(stream, shard.number)?;
            }
        }
        Ok(gone as u64)
    }
}

/// Names of tables of a kind, found in the database's own list.
pub(crate) fn tables_named(tx: &mut ReadTx<'_>, prefix: &str) -> Result<Vec<String>, StoreError> {
    let sql = tx.driver.dialect().list_tables();
    let mut names = tx.driver.all("list tables", sql, &[], |row| Ok(row.text(0)?.to_owned()))?;
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    Ok(names)
}
