//! Stream records: do they fit their shards, and lead to what the table has?

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_model::{EncodedItem, EventName, Item, PrimaryKey, StreamViewType, TableName};
use pdb_store::{Part, ReadTx, RowSum, ShardRow, StoreError, StoredRecord, StreamRow, Table};

use super::findings::{FindingKind, Findings};
use super::shards::check_shards;

/// Checks that a table's definition and its stream agree.
pub(super) fn check_enabled(table: &Arc<Table>, findings: &mut Findings<'_>) {
    let defined = table.definition.enabled_stream().map(|stream| (&stream.arn, stream.view_type));
    let open = table.stream.as_ref().map(|stream| (&stream.arn, stream.view_type));
    if defined != open {
        let subject = format!("table {}", table.name());
        findings.add(FindingKind::Record, &subject, "its definition and its stream do not agree");
    }
}

/// A stream, and what replaying it leads to.
struct Replay {
    stream: StreamRow,
    /// It has every change since it was enabled.
    is_whole: bool,
    items: RowSum,
}

/// Checks all streams with their shards and records.
pub(super) fn check_streams(tx: &mut ReadTx<'_>, findings: &mut Findings<'_>) -> Result<(), StoreError> {
    let mut by_name: BTreeMap<TableName, Vec<StreamRow>> = BTreeMap::new();
    for stream in tx.streams(None)? {
        findings.report.streams += 1;
        by_name.entry(stream.table_name.clone()).or_default().push(stream);
    }
    for (name, streams) in by_name {
        check_records(tx, &name, streams, findings);
    }
    Ok(())
}

/// Checks the records of all streams of a table name, which are in one SQL table.
fn check_records(
    tx: &mut ReadTx<'_>,
    name: &TableName,
    streams: Vec<StreamRow>,
    findings: &mut Findings<'_>,
) {
    let part = Part::Records(name.clone());
    let subject = part.to_string();
    findings.begin(&subject);
    let mut shards: BTreeMap<u64, (usize, ShardRow)> = BTreeMap::new();
    let mut replays = Vec::new();
    for (at, stream) in streams.into_iter().enumerate() {
        let mut is_whole = false;
        match tx.shards(stream.id) {
            Ok(rows) => {
                is_whole = check_shards(&stream, &rows, findings);
                shards.extend(rows.into_iter().map(|shard| (shard.number, (at, shard))));
            }
            Err(error) => findings.broken(&format!("stream {}", stream.arn), &error),
        }
        replays.push(Replay { stream, is_whole, items: RowSum::default() });
    }
    let mut is_readable = true;
    let walked = tx.walk(&part, &mut |_, row| {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                is_readable = false;
                findings.damaged(&subject, &error);
                return findings.row(true);
            }
        };
        match row.record() {
            Err(error) => {
                is_readable = false;
                findings.damaged(&subject, &error);
            }
            Ok(record) => match shards.get(&record.sequence_number.shard) {
                None => {
                    let detail = format!("record {} is of no shard", record.sequence_number);
                    findings.add(FindingKind::Record, &subject, &detail);
                }
                Some((at, shard)) => {
                    let replay = &mut replays[*at];
                    if let Err(why) = check_record(&record, &replay.stream, shard) {
                        let detail = format!("record {}: {why}", record.sequence_number);
                        findings.add(FindingKind::Record, &subject, &detail);
                    }
                    if let Some(new) = record.new_image {
                        replay.items.add(&[new.as_bytes()]);
                    }
                    if let Some(old) = record.old_image {
                        replay.items.remove(&[old.as_bytes()]);
                    }
                }
            },
        }
        findings.row(row.has_checksum())
    });
    is_readable &= walked.is_ok();
    findings.walked(&subject, walked);
    for replay in replays.iter().filter(|replay| replay.is_whole && is_readable) {
        check_replay(replay, findings);
    }
}

/// Compares what a stream that has all changes leads to with what its table has.
///
/// Each change takes the old image out of a sum and adds the new one, so what is left is the sum over the items, in any order.
/// A stream that was enabled when the table had items already leads to fewer; of that nothing can be said.
fn check_replay(replay: &Replay, findings: &mut Findings<'_>) {
    let stream = &replay.stream;
    if stream.disabled.is_some() || stream.view_type != StreamViewType::NewAndOldImages {
        return;
    }
    let Some(contents) = findings.contents_of(&stream.table_name).filter(|contents| contents.is_whole) else {
        return;
    };
    if replay.items.rows() < contents.items.rows() {
        return;
    }
    let is_same = contents.items == replay.items;
    findings.report.streams_replayed += 1;
    if !is_same {
        let subject = format!("stream {}", stream.arn);
        let detail = "it has all changes of its table, and they do not lead to what the table has";
        findings.add(FindingKind::Replay, &subject, detail);
    }
}

/// Checks a record against its stream and its shard.
fn check_record(record: &StoredRecord<'_>, stream: &StreamRow, shard: &ShardRow) -> Result<(), String> {
    let counter = record.sequence_number.counter;
    if counter <= shard.starting {
        return Err(format!("its number is not above that with which {} starts", shard.id));
    }
    if counter <= shard.trimmed {
        return Err(format!("{} is trimmed behind it", shard.id));
    }
    if shard.ending.is_some_and(|ending| counter > ending) {
        return Err(format!("its number is above that with which {} ends", shard.id));
    }
    if stream.event_id(record.sequence_number) != Some(record.event_id) {
        return Err("its event id is not that of its number".to_owned());
    }
    let key = key_of(record.keys, record.keys_size_bytes, stream, true)?;
    if !(shard.hash_from..=shard.hash_to).contains(&key.shard_token()) {
        return Err(format!("its key does not belong to {}", shard.id));
    }
    check_images(record, stream, &key)
}

/// Checks that a record has the images that its stream asks for, and that they are of its item.
fn check_images(record: &StoredRecord<'_>, stream: &StreamRow, key: &PrimaryKey) -> Result<(), String> {
    let old = stream.view_type.includes_old() && record.event_name != EventName::Insert;
    let new = stream.view_type.includes_new() && record.event_name != EventName::Remove;
    if (record.old_image.is_some(), record.new_image.is_some()) != (old, new) {
        return Err(format!("it is a {} and does not have the images of one", record.event_name.as_str()));
    }
    let images = record.size_bytes.checked_sub(record.keys_size_bytes);
    let new_size = images.and_then(|images| images.checked_sub(record.old_image_size_bytes));
    let new_size = new_size.ok_or("its sizes do not add up")?;
    for (image, size) in [(record.old_image, record.old_image_size_bytes), (record.new_image, new_size)] {
        match image {
            None if size == 0 => {}
            None => return Err("it has a size for an image that it does not have".to_owned()),
            Some(image) => {
                if key_of(image, size, stream, false)? != *key {
                    return Err("an image is of another item".to_owned());
                }
            }
        }
    }
    Ok(())
}

/// Reads a text of a record, and returns the key that is in it.
fn key_of(json: &str, size_bytes: u64, stream: &StreamRow, is_key: bool) -> Result<PrimaryKey, String> {
    let item = Item::from_json(json).map_err(|e| format!("it is not DynamoDB JSON: {e}"))?;
    let encoded = EncodedItem::from(&item);
    if encoded.json() != json {
        return Err("a text is not in its canonical form".to_owned());
    }
    if encoded.size_bytes() != size_bytes {
        return Err(format!("a size is noted as {size_bytes}, it is {}", encoded.size_bytes()));
    }
    let schema = &stream.key_schema;
    let key = if is_key { schema.extract_exact(&item) } else { schema.extract(&item) };
    key.map_err(|e| e.to_string())
}
