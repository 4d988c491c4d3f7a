//! The world of a run: the database, its clock, the model and all actors, on one thread.

mod audit;
mod calls;
mod streams;
mod tables;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use pretender::model::CountingIds;
use pretender::streams::ShardId;
use pretender::time::{Clock, EpochMillis, ManualClock};
use pretender::{Durability, Pretender};

use crate::digest::Digest;
use crate::follower::Follower;
use crate::generate::{Config, Place};
use crate::mapping::{Mapping, StoppedMapping};
use crate::model::Model;
use crate::planted::Planted;
use crate::reader::Reader;
use crate::step::{READERS, Step};
use crate::violation::{Checked, Unexpected};

/// The time at which every run begins: 2026-03-01T09:15:42.017Z.
const START: EpochMillis = EpochMillis(1_772_356_542_017);

/// A database and everybody who uses it.
pub struct World {
    pub(crate) config: Config,
    pub(crate) db: Pretender,
    /// The same database, for checks: without faults, and seen by nobody.
    pub(crate) observer: Pretender,
    pub(crate) clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
    pub(crate) model: Model,
    snapshots: BTreeMap<u8, Model>,
    /// Counts the changes of the run.
    ordinal: u64,
    /// The highest counter ever found in each shard, also in a past that was abandoned.
    pub(crate) highest: BTreeMap<ShardId, u64>,
    /// The iterators of the audit, and when they were issued.
    audits: BTreeMap<ShardId, (String, EpochMillis)>,
    pub(crate) readers: Vec<Option<Reader>>,
    pub(crate) follower: Option<Follower>,
    pub(crate) mapping: Option<Mapping>,
    /// The trigger that has a checkpoint and could not be started again yet.
    pub(crate) stopped_mapping: Option<StoppedMapping>,
    pub(crate) digest: Digest,
    pub(crate) planted: Planted,
    /// Dropped last.
    folder: Option<tempfile::TempDir>,
}

impl World {
    /// Opens an empty database.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn new(config: Config, planted: Planted) -> Checked<Self> {
        let clock = Arc::new(ManualClock::held_at(START));
        let ids = Arc::new(CountingIds::starting_at(1));
        let folder = match config.place {
            Place::Memory => None,
            Place::File => Some(tempfile::tempdir().expected_to("make a folder")?),
        };
        let db = open(&config, folder.as_ref(), &clock, &ids)?;
        Ok(Self {
            observer: db.as_observer(),
            db,
            clock,
            ids,
            model: Model::default(),
            snapshots: BTreeMap::new(),
            ordinal: 0,
            highest: BTreeMap::new(),
            audits: BTreeMap::new(),
            readers: (0..READERS).map(|_| None).collect(),
            follower: None,
            mapping: None,
            stopped_mapping: None,
            digest: Digest::default(),
            planted,
            folder,
            config,
        })
    }

    /// Returns the present time.
    #[must_use]
    pub fn now(&self) -> EpochMillis {
        self.clock.now()
    }

    /// Returns the folder of the database, if it is a file.
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(tempfile::TempDir::path)
    }

    /// Returns the digest of everything that was seen so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the number of the next change.
    pub(crate) fn next_ordinal(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal
    }

    /// Carries a step out and compares what comes of it with the model.
    ///
    /// # Errors
    ///
    /// What is not as the model says.
    pub fn take(&mut self, step: &Step) -> Checked {
        match step {
            Step::Write(action) => self.write(action),
            Step::Statement(action) => self.statement(action),
            Step::Batch(actions) => self.batch(actions),
            Step::Transact(actions, token) => self.transact(actions, *token),
            Step::Get(table, key) => self.get(*table, *key),
            Step::Query(table, index, key) => self.query(*table, *index, *key),
            Step::CreateTable(table, shape, view) => self.create_table(*table, *shape, *view),
            Step::DeleteTable(table) => self.delete_table(*table),
            Step::Stream(table, view) => self.switch_stream(*table, *view),
            Step::Index(table, index, on) => self.switch_index(*table, *index, *on),
            Step::Expiry(table, on) => self.switch_expiry(*table, *on),
            Step::Backup(table) => self.back_up(*table),
            Step::RestoreBackup(backup, table) => self.restore_backup(*backup, *table),
            Step::SaveSnapshot(name) => self.save_snapshot(*name),
            Step::RestoreSnapshot(name) => self.restore_snapshot(*name),
            Step::Reset => self.reset(),
            Step::ResetTable(table) => self.reset_table(*table),
            Step::Rotate(stream, shard) => self.replace_shards(*stream, *shard, false),
            Step::Split(stream, shard) => self.replace_shards(*stream, *shard, true),
            Step::Trim(stream, record) => self.trim(*stream, *record),
            Step::Advance(millis) => self.advance(*millis),
            Step::Sweep => self.sweep(),
            Step::Reopen => self.reopen(),
            Step::Begin(reader, stream, shard, begin) => self.begin(*reader, *stream, *shard, *begin),
            Step::Poll(reader, limit) => self.poll(*reader, *limit),
            Step::Follow(events) => self.follow(*events),
            Step::ResumeFollower => self.resume_follower(),
            Step::Trigger(millis) => self.trigger(*millis),
            Step::Invoke(task) => self.invoke(*task),
            Step::RestartTrigger => self.restart_trigger(),
            Step::Fault(kind, group, times, percent, seed) => {
                self.add_fault(*kind, *group, *times, *percent, *seed)
            }
            Step::ClearFaults => {
                self.db.faults().clear();
                Ok(())
            }
        }
    }

    /// Closes the database and opens it again. Shard iterators of before stay valid; subscriptions of the process end.
    fn reopen(&mut self) -> Checked {
        if self.folder.is_none() {
            return Ok(());
        }
        self.audit_all()?;
        let checkpoint = self.follower.take().map(Follower::stop);
        let mapping = self.mapping.take().map(Mapping::stop);
        self.db.close();
        self.db = open(&self.config, self.folder.as_ref(), &self.clock, &self.ids)?;
        self.observer = self.db.as_observer();
        self.audits.clear();
        self.model.streams.values_mut().for_each(|stream| stream.is_changed = true);
        if let Some(stopped) = checkpoint {
            self.resume_from(stopped)?;
        }
        if let Some(stopped) = mapping {
            self.restart_from(stopped)?;
        }
        Ok(())
    }
}

fn open(
    config: &Config,
    folder: Option<&tempfile::TempDir>,
    clock: &Arc<ManualClock>,
    ids: &Arc<CountingIds>,
) -> Checked<Pretender> {
    let builder = Pretender::builder();
    let builder = match folder {
        Some(folder) => builder.file(folder.path().join("simulated.db")).durability(Durability::Normal),
        None => builder.in_memory(),
    };
    let builder = builder.clock(clock.clone()).ids(ids.clone()).sweep_interval(None);
    builder.shards_per_stream(config.shards_per_stream).open().expected_to("open the database")
}
