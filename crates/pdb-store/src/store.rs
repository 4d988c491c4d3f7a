//! The store: opening, reading, writing, closing.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender};
use pdb_model::{EpochMillis, TableName};

use crate::{
    catalog::Catalog,
    checkpoint,
    driver::{Driver, Param},
    error::{During, StoreError},
    group::{Piece, Work, Writer},
    options::{Location, StoreOptions},
    pending::{Answer, Pending},
    pool::{self, Readers},
    sqlite, tables,
    tx::{ReadTx, Tx},
    watch::Watchers,
};

/// Pieces of work that may wait; whoever brings one more waits until there is room.
const QUEUE: usize = 1024;
/// Pieces of work that share one commit at most.
const GROUP: usize = 256;

/// An open database. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl Store {
    /// Opens a database, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] says what stands against it: another process, another program's file, a newer version's, a
    /// damaged one, or one that cannot be written. In all these cases nothing has been changed.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let (connection, lock, path) = match &options.location {
            Location::Memory => (sqlite::open_memory()?, None, None),
            Location::File(path) => {
                // One file has one name, so that it has one lock, whichever way it was reached.
                let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let (connection, lock) = sqlite::open_file(path, options.durability)?;
                (connection, Some(lock), Some(path.clone()))
            }
        };
        let driver = Driver::new(&connection);
        ensure_iterator_key(driver)?;
        let mut catalog = tables::load_catalog(driver)?;
        catalog.rotation_age = options.rotation_age;
        let catalog = Arc::new(catalog);
        let writer = Writer::new(connection, catalog.clone(), lock);
        Self::start(writer, catalog, path, options)
    }

    fn start(
        mut writer: Writer,
        catalog: Arc<Catalog>,
        path: Option<PathBuf>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let memory = path.is_none();
        let pool = path.clone().map(|path| pool::readers(path, options.readers)).transpose()?;
        let mut requests = None;
        if let Some(path) = &path {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            writer.checkpoints = Some(sender);
            requests = Some((sqlite::open_checkpointer(path, options.durability)?, receiver));
        }
        let core = Arc::new(Core {
            writer: Mutex::new(Some(writer)),
            published: RwLock::new(catalog),
            pool: RwLock::new(pool),
            memory,
            waiting: AtomicUsize::new(0),
            watchers: Watchers::default(),
            maintenance: Mutex::new(()),
        });
        let mut threads = Vec::new();
        let (sender, receiver) = crossbeam_channel::bounded(QUEUE);
        let shared = core.clone();
        threads.push(start_thread("pdb-writer", move || shared.serve(&receiver))?);
        if let Some((connection, requests)) = requests {
            let shared = core.clone();
            threads.push(start_thread("pdb-checkpoint", move || {
                checkpoint::serve(&connection, &requests, |work| {
                    let _standing_still = shared.lock_writer();
                    work();
                });
            })?);
        }
        let (queue, threads) = (RwLock::new(Some(sender)), Mutex::new(threads));
        Ok(Self { inner: Arc::new(Inner { core, queue, threads }) })
    }

    /// Reads. Everything `work` sees through its [`ReadTx`] is of one commit; it never waits for writers (in memory, it
    /// waits for the group of writes that is running).
    ///
    /// Not to be called from inside a transaction of the same store.
    ///
    /// # Errors
    ///
    /// Those of `work`, [`StoreError::Closed`], and [`StoreError::Database`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let core = &*self.inner.core;
        if core.memory {
            let writer = core.lock_writer();
            let writer = writer.as_ref().ok_or(StoreError::Closed)?;
            return work(&mut ReadTx::new(Driver::new(&writer.connection), writer.catalog.clone()));
        }
        let pool = core.pool.read().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = pool.ok_or(StoreError::Closed)?.get().during("lend a reading connection")?;
        let driver = Driver::new(&connection);
        let catalog = {
            let published = core.published.read().unwrap_or_else(PoisonError::into_inner);
            driver.execute("BEGIN", &[]).during("begin a snapshot")?;
            // The snapshot is taken by the first read; it must be of the commit that published this catalog.
            driver.first("begin a snapshot", "PRAGMA user_version", &[], |_| Ok(()))?;
            published.clone()
        };
        let result = work(&mut ReadTx::new(driver, catalog));
        driver.execute("COMMIT", &[]).during("end a snapshot")?;
        result
    }

    /// Reads with a single statement: as [`read`](Self::read), for `work` that runs no more than one. A statement is a snapshot
    /// by itself, so it needs no transaction around it, which costs more than a read by key does.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_once<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let core = &*self.inner.core;
        if core.memory {
            return self.read(work);
        }
        let pool = core.pool.read().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = pool.ok_or(StoreError::Closed)?.get().during("lend a reading connection")?;
        // No definition is committed while this lock is held, so the catalog is that of the statement's snapshot.
        let published = core.published.read().unwrap_or_else(PoisonError::into_inner);
        work(&mut ReadTx::new(Driver::new(&connection), published.clone()))
    }

    /// Hands work to the writer and returns at once. What is waiting at the same time shares one commit; the answer comes
    /// after it. `Err`, or a panic, undoes what this `work` did, and nothing else.
    ///
    /// `work` may be run again, on any thread, so it does nothing except through its [`Tx`], and does not use up what it
    /// captured. If more than a thousand pieces are waiting, this waits for room.
    pub fn submit<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, pending) = Answer::new();
        let waiting = &self.inner.core.waiting;
        waiting.fetch_add(1, Ordering::AcqRel);
        let work = Box::new(Work::new(work, Some(answer)));
        let queue = self.inner.queue.read().unwrap_or_else(PoisonError::into_inner);
        // Once the store is closed, the work is dropped, which answers `Closed`.
        if queue.as_ref().is_none_or(|queue| queue.send(work).is_err()) {
            waiting.fetch_sub(1, Ordering::AcqRel);
        }
        pending
    }

    /// Writes: [`submit`](Self::submit) and wait. While the writer is idle, `work` runs on this thread.
    ///
    /// Not to be called from inside a transaction of the same store.
    ///
    /// # Errors
    ///
    /// Those of `work`, [`StoreError::Panicked`], [`StoreError::Closed`], and [`StoreError::Database`].
    pub fn write<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let core = &*self.inner.core;
        // Nobody is overtaken: work that waits is run first.
        if core.waiting.load(Ordering::Acquire) == 0
            && let Some(mut writer) = core.try_lock_writer()
        {
            let mut work = Work::new(work, None);
            match writer.as_mut() {
                Some(writer) => drop(writer.run_group(&mut work, || None, &core.published)),
                None => work.fail(StoreError::Closed),
            }
            drop(writer);
            core.watchers.call();
            return work.take_result();
        }
        self.submit(work).wait()
    }

    /// Returns whether an open shard of a table's stream has outlived the rotation age, as of the last commit. Costs no
    /// access to the database.
    #[must_use]
    pub fn is_rotation_due(&self, table: &TableName, now: EpochMillis) -> bool {
        let core = &*self.inner.core;
        let catalog = core.published.read().unwrap_or_else(PoisonError::into_inner);
        catalog.get(table).is_some_and(|table| catalog.is_rotation_due(table, now))
    }

    /// Calls `watcher` after every commit, on the thread that committed, until it returns false. It must be quick, and must
    /// not use the store.
    pub fn watch(&self, watcher: impl Fn() -> bool + Send + Sync + 'static) {
        self.inner.core.watchers.add(Box::new(watcher));
    }

    /// Runs `work` while no other maintenance runs on this store, whichever clone or manager began it.
    ///
    /// Not to be called from inside such work.
    pub fn maintain<T>(&self, work: impl FnOnce() -> T) -> T {
        // The lock guards no data, so a panic under it leaves nothing broken behind.
        let _alone = self.inner.core.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// Closes the store: does what is waiting, then refuses everything. Happens by itself when the last clone is dropped.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("memory", &self.inner.core.memory).finish_non_exhaustive()
    }
}

