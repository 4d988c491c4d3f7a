//! Notices that a file was deleted or replaced while it is open. What is written to it from then on would be lost when the process ends.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{
    error::StoreError,
    sqlite::files::{
        database::DatabaseFile,
        names::{FileId, beside},
    },
};

/// The files of an open database, as they were when it was opened.
#[derive(Debug)]
pub(crate) struct WatchedFiles {
    files: Vec<(PathBuf, FileId)>,
    /// The first of them that was missed. It stays so: others may have used the file meanwhile.
    gone: OnceLock<PathBuf>,
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
        Self { files, gone: OnceLock::new() }
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

    /// The error of a write into a file that is not there any more.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.gone.get() {
            None => Ok(()),
            Some(path) => Err(StoreError::FileGone(path.clone())),
        }
    }
}
