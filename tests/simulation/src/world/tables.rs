//! The administrator: tables, indexes, expiry, backups, snapshots, resets.

use pretender::errors::ErrorCode;
use pretender::streams::StreamViewType;
use pretender::tables::{
    GlobalIndexUpdate, RestoreOverrides, StreamSpecification, TimeToLiveSpecification, UpdateTableInput,
};

use super::World;
use crate::model::{Model, ModelBackup, ModelTable};
use crate::planted::Bug;
use crate::shape::{self, Index, table_name};
use crate::violation::{Checked, Unexpected, ensure, ensure_eq};

/// The most backups that a run keeps.
const MAX_BACKUPS: usize = 4;

impl World {
    /// `CreateTable`.
    pub(super) fn create_table(&mut self, table: u8, shape: u8, view: Option<StreamViewType>) -> Checked {
        self.audit_all()?;
        let mut input = shape::create_table(table, shape);
        input.stream_specification = view.map(StreamSpecification::enabled);
        let called = self.call(|db| db.create_table(input))?;
        if called.is_refused() {
            return self.check_tables();
        }
        match called.result {
            Ok(description) => {
                ensure!(!self.model.tables.contains_key(&table), "a table was created twice");
                self.model.tables.insert(table, ModelTable::of_shape(shape));
                ensure_eq!(description.latest_stream_arn.is_some(), view.is_some(), "the stream of a table");
                if let Some((arn, view)) = description.latest_stream_arn.zip(view) {
                    self.enable(table, &arn, view)?;
                }
                Ok(())
            }
            Err(error) => {
                ensure!(self.model.tables.contains_key(&table), "a table was not created: {error:?}");
                ensure_eq!(error.code, ErrorCode::ResourceInUseException, "a table that exists");
                Ok(())
            }
        }
    }

    fn enable(&mut self, table: u8, arn: &pretender::streams::StreamArn, view: StreamViewType) -> Checked {
        ensure!(!self.model.streams.contains_key(arn), "two streams have the ARN {arn}");
        self.digest.add(arn.to_string());
        self.model.enable_stream(table, arn, view);
        let is_empty = self.model.tables.get(&table).is_some_and(|table| table.items.is_empty());
        if let Some(stream) = self.model.streams.get_mut(arn) {
            stream.is_complete = is_empty;
        }
        Ok(())
    }

    /// Compares the list of tables: a refused call has changed nothing.
    pub(crate) fn check_tables(&mut self) -> Checked {
        let listed = self.observer.list_tables(&Default::default()).expected_to("list tables")?.table_names;
        let expected: Vec<_> = self.model.tables.keys().map(|table| table_name(*table)).collect();
        ensure_eq!(listed, expected, "the list of tables");
        Ok(())
    }

    /// `DeleteTable`.
    pub(super) fn delete_table(&mut self, table: u8) -> Checked {
        self.audit_all()?;
        let called = self.call(|db| db.delete_table(&table_name(table)).map(drop))?;
        if called.is_refused() {
            return self.check_tables();
        }
        match called.result {
            Ok(()) => {
                let now = self.now();
                self.model.disable_stream(table, now);
                ensure!(self.model.tables.remove(&table).is_some(), "a table was deleted that was not there");
            }
            Err(error) => {
                ensure!(!self.model.tables.contains_key(&table), "a table was not deleted: {error:?}");
                ensure_eq!(error.code, ErrorCode::ResourceNotFoundException, "a table that is not there");
            }
        }
        Ok(())
    }

    /// `UpdateTable` that enables or disables a stream.
    pub(super) fn switch_stream(&mut self, table: u8, view: Option<StreamViewType>) -> Checked {
        self.audit_all()?;
        let specification = view.map_or_else(StreamSpecification::disabled, StreamSpecification::enabled);
        let input = UpdateTableInput {
            stream_specification: Some(specification),
            ..UpdateTableInput::new(table_name(table))
        };
        let called = self.call(|db| db.update_table(input))?;
        if called.is_refused() {
            return Ok(());
        }
        let is_enabled = self.model.tables.get(&table).map(|table| table.stream.is_some());
        match (called.result, is_enabled, view) {
            (Ok(description), Some(false), Some(view)) => {
                let arn = description.latest_stream_arn;
                let arn = arn.ok_or("no ARN").expected_to("enable a stream")?;
                self.enable(table, &arn, view)
            }
            (Ok(_), Some(true), None) => {
                let now = self.now();
                self.model.disable_stream(table, now);
                Ok(())
            }
            (Err(error), None, _) => {
                ensure_eq!(error.code, ErrorCode::ResourceNotFoundException, "a stream of no table");
                Ok(())
            }
            // It is so already.
            (Err(error), Some(enabled), view) if enabled == view.is_some() => {
                let codes = [ErrorCode::ValidationException, ErrorCode::ResourceInUseException];
                ensure!(codes.contains(&error.code), "a stream that is so already: {error:?}");
                Ok(())
            }
            (result, is_enabled, view) => {
                ensure!(false, "a stream was switched to {view:?} from {is_enabled:?}: {result:?}");
                Ok(())
            }
        }
    }

