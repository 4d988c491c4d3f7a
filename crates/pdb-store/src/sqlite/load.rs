//! Reads the catalog of a database, when it is opened.

use std::sync::Arc;

use pdb_model::{EpochMillis, TableDefinition};

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::StoreError,
    names,
    params::Param,
    rows::{
        history::OpenHistory,
        shards::{ShardRow, StreamRow, open_shard, open_stream},
        table::{OpenStream, Table, TableId},
    },
    sequence::{drawn::last_record, memory::next_counter, range_of},
    sql::{
        history,
        streams::{STREAM_COLUMNS, read_stream, shards_of},
        tables::read_metadata,
        texts::indexes_of,
    },
    sqlite::texts,
    traffic::TrafficRegistry,
};

/// Reads all tables and streams of SQLite, when the database is opened.
pub(crate) fn load_catalog(
    driver: Driver<'_>,
    traffic: &Arc<TrafficRegistry>,
) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog::empty(None, 0, traffic.clone());
    for stream in load_streams(driver)? {
        catalog.insert_stream(stream);
    }
    let sql = "SELECT id, item_table, definition, checksum FROM pdb_metadata";
    for (id, item_table, definition) in driver.all("list tables", sql, &[], read_metadata)? {
        let statistics = driver.all(
            "list statistics",
            "SELECT index_name, id FROM pdb_statistic WHERE table_id = ?1",
            &[Param::Integer(id.0)],
            |row| Ok((row.text(0)?.to_owned(), row.integer(1)?)),
        )?;
        let statistic = |index: &str| {
            let found = statistics.iter().find(|(name, _)| name == index);
            found.map(|(_, id)| *id).ok_or_else(|| StoreError::corrupt("statistics", "row is missing"))
        };
        let mut indexes = Vec::with_capacity(definition.indexes.len());
        for index in indexes_of(&definition) {
            let statistic = statistic(index.0.as_str())?;
            indexes.push(driver.dialect().index_table(&definition.name, index, statistic));
        }
        let enabled = catalog
            .streams_of(&definition.name)
            .find(|stream| stream.disabled.is_none())
            .map(|stream| load_open_stream(driver, stream))
            .transpose()?;
        catalog.insert(Table {
            id,
            history: load_history(driver, id, &definition)?,
            stream: enabled,
            items: Arc::new(texts::item_table(&item_table, statistic("")?)),
            indexes,
            version: 0,
            traffic: traffic.of(&definition.name),
            definition: Arc::new(definition),
        });
    }
    Ok(catalog)
}

/// Returns all streams, as they are stored.
fn load_streams(driver: Driver<'_>) -> Result<Vec<StreamRow>, StoreError> {
    driver.all("list streams", STREAM_COLUMNS, &[], |row| read_stream(driver.dialect(), row))
}

/// Returns an enabled stream with its open shards, as it is stored; the counters go on above all that any record, trimmed
/// or not, ever had, also in a past that a copy of the database replaced.
fn load_open_stream(driver: Driver<'_>, row: &StreamRow) -> Result<OpenStream, StoreError> {
    let mut open = Vec::new();
    for shard in shards_of(driver, row.id)?.into_iter().filter(ShardRow::is_open) {
        let last = last_record(driver, &row.records, range_of(shard.number))?;
        let next = next_counter(&shard, last.map_or(0, |(counter, _)| counter));
        open.push(open_shard(&shard, next, last.map(|(_, created)| created)));
    }
    open.sort_by_key(|shard| shard.hash_from);
    Ok(open_stream(row, open))
}

/// Returns the history of a table, as it is stored, for the memory of the only writer.
fn load_history(
    driver: Driver<'_>,
    id: TableId,
    definition: &TableDefinition,
) -> Result<Option<OpenHistory>, StoreError> {
    if definition.point_in_time_recovery.is_none() {
        return Ok(None);
    }
    let sql = texts::history_table(names::history_table(definition.name.as_str()));
    let mut last = driver.first("find the last change", &sql.last, &[], |row| {
        Ok((row.integer(0)?, EpochMillis(row.integer(1)?)))
    })?;
    if last.is_none() {
        // All changes may be trimmed. Damage here keeps nobody from opening the database: it is an error to read the history.
        let earliest = history::stored_earliest(driver, id, &definition.name).unwrap_or(None);
        last = earliest.map(|earliest| (0, earliest));
    }
    Ok(Some(OpenHistory::after(sql, last)))
}
