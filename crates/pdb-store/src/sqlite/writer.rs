//! The one writer: runs waiting pieces of work in one SQL transaction, so that they share its commit.
//!
//! A piece that fails, or panics, undoes only itself. One that fails before it has written (the usual failed condition) costs
//! nothing. One that fails afterwards is rare, so nothing is paid for it beforehand: the whole transaction is rolled back,
//! and the pieces of the group run again, each in a savepoint this time. (A savepoint makes SQLite copy every page it
//! changes: a fifth of the cost of a put.)

use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{During, StoreError},
    job::Job,
    params::Param,
    read_tx::ReadTx,
    rows::statistics::{Delta, Deltas},
    sqlite::{
        checkpoint,
        files::{FileLock, Underneath},
        seal::Seal,
        transaction::SqliteTx,
    },
    transaction::EngineTx,
    tx::Tx,
};

/// After how many pieces of work the writer looks how far the log is behind. Each writes some pages.
const LOOK_EVERY: usize = 64;

/// The connection that writes, and what it knows that is not committed yet.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) catalog: Arc<Catalog>,
    deltas: Deltas,
    /// A transaction is open.
    open: bool,
    /// A piece that is to be kept has written in it.
    wrote: bool,
    /// Each piece writes in a savepoint of its own.
    careful: bool,
    /// Pieces since somebody last looked how far the log is behind.
    pieces: usize,
    /// Asks for the log to be copied back; none in memory.
    pub(crate) checkpoints: Option<checkpoint::Asker>,
    /// None in memory.
    pub(crate) underneath: Option<Arc<Underneath>>,
    /// None in memory. Dropped after the connection.
    lock: Option<Arc<FileLock>>,
}

impl Writer {
    pub(crate) fn new(connection: Connection, catalog: Arc<Catalog>, lock: Option<Arc<FileLock>>) -> Self {
        Self {
            connection,
            catalog,
            deltas: Deltas::default(),
            open: false,
            wrote: false,
            careful: false,
            pieces: 0,
            checkpoints: None,
            underneath: None,
            lock,
        }
    }

    /// Runs `first`, then what `next` brings, in one transaction; commits. Every piece then has its result.
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
            others.iter_mut().for_each(|piece| piece.fail(error.clone()));
            return others;
        }
        self.careful = false;
        let mut outcome = self.run_piece(first);
        loop {
            match outcome {
                Ok(Ran::Alone) => {}
                Ok(Ran::SpoiltOthers) => {
                    outcome = self.run_again(first, &mut others, published);
                    continue;
                }
                Err(_) => break,
            }
            let Some(mut piece) = next() else { break };
            outcome = self.run_piece(&mut *piece);
            others.push(piece);
        }
        if let Err(error) = outcome.and_then(|_| self.commit(published)) {
            tracing::error!(error = &error as &dyn std::error::Error, "a group of writes is undone");
            self.undo_all(published);
            first.fail(error.clone());
            others.iter_mut().for_each(|piece| piece.fail(error.clone()));
        }
        self.pieces += 1 + others.len();
        if self.pieces >= LOOK_EVERY {
            self.pieces = 0;
            self.look_at_the_log();
        }
        others
    }

    /// Refuses what would be written into a file that is not there any more.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        self.underneath.as_ref().map_or(Ok(()), |files| files.check())
    }

    /// Must be called before what this connection writes can be seen.
    pub(crate) fn break_seal(&self) -> Result<(), StoreError> {
        let seal = self.lock.as_ref().and_then(|lock| lock.seal.as_ref());
        seal.map_or(Ok(()), Seal::break_up)
    }

    /// Has the log copied back if that is worthwhile.
    pub(crate) fn look_at_the_log(&self) {
        let Some(checkpoints) = &self.checkpoints else { return };
        match checkpoint::pages_behind(Driver::new(&self.connection)) {
            Ok(pages) => checkpoints.is_behind(pages),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be measured");
            }
        }
    }

    /// Runs the pieces of a group again, after a rollback, so that those that fail undo only themselves.
    fn run_again(
        &mut self,
        first: &mut dyn Job,
        others: &mut [Box<dyn Job + Send>],
        published: &RwLock<Arc<Catalog>>,
    ) -> Result<Ran, StoreError> {
        self.undo_all(published);
        self.careful = true;
        if !first.panicked() {
            self.run_piece(first)?;
        }
        for piece in others.iter_mut().filter(|piece| !piece.panicked()) {
            self.run_piece(&mut **piece)?;
        }
        Ok(Ran::Alone)
    }

    /// Runs one piece. An error means that the whole transaction is lost.
    fn run_piece(&mut self, piece: &mut dyn Job) -> Result<Ran, StoreError> {
        let driver = Driver::new(&self.connection);
        if !self.open {
            self.break_seal()?;
            driver.execute("BEGIN IMMEDIATE", &[]).during("begin a transaction")?;
            self.open = true;
            self.wrote = false;
        }
        let mut read = ReadTx::new(driver, self.catalog.clone());
        read.deltas = std::mem::take(&mut self.deltas);
        let mut state = SqliteTx::new(self.careful && self.wrote);
        let mut tx = Tx::new(read, EngineTx::Sqlite(&mut state));
        let keep = piece.run(&mut tx);
        let ReadTx { catalog, deltas, .. } = tx.into_read();
        let SqliteTx { wrote, has_savepoint, .. } = state;
        self.deltas = deltas;
        if self.connection.is_autocommit() {
            // SQLite undoes the whole transaction when the disk is full or fails.
            return Err(StoreError::Database { during: "keep a transaction", source: lost() });
        }
        if keep {
            if has_savepoint {
                driver.execute("RELEASE job", &[]).during("keep a piece of work")?;
            }
            self.catalog = catalog;
            self.deltas.keep_job();
            self.wrote |= wrote;
        } else {
            self.deltas.undo_job();
            if has_savepoint {
                driver.execute("ROLLBACK TO job", &[]).during("undo a piece of work")?;
                driver.execute("RELEASE job", &[]).during("undo a piece of work")?;
            } else if wrote {
                driver.execute("ROLLBACK", &[]).during("undo a piece of work")?;
                self.open = false;
                if self.wrote {
                    return Ok(Ran::SpoiltOthers);
                }
            }
        }
        Ok(Ran::Alone)
    }

    fn commit(&mut self, published: &RwLock<Arc<Catalog>>) -> Result<(), StoreError> {
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
        self.catalog = published.read().unwrap_or_else(PoisonError::into_inner).clone();
    }
}

/// What running a piece did to the others of its group.
enum Ran {
    /// Nothing.
    Alone,
    /// It failed after it had written, and what others had written was rolled back with it.
    SpoiltOthers,
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
