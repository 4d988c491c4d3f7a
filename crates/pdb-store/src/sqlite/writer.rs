//! The only writer of SQLite: the group commit.
//!
//! Jobs that wait at the same time run in one SQL transaction and share its commit, because a commit costs more than a small write: with
//! `full` durability it waits for the disk. How a group runs, state by state:
//!
//! 1. `BEGIN IMMEDIATE` before the first job. Each job runs in that transaction and has a result of its own.
//! 2. A job that succeeds is kept: its catalog and its changes of counts become the writer's. One that fails or panics before it has
//!    written (the usual case: a condition that failed) changed nothing, so nothing has to be undone.
//! 3. A job that fails after it has written must undo its own writes and no others. Only a savepoint could do that, and savepoints make
//!    SQLite copy every page that changes after them, a fifth of the cost of a put. So nothing is paid beforehand: the whole transaction is
//!    rolled back (`GroupState::RolledBack`), and all jobs of the group that did not panic run again, each in a savepoint this time
//!    (`use_savepoints`). If no other job had written, there is nothing to run again.
//! 4. With the last job, the changes of counts of all jobs are written, and the transaction commits. If the catalog has changed, it is
//!    published under the lock that readers take when they begin, so that a snapshot and its catalog are of the same commit.
//! 5. If SQLite itself gives the transaction up (the disk is full), or the commit fails, all jobs of the group fail with that error.
//!
//! So a job may run twice. It must do nothing except through its transaction, and counters that it has drawn in its first run are lost.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use rusqlite::Connection;

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{During, StoreError},
    job::Job,
    metrics::Meters,
    params::Param,
    read_tx::ReadTx,
    rows::statistics::{Delta, Deltas},
    sqlite::{
        checkpoint,
        files::{FileLock, WatchedFiles},
        seal::Seal,
        transaction::SqliteTx,
    },
    trace,
    transaction::EngineTx,
    tx::Tx,
};

/// After how many jobs the writer measures how far the log is ahead of the file. Each job writes some pages.
const LOOK_EVERY: usize = 64;

