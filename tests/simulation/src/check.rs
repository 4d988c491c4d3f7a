//! The full checks: everything that the database holds against everything that the model says.

use std::collections::BTreeMap;

use pretender::items::ScanInput;
use pretender::maintenance::CheckEvent;
use pretender::model::EncodedItem;
use pretender::streams::{
    DescribeStreamInput, EventName, ListStreamsInput, StreamArn, StreamStatus, StreamViewType,
};

use crate::model::ModelStream;
use crate::shape::{Index, table_name};
use crate::violation::{Checked, Unexpected, ensure, ensure_eq};
use crate::world::World;

impl World {
    /// Checks everything: tables, indexes, counts, streams, their replay, consumers that catch up.
    ///
    /// # Errors
    ///
    /// What is not as the model says.
    pub fn check(&mut self) -> Checked {
        self.db.faults().clear();
        self.audit_all()?;
        self.check_contents()?;
        self.drain_follower()?;
        self.drain_trigger()
    }

    /// Checks what the database holds. No consumer moves.
    pub(crate) fn check_contents(&mut self) -> Checked {
        self.check_tables()?;
        let tables: Vec<u8> = self.model.tables.keys().copied().collect();
        tables.into_iter().try_for_each(|table| self.check_table(table))?;
        self.check_streams()
    }

    /// Runs pretender's own check of a whole database.
    ///
    /// # Errors
    ///
    /// What it finds.
    pub fn check_database(&mut self) -> Checked {
        let mut findings = Vec::new();
        let mut note = |event| {
            if let CheckEvent::Finding(finding) = event {
                findings.push(finding.to_string());
            }
        };
        self.db.check(&mut note).expected_to("check the database")?;
        ensure!(findings.is_empty(), "the check finds {findings:?}");
        Ok(())
    }

    /// Compares a table, its indexes and its counts with the model.
    pub(crate) fn check_table(&mut self, table: u8) -> Checked {
        let Some(of_model) = self.model.tables.get(&table) else { return Ok(()) };
        let indexes: Vec<(Index, Vec<String>)> =
            of_model.indexes.iter().map(|index| (*index, of_model.entries(*index))).collect();
        let mut expected: Vec<String> =
            of_model.items.values().map(|stored| stored.encoded.json().to_owned()).collect();
        expected.sort_unstable();
        let size: u64 = of_model.items.values().map(|stored| stored.encoded.size_bytes()).sum();
        let found = self.scan(table, None)?;
        for item in &found {
            self.digest.add(item);
        }
        ensure_eq!(found, expected, "the items of table {table}");
        let description = self.observer.describe_table(&table_name(table)).expected_to("describe a table")?;
        let counts = (description.item_count, description.table_size_bytes);
        ensure_eq!(counts, (expected.len() as u64, size), "count and size of table {table}");
        let listed = description.global_secondary_indexes.len() + description.local_secondary_indexes.len();
        ensure_eq!(listed, indexes.len(), "the number of indexes of table {table}");
        for (index, expected) in indexes {
            let mut found = self.scan(table, Some(index))?;
            self.planted.spoil_index(table, index, &mut found);
            ensure_eq!(found, expected, "the entries of index {} of table {table}", index.name());
            let globals = description.global_secondary_indexes.iter();
            let locals = description.local_secondary_indexes.iter();
            let counts = globals
                .map(|one| (one.index_name.as_str(), one.item_count))
                .chain(locals.map(|one| (one.index_name.as_str(), one.item_count)));
            let count = counts.into_iter().find(|(name, _)| *name == index.name());
            let expected = (index.name(), expected.len() as u64);
            ensure_eq!(count, Some(expected), "the count of an index of table {table}");
        }
        Ok(())
    }

