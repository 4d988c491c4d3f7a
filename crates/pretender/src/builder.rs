//! How a database is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pdb_archive::ArchiveOptions;
use pdb_items::{Habits, MessageLayer};
use pdb_model::{Account, Clock, Env, IdSource, RandomIds, SystemClock};
use pdb_objects::{NoObjects, ObjectStore};
use pdb_store::{Durability, Location, OpenError, StoreError, StoreOptions};
use pdb_streams::RETENTION;

use crate::{Pretender, location};

/// Settings with which a [`Pretender`] is opened. Each method names its default.
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
    /// Why the last database name that was set cannot be used.
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
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) archive: Option<ArchiveOptions>,
}

impl Builder {
    /// How long [`open`](Self::open) retries if a database server does not answer, approximately.
    pub const CONNECT_TIMEOUT: Duration = StoreOptions::CONNECT_TIMEOUT;

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
            objects: Arc::new(NoObjects),
            archive: None,
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
    /// If the URL names several hosts, the one that accepts writes is used. `?schema=NAME` keeps everything in a schema of its own. Any
    /// number of processes may use the same database. Needs the feature `postgres`.
    ///
    /// Calls then wait for the network. Async code uses the methods whose names end in `_async`, and calls the others on a thread that
    /// may block; on a runtime of one thread they fail.
    pub fn postgres(mut self, url: impl Into<String>) -> Self {
        self.refusal = None;
        self.store.location = Location::Postgres(url.into());
        self
    }

    /// Stores the data on a server if `name` begins with `postgres://` or `postgresql://`, in memory if it is `:memory:`, and otherwise
    /// in the file with this name.
    ///
    /// A name that was probably meant for a server, such as `mysql://...` or `host=... dbname=...`, is not used as a file name:
    /// [`open`](Self::open) refuses it. Use [`file`](Self::file) for a file with such a name, or put `./` before it.
    pub fn database(self, name: &str) -> Self {
        match location::parse(name) {
            Ok(location) => self.at(location),
            Err(refusal) => Self { refusal: Some(refusal), ..self },
        }
    }

    /// Variant of [`database`](Self::database) that checks the name at once.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`]. The error does not repeat the name, which may contain a password.
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

    /// Returns whether the data is stored on a server.
    #[must_use]
    pub fn is_on_server(&self) -> bool {
        matches!(self.store.location, Location::Postgres(_))
    }

    /// Returns where the data is stored, for people: without a password.
    #[must_use]
    pub fn location(&self) -> String {
        self.store.location.to_string()
    }

