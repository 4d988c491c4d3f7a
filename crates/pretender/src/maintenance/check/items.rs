//! Items, of tables and of backups.

use std::sync::Arc;

use pdb_capture::BaseKey;
use pdb_items::tables::KeptItems;
use pdb_model::{EncodedItem, Item, KeySchema};
use pdb_store::{NewEntry, Part, ReadTx, RowSum, StoreError, StoredItem, Table};

use super::contents::Contents;
use super::findings::{FindingKind, Findings};

/// Checks the items of a table, its counts and its expiry.
pub(super) fn check_table(tx: &mut ReadTx<'_>, table: &Arc<Table>, findings: &mut Findings<'_>) -> Contents {
    let definition = &table.definition;
    let part = Part::Items(table.name().clone());
    let subject = part.to_string();
    findings.begin(&subject);
    let mut contents = Contents {
        is_whole: true,
        entries: vec![RowSum::default(); definition.all_indexes().count()],
        entry_bytes: vec![0; definition.all_indexes().count()],
        ..Contents::default()
    };
    let (mut rows, mut bytes, mut is_readable) = (0, 0, true);
    let walked = tx.walk(&part, &mut |_, row| {
        rows += 1;
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                is_readable = false;
                findings.damaged(&subject, &error);
                return findings.row(true);
            }
        };
        match row.item() {
            Err(error) => {
                is_readable = false;
                findings.damaged(&subject, &error);
            }
            Ok(stored) => {
                bytes += stored.size_bytes;
                match check_item(&stored, &definition.key_schema, &subject, findings) {
                    None => contents.is_whole = false,
                    Some((item, encoded)) => {
                        let expires_at = pdb_capture::expires_at(definition, &item);
                        if stored.expires_at != expires_at {
                            let detail = format!(
                                "{}: expiry is noted as {:?}, the item says {expires_at:?}",
                                shown(&item, &definition.key_schema),
                                stored.expires_at
                            );
                            findings.add(FindingKind::Expiry, &subject, &detail);
                        }
                        add(&mut contents, table, &item, &encoded);
                    }
                }
            }
        }
        findings.row(row.has_checksum())
    });
    contents.is_whole &= is_readable && walked.is_ok();
    findings.walked(&subject, walked);
    let counted = tx.table_statistics(table).map(|of| (of.item_count, of.size_bytes));
    check_counts(&subject, counted, (rows, is_readable.then_some(bytes)), findings);
    check_expiry_index(tx, table, &subject, findings);
    contents
}

fn check_expiry_index(tx: &mut ReadTx<'_>, table: &Table, subject: &str, findings: &mut Findings<'_>) {
    match tx.has_expiry_index(table) {
        Ok(false) if table.definition.time_to_live_attribute.is_some() => {
            findings.add(FindingKind::Expiry, subject, "the SQL index that finds expired items is missing");
        }
        Ok(_) => {}
        Err(error) => findings.broken(subject, &error),
    }
}

/// Checks the items that a backup keeps.
pub(super) fn check_backup(tx: &mut ReadTx<'_>, backup: &KeptItems, findings: &mut Findings<'_>) {
    let part = Part::kept(&backup.name);
    let subject = format!("backup {}", backup.backup_arn);
    findings.begin(&subject);
    let (mut rows, mut bytes) = (0, Some(0));
    let walked = tx.walk(&part, &mut |_, row| {
        rows += 1;
        match row.as_ref().map_err(StoreError::clone).and_then(|row| row.item()) {
            Err(error) => {
                bytes = None;
                findings.damaged(&subject, &error);
            }
            Ok(stored) => {
                bytes = bytes.map(|bytes| bytes + stored.size_bytes);
                check_item(&stored, &backup.definition.key_schema, &subject, findings);
            }
        }
        findings.row(row.is_ok_and(|row| row.has_checksum()))
    });
    findings.walked(&subject, walked);
    check_counts(&subject, Ok((backup.item_count, backup.size_bytes)), (rows, bytes), findings);
}

/// Checks the text of an item, the key it is stored under, and its size; returns the item if it can be read.
pub(super) fn check_item(
    stored: &StoredItem<'_>,
    key_schema: &KeySchema,
    subject: &str,
    findings: &mut Findings<'_>,
) -> Option<(Item, EncodedItem)> {
    let item = match Item::from_json(stored.json) {
        Ok(item) => item,
        Err(error) => {
            findings.add(FindingKind::Text, subject, &format!("an item is not DynamoDB JSON: {error}"));
            return None;
        }
    };
    let name = shown(&item, key_schema);
    let encoded = EncodedItem::from(&item);
    if encoded.json() != stored.json {
        findings.add(FindingKind::Text, subject, &format!("{name}: the text is not in its canonical form"));
    }
    if encoded.size_bytes() != stored.size_bytes {
        let detail =
            format!("{name}: its size is noted as {}, it is {}", stored.size_bytes, encoded.size_bytes());
        findings.add(FindingKind::Size, subject, &detail);
    }
    match key_schema.extract(&item) {
        Ok(key) if key.encode().as_bytes() == stored.key => {}
        Ok(_) => findings.add(FindingKind::Key, subject, &format!("{name} is stored under another key")),
        Err(error) => findings.add(FindingKind::Key, subject, &format!("{name}: {error}")),
    }
    Some((item, encoded))
}

/// Adds an item to what the table has, and to what its indexes should have.
fn add(contents: &mut Contents, table: &Table, item: &Item, encoded: &EncodedItem) {
    contents.items.add(&[encoded.json().as_bytes()]);
    let Ok(key) = table.definition.key_schema.extract(item) else { return };
    let bytes = key.encode();
    let base = BaseKey::new(&table.definition, &key, &bytes);
    for (at, index) in table.definition.all_indexes().enumerate() {
        if let Some(entry) = pdb_capture::index_entry(index, table, base, item, encoded) {
            let NewEntry { key, content, projected } = entry.stored();
            contents.entries[at].add(&super::indexes::values(
                key.as_bytes(),
                content,
                projected.json(),
                &projected.size_bytes().to_be_bytes(),
            ));
            contents.entry_bytes[at] += projected.size_bytes();
        }
    }
}

/// Compares counts with what there is; the size only if all of it could be read.
pub(super) fn check_counts(
    subject: &str,
    counted: Result<(u64, u64), StoreError>,
    (rows, bytes): (u64, Option<u64>),
    findings: &mut Findings<'_>,
) {
    match counted {
        Ok((count, size)) if count == rows && bytes.is_none_or(|bytes| bytes == size) => {}
        Ok((count, _)) if bytes.is_none() => {
            let detail = format!("{count} rows are counted, there are {rows}");
            findings.add(FindingKind::Count, subject, &detail);
        }
        Ok((count, size)) => {
            let detail = format!(
                "{count} rows of {size} bytes are counted, there are {rows} of {}",
                bytes.unwrap_or(0)
            );
            findings.add(FindingKind::Count, subject, &detail);
        }
        Err(error) => findings.broken(subject, &error),
    }
}

/// The key of an item, for people.
pub(super) fn shown(item: &Item, key_schema: &KeySchema) -> String {
    let key: Item = item
        .iter()
        .filter(|(name, _)| key_schema.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut text = key.to_string();
    if text.len() > 200 {
        text = text.chars().take(200).chain("...".chars()).collect();
    }
    text
}
