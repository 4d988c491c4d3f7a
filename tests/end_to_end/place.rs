//! The databases of these tests: SQLite, or a schema of a PostgreSQL server, as `PRETENDER_TEST_DATABASE` selects.

use pdb_testkit::{Schema, on_postgres};
use pretender::{Builder, Pretender};

/// The place of one database; goes when this does, so it is dropped after the database.
pub(crate) enum Place {
    Memory,
    File(tempfile::TempDir),
    Server(Schema),
}

impl Place {
    /// A place for as long as the database is open.
    pub(crate) fn new() -> Self {
        if on_postgres() { Self::server() } else { Self::Memory }
    }

    /// A place that outlasts the database, which may be closed and opened again.
    pub(crate) fn lasting() -> Self {
        if on_postgres() { Self::server() } else { Self::File(tempfile::tempdir().unwrap()) }
    }

    fn server() -> Self {
        Self::Server(Schema::new().expect("PostgreSQL is installed"))
    }

    pub(crate) fn builder(&self) -> Builder {
        let builder = Pretender::builder();
        match self {
            Self::Memory => builder,
            Self::File(folder) => builder.file(folder.path().join("test.db")),
            Self::Server(schema) => builder.postgres(schema.url()),
        }
    }
}
