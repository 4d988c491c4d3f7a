//! The store: what callers have of it, whichever database is behind.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use pdb_model::{EpochMillis, TableName};

#[cfg(feature = "postgres")]
use crate::job::Piece;
use crate::postgres::Served;
use crate::{
    error::StoreError,
    job::Work,
    options::{Location, StoreOptions},
    pending::{Answer, Pending},
    read_tx::ReadTx,
    sqlite::{
        copy::{self, CopyDescription, DatabaseCopy, EachStep},
        engine::{CompactReport, Embedded},
        interrupt::Impatience,
    },
    tx::Tx,
};

/// A database on a server cannot be copied page by page.
#[cfg(feature = "postgres")]
const NO_COPIES: StoreError =
    StoreError::Unsupported("copies of a database on a server: its own tools make those");

/// An open database. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Embedded(Arc<Embedded>),
    #[cfg(feature = "postgres")]
    Served(Arc<Served>),
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
        let engine = match &options.location {
            Location::Memory => Engine::Embedded(Arc::new(Embedded::open(None, options)?)),
            Location::File(path) => Engine::Embedded(Arc::new(Embedded::open(Some(path), options)?)),
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => Engine::Served(Arc::new(Served::open(url, options)?)),
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(_) => {
                let why = "this program is built without support for PostgreSQL";
                return Err(crate::OpenError::Address(why.to_owned()).into());
            }
        };
        Ok(Self { engine })
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
        match &self.engine {
            Engine::Embedded(engine) => engine.read(work),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.read(work),
        }
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
        match &self.engine {
            Engine::Embedded(engine) => engine.read_once(work),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.read(work),
        }
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
        let mut work = Box::new(Work::new(work, Some(answer)));
        match &self.engine {
            Engine::Embedded(engine) => match engine.turn_in_memory() {
                Some(turn) => {
                    turn.run(&mut *work);
                    work.answer();
                }
                None => engine.submit(work),
            },
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.submit(work),
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
        match &self.engine {
            Engine::Embedded(engine) => match engine.turn() {
                Some(turn) => {
                    let mut work = Work::new(work, None);
                    turn.run(&mut work);
                    work.take_result()
                }
                None => self.submit(work).wait(),
            },
            #[cfg(feature = "postgres")]
            Engine::Served(engine) if engine.is_plain_thread() => {
                let mut work = Work::new(work, None);
                engine.run(&mut work);
                work.take_result()
            }
            #[cfg(feature = "postgres")]
            Engine::Served(_) => self.submit(work).wait(),
        }
    }

    /// Returns whether an open shard of a table's stream has outlived the rotation age, as of the last commit. Costs no
    /// access to the database.
    #[must_use]
    pub fn is_rotation_due(&self, table: &TableName, now: EpochMillis) -> bool {
        match &self.engine {
            Engine::Embedded(engine) => engine.is_rotation_due(table, now),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.is_rotation_due(table, now),
        }
    }

    /// Calls `watcher` after every commit, on the thread that committed, until it returns false. It must be quick, and must
    /// not use the store.
    pub fn watch(&self, watcher: impl Fn() -> bool + Send + Sync + 'static) {
        match &self.engine {
            Engine::Embedded(engine) => engine.watchers().add(Box::new(watcher)),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.watchers().add(Box::new(watcher)),
        }
    }

    /// Returns how many groups of writes were run since the store was opened: work in the background learns from it whether there
    /// are writers beside it.
    #[must_use]
    pub fn commits(&self) -> u64 {
        match &self.engine {
            Engine::Embedded(engine) => engine.watchers().commits(),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.watchers().commits(),
        }
    }

    /// Runs `work` while no other maintenance runs on this store, whichever clone or manager began it.
    ///
    /// Not to be called from inside such work.
    pub fn maintain<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.engine {
            Engine::Embedded(engine) => engine.maintain(work),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.maintain(work),
        }
    }

    /// Returns whether the database is on a server: then also short reads wait for the network, and do not belong on a thread
    /// that serves asynchronous tasks.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        match &self.engine {
            Engine::Embedded(_) => false,
            #[cfg(feature = "postgres")]
            Engine::Served(_) => true,
        }
    }

    /// Returns the database's file; `None` for one in memory, or on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Embedded(engine) => engine.file(),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => None,
        }
    }

    /// Copies the whole database, as of one commit, into memory, and notes that this was at `taken`. Writers of a file are not
    /// held up.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`].
    pub fn copy(&self, taken: EpochMillis) -> Result<DatabaseCopy, StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.copy(taken),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => Err(NO_COPIES),
        }
    }

    /// Copies the whole database, as of one commit, into a file, and notes that this was at `taken`. Writers of a file are not
    /// held up.
    ///
    /// A database that is there already, and that nobody has open, is replaced. A process that dies meanwhile leaves the old
    /// one, or the new one. The copy survives what an acknowledged write of this database does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if the file is in use, of another program, or cannot be written; [`StoreError::Closed`],
    /// [`StoreError::Database`].
    pub fn copy_to_file(&self, path: &Path, taken: EpochMillis) -> Result<CopyDescription, StoreError> {
        self.copy_to_file_watched(path, taken, true, &mut copy::unwatched)
    }

    /// As [`copy_to_file`](Self::copy_to_file), and tells how far it is. Unless it is to be durable, a power failure may damage the copy.
    ///
    /// # Errors
    ///
    /// As [`copy_to_file`](Self::copy_to_file); [`StoreError::BrokenOff`] if `each` says so: then there is no copy.
    pub fn copy_to_file_watched(
        &self,
        path: &Path,
        taken: EpochMillis,
        is_durable: bool,
        each: EachStep<'_>,
    ) -> Result<CopyDescription, StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.copy_to_file(path, taken, is_durable, each),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => Err(NO_COPIES),
        }
    }

    /// Puts a copy in the place of the whole database, in one step: reads and writes see what was there before, or the copy.
    /// Waits for maintenance, and for the writes that run.
    ///
    /// Who reads streams may go on: shard iterators stay good, and sequence numbers that were given out until now are not
    /// given out again. What was read from this store before is void: tables, rows of streams and shards, positions of scans.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn replace(&self, copy: DatabaseCopy) -> Result<(), StoreError> {
        self.replace_watched(copy, &mut copy::unwatched)
    }

    /// As [`replace`](Self::replace), and tells how far it is. In memory it is one step.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace); [`StoreError::BrokenOff`] if `each` says so.
    pub fn replace_watched(&self, copy: DatabaseCopy, each: EachStep<'_>) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.replace(copy, each),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => Err(NO_COPIES),
        }
    }

    /// Gives the space of what was deleted back: writes the database anew, without its free pages. Waits for maintenance; writes
    /// wait until it is done, some second for 200 MB of data, reads go on. In a file it needs as much room again meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] for a database on a server, which does that by itself; [`StoreError::Closed`],
    /// [`StoreError::Database`]; then nothing is changed.
    pub fn compact(&self) -> Result<CompactReport, StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.compact(),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => Err(StoreError::Unsupported(
                "commands to compact a database on a server: its own autovacuum gives space back",
            )),
        }
    }

    /// Removes everything, in one step: tables, streams, records, documents, tokens. Waits for maintenance, and for the writes that
    /// run. Readers of streams are told that these are gone; what was read from this store before is void.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn reset(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.replace(DatabaseCopy::empty()?, &mut copy::unwatched),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => self.maintain(|| self.write(|tx| tx.clear_database())),
        }
    }

    /// Interrupts what the writer does, once `patience` has passed and as often as it takes, until the answer is dropped: a piece
    /// of work that never ends must not keep a program from ending. What is interrupted fails, and nothing of it is kept. On a
    /// database server nothing is interrupted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Thread`].
    pub fn interrupt_after(&self, patience: Duration) -> Result<Impatience, StoreError> {
        match &self.engine {
            Engine::Embedded(engine) => engine.interrupt_after(patience),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => Ok(Impatience::none()),
        }
    }

    /// Closes the store: does what is waiting, then refuses everything. Happens by itself when the last clone is dropped. On
    /// SQLite, what takes longer than three seconds is interrupted and fails.
    pub fn close(&self) {
        match &self.engine {
            Engine::Embedded(engine) => engine.close(),
            #[cfg(feature = "postgres")]
            Engine::Served(engine) => engine.close(),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Store");
        match &self.engine {
            Engine::Embedded(engine) => shown.field("memory", &engine.is_in_memory()),
            #[cfg(feature = "postgres")]
            Engine::Served(_) => shown.field("served", &true),
        };
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Store {
    /// The engine, for tests that need the writer in hand.
    pub(crate) fn embedded(&self) -> &Embedded {
        match &self.engine {
            Engine::Embedded(engine) => engine,
            #[cfg(feature = "postgres")]
            Engine::Served(_) => panic!("the database is embedded"),
        }
    }
}
