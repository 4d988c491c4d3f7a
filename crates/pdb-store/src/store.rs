//! The store: what callers have of it. An engine is behind it (`engine.rs`).

use std::{fmt, path::Path, sync::Arc, time::Duration};

use pdb_model::{EpochMillis, TableName};

use crate::{
    background::BackgroundThreads,
    engine::{Engine, with_engine},
    error::StoreError,
    interrupt_guard::InterruptGuard,
    job::ClosureJob,
    metrics::{StoreMetrics, StoreObserver},
    options::StoreOptions,
    pending::{Answer, Pending},
    read_tx::ReadTx,
    trace::Origin,
    traffic::TableTraffic,
    tx::Tx,
};

/// An open database. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    background: BackgroundThreads,
}

impl Store {
    /// Opens a database, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if another process has the database open, the file is of another program or of a newer version, it
    /// is damaged, or it cannot be written. In all these cases nothing has been changed.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_marked(options)?.refuse_if_marked(options)
    }

    /// Opens a database, even if a copy into it was begun and not finished.
    pub(crate) fn open_marked(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::open(options)?, background: BackgroundThreads::default() })
    }

    /// Reads. Everything that `work` sees through its [`ReadTx`] is of one commit. A read does not wait for writers, with two
    /// exceptions: in memory it waits for the group of writes that is running, and in a file with many tables it may wait after
    /// a definition, no longer than SQLite would take to read its schema again.
    ///
    /// Must not be called from inside a transaction of the same store.
    ///
    /// # Errors
    ///
    /// Those of `work`, [`StoreError::Closed`], and [`StoreError::Database`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        with_engine!(&self.engine, engine => engine.read(work))
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
        with_engine!(&self.engine, engine => engine.read_once(work))
    }

    /// Submits a job to the writer and returns at once. Jobs that wait at the same time share one commit, after which the
    /// answer comes. If `work` returns `Err` or panics, its own writes are undone, and no others.
    ///
    /// If a commit waits for a disk ([`Durability::Full`](crate::Durability::Full)) or for a database server, a thread of the store
    /// runs the job. Else the thread that first polls or waits for an answer runs all jobs that wait by then, which takes less time than
    /// waking another; [`Pending::begin`] lets the job run before that.
    ///
    /// `work` may run several times, on any thread. So it must do nothing except through its [`Tx`], and must not consume what
    /// it has captured. If more than a thousand jobs are waiting, this waits until one of them is taken.
    pub fn submit<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit_job(work, false)
    }

    /// As [`submit`](Self::submit), for work that may take long: a thread that polls never runs it, because its other tasks would wait.
    pub fn submit_long<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit_job(work, true)
    }

    fn submit_job<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        may_take_long: bool,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, pending) = Answer::new();
        let job = Box::new(ClosureJob::new(work, Some(answer)));
        match with_engine!(&self.engine, engine => engine.submit(job, may_take_long)) {
            Some(runner) => pending.started_by(runner),
            None => pending,
        }
    }

    /// Runs `job`, which reads or writes, on a thread of the store. For async code: the answer can be awaited in any runtime.
    ///
    /// If all threads are busy, the job waits for one. A dropped answer does not cancel the job.
    ///
    /// # Errors
    ///
    /// Those of `job`, [`StoreError::Panicked`] if it panics, [`StoreError::Thread`] if no thread can be started.
    pub fn run_in_background<T, E>(
        &self,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let origin = Origin::here();
        self.background.run(move || origin.resume(job))
    }

    /// Blocking variant of [`submit`](Self::submit), also for work that takes long. While the writer is idle, `work` runs on this
    /// thread; never on one that polls an answer of another job.
    ///
    /// Must not be called from inside a transaction of the same store.
    ///
    /// # Errors
    ///
    /// Those of `work`, [`StoreError::Panicked`], [`StoreError::Closed`], and [`StoreError::Database`].
    pub fn write<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match with_engine!(&self.engine, engine => engine.write_here(work)) {
            Ok(result) => result,
            // Definitions and deletions come this way.
            Err(work) => self.submit_long(work).wait(),
        }
    }

    /// Returns whether an open shard of a table's stream has outlived the rotation age, as of the last commit. Costs no
    /// access to the database.
    #[must_use]
    pub fn is_rotation_due(&self, table: &TableName, now: EpochMillis) -> bool {
        with_engine!(&self.engine, engine => engine.is_rotation_due(table, now))
    }

    /// Calls `watcher` after every commit, on the thread that committed, until it returns false. It must be quick, and must
    /// not use the store.
    pub fn watch(&self, watcher: impl Fn() -> bool + Send + Sync + 'static) {
        with_engine!(&self.engine, engine => engine.watchers().add(Box::new(watcher)));
    }

    /// Returns how many groups of writes have run since the store was opened. Background work uses it to find out whether
    /// others are writing.
    #[must_use]
    pub fn commits(&self) -> u64 {
        with_engine!(&self.engine, engine => engine.watchers().commits())
    }

    /// Returns what the store has done since it was opened.
    #[must_use]
    pub fn metrics(&self) -> StoreMetrics {
        with_engine!(&self.engine, engine => StoreMetrics {
            log_bytes: engine.file().map(log_bytes),
            ..engine.meters().read()
        })
    }

    /// Returns what was read and written of each table and its streams since the store was opened, ordered by name. Tables that were
    /// deleted meanwhile are among them.
    #[must_use]
    pub fn traffic(&self) -> Vec<(TableName, TableTraffic)> {
        with_engine!(&self.engine, engine => engine.meters().traffic.read())
    }

    /// Tells an observer what the store does from now on. A store has at most one; returns whether it is this one.
    pub fn observe(&self, observer: Arc<dyn StoreObserver>) -> bool {
        with_engine!(&self.engine, engine => engine.meters().set_observer(observer))
    }

    /// Runs `work` while no other maintenance runs on this store, started through any of its clones.
    ///
    /// Must not be called from inside such work.
    pub fn maintain<T>(&self, work: impl FnOnce() -> T) -> T {
        with_engine!(&self.engine, engine => engine.maintain(work))
    }

    /// Returns whether the database is on a server. If so, even short reads wait for the network, and must not run on a thread
    /// that serves asynchronous tasks.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        with_engine!(&self.engine, engine => engine.is_remote())
    }

    /// Returns whether a write waits for all others. If not, only for those of the same rows.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        with_engine!(&self.engine, engine => engine.has_one_writer())
    }

    /// Returns the database's file; `None` for one in memory, or on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        with_engine!(&self.engine, engine => engine.file())
    }

    /// Removes everything, in one step: tables, streams, records, documents, tokens. Waits for maintenance, and for the writes
    /// that run. Readers of streams get the error that the stream does not exist. Tables, rows and positions that were read
    /// before are no longer valid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn reset(&self) -> Result<(), StoreError> {
        with_engine!(&self.engine, engine => engine.reset())
    }

    /// Returns a guard that interrupts the statements of the writer, repeatedly, from `after` on until it is dropped, so that a
    /// job that never ends cannot keep a program from ending. An interrupted job fails, and nothing of it is kept. On a
    /// database server nothing is interrupted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Thread`].
    pub fn interrupt_after(&self, after: Duration) -> Result<InterruptGuard, StoreError> {
        with_engine!(&self.engine, engine => engine.interrupt_after(after))
    }

    /// Closes the store: runs the jobs that are waiting, then refuses all calls. Dropping the last clone does the same. On
    /// SQLite, jobs that take longer than three seconds are interrupted and fail.
    pub fn close(&self) {
        with_engine!(&self.engine, engine => engine.close())
    }
}

/// Returns the size of the write-ahead log of a file; 0 if there is none.
fn log_bytes(file: &Path) -> u64 {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(0, |log| log.len())
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = with_engine!(&self.engine, engine => engine.kind());
        f.debug_struct("Store").field("location", &location).finish_non_exhaustive()
    }
}
