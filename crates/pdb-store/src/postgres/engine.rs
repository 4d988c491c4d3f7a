//! The engine of PostgreSQL, and of what speaks its protocol: many transactions at the same time, also of other processes.
//!
//! Each job is a transaction of its own, with row locks. It runs again if it lost a conflict with another transaction (`work.rs`).
//!
//! **Versions of the catalog.** What is in memory of tables, streams and open shards belongs to a version, `pdb_catalog.version`. A
//! transaction reads the version in the same round trip as `BEGIN`, and loads what has changed since the version that this process knows
//! (`load.rs`). A reader needs no more: its snapshot begins with that row. A writer also checks at its end, with locks, that the tables it
//! has written to are still the same (`transaction.rs`), because others may have changed them meanwhile.
//!
//! The driver blocks the calling thread until the server answers. A thread of an asynchronous runtime must not be blocked, so such callers
//! hand their jobs to threads of the engine.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use pdb_model::{EpochMillis, TableName};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::{
    catalog::Catalog,
    db_error::DbError,
    driver::Driver,
    error::{OpenError, StoreError},
    interrupt_guard::InterruptGuard,
    job::{ClosureJob, Job},
    metrics::Meters,
    options::{Durability, StoreOptions},
    pending::{Answer, JobRunner},
    postgres::{
        address::Address,
        fault::{self, Fault},
        load,
        pool::{self, Pool, PooledSession, Sessions},
        schema,
        slots::Slots,
    },
    read_tx::ReadTx,
    sql::settings,
    tx::Tx,
    watch::Watchers,
};

/// The most jobs that wait. A caller with one more waits until a thread has taken one: memory stays bounded.
const QUEUE: usize = 1024;
/// How long a job is retried while the database cannot be reached.
pub(super) const RETRY_TIMEOUT: Duration = StoreOptions::CONNECT_TIMEOUT;
/// How often a job is run again after conflicts with other transactions.
pub(super) const MAX_CONFLICTS: u32 = 20;
/// How often watchers look for what other processes have committed.
const POLL: Duration = Duration::from_millis(100);

const BEGIN_READ: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT version FROM pdb_catalog WHERE id = 1";

/// An open database on a server. Closes it when dropped.
pub(crate) struct PostgresEngine {
    core: Arc<Core>,
    /// None once the store is closed.
    queue: RwLock<Option<Sender<Box<dyn Job + Send>>>>,
    /// Never sent on; dropped when the store is closed.
    closing: Mutex<Option<Sender<()>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    maintenance: Mutex<()>,
}

pub(super) struct Core {
    /// None once the store is closed.
    pool: RwLock<Option<Pool>>,
    /// The newest catalog that any transaction has read or made.
    published: RwLock<Arc<Catalog>>,
    pub(super) watchers: Watchers,
    pub(super) meters: Meters,
    pub(super) slots: Slots,
    pub(super) closed: Receiver<()>,
}

impl PostgresEngine {
    pub(crate) fn open(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        may_block("open a database", || Self::open_here(url, options))?
    }