    /// Sets how safe an acknowledged write is; the default is [`Durability::Normal`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.store.durability = durability;
        self
    }

    /// Sets how many writes run at the same time on a server; the default is 16. SQLite has one writer.
    pub fn writers(mut self, writers: u32) -> Self {
        self.store.writers = writers.max(1);
        self
    }

    /// Sets how many connections read at the same time.
    pub fn readers(mut self, readers: u32) -> Self {
        self.store.readers = readers.max(1);
        self
    }

    /// Sets the clock; the default is the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.env.clock = clock;
        self
    }

    /// Sets the source of identifiers; by default they are random.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.env.ids = ids;
        self
    }

    /// Sets the region in ARNs and records; the default is `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.account.region = region.into();
        self
    }

    /// Returns the same settings for another region, whose data is stored beside this one's: for `orders.db` in `orders.us-west-2.db`, on a
    /// PostgreSQL server in the schema `pretender_us_west_2`, or `NAME_us_west_2` if the address has `?schema=NAME`, and for memory in a
    /// database of its own. For the region that is set already nothing changes. [`open`](Self::open) refuses a name that no region can have.
    pub fn in_region(self, region: &str) -> Self {
        match self.clone().try_in_region(region) {
            Ok(builder) => builder,
            Err(refusal) => Self { refusal: Some(refusal), ..self },
        }
    }

    /// Variant of [`in_region`](Self::in_region) that checks the name at once.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`] for a name that cannot be part of a file name, or that makes the name of a schema longer than PostgreSQL allows.
    pub fn try_in_region(self, region: &str) -> Result<Self, OpenError> {
        if region == self.account.region || self.refusal.is_some() {
            return Ok(self);
        }
        let location = location::in_region(&self.store.location, region)?;
        Ok(self.at(location).region(region))
    }

    /// Sets the account in ARNs, 12 digits; the default is `000000000000`.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account.id = account.into();
        self
    }

    /// Sets how long stream records are kept; the default is 24 hours.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// Sets how often, by the clock, background threads trim streams and delete expired items; the default is every hour. With `None`
    /// only [`Pretender::run_due_work`] does.
    pub fn sweep_interval(mut self, interval: Option<Duration>) -> Self {
        self.sweep_interval = interval;
        self
    }

    /// Sets how often, by the clock, the background threads delete expired items between two sweeps; the default is every minute.
    pub fn expiry_interval(mut self, interval: Duration) -> Self {
        self.expiry_interval = interval;
        self
    }

    /// Sets how many open shards a new stream gets; the default is one. Keys are spread over them by hash.
    pub fn shards_per_stream(mut self, shards: u32) -> Self {
        self.shards_per_stream = shards.max(1);
        self
    }

    /// Sets whether `WarmThroughput` opens shards, as many as AWS has partitions for it: one for each 1,000 write units or 3,000 read
    /// units a second, the larger number of the two, up to 64. The default is `false`.
    ///
    /// A new stream gets this many shards if they are more than [`shards_per_stream`](Self::shards_per_stream). If `UpdateTable` raises the
    /// throughput of a table with a stream, open shards are split until there are this many.
    pub fn warm_throughput_opens_shards(mut self, opens: bool) -> Self {
        self.warm_shards = opens;
        self
    }

    /// Sets the age at which an open shard is closed and a child shard opens; the default is four hours. With `None` no shard is closed
    /// because of its age.
    pub fn shard_rotation(mut self, age: Option<Duration>) -> Self {
        self.store = self.store.with_rotation_age(age);
        self
    }

    /// Sets whether the Streams operations enforce AWS's request rate limits; the default is `false`.
    pub fn enforce_limits(mut self, enforce: bool) -> Self {
        self.enforce_limits = enforce;
        self
    }

    /// Sets how long tables are shown as `CREATING` and `UPDATING`, and streams as `ENABLING` and `DISABLING`, for tests of code that
    /// waits for them; the default is zero. During this time requests are refused as on AWS. Deleted tables disappear at once.
    pub fn transition_delay(mut self, delay: Duration) -> Self {
        self.transition_delay = delay;
        self
    }

    /// Sets which of AWS's validation messages refused requests get; the default is the classic ones.
    pub fn message_layer(mut self, layer: MessageLayer) -> Self {
        self.message_layer = layer;
        self
    }

    /// Sets which habits of DynamoDB Local the database has, for test suites that were written against it; the default is none. One more
    /// difference has a setting of its own: [`expiry_interval`](Self::expiry_interval).
    pub fn habits(mut self, habits: Habits) -> Self {
        self.habits = habits;
        self
    }

    /// Sets where exports, imports and archives find their buckets. The default is a store without buckets.
    pub fn objects(mut self, objects: Arc<dyn ObjectStore>) -> Self {
        self.objects = objects;
        self
    }

    /// Archives stream records before they are trimmed, in a bucket of [`objects`](Self::objects). The default is no archive.
    ///
    /// The trim waits for the archive. See [`archive`](crate::archive) for what is written, and how it is read.
    pub fn archive(mut self, options: ArchiveOptions) -> Self {
        self.archive = Some(options);
        self
    }

    /// Opens the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if the file is not a database of pretender, is damaged, was created by a newer version, is in use, or
    /// cannot be written; it is not changed then. Also if the name in [`database`](Self::database) cannot be that of a file or a server.
    pub fn open(self) -> Result<Pretender, StoreError> {
        Pretender::open_with(self)
    }
}

impl Builder {
    /// Returns the options with which the store is opened.
    ///
    /// # Errors
    ///
    /// The refusal of a database name that was set before.
    pub(crate) fn store_options(&self) -> Result<&StoreOptions, StoreError> {
        match &self.refusal {
            Some(refusal) => Err(refusal.clone().into()),
            None => Ok(&self.store),
        }
    }
}

/// Returns the defaults, which are the same for memory, files and servers.
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
