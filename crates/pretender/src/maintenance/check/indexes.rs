//! Index entries against the items they are of.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use pdb_capture::BaseKey;
use pdb_model::{AnyIndex, EncodedItem, Item, KeyBytes};
use pdb_store::{Direction, KeyRange, NewEntry, Part, ReadTx, RowSum, Table};

use super::contents::Contents;
use super::findings::{FindingKind, Findings};
use super::items::{check_counts, shown};

/// What of an entry goes into a sum.
pub(super) fn values<'v>(
    entry: &'v [u8],
    content: &'v [u8],
    json: &'v str,
    size: &'v [u8; 8],
) -> [&'v [u8]; 4] {
    [entry, content, json.as_bytes(), size]
}

/// Checks the indexes of a table: each has exactly what the table's items say, and its counts are right.
///
/// Entries are in another order than items. So first the sums over what should be there and over what is are compared, in one pass; only
/// if they differ is each looked up in the other.
pub(super) fn check_indexes(
    tx: &mut ReadTx<'_>,
    table: &Arc<Table>,
    contents: &Contents,
    findings: &mut Findings<'_>,
) {
    for (at, index) in table.definition.all_indexes().enumerate() {
        let (table_name, name) = (table.name().clone(), index.name().clone());
        let part = match index {
            AnyIndex::Secondary(_) => Part::Index(table_name, name),
            AnyIndex::Vector(_) => Part::Vectors(table_name, name),
        };
        let subject = part.to_string();
        findings.begin(&subject);
        let mut there = RowSum::default();
        let (mut rows, mut bytes, mut is_whole) = (0, 0, true);
        let walked = tx.walk(&part, &mut |_, row| {
            rows += 1;
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    is_whole = false;
                    findings.damaged(&subject, &error);
                    return findings.row(true);
                }
            };
            match row.entry() {
                Ok(stored) => {
                    bytes += stored.size_bytes;
                    let size = stored.size_bytes.to_be_bytes();
                    there.add(&values(stored.entry, stored.content, stored.json, &size));
                }
                Err(error) => {
                    is_whole = false;
                    findings.damaged(&subject, &error);
                }
            }
            findings.row(row.has_checksum())
        });
        is_whole &= walked.is_ok();
        if is_whole && contents.is_whole && there != contents.entries[at] {
            let found = tx_differences(tx, table, index, &part, &subject, findings);
            if found == 0 {
                findings.add(FindingKind::Index, &subject, "it does not have what the table says");
            }
        }
        findings.walked(&subject, walked);
        let counted = tx.index_statistics(table, index.name()).map(|of| (of.item_count, of.size_bytes));
        check_counts(&subject, counted, (rows, is_whole.then_some(bytes)), findings);
    }
}

/// Finds the entries that are missing, wrong, or of no item; returns how many.
fn tx_differences(
    tx: &mut ReadTx<'_>,
    table: &Arc<Table>,
    index: AnyIndex<'_>,
    part: &Part,
    subject: &str,
    findings: &mut Findings<'_>,
) -> u64 {
    let mut found = 0;
    let key_schema = &table.definition.key_schema;
    let mut add = |findings: &mut Findings<'_>, detail: &str| {
        found += 1;
        findings.add(FindingKind::Index, subject, detail);
    };
    // These rows were read before without an error.
    let _ = tx.walk(&Part::Items(table.name().clone()), &mut |tx, row| {
        let Some((item, expected)) = row.ok().and_then(|row| {
            let stored = row.item().ok()?;
            expected_entry(index, table, stored.json)
        }) else {
            return ControlFlow::Continue(());
        };
        if let Some(expected) = expected {
            let name = shown(&item, key_schema);
            match entry_at(tx, table, index, &expected.key) {
                None => add(findings, &format!("the entry of {name} is missing")),
                Some(there) if there != expected => {
                    add(findings, &format!("the entry of {name} is not what the item says"));
                }
                Some(_) => {}
            }
        }
        ControlFlow::Continue(())
    });
    let _ = tx.walk(part, &mut |tx, row| {
        let Some((entry, base, name)) = row.ok().and_then(|row| {
            let stored = row.entry().ok()?;
            let item = Item::from_json(stored.json).ok();
            let base = match index {
                AnyIndex::Secondary(_) => Some(KeyBytes::from_stored(stored.content.to_vec())),
                AnyIndex::Vector(_) => {
                    item.as_ref().and_then(|item| Some(key_schema.extract(item).ok()?.encode()))
                }
            };
            let name = item.map_or_else(|| stored.json.to_owned(), |item| shown(&item, key_schema));
            Some((stored.entry.to_vec(), base, name))
        }) else {
            return ControlFlow::Continue(());
        };
        match base.and_then(|base| tx.get_item(table, &base).ok().flatten()) {
            None => add(findings, &format!("an entry is of an item that is not there: {name}")),
            Some(item) => {
                let expected = expected_entry(index, table, item.json()).and_then(|(_, expected)| expected);
                if expected.is_none_or(|expected| expected.key.as_bytes() != entry) {
                    add(findings, &format!("an entry is not where its item says: {name}"));
                }
            }
        }
        ControlFlow::Continue(())
    });
    found
}

/// An entry, as it is there or should be.
#[derive(PartialEq)]
struct OwnedEntry {
    key: KeyBytes,
    content: Vec<u8>,
    json: String,
    size_bytes: u64,
}

/// An item, and what the index should have of it.
fn expected_entry(index: AnyIndex<'_>, table: &Table, json: &str) -> Option<(Item, Option<OwnedEntry>)> {
    let item = Item::from_json(json).ok()?;
    let key = table.definition.key_schema.extract(&item).ok()?;
    let base = key.encode();
    let encoded = EncodedItem::from(&item);
    let base = BaseKey::new(&table.definition, &key, &base);
    let expected = pdb_capture::index_entry(index, table, base, &item, &encoded).map(|entry| {
        let NewEntry { key, content, projected } = entry.stored();
        OwnedEntry {
            key: key.clone(),
            content: content.to_vec(),
            json: projected.json().to_owned(),
            size_bytes: projected.size_bytes(),
        }
    });
    Some((item, expected))
}

/// The entry under a key.
fn entry_at(tx: &mut ReadTx<'_>, table: &Table, index: AnyIndex<'_>, entry: &KeyBytes) -> Option<OwnedEntry> {
    let key = entry.as_bytes().to_vec();
    let range = KeyRange { lower: Bound::Included(key.clone()), upper: Bound::Included(key) };
    let mut found = None;
    let mut keep = |content: &[u8], json: &str, size_bytes| {
        let (key, content, json) = (entry.clone(), content.to_vec(), json.to_owned());
        found = Some(OwnedEntry { key, content, json, size_bytes });
        ControlFlow::Break(())
    };
    let read = match index {
        AnyIndex::Secondary(index) => {
            tx.scan(table, Some(&index.name), &range, Direction::Forward, &mut |row| {
                keep(row.base, row.json, row.size_bytes)
            })
        }
        AnyIndex::Vector(index) => {
            tx.scan_vectors(table, &index.name, &range, &mut |row| keep(row.vector, row.json, row.size_bytes))
        }
    };
    read.ok().and(found)
}
