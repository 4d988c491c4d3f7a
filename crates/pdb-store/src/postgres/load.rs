//! Reads the catalog of a transaction's snapshot: what changed since an older one was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    catalog::Catalog,
    dialect::Dialect,
    driver::Driver,
    error::StoreError,
    names,
    params::Param,
    postgres::texts,
    rows::{
        history::OpenHistory,
        shards::{self, ShardRow, StreamRow},
        table::{OpenShard, StreamId, Table, TableId},
    },
    sql::{
        streams::{self, SHARD_COLUMNS, STREAM_COLUMNS},
        tables,
        texts::indexes_of,
    },
};

const VERSION: &str = "SELECT version FROM pdb_catalog WHERE id = 1";

/// Returns the catalog of `version`, which this transaction has read; takes from `known` what is the same in it.
pub(crate) fn catalog(driver: Driver<'_>, version: i64, known: &Catalog) -> Result<Catalog, StoreError> {
    let mut version = version;
    loop {
        // Each statement of a writer sees what is committed by then: what it finds may be of several versions, and not fit.
        let loaded = match load(driver, version, known) {
            loaded @ (Ok(_) | Err(StoreError::Corrupt { .. })) => loaded,
            failed => return failed,
        };
        let now = driver.first("read the catalog's version", VERSION, &[], |row| row.integer(0))?;
        match now {
            Some(now) if now != version => version = now,
            _ => return loaded,
        }
    }
}

fn load(driver: Driver<'_>, version: i64, known: &Catalog) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog::empty(known.rotation_age, version, known.traffic.clone());
    // A snapshot may be older than what another thread has read meanwhile; then nothing of that is of use.
    let since = if known.version <= version { known.version } else { -1 };
    let since_param = [Param::Integer(since)];

    let ids = |sql| driver.all("list the catalog", sql, &[], |row| row.integer(0));
    let streams: BTreeSet<i64> = ids("SELECT id FROM pdb_stream")?.into_iter().collect();
    let tables = ids("SELECT id FROM pdb_metadata")?;

    let changed: Vec<StreamRow> =
        driver.all("list streams", &format!("{STREAM_COLUMNS} WHERE version > ?1"), &since_param, |row| {
            streams::read_stream(Dialect::Postgres, row)
        })?;
    if since >= 0 {
        let changed: BTreeSet<StreamId> = changed.iter().map(|stream| stream.id).collect();
        let same =
            known.streams().filter(|stream| !changed.contains(&stream.id) && streams.contains(&stream.id.0));
        same.for_each(|stream| catalog.insert_loaded_stream(stream.clone()));
    }
    changed.into_iter().for_each(|stream| catalog.insert_stream(stream));

    let mut statistics: BTreeMap<i64, Vec<(String, i64)>> = BTreeMap::new();
    driver.query(
        "list statistics",
        "SELECT table_id, index_name, id FROM pdb_statistic WHERE slot = 0 \
         AND table_id IN (SELECT id FROM pdb_metadata WHERE version > ?1)",
        &since_param,
        |row| {
            let named = (row.text(1)?.to_owned(), row.integer(2)?);
            statistics.entry(row.integer(0)?).or_default().push(named);
            Ok(std::ops::ControlFlow::Continue(()))
        },
    )?;

    let mut shards: BTreeMap<StreamId, Vec<OpenShard>> = BTreeMap::new();
    let open: Vec<ShardRow> = driver.all(
        "list shards",
        &format!(
            "{SHARD_COLUMNS} WHERE closed_at IS NULL AND stream_id IN (SELECT pdb_stream.id FROM pdb_stream \
             JOIN pdb_metadata ON pdb_metadata.table_name = pdb_stream.table_name WHERE pdb_metadata.version > ?1)"
        ),
        &since_param,
        streams::read_shard,
    )?;
    for shard in &open {
        let open = shards::open_shard(shard, shard.starting + 1, None);
        shards.entry(shard.stream).or_default().push(open);
    }
    shards.values_mut().for_each(|shards| shards.sort_by_key(|shard| shard.hash_from));

    let enabled: BTreeMap<_, _> = catalog
        .streams()
        .filter(|stream| stream.disabled.is_none())
        .map(|stream| (stream.table_name.clone(), stream.clone()))
        .collect();
    let sql = "SELECT id, item_table, definition, checksum, version FROM pdb_metadata WHERE version > ?1";
    let changed = driver.all("list tables", sql, &since_param, |row| {
        let (id, item_table, definition) = tables::read_metadata(row)?;
        Ok((id, item_table, definition, row.integer(4)?))
    })?;
    for (id, item_table, definition, version) in changed {
        let statistics = statistics.remove(&id.0).unwrap_or_default();
        let statistic = |index: &str| {
            let found = statistics.iter().find(|(name, _)| name == index);
            found.map(|(_, id)| *id).ok_or_else(|| StoreError::corrupt("statistics", "row is missing"))
        };
        let mut indexes = Vec::with_capacity(definition.indexes.len());
        for index in indexes_of(&definition) {
            let statistic = statistic(index.0.as_str())?;
            indexes.push(driver.dialect().index_table(&definition.name, index, statistic));
        }
        let stream = enabled
            .get(&definition.name)
            .map(|stream| shards::open_stream(stream, shards.remove(&stream.id).unwrap_or_default()));
        let history = definition.point_in_time_recovery.map(|_| {
            let name = names::history_table(definition.name.as_str());
            OpenHistory::after(texts::history_table(name), None)
        });
        catalog.insert_loaded(Arc::new(Table {
            id,
            stream,
            history,
            items: Arc::new(texts::item_table(&item_table, statistic("")?)),
            indexes,
            traffic: known.traffic.of(&definition.name),
            definition: Arc::new(definition),
            version,
        }));
    }
    if since >= 0 {
        for id in tables {
            if catalog.by_id(TableId(id)).is_none()
                && let Some(table) = known.by_id(TableId(id))
            {
                catalog.insert_loaded(table.clone());
            }
        }
    }
    Ok(catalog)
}
