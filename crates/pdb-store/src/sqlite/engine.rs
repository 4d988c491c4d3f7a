//! The engine of SQLite: one writer, grouped commits, readers with snapshots of their own.
//!
//! SQLite lets one connection write at a time, so there is exactly one that does (`writer.rs`). Its jobs come from a queue, which a thread
//! serves; while the writer is idle, callers run their jobs themselves. Readers have connections of their own from a pool, and are never
//! held up by the writer: the write-ahead log keeps the state that they began with.
//!
//! The tables, streams and open shards of the last commit are in memory (`published`). A read takes them and its snapshot under one lock,
//! and the writer publishes a changed catalog under the same lock as it commits, so that the two always belong together.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use pdb_model::{EpochMillis, TableName};
use rusqlite::Connection;

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{During, StoreError},
    interrupt_guard::InterruptGuard,
    job::{ClosureJob, Job},
    metrics::Meters,
    options::{Durability, StoreOptions},
    pending::JobRunner,
    read_tx::ReadTx,
    sequence::memory,
    sql::settings,
    sqlite::{
        checkpoint::{self, CheckpointHost},
        connection,
        copy::{self, DatabaseCopy},
        files::{self, FileLock, WatchedFiles},
        interrupt::Interrupts,
        load, open,
        pool::{self, Reader, Readers},
        queue::JobQueue,
        refusals,
        writer::Writer,
    },
    threads,
    tx::Tx,
    watch::Watchers,
};

/// The most jobs that share one commit. A larger group would make its first job wait for all the others.
const GROUP: usize = 256;
/// How many groups a thread of a caller runs before the thread of the writer goes on: others wait for the caller's answer.
const GROUPS_HERE: usize = 2;
/// How long a writer that is held back pauses after a group.
const PAUSE: Duration = Duration::from_millis(1);
/// From this many tables on, a read prefers the connection of the writer to reading the SQL schema again. With fewer tables the schema is
/// read in less than a millisecond.
const MANY_TABLES: usize = 64;
/// How long the writer may go on with the jobs it has when the store is closed. Then its statements are interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// About how long SQLite takes to read the schema of one table, measured.
const READ_SCHEMA: Duration = Duration::from_micros(16);

