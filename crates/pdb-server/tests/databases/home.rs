//! Where the data of a test is.

use std::path::PathBuf;

use pretender::{Builder, Pretender};

/// A place for one database, empty at first; it goes, with all that is in it, when this value does.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// An SQLite file in a folder of its own.
    pub(crate) fn file() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn builder(&self) -> Builder {
        Pretender::builder().file(self.path())
    }

    /// What `--db` takes.
    pub(crate) fn argument(&self) -> String {
        self.path().display().to_string()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pretender.db")
    }
}