    /// Scans a table or an index in pages; returns its items in the order of their texts.
    fn scan(&self, table: u8, index: Option<Index>) -> Checked<Vec<String>> {
        let mut input = ScanInput {
            index_name: index.and_then(|index| index.name().parse().ok()),
            limit: Some(7),
            ..ScanInput::new(table_name(table))
        };
        let mut found = Vec::new();
        loop {
            let page = self.observer.scan(input.clone()).expected_to("scan")?;
            found.extend(page.items.iter().flat_map(|items| items.iter()).map(EncodedItem::into_json));
            match page.last_evaluated_key {
                Some(key) => input.exclusive_start_key = Some(key),
                None => break,
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Compares the lists of streams and of their shards with the model, and replays the streams that are complete.
    fn check_streams(&mut self) -> Checked {
        let now = self.now();
        let listed = self.observer.list_streams(&ListStreamsInput::default()).expected_to("list streams")?;
        let mut found: Vec<StreamArn> = listed.streams.into_iter().map(|stream| stream.stream_arn).collect();
        found.sort();
        let mut expected: Vec<StreamArn> = self.model.listed(now).map(|(arn, _)| arn.clone()).collect();
        expected.sort();
        // AWS lists 100 at most.
        ensure!(expected.len() > 100 || found == expected, "streams: found {found:?}, expected {expected:?}");
        for arn in expected {
            self.audit(&arn)?;
            let Some(stream) = self.model.streams.get(&arn) else { continue };
            let input = DescribeStreamInput::new(arn.clone());
            let description = self.observer.describe_stream(&input).expected_to("describe a stream")?;
            let status = match stream.disabled {
                None => StreamStatus::Enabled,
                Some(_) => StreamStatus::Disabled,
            };
            ensure_eq!(description.stream_status, status, "the status of {arn}");
            ensure_eq!(description.stream_view_type, stream.view, "the view type of {arn}");
            let shards: Vec<_> = stream.shards.iter().filter(|(_, shard)| shard.is_listed(now)).collect();
            let ids: Vec<_> = shards.iter().map(|(id, _)| (*id).clone()).collect();
            let found: Vec<_> = description.shards.iter().map(|shard| shard.shard_id.clone()).collect();
            ensure!(ids.len() > 100 || found == ids, "shards of {arn}: found {found:?}, expected {ids:?}");
            for (shard, (_, of_model)) in description.shards.iter().zip(shards) {
                let ends = (shard.starting_sequence_number, shard.ending_sequence_number);
                let expected = (of_model.summary.starting, of_model.summary.ending);
                ensure_eq!(ends, expected, "the numbers of shard {}", shard.shard_id);
            }
            self.check_replay(stream)?;
        }
        Ok(())
    }

    /// Replays a stream of both images from when its table was empty: it must give the table, and each old image the image before.
    fn check_replay(&self, stream: &ModelStream) -> Checked {
        let table = self.model.tables.get(&stream.table);
        let is_whole = stream.view == StreamViewType::NewAndOldImages && stream.is_complete;
        let Some(table) = table.filter(|_| is_whole && stream.disabled.is_none()) else { return Ok(()) };
        let now = self.now();
        let mut replayed: BTreeMap<&str, &EncodedItem> = BTreeMap::new();
        let mut bounds: Vec<_> = stream.visible(now).collect();
        bounds.sort_by_key(|bound| bound.record.sequence_number);
        // Records that are too old are still counted as there until a sweep has removed them.
        let all: usize = stream.shards.values().map(|shard| shard.records.len()).sum();
        if all != bounds.len() {
            return Ok(());
        }
        for bound in bounds {
            let record = bound.record.as_ref();
            let before = replayed.get(record.keys.json()).copied();
            ensure_eq!(record.old_image.as_ref(), before, "an old image is the new one of before");
            match (&record.new_image, record.event_name) {
                (Some(new), _) => replayed.insert(record.keys.json(), new),
                (None, EventName::Remove) => replayed.remove(record.keys.json()),
                (None, event) => {
                    ensure!(false, "a record {event:?} has no new image");
                    None
                }
            };
        }
        let mut found: Vec<&str> = replayed.values().map(|image| image.json()).collect();
        found.sort_unstable();
        let mut expected: Vec<&str> = table.items.values().map(|stored| stored.encoded.json()).collect();
        expected.sort_unstable();
        ensure_eq!(found, expected, "the replay of a stream");
        Ok(())
    }
}
