//! The open database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pdb_archive::Archive;
use pdb_cleanup::{CleanupOptions, Sweeper, Throttle, TrimGuard};
use pdb_faults::Faults;
use pdb_items::tables::TableManager;
use pdb_items::{Habits, ItemManager, ItemsConfig, ItemsError, MessageLayer};
use pdb_model::{Account, ApiError, Env};
use pdb_objects::ObjectStore;
use pdb_store::{Activities, Location, Store, StoreError};
use pdb_streams::{StreamManager, StreamOptions, StreamsError};
use pdb_transfers::TransferManager;

use crate::Builder;
use crate::access::Access;
use crate::errors::{items_error, store_error};
use crate::faults::mode::FaultMode;
use crate::testing::MemorySnapshots;

/// How long a running write may take when the database is closed, until it is interrupted.
const GRACE: Duration = Duration::from_secs(3);

/// An open database: the whole of DynamoDB and DynamoDB Streams as typed calls.
///
/// Cheap to clone; all clones are the same database. Calls may be made from any number of threads.
///
/// Every operation of the API comes in two forms. The plain name blocks the thread: a write until it is committed, and on a PostgreSQL
/// server every call for the time of the network. The name with `_async` returns a future for any runtime and does not block its
/// threads. Other methods, such as those of [`testing`](crate::testing), block.
///
/// Background threads trim streams and delete expired items until the last clone is dropped or
/// [`close`](Pretender::close) is called.
///
/// # Examples
///
/// ```
/// use pretender::prelude::*;
///
/// let db = Pretender::in_memory()?;
/// let orders = TableName::new("Orders")?;
/// db.create_table(CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None))?;
/// let input = PutItemInput::new(orders, Item::new().with("id", "o1"));
/// // Blocking, and in async code.
/// db.put_item(input.clone())?;
/// let future = db.put_item_async(input);
/// # drop(future);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pretender {
    pub(crate) inner: Arc<Inner>,
    /// How faults affect calls through this handle.
    pub(crate) fault_mode: FaultMode,
    /// Whether tables that this handle changes are ready at once, without the delay of transitions.
    pub(crate) is_immediate: bool,
    /// The limits of calls through this handle, if it has any.
    pub(crate) access: Option<Arc<Access>>,
    /// The streams as code reads them that only looks; none if this handle is a client.
    pub(crate) observed: Option<Arc<StreamManager>>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) env: Env,
    pub(crate) account: Account,
    message_layer: MessageLayer,
    habits: Habits,
    pub(crate) items: ItemManager,
    tables: TableManager,
    /// The same, without the delay of transitions.
    immediate_tables: TableManager,
    pub(crate) streams: StreamManager,
    pub(crate) cleanup: CleanupOptions,
    pub(crate) throttle: Throttle,
    pub(crate) faults: Faults,
    pub(crate) snapshots: MemorySnapshots,
    pub(crate) activities: Activities,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) transfers: TransferManager,
    pub(crate) archive: Option<Arc<Archive>>,
    sweeper: Mutex<Option<Sweeper>>,
}