    fn open_here(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let sessions = Sessions::new(&address, options.durability == Durability::Off)?;
        let (closing, closed) = crossbeam_channel::bounded(0);
        prepare(&sessions, &address, &closed)?;
        let writers = options.writers.max(1);
        let meters = Meters::default();
        let catalog = Catalog::empty(options.rotation_age, -1, meters.traffic.clone());
        let core = Arc::new(Core {
            pool: RwLock::new(Some(pool::pool(sessions, writers + options.readers.max(1)))),
            published: RwLock::new(Arc::new(catalog)),
            watchers: Watchers::default(),
            meters,
            slots: Slots::new(),
            closed: closed.clone(),
        });
        // The first reads the catalog.
        core.read(|_| Ok::<_, StoreError>(()))?;
        let (sender, receiver) = crossbeam_channel::bounded::<Box<dyn Job + Send>>(QUEUE);
        let mut threads = Vec::new();
        for number in 0..writers {
            let (core, receiver) = (core.clone(), receiver.clone());
            threads.push(crate::threads::start(&format!("pdb-writer-{number}"), move || {
                for mut job in receiver {
                    core.run(&mut *job);
                    job.answer();
                }
            })?);
        }
        let watched = core.clone();
        threads.push(crate::threads::start("pdb-poll", move || {
            while closed.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                watched.watchers.remind();
            }
        })?);
        Ok(Self {
            core,
            queue: RwLock::new(Some(sender)),
            closing: Mutex::new(Some(closing)),
            threads: Mutex::new(threads),
            maintenance: Mutex::new(()),
        })
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        may_block("read", || self.core.read(work))?
    }

    /// Hands a job to one of the writers, whose threads run it.
    pub(crate) fn submit(
        &self,
        work: Box<dyn Job + Send>,
        _may_take_long: bool,
    ) -> Option<Arc<dyn JobRunner>> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Once the store is closed, the work is dropped, which answers `Closed`.
        if let Some(queue) = queue {
            let _ = queue.send(work);
        }
        None
    }

    pub(crate) fn read_once<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read(work)
    }

    /// Runs work on this thread if that may wait, which it may if it has nothing to do with an asynchronous runtime. Else gives the work
    /// back.
    pub(crate) fn write_here<T, E: From<StoreError>, F>(&self, work: F) -> Result<Result<T, E>, F>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    {
        if Handle::try_current().is_ok() {
            return Err(work);
        }
        let mut job = ClosureJob::new(work, None);
        self.core.run(&mut job);
        Ok(job.take_result())
    }

    pub(crate) fn has_one_writer(&self) -> bool {
        false
    }

    pub(crate) fn is_remote(&self) -> bool {
        true
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        None
    }

    pub(crate) fn kind(&self) -> &'static str {
        "server"
    }

    pub(crate) fn reset(&self) -> Result<(), StoreError> {
        let clear = |tx: &mut Tx<'_>| tx.clear_database();
        self.maintain(|| {
            // On a thread that may not wait for the network, one of the writers does it, behind the jobs that wait.
            self.write_here(clear).unwrap_or_else(|clear| {
                let (answer, pending) = Answer::new();
                let _ = self.submit(Box::new(ClosureJob::new(clear, Some(answer))), true);
                pending.wait()
            })
        })
    }

    /// A server ends statements by its own settings.
    pub(crate) fn interrupt_after(&self, _: Duration) -> Result<InterruptGuard, StoreError> {
        Ok(InterruptGuard::none())
    }

    pub(crate) fn is_rotation_due(&self, table: &TableName, now: EpochMillis) -> bool {
        let catalog = self.core.published();
        catalog.get(table).is_some_and(|table| catalog.is_rotation_due(table, now))
    }

    pub(crate) fn watchers(&self) -> &Watchers {
        &self.core.watchers
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.core.meters
    }

    pub(crate) fn maintain<T>(&self, work: impl FnOnce() -> T) -> T {
        // The lock guards no data, so a panic under it leaves nothing broken behind.
        let _alone = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    pub(crate) fn close(&self) {
        // The writers do what they were given before, then end.
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.closing.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        crate::threads::join(threads);
        let pool = self.core.pool.write().unwrap_or_else(PoisonError::into_inner).take();
        // Connections say goodbye, which this thread may not be allowed to wait for.
        if let Some(pool) = pool
            && let Ok(thread) = crate::threads::start("pdb-close", move || drop(pool))
        {
            crate::threads::join(vec![thread]);
        }
    }
}

impl Drop for PostgresEngine {
    fn drop(&mut self) {
        self.close();
    }
}

