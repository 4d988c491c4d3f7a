//! The archive of a database: writes what is due of all streams.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdb_model::EpochMillis;
use pdb_objects::ObjectStore;
use pdb_store::{Store, StreamRow};

use crate::note::{Note, ShardNote};
use crate::plan::Due;
use crate::shard_run::{ShardWork, archive_shard, find_work};
use crate::{ArchiveError, ArchiveLocation, ArchiveOptions, ArchiveStatus, Manifest};

/// Writes the records of all streams of a database to a store of objects, and holds the trim back until it has: a
/// [`TrimGuard`](pdb_cleanup::TrimGuard).
///
/// # How records get into the archive
///
/// 1. What is due of a shard is divided by hours. Each hour becomes one object, whose name says which numbers it covers.
/// 2. The manifest of the stream names the objects. It is read before, and written after them.
/// 3. The database notes through which number each shard is archived. The trim goes no further.
///
/// Each step may be repeated. A process that dies between two of them leaves an object that no manifest names, and whose name and content the
/// next attempt writes again; or a note that says too little. Several processes may archive one database: an older manifest that a slow one
/// writes last is mended with the next one, because the objects are found by their names.
#[derive(Debug)]
pub struct Archive {
    location: ArchiveLocation,
    max_delay: Duration,
    /// Held while records are archived: one attempt at a time.
    attempt: Mutex<()>,
    status: Mutex<ArchiveStatus>,
}

/// A stream with what is due of it.
type StreamWork = (StreamRow, Vec<ShardWork>);

impl Archive {
    /// Returns the archive in this store of objects. It is not looked at before the first record is due.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, options: &ArchiveOptions) -> Self {
        Self {
            location: ArchiveLocation::new(objects, options),
            max_delay: options.max_delay,
            attempt: Mutex::default(),
            status: Mutex::default(),
        }
    }

    /// Returns where the archive is.
    #[must_use]
    pub fn location(&self) -> &ArchiveLocation {
        &self.location
    }

    /// Returns what the archive has done, and how it is doing.
    #[must_use]
    pub fn status(&self) -> ArchiveStatus {
        self.status_mut().clone()
    }

    pub(crate) fn max_delay(&self) -> Duration {
        self.max_delay
    }

    pub(crate) fn status_mut(&self) -> MutexGuard<'_, ArchiveStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Archives what is due of all streams. What fails is logged and counted; the next attempt begins where this one has ended.
    pub(crate) fn run(&self, store: &Store, due: Due, is_stopped: &dyn Fn() -> bool) {
        let _attempt = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = match self.find_work(store, due) {
            Ok(work) => work,
            Err(error) => return self.fail("the streams", None, &error),
        };
        left.retain(|(_, work)| !work.is_empty());
        let mut failed: Option<(Option<EpochMillis>, String)> = None;
        let mut is_reachable = true;
        for (stream, work) in left {
            if is_stopped() {
                return;
            }
            let oldest = work.iter().filter_map(|work| work.oldest).min();
            // A store of objects that does not answer would be waited for once for each stream.
            let outcome = match is_reachable {
                true => self.archive_stream(store, &stream, &work, due, is_stopped),
                false => {
                    failed = failed.map(|(known, error)| (min_of(known, oldest), error));
                    continue;
                }
            };
            if let Err(error) = outcome {
                is_reachable = !error.is_of_objects();
                self.fail(&stream.arn.to_string(), oldest, &error);
                let known = failed.take().and_then(|(known, _)| known);
                failed = Some((min_of(known, oldest), error.to_string()));
            }
        }
        let mut status = self.status_mut();
        (status.oldest_waiting, status.last_error) = match failed {
            Some((oldest, error)) => (oldest, Some(error)),
            None => (None, None),
        };
        drop(status);
        if let Err(error) = Note::forget_gone_streams(store) {
            tracing::warn!(%error, "notes about archived streams that are gone are still there");
        }
    }

    fn find_work(&self, store: &Store, due: Due) -> Result<Vec<StreamWork>, ArchiveError> {
        let streams = store.read(|tx| tx.streams(None))?;
        let work = streams.into_iter().map(|stream| {
            let work = store.read(|tx| find_work(tx, &self.location, &stream, due))?;
            Ok((stream, work))
        });
        work.collect()
    }

    fn fail(&self, what: &str, oldest: Option<EpochMillis>, error: &ArchiveError) {
        tracing::error!(
            archive = %self.location,
            stream = what,
            oldest_record = oldest.map(|oldest| oldest.to_string()),
            %error,
            "records cannot be archived; they are not trimmed until they are, or have waited for too long"
        );
        let mut status = self.status_mut();
        status.failures += 1;
        status.last_error = Some(error.to_string());
    }

    fn archive_stream(
        &self,
        store: &Store,
        stream: &StreamRow,
        work: &[ShardWork],
        due: Due,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), ArchiveError> {
        let location = &self.location;
        // A stream that was never archived in this place, and has nothing to be archived: only the note begins.
        let is_begin = work.iter().all(ShardWork::is_begin);
        if is_begin {
            let begun = |work: &ShardWork| (work.shard.id.to_string(), work.begun());
            return Ok(Note::write(
                store,
                location,
                &stream.arn,
                &work.iter().map(begun).collect::<Vec<_>>(),
            )?);
        }
        let known = Manifest::load(location, &location.manifest_key(&stream.arn))?;
        let mut manifest = known.clone().unwrap_or_else(|| Manifest::new(stream));
        manifest.disabled_at = stream.disabled;
        let mut notes: Vec<(String, ShardNote)> = Vec::new();
        let mut outcome = Ok(());
        for shard in work {
            let archived = archive_shard(location, store, stream, shard, due, &mut manifest, is_stopped);
            match archived {
                Ok(note) => notes.push((shard.shard.id.to_string(), note)),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        // What was written before a failure is named, too.
        if known.as_ref() != Some(&manifest) {
            manifest.save(location)?;
            self.count(known.as_ref(), &manifest);
        }
        Note::write(store, location, &stream.arn, &notes)?;
        outcome
    }

    /// Counts what a manifest has that it did not have before.
    fn count(&self, before: Option<&Manifest>, after: &Manifest) {
        let sum = |manifest: &Manifest| {
            let objects = manifest.shards.iter().flat_map(|shard| &shard.objects);
            objects.fold((0_u64, 0_u64), |(objects, records), object| (objects + 1, records + object.records))
        };
        let ((objects, records), (old_objects, old_records)) =
            (sum(after), before.map(sum).unwrap_or_default());
        let (objects, records) = (objects.saturating_sub(old_objects), records.saturating_sub(old_records));
        let mut status = self.status_mut();
        status.objects += objects;
        status.records += records;
        drop(status);
        if objects > 0 {
            tracing::info!(stream = %after.stream_arn, objects, records, "archived");
        }
    }
}

fn min_of(one: Option<EpochMillis>, other: Option<EpochMillis>) -> Option<EpochMillis> {
    one.into_iter().chain(other).min()
}
