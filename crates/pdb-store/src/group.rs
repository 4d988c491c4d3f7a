//! The one writer: runs waiting pieces of work in one SQL transaction, so that they share its commit.
//!
//! A piece that fails, or panics, undoes only itself. One that fails before it has written (the usual failed condition) costs
//! nothing. One that fails afterwards is rare, so nothing is paid for it beforehand: the whole transaction is rolled back,
//! and the pieces of the group run again, each in a savepoint this time. (A savepoint makes SQLite copy every page it
//! changes: a fifth of the cost of a put.)

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
};

use rusqlite::Connection;

use crate::{
    catalog::Catalog,
    checkpoint,
    driver::Driver,
    error::{During, StoreError},
    files::{FileLock, Underneath},
    pending::Answer,
    seal::Seal,
    statistics::Deltas,
    tx::{ReadTx, Tx},
};

/// After how many pieces of work the writer looks how far the log is behind. Each writes some pages.
const LOOK_EVERY: usize = 64;

/// A piece of work on the writer.
pub(crate) trait Piece {
    /// Runs the work and keeps its result; returns whether what it did to the database is to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Replaces the result: nothing of what the group did was committed.
    fn fail(&mut self, error: StoreError);
    /// Whether it panicked: then it is not to be run again.
    fn panicked(&self) -> bool;
    /// Gives the result to whoever waits for it.
    fn answer(&mut self);
}

/// A caller's closure, and where its result goes.
pub(crate) struct Work<F, T, E: From<StoreError>> {
    work: F,
    result: Option<Result<T, E>>,
    panicked: bool,
    answer: Option<Answer<Result<T, E>>>,
}

impl<F, T, E: From<StoreError>> Work<F, T, E> {
    pub(crate) fn new(work: F, answer: Option<Answer<Result<T, E>>>) -> Self {
        Self { work, result: None, panicked: false, answer }
    }

    /// The result, of work that nobody waits for on another thread.
    pub(crate) fn take_result(&mut self) -> Result<T, E> {
        self.result.take().unwrap_or_else(|| Err(StoreError::Closed.into()))
    }
}

impl<F, T, E> Piece for Work<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    E: From<StoreError>,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // What the closure captured may be left half changed by a panic; it is not run again after one.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        self.panicked = result.is_err();
        let result = result.unwrap_or_else(|panic| Err(StoreError::Panicked(message_of(&*panic)).into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error.into()));
    }

    fn panicked(&self) -> bool {
        self.panicked
    }

    fn answer(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer.give(self.take_result());
        }
    }
}

/// Work that is dropped before it ran is answered too: the store is closed.
impl<F, T, E: From<StoreError>> Drop for Work<F, T, E> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer.give(self.take_result());
        }
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

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
        first: &mut dyn Piece,
        mut next: impl FnMut() -> Option<Box<dyn Piece + Send>>,
        published: &RwLock<Arc<Catalog>>,
    ) -> Vec<Box<dyn Piece + Send>> {
        let mut others: Vec<Box<dyn Piece + Send>> = Vec::new();
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
        first: &mut dyn Piece,
        others: &mut [Box<dyn Piece + Send>],
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
    fn run_piece(&mut self, piece: &mut dyn Piece) -> Result<Ran, StoreError> {
        let driver = Driver::new(&self.connection);
        if !self.open {
            self.break_seal()?;
            driver.execute("BEGIN IMMEDIATE", &[]).during("begin a transaction")?;
            self.open = true;
            self.wrote = false;
        }
        let mut read = ReadTx::new(driver, self.catalog.clone());
        read.deltas = std::mem::take(&mut self.deltas);
        let mut tx = Tx::new(read, self.careful && self.wrote);
        let keep = piece.run(&mut tx);
        let (wrote, savepoint) = (tx.wrote, tx.savepoint);
        let ReadTx { catalog, deltas, .. } = tx.into_read();
        self.deltas = deltas;
        if self.connection.is_autocommit() {
            // SQLite undoes the whole transaction when the disk is full or fails.
            return Err(StoreError::Database { during: "keep a transaction", source: lost() });
        }
        if keep {
            if savepoint {
                driver.execute("RELEASE piece", &[]).during("keep a piece of work")?;
            }
            self.catalog = catalog;
            self.deltas.keep_piece();
            self.wrote |= wrote;
        } else {
            self.deltas.undo_piece();
            if savepoint {
                driver.execute("ROLLBACK TO piece", &[]).during("undo a piece of work")?;
                driver.execute("RELEASE piece", &[]).during("undo a piece of work")?;
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
        self.deltas.flush(driver)?;
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

fn lost() -> crate::error::DbError {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
        Some("the database undid the transaction".to_owned()),
    )
    .into()
}
