//! The disk: the folder that is watched, its log, and its faults.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    faults::{Fault, FaultCounts, Plan, WriteFate},
    log::{Change, Event, Log},
    shim,
};

/// A file system of SQLite that watches one folder; see the crate's page. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct Disk {
    shared: Arc<Mutex<Watch>>,
}

impl Disk {
    /// Makes a disk, and has SQLite use it for all databases that this process opens from now on. Files outside of the folder that is
    /// [watched](Self::watch) are treated as ever.
    ///
    /// # Panics
    ///
    /// If SQLite refuses it.
    #[must_use]
    pub fn install() -> Self {
        let disk = Self { shared: Arc::default() };
        shim::register(disk.clone());
        disk
    }

    /// Watches a folder instead of the one before, with an empty log and no fault. What is in the folder is taken for synced. No file in it
    /// may be open.
    ///
    /// `outside` are names of files in the folder that are not written by way of SQLite.
    ///
    /// # Panics
    ///
    /// If the folder cannot be read.
    pub fn watch(&self, folder: &Path, outside: &[&str]) {
        let mut watch = Watch {
            folder: Some(fs::canonicalize(folder).expect("the folder is there")),
            outside: outside.iter().map(|name| ((*name).to_owned(), None)).collect(),
            ..Watch::default()
        };
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() && !outside.contains(&&*name) {
                let bytes = fs::read(&path).expect("the file can be read");
                watch.lengths.insert(name.clone(), bytes.len() as u64);
                watch.push(&name, Change::Found(bytes));
            }
        }
        *self.lock() = watch;
    }

    /// Adds a note to the log.
    pub fn mark(&self, note: u64) {
        self.lock().push("", Change::Marked(note));
    }

    /// Returns the log and ends it: the folder is watched no more.
    #[must_use]
    pub fn take_log(&self) -> Log {
        let watch = std::mem::take(&mut *self.lock());
        Log { events: watch.events }
    }

    /// Returns the log so far.
    #[must_use]
    pub fn log(&self) -> Log {
        Log { events: self.lock().events.clone() }
    }

    /// Has something go wrong in the folder from now on, instead of what went wrong before; `None` ends it.
    pub fn fail(&self, fault: Option<Fault>) {
        self.lock().plan.set(fault);
    }

    /// Returns how often things were done that can fail.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.lock().plan.counts
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Watch> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is watched. Its lock is held while a call changes a file, so that the log has the order of the changes.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    folder: Option<PathBuf>,
    events: Vec<Event>,
    /// How long the files are that are there.
    lengths: BTreeMap<String, u64>,
    /// How often each file is open.
    open: BTreeMap<String, u32>,
    /// When a file was changed last, by the time at which nobody had it open any more.
    changed: BTreeMap<String, SystemTime>,
    /// Files that are not written by way of SQLite, as they were last seen.
    outside: Vec<(String, Option<Vec<u8>>)>,
    plan: Plan,
}

impl Watch {
    /// Returns the name of a file in the folder, or `None` if it is somewhere else.
    pub(crate) fn name_of(&self, path: &Path) -> Option<String> {
        let folder = self.folder.as_ref()?;
        (path.parent()? == folder)
            .then(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// A file was opened. `content` reads it, if it is not known yet, or was changed while nobody had it open.
    pub(crate) fn opened(&mut self, name: &str, content: impl FnOnce() -> Vec<u8>) {
        let count = self.open.entry(name.to_owned()).or_default();
        *count += 1;
        let is_first = *count == 1;
        let changed = self.changed.remove(name);
        let is_as_it_was = !is_first || changed.is_none() || changed == self.changed_at(name);
        if self.lengths.contains_key(name) && is_as_it_was {
            return;
        }
        let bytes = content();
        self.lengths.insert(name.to_owned(), bytes.len() as u64);
        let change = if bytes.is_empty() { Change::Created } else { Change::Found(bytes) };
        self.push(name, change);
    }

    pub(crate) fn closed(&mut self, name: &str) {
        let count = self.open.entry(name.to_owned()).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            let changed = self.changed_at(name);
            self.changed.extend(changed.map(|changed| (name.to_owned(), changed)));
        }
    }

    fn changed_at(&self, name: &str) -> Option<SystemTime> {
        fs::metadata(self.folder.as_ref()?.join(name)).and_then(|found| found.modified()).ok()
    }

    pub(crate) fn read_fails(&mut self) -> bool {
        self.plan.read_fails()
    }

    pub(crate) fn fate_of_write(&mut self, name: &str, at: u64, length: usize) -> WriteFate {
        let known = self.lengths.get(name).copied().unwrap_or(0);
        self.plan.write(length, (at + length as u64).saturating_sub(known))
    }

    pub(crate) fn written(&mut self, name: &str, at: u64, bytes: &[u8]) {
        let length = self.lengths.entry(name.to_owned()).or_default();
        *length = (*length).max(at + bytes.len() as u64);
        self.push(name, Change::Written { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncation_fails(&mut self) -> bool {
        self.plan.write(0, 0) != WriteFate::Done
    }

    pub(crate) fn truncated(&mut self, name: &str, length: u64) {
        self.lengths.insert(name.to_owned(), length);
        self.push(name, Change::Truncated(length));
    }

    pub(crate) fn sync_delay(&self) -> Option<Duration> {
        self.plan.sync_delay()
    }

    pub(crate) fn sync_fails(&mut self) -> bool {
        self.plan.sync_fails()
    }

    pub(crate) fn synced(&mut self, name: &str, is_done: bool) {
        self.push(name, if is_done { Change::Synced } else { Change::SyncFailed });
    }

    pub(crate) fn deleted(&mut self, name: &str, durably: bool) {
        self.lengths.remove(name);
        self.push(name, Change::Deleted { durably });
    }

    fn push(&mut self, file: &str, change: Change) {
        if let Some(folder) = &self.folder {
            for (name, seen) in &mut self.outside {
                let found = fs::read(folder.join(&**name)).ok();
                if found != *seen {
                    let change = found.clone().map_or(Change::Deleted { durably: true }, Change::Found);
                    self.events.push(Event { file: name.clone(), change });
                    *seen = found;
                }
            }
        }
        self.events.push(Event { file: file.to_owned(), change });
    }
}
