//! How a database is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pdb_items::{Habits, MessageLayer};
use pdb_model::{Account, Clock, Env, IdSource, RandomIds, SystemClock};
use pdb_store::{Durability, Location, OpenError, StoreError, StoreOptions};
use pdb_streams::RETENTION;

use crate::{Pretender, location};

/// Chooses how a [`Pretender`] is opened. What is not chosen is as AWS has it, or as the docs of the method say.
///
/// # Examples
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use pretender::Pretender;
/// use pretender::time::{Clock, EpochMillis, ManualClock};
///
/// let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
/// let db = Pretender::builder()
///     .in_memory()
///     .clock(clock.clone())
///     .region("eu-west-1")
///     .sweep_interval(None)
///     .open()?;
/// db.advance(Duration::from_secs(24 * 3600))?;
/// assert_eq!(clock.now(), EpochMillis(1_772_442_942_017));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    store: StoreOptions,
    /// Why the last name of a database that was given can be none.
    refusal: Option<OpenError>,
    pub(crate) account: Account,
    pub(crate) env: Env,
    pub(crate) retention: Duration,
    pub(crate) sweep_interval: Option<Duration>,
    pub(crate) expiry_interval: Duration,
    pub(crate) shards_per_stream: u32,
    pub(crate) message_layer: MessageLayer,
    pub(crate) habits: Habits,
    pub(crate) warm_shards: bool,
    pub(crate) enforce_limits: bool,
    pub(crate) transition_delay: Duration,
}

impl Builder {
    /// For about how long [`open`](Self::open) tries again to reach a database server that does not answer.
    pub const CONNECT_PATIENCE: Duration = StoreOptions::CONNECT_PATIENCE;

