//! The third migration: the keys under which items, index entries and the items of backups are stored.
//!
//! A stored key says what it is of, so no item has to be decoded. Each table is walked once, some rows at a time. A row whose key
//! or checksum is not what the second schema stores was damaged before, and is left as it is, for `pretender check` to find.

use std::collections::HashSet;

use pdb_model::{
    IndexKind, KeyAttribute, KeyBytes, KeySchema, PrimaryKey, ScalarType, SecondaryIndex, TableDefinition,
    text_hash,
};

use crate::{
    checksum::{self, Checksum},
    driver::{Driver, Row},
    error::StoreError,
    names,
    sql::{settings, tables},
};

pub(crate) const READING: &str = "read keys of the earlier schema";
pub(crate) const WRITING: &str = "write keys of the new schema";

/// Gives every row its new key, in the open transaction. How a table is walked is for `each` to say, which also learns whether the
/// table has the items of a backup.
pub(crate) fn renew(
    driver: Driver<'_>,
    each: impl Fn(&KeyTable<'_>, bool) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
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
            .try_for_each(|table| each(table, false))?;
    }
    for (name, definition) in backups(driver)? {
        let table = KeyTable { name, schema: &definition.key_schema, index: None };
        if tables.contains(&table.name) {
            each(&table, true)?;
        }
    }
    Ok(())
}

/// A copy into this database that was not finished goes on behind the greatest key that is there: it has to begin anew, as if its
/// source had changed.
fn begin_copies_anew(driver: Driver<'_>) -> Result<(), StoreError> {
    match settings::get(driver, settings::COPY_MARK, |_| Ok(()))? {
        Some(()) => settings::set(driver, settings::COPY_MARK, b"of an earlier schema"),
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
pub(crate) struct KeyTable<'d> {
    pub(crate) name: String,
    /// The key of the DynamoDB table.
    schema: &'d KeySchema,
    /// The index, if the rows are entries of one.
    pub(crate) index: Option<&'d SecondaryIndex>,
}

/// A key, and the key of the item if it is of an index entry.
pub(crate) struct Keys<'k> {
    pub(crate) key: &'k [u8],
    pub(crate) base: &'k [u8],
}

/// The new keys of a row, and its checksum with them.
pub(crate) struct RenewedRow {
    pub(crate) key: Vec<u8>,
    pub(crate) base: Vec<u8>,
    pub(crate) checksum: Option<i64>,
}

impl KeyTable<'_> {
    /// The name of the key, or the beginning of its columns' names.
    pub(crate) fn key(&self) -> &'static str {
        if self.index.is_some() { "entry" } else { "key" }
    }

    /// What becomes of a row; nothing if it stays as it is.
    pub(crate) fn renewed(&self, row: &Row<'_>, old: Keys<'_>) -> Result<Option<RenewedRow>, StoreError> {
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
        Ok(Some(RenewedRow { key, base, checksum }))
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
}

/// Reads a key as the second schema stores it, which begins with the hash that says to which shard its records belong; returns it
/// and what follows it.
pub(crate) fn read_old<'k>(bytes: &'k [u8], schema: &KeySchema) -> Option<(PrimaryKey, &'k [u8])> {
    let types = |attributes: &[KeyAttribute]| -> Vec<ScalarType> {
        attributes.iter().map(|attribute| attribute.scalar_type).collect()
    };
    let (key, behind) = KeyBytes::read(bytes, types(&schema.hash), types(&schema.range))?;
    let (token, values) = bytes[..bytes.len() - behind.len()].split_first_chunk()?;
    let is_as_written = u64::from_be_bytes(*token) == key.shard_token()
        && key.encode().into_bytes().split_first_chunk::<8>().is_some_and(|(_, written)| written == values);
    is_as_written.then_some((key, behind))
}
