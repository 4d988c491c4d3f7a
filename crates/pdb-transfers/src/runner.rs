//! What carries out jobs of all kinds: threads, restarts, several processes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use pdb_items::tables::TableManager;
use pdb_model::{Account, Env, EpochMillis, TableName};
use pdb_objects::ObjectStore;
use pdb_store::{ReadTx, Store, StoreError, Tx};

use crate::error::TransferError;
use crate::failure::Failure;
use crate::job::{Job, State, StoredJob};
use crate::queue::{JobKind, Queue, Ticket, Watched};
use crate::running::{RunnableJob, Running, Stop, is_passing};

/// How long [`TransferManager::close`] waits for jobs that are in the middle of something.
const GRACE: Duration = Duration::from_secs(3);
/// How often jobs of other processes are looked at, and after how many times without a step they are taken over.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);
const UNMOVED_LOOKS: u32 = 6;
/// How many processes may have ended in a job that did not get further, one after the other. With the next one the job fails: it may be what ends them, and
/// would keep the database from being opened.
const MAX_IDLE_CLAIMS: u32 = 5;
/// After how long a job goes on that was interrupted by a database server.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Imports, bulk operations, and the threads that carry them out. Cheap to clone.
///
/// Threads are started when there is something to do, and end after it. [`close`](Self::close) interrupts jobs; they go on when the database is
/// opened again and [`resume`](Self::resume) is called. Where several processes use one database, a job goes on in another process if it has not
/// moved for half a minute.
#[derive(Clone)]
pub struct TransferManager {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) env: Env,
    pub(crate) account: Account,
    pub(crate) tables: TableManager,
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// What distinguishes this manager from those of other processes.
    pub(crate) runner: String,
    pub(crate) queue: Queue,
    kinds: &'static [Kind],
}

/// How the jobs of one kind are found and carried out.
pub(crate) struct Kind {
    kind: JobKind,
    resume: fn(&TransferManager) -> Result<(), StoreError>,
    carry_out: fn(&TransferManager, &str) -> bool,
    steps: fn(&mut ReadTx<'_>, &str) -> Result<Option<u64>, StoreError>,
}

impl Kind {
    pub(crate) const fn of<J: RunnableJob>() -> Self {
        Self {
            kind: J::KIND,
            resume: TransferManager::resume_all::<J>,
            carry_out: TransferManager::carry_out::<J>,
            steps: steps_of::<J>,
        }
    }
}

impl TransferManager {
    pub(crate) fn with_kinds(
        store: Store,
        env: Env,
        account: Account,
        tables: TableManager,
        objects: Arc<dyn ObjectStore>,
        kinds: &'static [Kind],
    ) -> Self {
        // Not from `env`: ids that a test counts may be the same in another process.
        let runner =
            format!("{}-{:x}", std::process::id(), pdb_model::IdSource::next_id(&pdb_model::RandomIds));
        let queue = Queue::default();
        Self { inner: Arc::new(Inner { store, env, account, tables, objects, runner, queue, kinds }) }
    }

    /// Goes on with the jobs that were interrupted.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn resume(&self) -> Result<(), StoreError> {
        self.inner.kinds.iter().try_for_each(|kind| (kind.resume)(self))
    }