/// An open SQLite database. Closes it when dropped.
pub(crate) struct SqliteEngine {
    core: Arc<Core>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteEngine {
    /// Opens a database in memory, or in a file.
    pub(crate) fn open(path: Option<&PathBuf>, options: &StoreOptions) -> Result<Self, StoreError> {
        // One file has one name, so that it has one lock, whichever way it was reached.
        let path = path.map(|path| files::one_name(path));
        let opened = Self::open_named(path.clone(), options);
        match path {
            Some(path) => opened.map_err(|error| refusals::refused_store(&path, error)),
            None => opened,
        }
    }

    fn open_named(path: Option<PathBuf>, options: &StoreOptions) -> Result<Self, StoreError> {
        let (connection, lock) = match &path {
            None => (connection::open_memory()?, None),
            Some(path) => {
                let (connection, lock) = open::open_file(path, options.durability)?;
                (connection, Some(Arc::new(lock)))
            }
        };
        let driver = Driver::new(&connection);
        settings::ensure_iterator_key(driver)?;
        let meters = Arc::new(Meters::default());
        let mut catalog = load::load_catalog(driver, &meters.traffic)?;
        catalog.rotation_age = options.rotation_age;
        if let Some(seal) = lock.as_ref().and_then(|lock| lock.seal.as_ref()) {
            if !seal.is_intact() && is_leap_needed(driver, &catalog)? {
                let now = seal.now()?;
                let leap = || memory::leap(driver, &catalog, now, seal.counters());
                connection::durably(&connection, options.durability, leap)?;
                seal.note(memory::above_all(&catalog));
                // Until something is written it can be opened again without another leap.
                seal.seal()?;
            }
            seal.settle();
        }
        let catalog = Arc::new(catalog);
        let mut writer = Writer::new(connection, catalog.clone(), lock.clone(), meters.clone());
        if let (Some(path), Some(lock)) = (&path, &lock) {
            writer.watched_files = Some(Arc::new(WatchedFiles::of(path, &lock.database)));
        }
        Self::start(writer, catalog, lock, path, meters, options)
    }

    fn start(
        mut writer: Writer,
        catalog: Arc<Catalog>,
        lock: Option<Arc<FileLock>>,
        path: Option<PathBuf>,
        meters: Arc<Meters>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let (memory, file) = (path.is_none(), path.clone());
        let durability = if memory { Durability::Off } else { options.durability };
        let (pool, readers_closed) =
            path.clone().map(|path| pool::readers(path, options.readers)).transpose()?.unzip();
        let mut requests = None;
        if let Some(path) = &path {
            let (asker, asked) = checkpoint::channel();
            writer.checkpoints = Some(asker);
            requests = Some((connection::open_checkpointer(path, options.durability)?, asked));
        }
        let interrupts = Arc::new(Interrupts::default());
        interrupts.set_writer(&writer.connection);
        let watched_files = writer.watched_files.clone();
        let (queue, woken) = JobQueue::new();
        let core = Arc::new(Core {
            queue,
            interrupts,
            writer: Mutex::new(Some(writer)),
            published: RwLock::new(catalog),
            pool: RwLock::new(pool),
            memory,
            file,
            watched_files,
            durability,
            is_held_back: AtomicBool::new(false),
            watchers: Watchers::default(),
            meters,
            maintenance: Mutex::new(()),
        });
        let mut threads = Vec::new();
        let shared = core.clone();
        threads.push(threads::start("pdb-writer", move || shared.serve(&woken))?);
        if let Some((connection, requests)) = requests {
            let shared = core.clone();
            threads.push(threads::start("pdb-checkpoint", move || {
                let host = LogHost { core: &shared, connection: &connection, lock: lock.as_deref() };
                checkpoint::serve(&connection, &requests, &host);
                // The lock goes last, when SQLite has closed the file, with all of the log in it: the last connection sees to that.
                if let Some(readers) = readers_closed {
                    readers.wait(GRACE);
                }
                if shared.watched_files.as_ref().is_some_and(|files| files.has_failed()) {
                    // The next to open it needs the log as it is.
                    connection::leave_log(&connection);
                }
                drop(connection);
                if let Some(seal) = lock.as_ref().and_then(|lock| lock.seal.as_ref()) {
                    seal.note(memory::above_all(
                        &shared.published.read().unwrap_or_else(PoisonError::into_inner),
                    ));
                }
                drop(lock);
            })?);
        }
        Ok(Self { core, threads: Mutex::new(threads) })
    }

    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let core = &*self.core;
        if core.memory {
            return core.read_as_writer(&core.lock_writer(), work);
        }
        if let Some(writer) = core.writer_of_lost_file() {
            return core.read_as_writer(&writer, work);
        }
        let mut reader = core.lend_reader()?;
        if let Some(writer) = core.read_via_writer(&reader) {
            return core.read_as_writer(&writer, work);
        }
        let driver = Driver::new(&reader.connection);
        let catalog = {
            let published = core.published.read().unwrap_or_else(PoisonError::into_inner);
            driver.execute("BEGIN", &[]).during("begin a snapshot")?;
            // The snapshot is taken by the first read; it must be of the commit that published this catalog.
            driver.first("begin a snapshot", "PRAGMA user_version", &[], |_| Ok(()))?;
            published.clone()
        };
        let mut tx = ReadTx::new(driver, catalog.clone());
        let result = work(&mut tx);
        tx.count_if(result.is_ok());
        driver.execute("COMMIT", &[]).during("end a snapshot")?;
        reader.has_read(&catalog);
        result
    }

    pub(crate) fn read_once<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let core = &*self.core;
        if core.memory {
            return self.read(work);
        }
        if let Some(writer) = core.writer_of_lost_file() {
            return core.read_as_writer(&writer, work);
        }
        let mut reader = core.lend_reader()?;
        if let Some(writer) = core.read_via_writer(&reader) {
            return core.read_as_writer(&writer, work);
        }
        // No definition is committed while this lock is held, so the catalog is that of the statement's snapshot.
        let published = core.published.read().unwrap_or_else(PoisonError::into_inner);
        let mut tx = ReadTx::new(Driver::new(&reader.connection), published.clone());
        let result = work(&mut tx);
        tx.count_if(result.is_ok());
        reader.has_read(&published);
        result
    }

    /// Hands a job to the writer. Returns who runs it, unless it is the writer's thread, which waits for the disk.
    pub(crate) fn submit(
        &self,
        work: Box<dyn Job + Send>,
        may_take_long: bool,
    ) -> Option<Arc<dyn JobRunner>> {
        self.core.queue.push(work, may_take_long);
        if self.core.durability == Durability::Full {
            self.core.queue.wake();
            return None;
        }
        Some(self.core.clone())
    }

    /// Takes the writer, if it is idle.
    fn try_lend_writer(&self) -> Option<LentWriter<'_>> {
        let core = &*self.core;
        // Jobs run in the order in which they came: those that wait come first.
        if !core.queue.is_empty() || core.is_held_back.load(Ordering::Relaxed) {
            return None;
        }
        core.try_lock_writer().map(|writer| LentWriter { core, writer })
    }

    /// Runs work on this thread if the writer is idle. Else gives the work back.
    pub(crate) fn write_here<T, E: From<StoreError>, F>(&self, work: F) -> Result<Result<T, E>, F>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    {
        let Some(writer) = self.try_lend_writer() else { return Err(work) };
        let mut job = ClosureJob::new(work, None);
        writer.run(&mut job);
        Ok(job.take_result())
    }

    pub(crate) fn has_one_writer(&self) -> bool {
        true
    }

    pub(crate) fn is_remote(&self) -> bool {
        false
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.core.memory { "memory" } else { "file" }
    }

    pub(crate) fn reset(&self) -> Result<(), StoreError> {
        self.replace(DatabaseCopy::empty()?, &mut copy::unwatched)
    }

    pub(crate) fn is_rotation_due(&self, table: &TableName, now: EpochMillis) -> bool {
        let catalog = self.core.published.read().unwrap_or_else(PoisonError::into_inner);
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
        let _alone = self.core.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    pub(crate) fn close(&self) {
        // The writer runs the jobs it has, then its thread ends, and then the one that copies the log.
        self.core.queue.close();
        let ended = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if ended.is_empty() {
            return;
        }
        // Without a thread for that, what does not end is waited for.
        let _guard = self.interrupt_after(GRACE).ok();
        // The last clone may be dropped by a job, on the writer thread itself.
        threads::join(ended);
    }

    pub(crate) fn interrupt_after(&self, after: Duration) -> Result<InterruptGuard, StoreError> {
        let interrupts = self.core.interrupts.clone();
        InterruptGuard::start(after, move || interrupts.interrupt())
    }
}

