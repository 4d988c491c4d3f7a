//! A job as it is stored: what was asked, how far it is, and how it ended.

use pdb_model::EpochMillis;
use pdb_store::{ReadTx, StoreError, Tx};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::unreadable;
use crate::failure::Failure;
use crate::queue::{JobKind, Ticket};

/// How long an ended job is listed: 90 days.
pub(crate) const LISTED_MILLIS: i64 = 90 * 24 * 60 * 60 * 1000;
/// How long a token stands for the same job after the job has ended: eight hours.
pub(crate) const TOKEN_MILLIS: i64 = 8 * 60 * 60 * 1000;
/// Jobs that are read at a time.
const PAGE: u32 = 100;

/// Whether a job goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Running,
    /// It is to be cancelled.
    Cancelling,
    Completed,
    Cancelled,
    Failed,
}

impl State {
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Running | Self::Cancelling => false,
            Self::Completed | Self::Cancelled | Self::Failed => true,
        }
    }
}

/// What a kind of jobs is about.
pub(crate) trait Job: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind.
    const KIND: JobKind;
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredJob<J> {
    version: u32,
    pub(crate) arn: String,
    pub(crate) state: State,
    pub(crate) started: EpochMillis,
    pub(crate) ended: Option<EpochMillis>,
    pub(crate) failure: Option<Failure>,
    pub(crate) client_token: Option<String>,
    /// The manager that carries it out.
    pub(crate) runner: String,
    /// Grows with each step, so that another process sees whether the job goes on.
    pub(crate) steps: u64,
    /// How many times in a row a process has taken the job over from one that ended before the job got further. That it only goes on does not
    /// count.
    #[serde(default)]
    pub(crate) idle_claims: u32,
    pub(crate) job: J,
}

impl<J: Job> StoredJob<J> {
    pub(crate) fn new(arn: String, started: EpochMillis, client_token: Option<String>, job: J) -> Self {
        Self {
            version: 1,
            arn,
            state: State::Running,
            started,
            ended: None,
            failure: None,
            client_token,
            runner: String::new(),
            steps: 0,
            idle_claims: 0,
            job,
        }
    }

    /// The name of the job's document: the end of its ARN.
    pub(crate) fn id(&self) -> &str {
        id_of(&self.arn)
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { kind: J::KIND, id: self.id().to_owned() }
    }

    /// Ends the job.
    pub(crate) fn end(&mut self, state: State, failure: Option<Failure>, now: EpochMillis) {
        self.state = state;
        self.failure = failure;
        self.ended = Some(now.max(self.started));
    }

    /// Whether a repeated token means this job.
    pub(crate) fn owns_token(&self, token: &str, now: EpochMillis) -> bool {
        self.client_token.as_deref() == Some(token)
            && self.ended.is_none_or(|ended| now.0 < ended.0.saturating_add(TOKEN_MILLIS))
    }

    pub(crate) fn read(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        let text = tx.document(J::KIND.document_kind(), id)?;
        text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
    }

    /// Reads a job that is to be changed: no other transaction changes it before this one has ended.
    pub(crate) fn read_to_change(tx: &mut Tx<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        tx.lock_document(J::KIND.document_kind(), id)?;
        Self::read(tx, id)
    }

    /// Returns a job by its ARN.
    pub(crate) fn find(tx: &mut ReadTx<'_>, arn: &str) -> Result<Option<Self>, StoreError> {
        let id = id_of(arn);
        if id.is_empty() {
            return Ok(None);
        }
        Ok(Self::read(tx, id)?.filter(|job| job.arn == arn))
    }

    pub(crate) fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let text = serde_json::to_string(self).map_err(unreadable)?;
        tx.put_document(J::KIND.document_kind(), self.id(), &text)
    }

    /// Returns all jobs of the kind, oldest first.
    pub(crate) fn all(tx: &mut ReadTx<'_>) -> Result<Vec<Self>, StoreError> {
        let mut jobs = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let documents = tx.documents(J::KIND.document_kind(), after.as_deref(), PAGE)?;
            let Some((last, _)) = documents.last() else { return Ok(jobs) };
            after = Some(last.clone());
            for (_, text) in &documents {
                jobs.push(serde_json::from_str(text).map_err(unreadable)?);
            }
        }
    }

    /// Removes jobs that ended so long ago that no operation shows them.
    pub(crate) fn forget_old(tx: &mut Tx<'_>, now: EpochMillis) -> Result<(), StoreError> {
        for job in Self::all(tx)? {
            if job.ended.is_some_and(|ended| ended.0.saturating_add(LISTED_MILLIS) < now.0) {
                tx.delete_document(J::KIND.document_kind(), job.id())?;
            }
        }
        Ok(())
    }
}

fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