/// The connection that writes, and what it knows that is not committed yet.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) catalog: Arc<Catalog>,
    deltas: Deltas,
    meters: Arc<Meters>,
    /// Jobs of the group that were kept.
    kept_jobs: u64,
    /// A transaction is open.
    open: bool,
    /// A job that was kept has written in it.
    wrote: bool,
    /// Each job writes in a savepoint of its own: the group runs again.
    use_savepoints: bool,
    /// Jobs since the log was last measured.
    jobs_since_look: usize,
    /// Asks for the log to be copied back; none in memory.
    pub(crate) checkpoints: Option<checkpoint::CheckpointRequester>,
    /// None in memory.
    pub(crate) watched_files: Option<Arc<WatchedFiles>>,
    /// None in memory. Dropped after the connection.
    lock: Option<Arc<FileLock>>,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        catalog: Arc<Catalog>,
        lock: Option<Arc<FileLock>>,
        meters: Arc<Meters>,
    ) -> Self {
        Self {
            connection,
            catalog,
            deltas: Deltas::default(),
            meters,
            kept_jobs: 0,
            open: false,
            wrote: false,
            use_savepoints: false,
            jobs_since_look: 0,
            checkpoints: None,
            watched_files: None,
            lock,
        }
    }

    /// Runs `first`, then what `next` brings, in one transaction; commits. Every job then has its result.
    pub(crate) fn run_group(
        &mut self,
        first: &mut dyn Job,
        mut next: impl FnMut() -> Option<Box<dyn Job + Send>>,
        published: &RwLock<Arc<Catalog>>,
    ) -> Vec<Box<dyn Job + Send>> {
        let mut others: Vec<Box<dyn Job + Send>> = Vec::new();
        if let Err(error) = self.check_files() {
            others.extend(std::iter::from_fn(next));
            first.fail(error.clone());
            others.iter_mut().for_each(|job| job.fail(error.clone()));
            return others;
        }
        self.use_savepoints = false;
        let begun = self.meters.begin_group();
        let mut outcome = self.run_job(first);
        loop {
            match outcome {
                Ok(GroupState::Intact) => {}
                Ok(GroupState::RolledBack) => {
                    outcome = self.run_again(first, &mut others, published);
                    continue;
                }
                Err(_) => break,
            }
            let Some(mut job) = next() else { break };
            outcome = self.run_job(&mut *job);
            others.push(job);
        }
        if let Err(error) = outcome.and_then(|_| self.commit_group(first, &mut others, published, begun)) {
            tracing::error!(error = &error as &dyn std::error::Error, "a group of writes is undone");
            self.note_failure(&error);
            self.undo_all(published);
            first.fail(error.clone());
            others.iter_mut().for_each(|job| job.fail(error.clone()));
        }
        self.jobs_since_look += 1 + others.len();
        if self.jobs_since_look >= LOOK_EVERY {
            self.jobs_since_look = 0;
            self.look_at_the_log();
        }
        others
    }

    /// Refuses what would be written into a file that is not there any more.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        self.watched_files.as_ref().map_or(Ok(()), |files| files.check())
    }

    /// Has writes refused from now on, if the error is that of a sync.
    pub(crate) fn note_failure(&self, error: &StoreError) {
        if let Some(files) = &self.watched_files {
            files.note(error);
        }
    }

    /// Must be called before what this connection writes can be seen.
    pub(crate) fn break_seal(&self) -> Result<(), StoreError> {
        let seal = self.lock.as_ref().and_then(|lock| lock.seal.as_ref());
        seal.map_or(Ok(()), Seal::break_up)
    }

    /// Has the log copied back if that is worthwhile.
    pub(crate) fn look_at_the_log(&self) {
        let Some(checkpoints) = &self.checkpoints else { return };
        let driver = Driver::new(&self.connection);
        let behind = checkpoint::pages_behind(driver);
        match behind.and_then(|pages| checkpoint::catch_up(driver, pages).map(|()| pages)) {
            Ok(pages) => checkpoints.is_behind(pages),
            Err(error) => {
                self.note_failure(&error);
                tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be measured");
            }
        }
    }

    /// Runs the jobs of a group again, after a rollback, so that those that fail undo only themselves.
    fn run_again(
        &mut self,
        first: &mut dyn Job,
        others: &mut [Box<dyn Job + Send>],
        published: &RwLock<Arc<Catalog>>,
    ) -> Result<GroupState, StoreError> {
        self.undo_all(published);
        self.use_savepoints = true;
        if !first.panicked() {
            self.run_job(first)?;
        }
        for job in others.iter_mut().filter(|job| !job.panicked()) {
            self.run_job(&mut **job)?;
        }
        Ok(GroupState::Intact)
    }

    /// Runs one job. An error means that the whole transaction is lost.
    fn run_job(&mut self, job: &mut dyn Job) -> Result<GroupState, StoreError> {
        let driver = Driver::new(&self.connection);
        if !self.open {
            self.break_seal()?;
            driver.execute("BEGIN IMMEDIATE", &[]).during("begin a transaction")?;
            self.open = true;
            self.wrote = false;
        }
        let mut read = ReadTx::new(driver, self.catalog.clone());
        read.deltas = std::mem::take(&mut self.deltas);
        let mut state = SqliteTx::new(self.use_savepoints && self.wrote);
        let mut tx = Tx::new(read, EngineTx::Sqlite(&mut state));
        let keep = job.run(&mut tx);
        let ReadTx { catalog, deltas, .. } = tx.into_read();
        let SqliteTx { wrote, has_savepoint, .. } = state;
        self.deltas = deltas;
        if self.connection.is_autocommit() {
            // SQLite undoes the whole transaction when the disk is full or fails.
            return Err(StoreError::Database { during: "keep a transaction", source: lost() });
        }
        if keep {
            if has_savepoint {
                driver.execute("RELEASE job", &[]).during("keep a job")?;
            }
            self.catalog = catalog;
            self.deltas.keep_job();
            self.kept_jobs += 1;
            self.wrote |= wrote;
        } else {
            self.deltas.undo_job();
            if has_savepoint {
                driver.execute("ROLLBACK TO job", &[]).during("undo a job")?;
                driver.execute("RELEASE job", &[]).during("undo a job")?;
            } else if wrote {
                driver.execute("ROLLBACK", &[]).during("undo a job")?;
                self.open = false;
                if self.wrote {
                    return Ok(GroupState::RolledBack);
                }
            }
        }
        Ok(GroupState::Intact)
    }

    /// Commits the group, and tells those who trace its jobs.
    fn commit_group(
        &mut self,
        first: &mut dyn Job,
        others: &mut [Box<dyn Job + Send>],
        published: &RwLock<Arc<Catalog>>,
        begun: Option<Instant>,
    ) -> Result<(), StoreError> {
        let traces = std::iter::once(first.trace()).chain(others.iter_mut().map(|job| job.trace()));
        trace::commit("sqlite", traces, || self.commit(published, begun))
    }

    /// Commits the group that has `begun` then.
    fn commit(&mut self, published: &RwLock<Arc<Catalog>>, begun: Option<Instant>) -> Result<(), StoreError> {
        if !self.open {
            return Ok(());
        }
        let driver = Driver::new(&self.connection);
        for delta in self.deltas.drain_kept() {
            add(driver, delta)?;
        }
        let defined = {
            let known = published.read().unwrap_or_else(PoisonError::into_inner);
            !Arc::ptr_eq(&known, &self.catalog)
        };
        if defined {
            // No reader may begin between the commit and the publication: its snapshot and its catalog must agree.
            let mut published = published.write().unwrap_or_else(PoisonError::into_inner);
            driver.execute("COMMIT", &[]).during("commit")?;
            *published = self.catalog.clone();
        } else {
            driver.execute("COMMIT", &[]).during("commit")?;
        }
        self.open = false;
        let jobs = std::mem::take(&mut self.kept_jobs);
        // Jobs that failed before they wrote anything have changed nothing.
        if jobs > 0 {
            self.meters.count_commit(jobs, begun);
            self.deltas.count_kept_traffic();
        }
        Ok(())
    }

    fn undo_all(&mut self, published: &RwLock<Arc<Catalog>>) {
        if !self.connection.is_autocommit()
            && let Err(error) = Driver::new(&self.connection).execute("ROLLBACK", &[])
        {
            tracing::error!(error = &error as &dyn std::error::Error, "a rollback failed");
        }
        self.open = !self.connection.is_autocommit();
        self.deltas.undo_all();
        self.kept_jobs = 0;
        self.catalog = published.read().unwrap_or_else(PoisonError::into_inner).clone();
    }
}

/// What running a job did to its group.
enum GroupState {
    /// The other jobs are not affected.
    Intact,
    /// The job failed after it had written, and what the others had written was rolled back with it.
    RolledBack,
}

/// Writes a change down.
fn add(driver: Driver<'_>, delta: Delta) -> Result<(), StoreError> {
    let sql =
        "UPDATE pdb_statistic SET item_count = item_count + ?2, size_bytes = size_bytes + ?3 WHERE id = ?1";
    let params = [Param::Integer(delta.statistic), Param::Integer(delta.count), Param::Integer(delta.size)];
    driver.execute(sql, &params).during("write statistics")?;
    Ok(())
}

fn lost() -> crate::db_error::DbError {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
        Some("the database undid the transaction".to_owned()),
    )
    .into()
}
