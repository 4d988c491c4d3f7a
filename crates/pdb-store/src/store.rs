//! The store: what callers have of it. An engine is behind it (`engine.rs`).

use std::{fmt, path::Path, time::Duration};

use pdb_model::{EpochMillis, TableName};

use crate::{
    background::BackgroundThreads,
    engine::{Engine, with_engine},
    error::StoreError,
    interrupt_guard::InterruptGuard,
    job::ClosureJob,
    options::StoreOptions,
    pending::{Answer, Pending},
    read_tx::ReadTx,
    tx::Tx,
};

/// An open database. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    background: BackgroundThreads,
}

impl Store {
    /// Opens a database, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] says what stands against it: another process, another program's file, a newer version's, a
    /// damaged one, or one that cannot be written. In all these cases nothing has been changed.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_marked(options)?.refuse_if_marked(options)
    }

    /// Opens a database, also one into which a copy was begun and not finished.
    pub(crate) fn open_marked(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::open(options)?, background: BackgroundThreads::default() })
    }

    /// Reads. Everything `work` sees through its [`ReadTx`] is of one commit; it does not wait for writers. (In memory it
    /// waits for the group of writes that is running; in a file with many tables it may after a
    /// definition, for no longer than SQLite would take to read its schema again.)
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

    /// Hands work to the writer and returns at once. What is waiting at the same time shares one commit; the answer comes
    /// after it. `Err`, or a panic, undoes what this `work` did, and nothing else. A database in memory whose writer is idle
    /// runs `work` on this thread, which takes less than handing it to another.
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
        let job = Box::new(ClosureJob::new(work, Some(answer)));
        with_engine!(&self.engine, engine => engine.submit(job));
        pending
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
        self.background.run(job)
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
        match with_engine!(&self.engine, engine => engine.write_here(work)) {
            Ok(result) => result,
            Err(work) => self.submit(work).wait(),
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

    /// Returns how many groups of writes were run since the store was opened: work in the background learns from it whether there
    /// are writers beside it.
    #[must_use]
    pub fn commits(&self) -> u64 {
        with_engine!(&self.engine, engine => engine.watchers().commits())
    }

    /// Runs `work` while no other maintenance runs on this store, whichever clone or manager began it.
    ///
    /// Not to be called from inside such work.
    pub fn maintain<T>(&self, work: impl FnOnce() -> T) -> T {
        with_engine!(&self.engine, engine => engine.maintain(work))
    }

    /// Returns whether the database is on a server: then also short reads wait for the network, and do not belong on a thread
    /// that serves asynchronous tasks.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        with_engine!(&self.engine, engine => engine.is_remote())
    }

    /// Returns the database's file; `None` for one in memory, or on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        with_engine!(&self.engine, engine => engine.file())
    }

    /// Removes everything, in one step: tables, streams, records, documents, tokens. Waits for maintenance, and for the writes that
    /// run. Readers of streams are told that these are gone; what was read from this store before is void.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn reset(&self) -> Result<(), StoreError> {
        with_engine!(&self.engine, engine => engine.reset())
    }

    /// Interrupts what the writer does, once `after` has passed and as often as it takes, until the answer is dropped: a piece
    /// of work that never ends must not keep a program from ending. What is interrupted fails, and nothing of it is kept. On a
    /// database server nothing is interrupted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Thread`].
    pub fn interrupt_after(&self, after: Duration) -> Result<InterruptGuard, StoreError> {
        with_engine!(&self.engine, engine => engine.interrupt_after(after))
    }

    /// Closes the store: does what is waiting, then refuses everything. Happens by itself when the last clone is dropped. On
    /// SQLite, what takes longer than three seconds is interrupted and fails.
    pub fn close(&self) {
        with_engine!(&self.engine, engine => engine.close())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = with_engine!(&self.engine, engine => engine.kind());
        f.debug_struct("Store").field("location", &location).finish_non_exhaustive()
    }
}