    pub(crate) fn new() -> Self {
        Self {
            store: StoreOptions { location: Location::Memory, ..defaults() },
            refusal: None,
            account: Account::default(),
            env: Env { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) },
            retention: RETENTION,
            sweep_interval: Some(Duration::from_secs(3600)),
            expiry_interval: Duration::from_secs(60),
            shards_per_stream: 1,
            message_layer: MessageLayer::default(),
            habits: Habits::default(),
            warm_shards: false,
            enforce_limits: false,
            transition_delay: Duration::ZERO,
        }
    }

    /// Keeps the data in memory, for as long as the database is open. This is the default.
    pub fn in_memory(mut self) -> Self {
        self.refusal = None;
        self.store.location = Location::Memory;
        self
    }

    /// Keeps the data in this file, which is made if it does not exist.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.refusal = None;
        self.store.location = Location::File(path.into());
        self
    }

    /// Keeps the data on a PostgreSQL server, or on one that speaks its protocol: `postgres://user:password@host/database`.
    /// Several hosts may be named, of which the one that can be written is used; `?schema=NAME` keeps everything in a
    /// schema of its own. Any number of processes may use the same database. Needs the feature `postgres`.
    ///
    /// Calls then wait for the network: from asynchronous code, use those that end in `_async`, and a thread that may block
    /// for the others. On a runtime of one thread they fail there.
    pub fn postgres(mut self, url: impl Into<String>) -> Self {
        self.refusal = None;
        self.store.location = Location::Postgres(url.into());
        self
    }

    /// Keeps the data where `name` says: on a server if it begins with `postgres://` or `postgresql://`, in memory if it is
    /// `:memory:`, else in the file of this name.
    ///
    /// A name that was probably meant for a server, such as `mysql://...` or `host=... dbname=...`, is not taken for a file:
    /// [`open`](Self::open) refuses it. For a file of such a name use [`file`](Self::file), or put `./` before it.
    pub fn database(self, name: &str) -> Self {
        match location::parse(name) {
            Ok(location) => self.at(location),
            Err(refusal) => Self { refusal: Some(refusal), ..self },
        }
    }

    /// As [`database`](Self::database), but tells at once whether the name can be used.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`], which does not repeat the name: there may be a password in it.
    pub fn try_database(self, name: &str) -> Result<Self, OpenError> {
        Ok(self.at(location::parse(name)?))
    }

    fn at(self, location: Location) -> Self {
        match location {
            Location::Memory => self.in_memory(),
            Location::File(path) => self.file(path),
            Location::Postgres(url) => self.postgres(url),
        }
    }

    /// Returns whether the data is kept on a server.
    #[must_use]
    pub fn is_on_server(&self) -> bool {
        matches!(self.store.location, Location::Postgres(_))
    }

    /// Returns where the data is kept, for people: without a password.
    #[must_use]
    pub fn location(&self) -> String {
        self.store.location.to_string()
    }

    /// How safe an acknowledged write is; [`Durability::Normal`] unless chosen.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.store.durability = durability;
        self
    }

    /// How many writes run at once on a server; 16 unless chosen. SQLite has one writer.
    pub fn writers(mut self, writers: u32) -> Self {
        self.store.writers = writers.max(1);
        self
    }

    /// How many connections read at once; the store's default unless chosen.
    pub fn readers(mut self, readers: u32) -> Self {
        self.store.readers = readers.max(1);
        self
    }

    /// Takes the time from this clock; the machine's unless chosen.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.env.clock = clock;
        self
    }

    /// Takes identifiers from this source; random ones unless chosen.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.env.ids = ids;
        self
    }

    /// The region in ARNs and records; `us-east-1` unless chosen.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.account.region = region.into();
        self
    }

    /// The same for another region, whose data is kept beside it: of `orders.db` in `orders.us-west-2.db`, of a PostgreSQL server in
    /// the schema `pretender_us_west_2`, or `NAME_us_west_2` where the address has `?schema=NAME`, and in memory by itself. For its own
    /// region nothing changes. What cannot be the name of a region there, [`open`](Self::open) refuses.
    pub fn in_region(self, region: &str) -> Self {
        match self.clone().try_in_region(region) {
            Ok(builder) => builder,
            Err(refusal) => Self { refusal: Some(refusal), ..self },
        }
    }

    /// As [`in_region`](Self::in_region), but tells at once whether the region can have this name.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`] for a name that no file has, and for one with which the name of a schema is longer than PostgreSQL allows.
    pub fn try_in_region(self, region: &str) -> Result<Self, OpenError> {
        if region == self.account.region || self.refusal.is_some() {
            return Ok(self);
        }
        let location = location::in_region(&self.store.location, region)?;
        Ok(self.at(location).region(region))
    }

    /// The account in ARNs: 12 digits; `000000000000` unless chosen.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account.id = account.into();
        self
    }

    /// How long stream records are kept; 24 hours unless chosen.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How often, by the clock, background threads trim streams and delete expired items; hourly unless chosen. `None`: never,
    /// only [`Pretender::run_due_work`] does.
    pub fn sweep_interval(mut self, interval: Option<Duration>) -> Self {
        self.sweep_interval = interval;
        self
    }

    /// How often, by the clock, the background threads delete expired items between two sweeps; every minute unless chosen.
    pub fn expiry_interval(mut self, interval: Duration) -> Self {
        self.expiry_interval = interval;
        self
    }

    /// How many open shards a new stream gets; one unless chosen. Keys are spread over them by hash.
    pub fn shards_per_stream(mut self, shards: u32) -> Self {
        self.shards_per_stream = shards.max(1);
        self
    }

    /// Whether `WarmThroughput` opens shards, as many as AWS has partitions for it: one for each 1,000 write units or 3,000 read
    /// units a second, whichever are more, up to 64. It does not unless chosen.
    ///
    /// A new stream gets as many shards, if they are more than [`shards_per_stream`](Self::shards_per_stream); where `UpdateTable`
    /// raises the throughput of a table with a stream, open shards are split until there are as many.
    pub fn warm_throughput_opens_shards(mut self, opens: bool) -> Self {
        self.warm_shards = opens;
        self
    }

    /// How old an open shard gets before it is closed and continued by a child; four hours unless chosen. `None`: it is
    /// never closed by age.
    pub fn shard_rotation(mut self, age: Option<Duration>) -> Self {
        self.store = self.store.with_rotation_age(age);
        self
    }

    /// Whether the Streams operations refuse more calls a second than AWS allows; they do not unless chosen.
    pub fn enforce_limits(mut self, enforce: bool) -> Self {
        self.enforce_limits = enforce;
        self
    }

    /// How long tables are shown as `CREATING` and `UPDATING`, and streams as `ENABLING` and `DISABLING`, for tests of code that
    /// waits; not at all unless chosen. Meanwhile what AWS refuses is refused. Deleted tables are gone at once.
    pub fn transition_delay(mut self, delay: Duration) -> Self {
        self.transition_delay = delay;
        self
    }

    /// Which of AWS's texts refused requests get; the classic ones unless chosen.
    pub fn message_layer(mut self, layer: MessageLayer) -> Self {
        self.message_layer = layer;
        self
    }

    /// Which habits of DynamoDB Local it has, for suites that were written against that; none unless chosen. What else differs
    /// there is set here by itself: [`expiry_interval`](Self::expiry_interval).
    pub fn habits(mut self, habits: Habits) -> Self {
        self.habits = habits;
        self
    }

    /// Opens the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if the file is no database of ours, is damaged, was made by a newer version, is in use, or
    /// cannot be written; nothing of it is changed then. Also if [`database`](Self::database) was given a name that can be
    /// neither a file's nor a server's.
    pub fn open(self) -> Result<Pretender, StoreError> {
        Pretender::open_with(self)
    }
}

impl Builder {
    /// How the store is opened.
    ///
    /// # Errors
    ///
    /// The refusal of a name that was given before.
    pub(crate) fn store_options(&self) -> Result<&StoreOptions, StoreError> {
        match &self.refusal {
            Some(refusal) => Err(refusal.clone().into()),
            None => Ok(&self.store),
        }
    }
}

/// What is not chosen, wherever the data will be.
fn defaults() -> StoreOptions {
    // SQLite makes no use of the writers, and a database in memory none of the rest.
    StoreOptions { writers: StoreOptions::postgres("").writers, ..StoreOptions::file("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chosen_is_what_the_store_has_for_the_place() {
        let file = Builder::new().file("orders.db").store;
        assert_eq!(file, StoreOptions { writers: file.writers, ..StoreOptions::file("orders.db") });
        assert_eq!(Builder::new().postgres("postgres://x").store, StoreOptions::postgres("postgres://x"));
    }

    #[test]
    fn what_is_chosen_stays_whatever_is_chosen_afterwards() {
        let builder = Builder::new().durability(Durability::Off).readers(3).writers(5);
        for store in [builder.clone().file("orders.db").store, builder.postgres("postgres://x").store] {
            assert_eq!((store.durability, store.readers, store.writers), (Durability::Off, 3, 5));
        }
    }
}
