//! The third migration: the keys under which items, index entries and the items of backups are stored.
//!
//! A stored key says what it is of, so no item has to be decoded. Each table is walked once, some rows at a time. A row whose key
//! or checksum is not what the second schema stores was damaged before, and is left as it is, for `pretender check` to find.

use std::{collections::HashSet, ops::ControlFlow};

use pdb_model::{
    IndexKind, KeyAttribute, KeyBytes, KeySchema, PrimaryKey, ScalarType, SecondaryIndex, TableDefinition,
    text_hash,
};

use crate::{
    checksum::{self, Checksum},
    dialect::{Dialect, KeyColumns, Params},
    driver::{Driver, Param, Row},
    error::{During, StoreError},
    names::{self, quoted},
    page::Page,
    sql::{settings, tables},
    transfer,
};

/// Rows that are read at once from SQLite. Of each its keys are kept in memory, 12 KB at most.
const STEP_ROWS: i64 = 250;

const READING: &str = "read keys of the earlier schema";
const WRITING: &str = "write keys of the new schema";

/// Gives every row its new key, in the open transaction.
pub(crate) fn renew(driver: Driver<'_>) -> Result<(), StoreError> {
    let tables =
        driver.all("list tables", driver.dialect().list_tables(), &[], |row| Ok(row.text(0)?.to_owned()))?;
    let tables: HashSet<String> =
        tables.into_iter().filter(|table| names::is_made_at_run_time(table)).collect();
    if tables.is_empty() {
        return Ok(());
    }
    tracing::info!("keys of all items and index entries are written anew, in the order of DynamoDB's scans");
    begin_copies_anew(driver)?;
    let sql = "SELECT id, item_table, definition, checksum FROM pdb_metadata ORDER BY table_name";
    for (_, item_table, definition) in driver.all("list tables", sql, &[], tables::read_metadata)? {
        let mut stored = vec![KeyTable { name: item_table, schema: &definition.key_schema, index: None }];
        stored.extend(definition.indexes.iter().map(|index| KeyTable {
            name: names::index_table(definition.name.as_str(), index.name.as_str()),
            schema: &definition.key_schema,
            index: Some(index),
        }));
        stored
            .iter()
            .filter(|table| tables.contains(&table.name))
            .try_for_each(|table| table.renew(driver))?;
    }
    for (name, definition) in backups(driver)? {
        let table = KeyTable { name, schema: &definition.key_schema, index: None };
        if tables.contains(&table.name) {
            table.renew_kept(driver)?;
        }
    }
    Ok(())
}

/// A copy into this database that was not finished goes on behind the greatest key that is there: it has to begin anew, as if its
/// source had changed.
fn begin_copies_anew(driver: Driver<'_>) -> Result<(), StoreError> {
    match settings::get(driver, transfer::MARK, |_| Ok(()))? {
        Some(()) => settings::set(driver, transfer::MARK, b"of an earlier schema"),
        None => Ok(()),
    }
}

/// The tables that keep the items of backups, and the definitions of the tables these were in.
fn backups(driver: Driver<'_>) -> Result<Vec<(String, TableDefinition)>, StoreError> {
    /// What of a description matters here.
    #[derive(serde::Deserialize)]
    struct Backup {
        backup_arn: String,
        definition: TableDefinition,
    }
    let sql = "SELECT value FROM pdb_document WHERE kind = 'backup' ORDER BY name";
    let documents = driver.all("list backups", sql, &[], |row| {
        // A backup whose description cannot be read cannot be used either.
        Ok(serde_json::from_str::<Backup>(row.text(0)?).ok())
    })?;
    let name = |backup: &Backup| names::kept_table(backup.backup_arn.rsplit('/').next().unwrap_or_default());
    Ok(documents.into_iter().flatten().map(|backup| (name(&backup), backup.definition)).collect())
}

/// An SQL table whose rows have keys.
struct KeyTable<'d> {
    name: String,
    /// The key of the DynamoDB table.
    schema: &'d KeySchema,
    /// The index, if the rows are entries of one.
    index: Option<&'d SecondaryIndex>,
}

/// A key, and the key of the item if it is of an index entry.
struct Keys<'k> {
    key: &'k [u8],
    base: &'k [u8],
}