    fn kind(&self, ticket: &Ticket) -> Option<&'static Kind> {
        self.inner.kinds.iter().find(|kind| kind.kind == ticket.kind)
    }

    fn resume_all<J: Job>(&self) -> Result<(), StoreError> {
        for job in self.inner.store.read(StoredJob::<J>::all)? {
            self.ensure_running(&job);
        }
        Ok(())
    }

    /// Interrupts the jobs, which stay as they are in the database, and lets none begin.
    pub fn close(&self) {
        self.inner.queue.stop(GRACE);
    }

    /// Waits until all jobs of this process have ended, no longer than `timeout`. Returns whether they have.
    #[must_use]
    pub fn wait_until_idle(&self, timeout: Duration) -> bool {
        self.inner.queue.wait_until_idle(timeout)
    }

    /// Lets a job go on that nothing carries out.
    pub(crate) fn ensure_running<J: Job>(&self, job: &StoredJob<J>) {
        if job.state.is_over() {
            return;
        }
        // A file or a database in memory is used by this process only.
        if job.runner.is_empty() || job.runner == self.inner.runner || !self.inner.store.is_remote() {
            self.enqueue(job.ticket());
        } else if self.inner.queue.watch(job.ticket()) {
            let manager = self.clone();
            let started = std::thread::Builder::new()
                .name("pretender-transfer-watch".to_owned())
                .spawn(move || manager.watch());
            if let Err(error) = started {
                tracing::error!(%error, "cannot watch the imports and exports of other processes");
                self.inner.queue.not_watching();
            }
        }
    }

    fn enqueue(&self, ticket: Ticket) {
        if self.inner.queue.add(ticket) {
            let manager = self.clone();
            let started = std::thread::Builder::new()
                .name("pretender-transfer".to_owned())
                .spawn(move || manager.work());
            if let Err(error) = started {
                tracing::error!(%error, "cannot start a thread for an import or export");
                self.inner.queue.not_started();
            }
        }
    }

    /// What a worker does.
    fn work(&self) {
        while let Some(ticket) = self.inner.queue.next() {
            let again = self.kind(&ticket).is_some_and(|kind| (kind.carry_out)(self, &ticket.id));
            let is_again = again && !self.inner.queue.pause(RETRY_DELAY);
            self.inner.queue.done(&ticket);
            if is_again {
                self.enqueue(ticket);
            }
        }
    }

    /// Carries a job out, or what is left of it. Returns whether it is to be tried again.
    fn carry_out<J: RunnableJob>(&self, id: &str) -> bool {
        let claimed = match self.claim::<J>(id) {
            Ok(Some(claimed)) => claimed,
            Ok(None) => return false,
            Err(error) => return is_passing(&error),
        };
        let running = Running { manager: self, job: claimed };
        let ran = if running.job.idle_claims > MAX_IDLE_CLAIMS {
            let text = "The process that carried the job out has ended several times, and the job did not get further.";
            Ok(Err(Stop::Failed(Failure::new("InternalError", text))))
        } else {
            catch_unwind(AssertUnwindSafe(|| J::run(&running)))
        };
        let ran = ran.unwrap_or_else(|_| {
            tracing::error!(job = running.job.arn, "an import, export or bulk operation has panicked");
            Err(Stop::Failed(Failure::new("InternalError", "The job has panicked; this is a bug.")))
        });
        let (state, failure) = match ran {
            Ok(()) => return false,
            Err(Stop::Gone) => {
                self.note_life::<J>(id);
                // After a restore it may be somewhere else, and still this manager's.
                return self.is_own::<J>(id);
            }
            Err(Stop::Closed) => {
                // Another process, or this one when it is started again, need not wait until it is sure that nothing goes on here.
                let released = running.last_step(|_, _, job| {
                    job.runner.clear();
                    job.idle_claims = 0;
                    Ok(())
                });
                if let Err(reason) = released {
                    tracing::debug!(
                        job = running.job.arn,
                        ?reason,
                        "cannot give an interrupted job to others"
                    );
                }
                return false;
            }
            Err(Stop::Later) => return true,
            Err(Stop::Cancelled) => (State::Cancelled, None),
            Err(Stop::Failed(failure)) => (State::Failed, Some(failure)),
        };
        if let Some(Failure { code, message }) = &failure {
            tracing::warn!(
                job = running.job.arn,
                code,
                message,
                "an import, export or bulk operation has failed"
            );
        }
        let ended = running.last_step(move |manager, tx, job| {
            J::broken_off(manager, tx, job)?;
            job.end(state, failure.clone(), manager.now(tx));
            Ok(())
        });
        match ended {
            Ok(()) | Err(Stop::Gone | Stop::Closed | Stop::Cancelled) => false,
            Err(Stop::Later) => true,
            Err(Stop::Failed(failure)) => {
                tracing::error!(
                    job = running.job.arn,
                    reason = failure.message,
                    "cannot note that a job has ended"
                );
                false
            }
        }
    }

    /// Returns whether a job has not ended, and this manager carries it out.
    fn is_own<J: Job>(&self, id: &str) -> bool {
        let job = self.inner.store.read(|tx| StoredJob::<J>::read(tx, id));
        matches!(job, Ok(Some(job)) if !job.state.is_over() && job.runner == self.inner.runner)
    }

    /// Notes that this process has not ended, if another one has taken the job over because it was slow.
    fn note_life<J: Job>(&self, id: &str) {
        let (id, runner) = (id.to_owned(), self.inner.runner.clone());
        let noted = self.inner.store.write(move |tx| {
            let Some(mut job) = StoredJob::<J>::read_to_change(tx, &id)? else { return Ok(()) };
            if job.state.is_over() || job.runner == runner || job.idle_claims == 0 {
                return Ok(());
            }
            job.idle_claims = 0;
            job.write(tx)
        });
        if let Err(error) = noted {
            let error: StoreError = error;
            tracing::debug!(%error, "could not note that this process has not ended");
        }
    }

    /// Takes a job over, unless it has ended.
    fn claim<J: Job>(&self, id: &str) -> Result<Option<StoredJob<J>>, StoreError> {
        let (id, runner) = (id.to_owned(), self.inner.runner.clone());
        self.inner.store.write(move |tx| {
            let Some(mut job) = StoredJob::<J>::read_to_change(tx, &id)? else { return Ok(None) };
            if job.state.is_over() {
                return Ok(None);
            }
            if !job.runner.is_empty() && job.runner != runner {
                job.idle_claims += 1;
            }
            job.runner.clone_from(&runner);
            job.steps += 1;
            job.write(tx)?;
            Ok::<_, StoreError>(Some(job))
        })
    }

    /// What the watcher does.
    fn watch(&self) {
        loop {
            if self.inner.queue.pause(WATCH_INTERVAL) {
                self.inner.queue.not_watching();
                return;
            }
            let watched = self.inner.queue.watched();
            if watched.is_empty() {
                return;
            }
            for (ticket, known) in watched {
                let kind = self.kind(&ticket);
                let steps = self.inner.store.read(|tx| match kind {
                    Some(kind) => (kind.steps)(tx, &ticket.id),
                    None => Ok(None),
                });
                match steps {
                    Ok(None) => self.inner.queue.note(&ticket, None),
                    Ok(Some(steps)) if steps == known.steps && known.unmoved + 1 >= UNMOVED_LOOKS => {
                        tracing::info!(
                            job = ticket.id,
                            "another process has stopped in the middle of a job, which goes on here"
                        );
                        self.enqueue(ticket);
                    }
                    Ok(Some(steps)) => {
                        let unmoved = if steps == known.steps { known.unmoved + 1 } else { 0 };
                        self.inner.queue.note(&ticket, Some(Watched { steps, unmoved }));
                    }
                    Err(error) => tracing::debug!(%error, "cannot look at the jobs of other processes"),
                }
            }
        }
    }

    /// Returns the ARN of a new job of a table.
    pub(crate) fn new_arn(&self, kind: JobKind, table_name: &TableName, started: EpochMillis) -> String {
        let table_arn = self.inner.account.table_arn(table_name);
        let id = pdb_exchange::export_id(started, self.inner.env.ids.next_id());
        format!("{table_arn}/{}/{id}", kind.arn_word())
    }

    pub(crate) fn now(&self, tx: &mut Tx<'_>) -> EpochMillis {
        tx.moment(|| self.inner.env.clock.now())
    }

    /// Begins a transaction, in which an operation begins a job, and lets the job run.
    pub(crate) fn begin<J: Job>(
        &self,
        mut work: impl FnMut(&Self, &mut Tx<'_>) -> Result<StoredJob<J>, TransferError> + Send + 'static,
    ) -> Result<StoredJob<J>, TransferError> {
        let manager = self.clone();
        let job = self.inner.store.write(move |tx| {
            // Two requests with one token, or for one table, follow each other.
            tx.put_document("transfers", J::KIND.document_kind(), "{}")?;
            let now = manager.now(tx);
            StoredJob::<J>::forget_old(tx, now)?;
            work(&manager, tx)
        })?;
        self.ensure_running(&job);
        Ok(job)
    }

    /// Returns a job by its ARN, and lets it go on if nothing carries it out.
    pub(crate) fn found<J: Job>(&self, arn: &str) -> Result<Option<StoredJob<J>>, TransferError> {
        let job = self.inner.store.read(|tx| StoredJob::<J>::find(tx, arn))?;
        if let Some(job) = &job {
            self.ensure_running(job);
        }
        Ok(job)
    }
}

fn steps_of<J: Job>(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<u64>, StoreError> {
    let job = StoredJob::<J>::read(tx, id)?;
    Ok(job.filter(|job| !job.state.is_over()).map(|job| job.steps))
}

impl fmt::Debug for TransferManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferManager").field("objects", &self.inner.objects).finish_non_exhaustive()
    }
}
