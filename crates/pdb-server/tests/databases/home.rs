//! Where the data of a test is.

use std::path::PathBuf;

use pdb_testkit::Schema;
use pretender::{Builder, Pretender};

/// A place for one database, empty at first; it goes, with all that is in it, when this value does.
pub(crate) enum Home {
    /// A folder of its own, for an SQLite file.
    File(tempfile::TempDir),
    /// A schema of its own, on PostgreSQL.
    Postgres(Schema),
}

impl Home {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// None, and the test is skipped, if there is no PostgreSQL.
    pub(crate) fn postgres() -> Option<Self> {
        Schema::new().map(Self::Postgres)
    }

    pub(crate) fn builder(&self) -> Builder {
        match self {
            Self::File(folder) => Pretender::builder().file(file_in(folder)),
            Self::Postgres(schema) => Pretender::builder().database(schema.url()),
        }
    }

    /// What `--db` takes.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::File(folder) => file_in(folder).display().to_string(),
            Self::Postgres(schema) => schema.url().to_owned(),
        }
    }

    /// Whether two servers can use it at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

fn file_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("pretender.db")
}