    /// `UpdateTable` that adds and fills a global index, or removes it.
    pub(super) fn switch_index(&mut self, table: u8, index: u8, on: bool) -> Checked {
        let index = if index == 0 { Index::ByText } else { Index::ByNumber };
        let Some(of_model) = self.model.tables.get(&table) else { return Ok(()) };
        if of_model.indexes.contains(&index) == on {
            return Ok(());
        }
        let update = match (on, index.global()) {
            (true, Some(definition)) => GlobalIndexUpdate::create(definition),
            (true, None) => return Ok(()),
            (false, _) => GlobalIndexUpdate::delete(index.name().parse().expected_to("name an index")?),
        };
        let input = UpdateTableInput {
            attribute_definitions: on.then(|| shape::definitions(&[index])),
            global_secondary_index_updates: Some(vec![update]),
            ..UpdateTableInput::new(table_name(table))
        };
        let called = self.call(|db| db.update_table(input))?;
        if called.is_refused() {
            return self.check_table(table);
        }
        called.result.expected_to("switch an index")?;
        if let Some(of_model) = self.model.tables.get_mut(&table) {
            if on {
                of_model.indexes.insert(index)
            } else {
                of_model.indexes.remove(&index)
            };
        }
        self.check_table(table)
    }

    /// `UpdateTimeToLive`.
    pub(super) fn switch_expiry(&mut self, table: u8, on: bool) -> Checked {
        let specification = TimeToLiveSpecification { enabled: on, attribute_name: "t".to_owned() };
        let called = self.call(|db| db.update_time_to_live(&table_name(table), specification).map(drop))?;
        if called.is_refused() {
            return Ok(());
        }
        let of_model = self.model.tables.get_mut(&table);
        match (called.result, of_model) {
            (Ok(()), Some(of_model)) if of_model.expires != on => of_model.expires = on,
            (Err(error), None) => {
                ensure_eq!(error.code, ErrorCode::ResourceNotFoundException, "expiry of no table");
            }
            (Err(error), Some(of_model)) if of_model.expires == on => {
                ensure_eq!(error.code, ErrorCode::ValidationException, "expiry that is so already");
            }
            (result, of_model) => ensure!(false, "expiry was switched to {on}: {result:?} {of_model:?}"),
        }
        Ok(())
    }

    /// `CreateBackup`.
    pub(super) fn back_up(&mut self, table: u8) -> Checked {
        if self.model.backups.len() >= MAX_BACKUPS {
            let arn = self.model.backups.remove(0).arn;
            self.observer.delete_backup(&arn).expected_to("delete a backup")?;
        }
        let called = self.call(|db| db.create_backup(&table_name(table), "simulated"))?;
        if called.is_refused() {
            return Ok(());
        }
        match (called.result, self.model.tables.get(&table)) {
            (Ok(details), Some(of_model)) => {
                let of_backup = ModelTable { expires: false, stream: None, ..of_model.clone() };
                self.model.backups.push(ModelBackup { arn: details.backup_arn, table: of_backup });
            }
            (Err(error), None) => {
                ensure_eq!(error.code, ErrorCode::TableNotFoundException, "a backup of no table");
            }
            (result, of_model) => ensure!(false, "a backup of {of_model:?}: {result:?}"),
        }
        Ok(())
    }

    /// `RestoreTableFromBackup`.
    pub(super) fn restore_backup(&mut self, backup: u8, table: u8) -> Checked {
        let backups = self.model.backups.len();
        let Some(backup) = usize::from(backup).checked_rem(backups).map(|n| self.model.backups[n].clone())
        else {
            return Ok(());
        };
        let name = table_name(table);
        let called = self.call(|db| {
            db.restore_table_from_backup(&name, &backup.arn, RestoreOverrides::default()).map(drop)
        })?;
        if called.is_refused() {
            return self.check_tables();
        }
        match called.result {
            Ok(()) => {
                let before = self.model.tables.insert(table, backup.table);
                ensure!(before.is_none(), "a backup has replaced a table");
                self.check_table(table)
            }
            Err(error) => {
                ensure!(self.model.tables.contains_key(&table), "a backup was not restored: {error:?}");
                ensure_eq!(error.code, ErrorCode::TableAlreadyExistsException, "a restore over a table");
                Ok(())
            }
        }
    }

