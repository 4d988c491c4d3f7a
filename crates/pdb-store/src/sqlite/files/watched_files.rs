//! Notices that a file was deleted or replaced while it is open, or that the disk does not take what is written to it. What is written from
//! then on would be lost.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    db_error::Cause,
    error::StoreError,
    sqlite::{
        failures,
        files::{
            database::DatabaseFile,
            names::{FileId, beside},
        },
    },
};

/// The files of an open database, as they were when it was opened.
#[derive(Debug)]
pub(crate) struct WatchedFiles {
    files: Vec<(PathBuf, FileId)>,
    /// The first of them that was missed. It stays so: others may have used the file meanwhile.
    gone: OnceLock<PathBuf>,
    /// The database.
    path: PathBuf,
    /// A sync has failed. It stays so: the operating system takes what it could not write for written, and the next sync succeeds without
    /// it.
    has_failed: AtomicBool,
}

impl WatchedFiles {
    /// Notes which files these are. To be called once SQLite has its log open.
    pub(crate) fn of(path: &Path, database: &DatabaseFile) -> Self {
        let mut files = Vec::new();
        files.extend(database.id().map(|id| (path.to_owned(), id)));
        for suffix in ["-wal", "-shm"] {
            let path = beside(path, suffix);
            let id = fs::metadata(&path).ok().as_ref().and_then(FileId::of);
            files.extend(id.map(|id| (path, id)));
        }
        Self { files, gone: OnceLock::new(), path: path.to_owned(), has_failed: AtomicBool::new(false) }
    }

    /// Looks whether the files are still there; once one is not, says so in the log, and returns false from then on.
    pub(crate) fn look(&self) -> bool {
        if self.gone.get().is_some() {
            return false;
        }
        let missed = self.files.iter().find(|(path, id)| match fs::metadata(path) {
            Ok(found) => FileId::of(&found) != Some(*id),
            Err(e) => e.kind() == io::ErrorKind::NotFound,
        });
        if let Some((path, _)) = missed
            && self.gone.set(path.clone()).is_ok()
        {
            tracing::error!(
                file = %path.display(),
                "the file was deleted or replaced while it is open: no more writes are accepted, as they would be lost. \
                 Save a snapshot to keep what there is, and start again"
            );
        }
        self.is_intact()
    }

    /// Whether all files were there when they were last looked at.
    pub(crate) fn is_intact(&self) -> bool {
        self.gone.get().is_none()
    }

    /// Notes an error, if it is that of a sync.
    pub(crate) fn note(&self, error: &StoreError) {
        if is_failed_sync(error) && !self.has_failed.swap(true, Ordering::AcqRel) {
            tracing::error!(
                error = error as &dyn std::error::Error,
                file = %self.path.display(),
                "the disk failed to keep what was written: no more writes are accepted, as a later success would prove nothing. Look \
                 after the disk, and start again"
            );
        }
    }

    /// Whether a sync has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// The error of a write into a file that is not there any more, or on a disk that failed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.gone.get() {
            Some(path) => Err(StoreError::FileGone(path.clone())),
            None if self.has_failed() => Err(StoreError::SyncFailed(self.path.clone())),
            None => Ok(()),
        }
    }
}

/// Whether an error says that the disk failed to take what was written.
fn is_failed_sync(error: &StoreError) -> bool {
    match error {
        StoreError::SyncFailed(_) => true,
        StoreError::Database { source, .. } => {
            matches!(&*source.cause, Cause::Sqlite(error) if failures::is_failed_sync(error))
        }
        _ => false,
    }
}