impl Drop for SqliteEngine {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether there are counters that must leap: not in the target of a copy that is not finished, which is to be as its source is.
fn is_leap_needed(driver: Driver<'_>, catalog: &Catalog) -> Result<bool, StoreError> {
    Ok(memory::has_open_shards(catalog) && settings::get(driver, settings::COPY_MARK, |_| Ok(()))?.is_none())
}

/// What the thread that copies the log back needs of the store.
struct LogHost<'a> {
    core: &'a Core,
    connection: &'a Connection,
    lock: Option<&'a FileLock>,
}

impl CheckpointHost for LogHost<'_> {
    fn sync(&self) -> Result<(), StoreError> {
        let Some(lock) = self.lock.filter(|_| self.core.durability != Durability::Off) else { return Ok(()) };
        lock.database.sync().map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a sync of the database file failed");
            StoreError::SyncFailed(self.core.file.clone().unwrap_or_default())
        })
    }

    fn failed(&self, error: &StoreError) {
        if let Some(files) = &self.core.watched_files {
            files.note(error);
        }
    }

    fn has_failed(&self) -> bool {
        self.core.watched_files.as_ref().is_some_and(|files| files.has_failed())
    }

    fn hold_back(&self, is_held_back: bool) {
        self.core.is_held_back.store(is_held_back, Ordering::Relaxed);
    }

    fn copied(&self, took: Duration) {
        self.core.meters.count_log_copy(took);
    }

    fn stand_still(&self, work: &mut dyn FnMut()) {
        let _standing_still = self.core.lock_writer();
        work();
    }

    fn is_idle(&self) -> Result<(), StoreError> {
        self.core.compact_if_cheap(self.connection).map(drop)
    }

    fn look(&self) -> bool {
        self.core.watched_files.as_ref().is_none_or(|files| files.look())
    }
}

/// The idle writer, lent to the thread of a caller: that takes less time than waking the writer's thread.
pub(crate) struct LentWriter<'e> {
    core: &'e Core,
    writer: MutexGuard<'e, Option<Writer>>,
}

impl LentWriter<'_> {
    /// Runs a job, which then has its result.
    pub(crate) fn run(mut self, work: &mut dyn Job) {
        match self.writer.as_mut() {
            Some(writer) => drop(writer.run_group(work, || None, &self.core.published)),
            None => work.fail(StoreError::Closed),
        }
        drop(self.writer);
        self.core.watchers.call();
    }
}

/// What the writer thread shares with callers.
struct Core {
    queue: JobQueue,
    interrupts: Arc<Interrupts>,
    /// None once the store is closed.
    writer: Mutex<Option<Writer>>,
    /// The catalog of the last commit.
    published: RwLock<Arc<Catalog>>,
    /// None in memory, and once the store is closed.
    pool: RwLock<Option<r2d2::Pool<Readers>>>,
    memory: bool,
    /// None in memory.
    file: Option<PathBuf>,
    /// None in memory.
    watched_files: Option<Arc<WatchedFiles>>,
    durability: Durability,
    /// Whether the writer pauses between groups, for the thread that copies the log back.
    is_held_back: AtomicBool,
    watchers: Watchers,
    meters: Arc<Meters>,
    /// Held by background work that trims, expires or rotates.
    maintenance: Mutex<()>,
}

