//! How a store is opened.

use std::{fmt, path::PathBuf, time::Duration};

/// How a store is opened.
///
/// # Examples
///
/// ```
/// use pdb_store::{Durability, StoreOptions};
///
/// let options = StoreOptions::file("orders.db").with_durability(Durability::Full);
/// assert_eq!(options.durability, Durability::Full);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Where the data is.
    pub location: Location,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// How many reads may run at the same time. A database in memory runs one.
    pub readers: u32,
    /// How many writes may run at the same time on a database server; SQLite has one writer. A store has as many connections to
    /// the server as readers and writers together, opened as they are needed.
    pub writers: u32,
    /// How old a shard may become before it is closed and continued by a child; with `None`, shards are not rotated by
    /// age. The default is four hours, as on AWS.
    pub rotation_age: Option<Duration>,
}

const ROTATION_AGE: Option<Duration> = Some(Duration::from_secs(4 * 60 * 60));

impl StoreOptions {
    /// How long opening a store keeps trying to reach a database server, approximately.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Returns the options of a database in memory, which is gone when the [`Store`](crate::Store) is dropped.
    #[must_use]
    pub fn memory() -> Self {
        Self {
            location: Location::Memory,
            durability: Durability::Off,
            readers: 1,
            writers: 1,
            rotation_age: ROTATION_AGE,
        }
    }

    /// Returns the options of a database in a file, which is created if it does not exist, with [`Durability::Normal`].
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            location: Location::File(path.into()),
            durability: Durability::Normal,
            readers: 8,
            writers: 1,
            rotation_age: ROTATION_AGE,
        }
    }

    /// Returns the options of a database on a PostgreSQL server, or on one that speaks its protocol:
    /// `postgres://user:password@host:port/database`. With [`Durability::Normal`] and [`Durability::Full`], the settings of the
    /// server decide what an acknowledged write survives.
    ///
    /// There may be several hosts, `host:port,host:port`; the one that can be written is used. Besides the usual parameters,
    /// `schema=NAME` keeps everything in a schema of its own, which is created if it does not exist.
    #[must_use]
    pub fn postgres(url: impl Into<String>) -> Self {
        Self {
            location: Location::Postgres(url.into()),
            durability: Durability::Normal,
            readers: 8,
            writers: 16,
            rotation_age: ROTATION_AGE,
        }
    }

    /// Sets what an acknowledged write survives.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how old a shard may become before it is rotated; `None` switches rotation by age off.
    #[must_use]
    pub fn with_rotation_age(mut self, rotation_age: Option<Duration>) -> Self {
        self.rotation_age = rotation_age;
        self
    }

    /// Sets how many writes may run at the same time on a database server.
    #[must_use]
    pub fn with_writers(mut self, writers: u32) -> Self {
        self.writers = writers;
        self
    }

    /// Sets how many reads may run at the same time.
    #[must_use]
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::memory()
    }
}

/// Where a store's data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// In the memory of this process, for as long as the store is open. Needs the feature `sqlite`.
    Memory,
    /// In this SQLite file, with `-wal`, `-shm` and `-lock` files beside it. Needs the feature `sqlite`.
    File(PathBuf),
    /// On this PostgreSQL server, which several processes can share. Needs the feature `postgres`.
    Postgres(String),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // There may be a password in it.
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives a power failure: every commit waits for the disk.
    Full,
    /// Survives a crash of the process. A power failure may lose the most recent commits, but leaves a consistent database.
    Normal,
    /// Survives a crash of the process. A power failure may damage the database.
    Off,
}
