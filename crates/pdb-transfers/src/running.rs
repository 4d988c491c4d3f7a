//! A job that is carried out: its steps, and how it ends.

use pdb_items::ItemsError;
use pdb_store::{Pending, StoreError, Tx};

use crate::failure::Failure;
use crate::job::{Job, State, StoredJob};
use crate::runner::TransferManager;

/// A kind of jobs that can be carried out.
pub(crate) trait RunnableJob: Job {
    /// Carries the job out, or what is left of it, and ends it.
    fn run(running: &Running<'_, Self>) -> Result<(), Stop>;

    /// What is to be done in the transaction in which the job fails or is cancelled.
    fn broken_off(
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &mut StoredJob<Self>,
    ) -> Result<(), StepError>;
}

/// Why a job does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It fails.
    Failed(Failure),
    /// Its user has cancelled it.
    Cancelled,
    /// It is no longer there, or another process has taken it over.
    Gone,
    /// The database is being closed.
    Closed,
    /// The database cannot be reached at the moment.
    Later,
}

/// Why a step of a job was not taken.
#[derive(Debug)]
pub(crate) enum StepError {
    /// The job is no longer there, has ended, is not where it was, or another process has taken it over.
    Gone,
    Cancelled,
    Failed(ItemsError),
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ItemsError> for StepError {
    fn from(error: ItemsError) -> Self {
        Self::Failed(error)
    }
}

impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Gone => Self::Gone,
            StepError::Cancelled => Self::Cancelled,
            StepError::Failed(ItemsError::Store(StoreError::Closed)) => Self::Closed,
            StepError::Failed(ItemsError::Store(error)) if is_passing(&error) => Self::Later,
            StepError::Failed(error) => {
                let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
                Self::Failed(Failure::new("InternalError", format!("{error}{}", source.unwrap_or_default())))
            }
        }
    }
}

/// Whether the same call may succeed a little later.
pub(crate) fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { .. } | StoreError::Conflict)
}

/// A job that is carried out.
pub(crate) struct Running<'m, J> {
    pub(crate) manager: &'m TransferManager,
    /// The job as it was when it was taken over.
    pub(crate) job: StoredJob<J>,
}

impl<J: Job> Running<'_, J> {
    /// Submits a step: a transaction that does something and notes in the job how far it is.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&TransferManager, &mut Tx<'_>, &mut StoredJob<J>) -> Result<T, StepError>
        + Send
        + 'static,
    ) -> Pending<Result<T, StepError>> {
        let (manager, id) = (self.manager.clone(), self.job.id().to_owned());
        self.manager.inner.store.submit_long(move |tx| {
            let mut job = manager.own::<J>(tx, &id)?;
            if job.state == State::Cancelling {
                return Err(StepError::Cancelled);
            }
            let done = work(&manager, tx, &mut job)?;
            job.steps += 1;
            job.write(tx)?;
            Ok(done)
        })
    }

    /// Takes the last step, also if the job is being cancelled.
    pub(crate) fn last_step(
        &self,
        mut work: impl FnMut(&TransferManager, &mut Tx<'_>, &mut StoredJob<J>) -> Result<(), StepError>
        + Send
        + 'static,
    ) -> Result<(), Stop> {
        let (manager, id) = (self.manager.clone(), self.job.id().to_owned());
        let done = self.manager.inner.store.write(move |tx| {
            let mut job = manager.own::<J>(tx, &id)?;
            work(&manager, tx, &mut job)?;
            job.write(tx)?;
            Ok::<_, StepError>(())
        });
        Ok(done?)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.manager.inner.queue.is_stopped()
    }
}

impl TransferManager {
    /// Returns a job that this manager carries out.
    fn own<J: Job>(&self, tx: &mut Tx<'_>, id: &str) -> Result<StoredJob<J>, StepError> {
        let job = StoredJob::<J>::read_to_change(tx, id)?;
        job.filter(|job| !job.state.is_over() && job.runner == self.inner.runner).ok_or(StepError::Gone)
    }
}