impl Core {
    /// A panic under this lock happens only in a read, which changes nothing.
    fn lock_writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on the writer's connection, which sees what is committed, since no transaction is open between two groups.
    fn read_as_writer<T, E: From<StoreError>>(
        &self,
        writer: &Option<Writer>,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = writer.as_ref().ok_or(StoreError::Closed)?;
        let mut tx = ReadTx::new(Driver::new(&writer.connection), writer.catalog.clone());
        let result = work(&mut tx);
        tx.count_if(result.is_ok());
        result
    }

    fn try_lock_writer(&self) -> Option<MutexGuard<'_, Option<Writer>>> {
        match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(writer)) => Some(writer.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lend_reader(&self) -> Result<r2d2::PooledConnection<Readers>, StoreError> {
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner).clone();
        let pool = pool.ok_or(StoreError::Closed)?;
        if let Some(reader) = pool.try_get() {
            return Ok(reader);
        }
        let begun = Instant::now();
        let reader = pool.get().during("lend a reading connection");
        self.meters.count_reader_wait(begun.elapsed());
        reader
    }

    /// Returns the writer if the file was deleted or replaced. A connection that is opened now would see another file, or none; the
    /// writer still has the old one.
    fn writer_of_lost_file(&self) -> Option<MutexGuard<'_, Option<Writer>>> {
        let is_intact = self.watched_files.as_ref().is_none_or(|files| files.is_intact());
        if is_intact { None } else { Some(self.lock_writer()) }
    }

    /// Lends the writer to a read whose own connection would have to read the whole SQL schema again, because a table was defined since.
    /// With thousands of tables that takes tens of milliseconds on each connection; the writer's connection knows the schema.
    ///
    /// Two limits keep this from costing more than it saves. A read waits for the writer no longer than reading the schema would take. After
    /// each definition, as many reads go to the writer as there are tables; later ones read the schema, and their connections know it then.
    fn read_via_writer(&self, reader: &Reader) -> Option<MutexGuard<'_, Option<Writer>>> {
        let (schema, tables) = {
            let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
            if reader.knows(&published) {
                return None;
            }
            (published.schema.clone(), published.sql_tables())
        };
        if tables < MANY_TABLES || schema.reads_via_writer.fetch_add(1, Ordering::Relaxed) >= tables {
            return None;
        }
        let until = Instant::now() + READ_SCHEMA * u32::try_from(tables).unwrap_or(u32::MAX);
        loop {
            match self.try_lock_writer() {
                Some(writer) => return Some(writer),
                None if Instant::now() >= until => return None,
                // The channel is only a timer.
                None => drop(crossbeam_channel::after(READ_SCHEMA).recv()),
            }
        }
    }

    /// The writer thread.
    fn serve(&self, woken: &Receiver<()>) {
        loop {
            let is_open = woken.recv().is_ok();
            while self.run_group(self.lock_writer(), true) {
                if self.is_held_back.load(Ordering::Relaxed) {
                    // The channel is only a timer.
                    let _ = crossbeam_channel::after(PAUSE).recv();
                }
            }
            if !is_open {
                break;
            }
        }
        *self.pool.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.lock_writer() = None;
    }

    /// Runs jobs that wait as one group, up to the first that may take long if this thread must not. Returns whether there were any.
    fn run_group(&self, mut writer: MutexGuard<'_, Option<Writer>>, may_take_long: bool) -> bool {
        let Some(idle) = writer.as_mut() else { return false };
        let Some(mut first) = self.queue.pop(may_take_long) else { return false };
        let mut taken = 1;
        let next = || {
            let job = (taken < GROUP).then(|| self.queue.pop(may_take_long)).flatten();
            taken += usize::from(job.is_some());
            job
        };
        let mut others = idle.run_group(&mut *first, next, &self.published);
        drop(writer);
        self.watchers.call();
        first.answer();
        others.iter_mut().for_each(|job| job.answer());
        true
    }
}

impl JobRunner for Core {
    fn run_here(&self, may_take_long: bool) {
        if self.is_held_back.load(Ordering::Relaxed) {
            // Only the thread of the writer pauses: this one may have others to answer.
            return self.queue.wake();
        }
        for _ in 0..GROUPS_HERE {
            let Some(running) = self.queue.begin_running() else { return };
            let Some(writer) = self.try_lock_writer() else { break };
            self.run_group(writer, may_take_long);
            drop(running);
            if self.queue.is_empty() {
                return;
            }
        }
        self.queue.wake();
    }

    fn run_elsewhere(&self) {
        self.queue.wake();
    }
}

pub(crate) mod compact;
mod copies;
#[cfg(test)]
mod tests;