struct Inner {
    core: Arc<Core>,
    /// None once the store is closed.
    queue: RwLock<Option<Sender<Box<dyn Piece + Send>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    fn close(&self) {
        // The writer does what it was given before, then ends, and with it whatever serves it.
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // The last clone may be dropped by a piece of work, on the writer thread itself.
        let this = std::thread::current().id();
        if threads.iter().any(|thread| thread.thread().id() == this) {
            return;
        }
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the writer thread shares with callers.
struct Core {
    /// None once the store is closed.
    writer: Mutex<Option<Writer>>,
    /// The catalog of the last commit.
    published: RwLock<Arc<Catalog>>,
    /// None in memory, and once the store is closed.
    pool: RwLock<Option<r2d2::Pool<Readers>>>,
    memory: bool,
    /// Pieces of work in the queue or in the writer thread's hands.
    waiting: AtomicUsize,
    watchers: Watchers,
    /// Held by whoever trims, expires or rotates in the background.
    maintenance: Mutex<()>,
}

impl Core {
    /// A panic under this lock happens only in a read of a database in memory, which changes nothing.
    fn lock_writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock_writer(&self) -> Option<MutexGuard<'_, Option<Writer>>> {
        match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(writer)) => Some(writer.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The writer thread.
    fn serve(&self, queue: &Receiver<Box<dyn Piece + Send>>) {
        while let Ok(mut first) = queue.recv() {
            let mut taken = 1;
            let next = || {
                let piece = (taken < GROUP).then(|| queue.try_recv().ok()).flatten();
                taken += usize::from(piece.is_some());
                piece
            };
            let mut others = match self.lock_writer().as_mut() {
                Some(writer) => writer.run_group(&mut *first, next, &self.published),
                None => Vec::new(),
            };
            self.waiting.fetch_sub(taken, Ordering::AcqRel);
            self.watchers.call();
            first.answer();
            others.iter_mut().for_each(|piece| piece.answer());
        }
        *self.pool.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.lock_writer() = None;
    }
}

fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(|e| StoreError::Thread(Arc::new(e)))
}

/// Makes the secret that seals shard iterators, once for ever. The randomness is the operating system's, by way of the
/// keys of the standard library's hash maps.
fn ensure_iterator_key(driver: Driver<'_>) -> Result<(), StoreError> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let key = [half(), half()].concat();
    driver
        .execute(
            "INSERT INTO pdb_setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            &[Param::Text("iterator_key"), Param::Blob(&key)],
        )
        .during("make the key of shard iterators")?;
    Ok(())
}

#[cfg(test)]
mod tests;