/// Makes the tables; tries again for a while if the database is only just being started, and fails at once if it refuses us.
fn prepare(sessions: &Sessions, address: &Address, closed: &Receiver<()>) -> Result<(), StoreError> {
    use r2d2::ManageConnection;
    let began = Instant::now();
    let mut tries = 0_u32;
    loop {
        let done = sessions
            .connect()
            .map_err(|error| (StoreError::from(unreachable_at(address, error)), true))
            .and_then(|session| {
                let set_up = || {
                    if let Some(schema) = sessions.schema() {
                        schema::create_schema(&session, schema)
                            .map_err(|source| StoreError::Database { during: "make a schema", source })?;
                    }
                    schema::migrate(&session, &address.shown())?;
                    settings::ensure_iterator_key(Driver::Postgres(&session))
                };
                set_up().map_err(|error| (error, false))
            });
        let (error, is_connecting) = match done {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let source = match &error {
            StoreError::Open(OpenError::Unreachable { source, .. }) => source.clone(),
            StoreError::Database { source, .. } => source.clone(),
            _ => return Err(error),
        };
        let again = if is_connecting {
            fault::may_pass(&source) && began.elapsed() < RETRY_TIMEOUT
        } else {
            match Fault::of(source) {
                Fault::Conflict(_) => tries < MAX_CONFLICTS,
                Fault::Lost(_) => began.elapsed() < RETRY_TIMEOUT,
                Fault::Refused(_) => false,
            }
        };
        if !again {
            return Err(error);
        }
        tracing::debug!(error = &error as &dyn std::error::Error, "the database is not ready");
        let _ = pause(closed, tries);
        tries += 1;
    }
}

fn unreachable_at(address: &Address, source: DbError) -> OpenError {
    OpenError::Unreachable { address: address.shown(), source }
}

/// Waits a little, longer after more tries, and never quite the same time; not at all once the store is being closed.
///
/// Returns whether that is so: then nothing is tried again.
pub(super) fn pause(closed: &Receiver<()>, tries: u32) -> bool {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let most = 1_u64 << tries.min(8);
    let micros = RandomState::new().build_hasher().finish() % (most * 1000) + 200;
    closed.recv_timeout(Duration::from_micros(micros)) == Err(RecvTimeoutError::Disconnected)
}

impl Core {
    fn published(&self) -> Arc<Catalog> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn publish(&self, catalog: &Arc<Catalog>) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if published.version < catalog.version {
            *published = catalog.clone();
        }
    }

    /// Begins a transaction, and returns the catalog as of it. Tries again while the database cannot be reached.
    pub(super) fn begin(
        &self,
        sql: &str,
        until: Instant,
    ) -> Result<(PooledSession, Arc<Catalog>), StoreError> {
        let mut tries = 0;
        loop {
            let error = match self.try_begin(sql) {
                Ok(begun) => return Ok(begun),
                Err(error) => error,
            };
            let source = match &error {
                StoreError::Database { source, .. } | StoreError::Unavailable { source, .. } => {
                    source.clone()
                }
                _ => return Err(error),
            };
            let is_lost = matches!(error, StoreError::Unavailable { .. })
                || matches!(Fault::of(source.clone()), Fault::Lost(_));
            if !is_lost {
                return Err(error);
            }
            let is_over = pause(&self.closed, tries) || Instant::now() >= until;
            if is_over {
                return Err(StoreError::Unavailable { during: "begin a transaction", source });
            }
            tries += 1;
        }
    }

    fn try_begin(&self, sql: &str) -> Result<(PooledSession, Arc<Catalog>), StoreError> {
        let pool =
            self.pool.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)?;
        let lent = match pool.try_get() {
            Some(lent) => lent,
            None => {
                let begun = Instant::now();
                let lent = pool.get();
                self.meters.count_reader_wait(begun.elapsed());
                lent.map_err(|e| StoreError::Unavailable { during: "lend a connection", source: e.into() })?
            }
        };
        let version = lent.begin(sql).inspect_err(|_| lent.give_up())?;
        let known = self.published();
        if known.version == version {
            return Ok((lent, known));
        }
        let catalog = Arc::new(load::catalog(Driver::Postgres(&lent), version, &known)?);
        self.publish(&catalog);
        Ok((lent, catalog))
    }

    fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (session, catalog) = self.begin(BEGIN_READ, Instant::now() + RETRY_TIMEOUT)?;
        let mut tx = ReadTx::new(Driver::Postgres(&session), catalog);
        let result = work(&mut tx);
        tx.count_if(result.is_ok());
        match session.fault() {
            None => {
                // The answer is complete. A connection that fails now is not used again.
                if let Err(error) = session.commit() {
                    tracing::debug!(%error, "the end of a snapshot failed");
                }
                result
            }
            Some(fault) => {
                session.roll_back();
                if matches!(fault, Fault::Lost(_)) {
                    session.give_up();
                }
                match fault {
                    Fault::Lost(source) => Err(StoreError::Unavailable { during: "read", source }.into()),
                    Fault::Conflict(_) => Err(StoreError::Conflict.into()),
                    Fault::Refused(_) => result,
                }
            }
        }
    }
}

/// Runs work that waits for the network, as far as this thread may wait.
///
/// Threads of an asynchronous runtime may not. One of several hands its other tasks on before; a single one cannot.
fn may_block<T>(during: &'static str, work: impl FnOnce() -> T) -> Result<T, StoreError> {
    let Ok(runtime) = Handle::try_current() else { return Ok(work()) };
    if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
        return Ok(tokio::task::block_in_place(work));
    }
    // The runtime has one thread: is this it, or one beside it that may wait?
    let probe = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(async {})));
    if probe.is_ok() {
        return Ok(work());
    }
    let why = "called from asynchronous code on a runtime of one thread; call it by way of `spawn_blocking`";
    Err(StoreError::Database { during, source: DbError::said(why) })
}