/// A row with its new keys.
struct Renewed {
    place: Place,
    key: Vec<u8>,
    base: Vec<u8>,
    checksum: Option<i64>,
}

/// What finds a row.
enum Place {
    Id(i64),
    Key(Vec<u8>),
}

impl KeyTable<'_> {
    fn renew(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        match driver.dialect() {
            Dialect::Sqlite => self.renew_by_id(driver),
            Dialect::Postgres => {
                // Who writes meanwhile would write a key of the earlier schema.
                let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", quoted(&self.name));
                driver.batch(&lock).during(WRITING)?;
                self.renew_by_key(driver)
            }
        }
    }

    /// As [`renew`](Self::renew), of the items of a backup, which have no SQL index.
    fn renew_kept(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        if driver.dialect() == Dialect::Sqlite {
            return self.renew(driver);
        }
        let index = format!("CREATE INDEX pdb_renewal ON {} (key_head, key_tail)", quoted(&self.name));
        driver.batch(&index).during(WRITING)?;
        self.renew(driver)?;
        driver.batch("DROP INDEX pdb_renewal").during(WRITING)
    }

    /// SQLite: in the order in which the rows lie, which does not change.
    fn renew_by_id(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        let (name, key) = (quoted(&self.name), self.key());
        let base = if self.index.is_some() { "base" } else { key };
        let select = format!(
            "SELECT {key}, {base}, item, size_bytes, checksum, rowid FROM {name} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2"
        );
        let update = match self.index {
            None => format!("UPDATE {name} SET key = ?2, checksum = ?3 WHERE rowid = ?1"),
            Some(_) => format!("UPDATE {name} SET entry = ?2, checksum = ?3, base = ?4 WHERE rowid = ?1"),
        };
        let mut after = i64::MIN;
        loop {
            let (mut renewed, mut rows) = (Vec::new(), 0);
            driver.query(READING, &select, &[Param::Integer(after), Param::Integer(STEP_ROWS)], |row| {
                after = row.integer(5)?;
                rows += 1;
                // A column of another type is damage as well.
                if let (Ok(key), Ok(base)) = (row.blob(0), row.blob(1)) {
                    renewed.extend(self.renewed(row, Keys { key, base }, Place::Id(after))?);
                }
                Ok(ControlFlow::Continue(()))
            })?;
            self.write(driver, &update, &renewed)?;
            if rows < STEP_ROWS {
                return Ok(());
            }
        }
    }

    /// PostgreSQL: in the order of the keys. A row that was given a greater one is met again, and needs no other.
    fn renew_by_key(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        let (name, key) = (quoted(&self.name), self.key());
        let (base, set_base) = if self.index.is_some() {
            ("base".to_owned(), ", base = ?7")
        } else {
            (format!("{key}_head"), "")
        };
        let select = format!(
            "SELECT {key}_head, {base}, item, size_bytes, checksum, {key}_rest FROM {name} \
             WHERE {key}_head >= ?1 AND ({key}_head, {key}_rest) > (?1, ?2) ORDER BY {key}_head, {key}_rest LIMIT "
        );
        let update = format!(
            "UPDATE {name} SET {key}_head = ?3, {key}_tail = ?4, {key}_rest = ?5, checksum = ?6{set_base} \
             WHERE {key}_head = ?1 AND {key}_tail = ?2"
        );
        let (mut after, mut page) = (Vec::new(), Page::first());
        loop {
            let mut renewed = Vec::new();
            let lower = KeyColumns::of(Dialect::Postgres, &after);
            let mut last = None;
            driver.query(READING, &page.limited(&select), &lower.bound(Params::new()), |row| {
                page.read(row.text(2)?.len());
                let key = row.key(0, 5)?;
                let base = if self.index.is_some() { row.blob(1)? } else { &key };
                renewed.extend(self.renewed(row, Keys { key: &key, base }, Place::Key(key.to_vec()))?);
                last = Some(key.into_owned());
                Ok(ControlFlow::Continue(()))
            })?;
            self.write(driver, &update, &renewed)?;
            let Some(last) = last.filter(|_| page.is_full()) else { return Ok(()) };
            (after, page) = (last, page.next());
        }
    }

    /// The name of the key, or the beginning of its columns' names.
    fn key(&self) -> &'static str {
        if self.index.is_some() { "entry" } else { "key" }
    }

    /// What becomes of a row; nothing if it stays as it is.
    fn renewed(&self, row: &Row<'_>, old: Keys<'_>, place: Place) -> Result<Option<Renewed>, StoreError> {
        let Some((key, base)) = self.new_keys(&old) else { return Ok(None) };
        // A checksum that is not a number is damage, too, and cannot be carried over.
        let Ok(stored) = row.optional_integer(4) else { return Ok(None) };
        let (key, base) = (key.into_bytes(), base.into_bytes());
        // A text that cannot be read has no checksum that fits, and the number beside it stays one that does not.
        let checksum = match (stored, row.text(2), row.count(3)) {
            (Some(stored), Ok(json), Ok(size)) => {
                let sum = |key: &[u8], base: &[u8]| self.checksum(key, base, json, size);
                Some(checksum::carried_over(stored, sum(old.key, old.base), sum(&key, &base)))
            }
            (stored, _, _) => stored,
        };
        Ok(Some(Renewed { place, key, base, checksum }))
    }

    fn checksum(&self, key: &[u8], base: &[u8], json: &str, size_bytes: u64) -> Checksum {
        match self.index {
            None => checksum::of_item(key, text_hash(json.as_bytes()), size_bytes),
            Some(_) => checksum::of_entry(key, base, json, size_bytes),
        }
    }

    /// The new keys of a row; nothing if it has them already, or its keys are not what the second schema stores.
    fn new_keys(&self, old: &Keys<'_>) -> Option<(KeyBytes, KeyBytes)> {
        let (base_key, behind) = read_old(old.base, self.schema)?;
        if !behind.is_empty() {
            return None;
        }
        let base = base_key.encode();
        let Some(index) = self.index else { return Some((base.clone(), base)) };
        let (index_key, behind) = read_old(old.key, &index.key_schema)?;
        if behind != old.base {
            return None;
        }
        let tie_break = (index.kind == IndexKind::Global).then(|| base_key.tie_break(&base));
        Some((KeyBytes::index_entry(&index_key, tie_break, &base), base))
    }

    fn write(&self, driver: Driver<'_>, update: &str, renewed: &[Renewed]) -> Result<(), StoreError> {
        let dialect = driver.dialect();
        for row in renewed {
            let (checksum, base) = (Param::optional_integer(row.checksum), Param::Blob(&row.base));
            let key = KeyColumns::of(dialect, &row.key);
            let old = match &row.place {
                Place::Id(_) => None,
                Place::Key(key) => Some(KeyColumns::of(dialect, key)),
            };
            let mut params = match (&row.place, &old) {
                (Place::Id(id), _) => vec![Param::Integer(*id)],
                (Place::Key(_), old) => old.iter().flat_map(|old| old.identity().to_vec()).collect(),
            };
            params.extend_from_slice(&key.all());
            params.push(checksum);
            if self.index.is_some() {
                params.push(base);
            }
            if driver.execute(update, &params).during(WRITING)? != 1 {
                return Err(StoreError::corrupt("key", "its row is gone"));
            }
        }
        Ok(())
    }
}

/// Reads a key as the second schema stores it, which begins with the hash that says to which shard its records belong; returns it
/// and what follows it.
fn read_old<'k>(bytes: &'k [u8], schema: &KeySchema) -> Option<(PrimaryKey, &'k [u8])> {
    let types = |attributes: &[KeyAttribute]| -> Vec<ScalarType> {
        attributes.iter().map(|attribute| attribute.scalar_type).collect()
    };
    let (key, behind) = KeyBytes::read(bytes, types(&schema.hash), types(&schema.range))?;
    let (token, values) = bytes[..bytes.len() - behind.len()].split_first_chunk()?;
    let is_as_written = u64::from_be_bytes(*token) == key.shard_token()
        && key.encode().into_bytes().split_first_chunk::<8>().is_some_and(|(_, written)| written == values);
    is_as_written.then_some((key, behind))
}

#[cfg(test)]
mod tests;
