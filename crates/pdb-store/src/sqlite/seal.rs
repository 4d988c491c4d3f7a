//! The seal on a database file: proof that nothing is missing from it since a process had it open.
//!
//! When a database is closed, and all of it is on the disk, the lock file beside it gets a line that describes the database file:
//! which one it is, how long it is, and when it was changed last. Before the first write of the next session the line is
//! removed, for good. So it is missing after a process or the power failed; and it does not fit after another file was put in
//! the database's place, such as an old copy, because no program can set the time of a file's last change. If anything else is wrong
//! with the line, the answer is the same: something may be missing.
//!
//! A second line has the highest counter of a sequence number that is known to have been in use. It outlasts the database file:
//! after an old copy was put in its place, numbers go on above it.
//!
//! What follows from that answer: `leap.rs`.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use pdb_model::EpochMillis;

use crate::{
    error::StoreError,
    sqlite::{files::names::beside, refusals},
};

/// What is in the lock file while the database is not sealed.
const OPEN: &str = "open\n";
/// What the second line begins with.
const COUNTERS: &str = "counters below ";
/// More than the longest lines have.
const MOST_BYTES: u64 = 1024;

/// The seal of a database that is open.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The lock file.
    lock: File,
    /// The database file that was opened; another file may be in its place by now.
    file: File,
    path: PathBuf,
    is_intact: AtomicBool,
    /// Whether the database may be sealed when it is closed: it was sealed before, or what may be missing is allowed for.
    is_settled: AtomicBool,
    /// Whether the database is on the disk when it is closed.
    is_durable: bool,
    /// Above all counters that are known to have been drawn.
    counters: AtomicU64,
}

impl Seal {
    /// Looks at the seal of a database file, which must not have been written to yet. `lock` is its lock file, open to be read and
    /// written. Without `is_durable` it will not be sealed again; nor will it, unless the seal is intact, before
    /// [`settle`](Self::settle).
    pub(crate) fn of(lock: File, file: File, path: &Path, is_durable: bool) -> io::Result<Self> {
        let line = line_of(&file.metadata()?);
        let (found, counters) = lines_in(&lock);
        let is_intact = found == line;
        Ok(Self {
            lock,
            file,
            path: path.into(),
            is_intact: is_intact.into(),
            is_settled: is_intact.into(),
            is_durable,
            counters: counters.into(),
        })
    }

    /// Returns a number above all counters that this database, or another one in its place, is known to have drawn.
    pub(crate) fn counters(&self) -> u64 {
        self.counters.load(Ordering::Relaxed)
    }

    /// Notes that all counters that were drawn are below `next`. Written with the next line.
    pub(crate) fn note(&self, next: u64) {
        self.counters.fetch_max(next, Ordering::Relaxed);
    }

    /// Returns whether the database is complete.
    pub(crate) fn is_intact(&self) -> bool {
        self.is_intact.load(Ordering::Relaxed)
    }

    /// Notes that all that may be missing from the database is allowed for. Before that, an opening that fails must not leave a
    /// seal: the next one would believe that nothing is missing.
    pub(crate) fn settle(&self) {
        self.is_settled.store(true, Ordering::Relaxed);
    }

    /// Must be called before something is written to the database that others may see before it is on the disk.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unwritable`](crate::OpenError::Unwritable): then nothing must be written.
    pub(crate) fn break_up(&self) -> Result<(), StoreError> {
        if self.is_intact() {
            self.write(OPEN).map_err(|e| refusals::unwritable(&self.path, e))?;
            self.is_intact.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Returns the time as the file system has it.
    ///
    /// # Errors
    ///
    /// As [`break_up`](Self::break_up).
    pub(crate) fn now(&self) -> Result<EpochMillis, StoreError> {
        let written = self.write(OPEN).and_then(|()| self.lock.metadata()?.modified());
        let written = written.map_err(|e| refusals::unwritable(&self.path, e))?;
        let passed = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(EpochMillis(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)))
    }

    fn lines(&self, line: &str) -> String {
        format!("{line}{COUNTERS}{}\n", self.counters())
    }

    fn write(&self, line: &str) -> io::Result<()> {
        let mut lock = &self.lock;
        lock.set_len(0)?;
        lock.seek(SeekFrom::Start(0))?;
        lock.write_all(self.lines(line).as_bytes())?;
        lock.sync_all()
    }

    /// Seals the database, all of which is on the disk.
    ///
    /// # Errors
    ///
    /// As [`break_up`](Self::break_up).
    pub(crate) fn seal(&self) -> Result<(), StoreError> {
        self.try_seal().map_err(|e| refusals::unwritable(&self.path, e))
    }

    fn try_seal(&self) -> io::Result<()> {
        let line = line_of(&self.file.metadata()?);
        if lines_in(&self.lock) != (line.clone(), self.counters()) {
            self.write(&line)?;
        }
        self.is_intact.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Seals the database, which SQLite has closed. Does not if a log is left beside it, which is a part of it.
    fn close(&self) -> io::Result<()> {
        let has_log = fs::metadata(beside(&self.path, "-wal")).is_ok_and(|log| log.len() > 0);
        if !self.is_durable || has_log || !self.is_settled.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.is_intact() {
            self.file.sync_all()?;
        }
        self.try_seal()
    }
}

/// Opening a database that is not sealed costs some sequence numbers and nothing else, so a failure is only logged.
impl Drop for Seal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the database file could not be sealed"
            );
        }
    }
}

/// The first line of a lock file, and the counter in its second one. Empty and 0 if it is something else.
fn lines_in(mut lock: &File) -> (String, u64) {
    let mut text = String::new();
    let read = lock.seek(SeekFrom::Start(0)).and_then(|_| lock.take(MOST_BYTES).read_to_string(&mut text));
    let Ok(_) = read else { return Default::default() };
    let (first, second) = text.split_at(text.find('\n').map_or(text.len(), |end| end + 1));
    let counters = second.strip_prefix(COUNTERS).and_then(|counter| counter.trim_end().parse().ok());
    (first.to_owned(), counters.unwrap_or(0))
}

#[cfg(unix)]
fn line_of(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!(
        "closed: file {}, {} bytes, written {}.{:09}, changed {}.{:09}\n",
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

#[cfg(not(unix))]
fn line_of(metadata: &Metadata) -> String {
    format!("closed: {} bytes, written {:?}\n", metadata.len(), metadata.modified().ok())
}

#[cfg(test)]
mod tests;