impl Pretender {
    /// Opens a fresh database in memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if SQLite cannot be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::builder().open()
    }

    /// Opens a database file and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`Builder::open`].
    pub fn open(path: impl Into<std::path::PathBuf>) -> Result<Self, StoreError> {
        Self::builder().file(path).open()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn open_with(builder: Builder) -> Result<Self, StoreError> {
        let store = builder.store_options()?.clone();
        let Builder { account, env, retention, sweep_interval, shards_per_stream, .. } = builder;
        let is_fresh = store.location == Location::Memory;
        let store = Store::open(&store)?;
        let activities = Activities::default();
        let options = StreamOptions {
            retention,
            enforce_limits: builder.enforce_limits,
            transition_delay: builder.transition_delay,
        };
        let streams =
            StreamManager::new(store.clone(), env.clone(), options).map_err(|error| match error {
                StreamsError::Store(error) => error,
                other => unreachable!("making a reader of streams only reads the store: {other}"),
            })?;
        let config = ItemsConfig { message_layer: builder.message_layer, habits: builder.habits };
        let archive = builder.archive.as_ref();
        let archive = archive.map(|options| Arc::new(Archive::new(builder.objects.clone(), options)));
        let mut cleanup = CleanupOptions {
            guard: archive.clone().map(|archive| archive as Arc<dyn TrimGuard>),
            retention,
            expiry_interval: builder.expiry_interval,
            at_start: !is_fresh,
            ..CleanupOptions::default()
        };
        let sweeper = sweep_interval
            .map(|interval| {
                cleanup.interval = interval;
                Sweeper::start(store.clone(), env.clone(), cleanup.clone())
            })
            .transpose()
            .map_err(|error| StoreError::Thread(Arc::new(error)))?;
        let tables = TableManager::new(store.clone(), env.clone(), account.clone(), shards_per_stream)
            .with_habits(builder.habits)
            .with_warm_shards(builder.warm_shards)
            .with_activities(activities.clone());
        let transfers = TransferManager::new(
            store.clone(),
            env.clone(),
            account.clone(),
            tables.clone().with_transition_delay(builder.transition_delay),
            builder.objects.clone(),
        );
        if !is_fresh && let Err(error) = transfers.resume() {
            tracing::error!(%error, "cannot go on with imports and exports that were interrupted");
        }
        Ok(Self {
            inner: Arc::new(Inner {
                items: ItemManager::new(store.clone(), env.clone(), config),
                tables: tables.clone().with_transition_delay(builder.transition_delay),
                immediate_tables: tables,
                streams,
                throttle: Throttle::new(cleanup.step),
                faults: Faults::new(env.clock.clone()),
                snapshots: MemorySnapshots::default(),
                activities,
                objects: builder.objects,
                transfers,
                archive,
                cleanup,
                sweeper: Mutex::new(sweeper),
                store,
                env,
                account,
                message_layer: config.message_layer,
                habits: config.habits,
            }),
            fault_mode: FaultMode::default(),
            is_immediate: false,
            access: None,
            observed: None,
        })
    }

    /// Returns a handle to the same database with which tables are ready at once, without [`Builder::transition_delay`]: for code that
    /// sets a database up.
    #[must_use]
    pub fn without_transitions(&self) -> Self {
        Self { is_immediate: true, ..self.clone() }
    }

    /// Runs a call on a thread of the store.
    pub(crate) async fn in_background<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Self) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let db = self.clone();
        let outcome = self.inner.store.run_in_background(move || Ok::<_, StoreError>(call(&db))).await;
        outcome.unwrap_or_else(|error| Err(store_error(&error)))
    }

    /// Returns the operations on tables.
    pub(crate) fn tables(&self) -> &TableManager {
        if self.is_immediate { &self.inner.immediate_tables } else { &self.inner.tables }
    }

    /// Stops the background threads, finishes running writes and closes the database. Later calls fail. On SQLite a write that takes longer
    /// than three more seconds is interrupted: it fails and has no effect.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns whether the database is on a server. If so, every call waits for the network, also a short read.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.inner.store.is_remote()
    }

    /// Returns the region and account that ARNs name.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.inner.account
    }

    /// Returns the clock and the source of ids the database was opened with.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// Returns where exports, imports and archives find their buckets.
    #[must_use]
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.inner.objects
    }

    /// Returns how long stream records are kept.
    #[must_use]
    pub fn retention(&self) -> Duration {
        self.inner.cleanup.retention
    }

    /// Returns which generation of AWS's validation texts refused requests get.
    #[must_use]
    pub fn message_layer(&self) -> MessageLayer {
        self.inner.message_layer
    }

    /// Returns which habits of DynamoDB Local the database has.
    #[must_use]
    pub fn habits(&self) -> Habits {
        self.inner.habits
    }
}

impl Inner {
    fn close(&self) {
        // A background thread may wait for a write that does not end, and this thread waits for the background threads below.
        let _interrupt = self.store.interrupt_after(GRACE).ok();
        // Taken out first: stopping joins threads that use the store.
        let sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(sweeper);
        self.transfers.close();
        self.throttle.stop();
        self.store.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Pretender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pretender").field("store", &self.inner.store).finish_non_exhaustive()
    }
}

impl Pretender {
    /// Returns AWS's error for a failed operation on items or tables, with the texts that the database was opened with.
    pub(crate) fn api_error(&self, error: ItemsError) -> ApiError {
        self.habits().reword(items_error(error))
    }
}