    /// Saves a snapshot.
    pub(super) fn save_snapshot(&mut self, name: u8) -> Checked {
        self.audit_all()?;
        let summary = self.db.save_snapshot(&snapshot_name(name)).expected_to("save a snapshot")?;
        let items: usize = self.model.tables.values().map(|table| table.items.len()).sum();
        let expected = (self.model.tables.len() as u64, items as u64);
        ensure_eq!((summary.tables, summary.items), expected, "the content of a snapshot");
        let now = self.now();
        self.model.forget(now);
        self.snapshots.insert(name, self.model.clone());
        Ok(())
    }

    /// Goes back to a snapshot: the whole database must be what the model was then.
    pub(super) fn restore_snapshot(&mut self, name: u8) -> Checked {
        self.audit_all()?;
        let Some(then) = self.snapshots.get(&name).cloned() else {
            let error = self.db.restore_snapshot(&snapshot_name(name)).err();
            ensure!(error.is_some(), "a snapshot was restored that was never saved");
            return Ok(());
        };
        self.db.restore_snapshot(&snapshot_name(name)).expected_to("restore a snapshot")?;
        if self.planted.is(Bug::IncompleteRestore) {
            self.lose_an_item()?;
        }
        let before = std::mem::replace(&mut self.model, then);
        self.excuse_resurrected(&before);
        self.after_replacement();
        self.check_contents()
    }

    /// Records that were trimmed, or belonged to no past, are there again. Consumers that were behind them do not go back.
    fn excuse_resurrected(&mut self, before: &Model) {
        let now = self.now();
        let consumers = [
            self.follower.as_mut().map(|follower| &mut follower.deliveries),
            self.mapping.as_mut().map(|mapping| &mut mapping.deliveries),
            self.stopped_mapping.as_mut().map(|stopped| &mut stopped.deliveries),
        ];
        for deliveries in consumers.into_iter().flatten() {
            for (arn, stream) in &self.model.streams {
                let was_visible = |number| {
                    let known = before.streams.get(arn).filter(|stream| !stream.is_purged(now));
                    known.is_some_and(|stream| stream.find(number, now).is_some())
                };
                for bound in stream.visible(now) {
                    let number = bound.record.sequence_number;
                    if !was_visible(number) {
                        deliveries.excuse(arn, number);
                    }
                }
            }
        }
    }

    /// What the planted bug of an incomplete restore does.
    fn lose_an_item(&mut self) -> Checked {
        let scan = pretender::items::ScanInput::new(table_name(0));
        let Ok(page) = self.observer.scan(scan) else { return Ok(()) };
        if let Some(item) = page.items.and_then(|items| items.iter().last()) {
            let mut key = item.decode().expected_to("decode an item")?;
            key.retain(|name, _| name == "pk" || name == "sk");
            let input = pretender::items::DeleteItemInput::new(table_name(0), key);
            self.observer.delete_item(input).expected_to("lose an item")?;
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn reset(&mut self) -> Checked {
        self.audit_all()?;
        self.db.reset().expected_to("reset")?;
        self.model = Default::default();
        self.after_replacement();
        self.check_contents()
    }

    /// What the actors must know after the database was replaced.
    fn after_replacement(&mut self) {
        self.audits.clear();
        for stream in self.model.streams.values_mut() {
            stream.is_changed = true;
        }
        self.allow_repeats();
    }

    /// Removes the items of a table and the past of its streams.
    pub(super) fn reset_table(&mut self, table: u8) -> Checked {
        self.audit_all()?;
        let cleared = self.db.reset_table(&table_name(table));
        let Some(of_model) = self.model.tables.get_mut(&table) else {
            ensure!(cleared.is_err(), "a table was emptied that does not exist");
            return Ok(());
        };
        let report = cleared.expected_to("reset a table")?;
        ensure_eq!(report.items, of_model.items.len() as u64, "the items that a reset has removed");
        of_model.items.clear();
        self.model.tokens.clear();
        let enabled = of_model.stream.clone();
        self.model.streams.retain(|arn, stream| stream.table != table || Some(arn) == enabled.as_ref());
        if let Some(stream) = enabled.and_then(|arn| self.model.streams.get_mut(&arn)) {
            stream.shards.retain(|_, shard| shard.summary.ending.is_none());
            let open: Vec<_> = stream.shards.keys().cloned().collect();
            open.iter().for_each(|shard_id| stream.trim(shard_id, u64::MAX));
            stream.is_complete = true;
            stream.is_changed = true;
        }
        self.allow_repeats();
        self.check_table(table)
    }
}

fn snapshot_name(name: u8) -> String {
    format!("snapshot-{name}")
}
