//! Runs jobs that write, and runs them again where that may help.
//!
//! A job ends when it is committed, has failed by itself (its closure returned an error, or panicked), or the retries are used up. It runs
//! again in three cases:
//!
//! * **Conflict**: another transaction had locked or changed the same rows, or the catalog is newer than the one that the job began with. The
//!   pauses between attempts grow. After four attempts the job keeps the catalog locked while it runs, so that definitions cannot make it
//!   lose for ever; a job that wanted to change the catalog itself locks it exclusively from its second attempt on.
//! * **Lost connection**: nothing was committed, another connection may serve. If the connection is lost during the commit, nobody knows
//!   whether it was carried out, so the job fails with `Unavailable` instead of running twice.
//! * **Shards due for rotation**: they are rotated in transactions of their own first, since that locks the catalog, which comes before the
//!   items that the job has locked.

use std::{sync::Arc, time::Instant};

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::StoreError,
    job::{ClosureJob, Job},
    postgres::{
        engine::{Core, MAX_CONFLICTS, RETRY_TIMEOUT, pause},
        fault::Fault,
        session::Session,
        transaction::{DueRotation, PostgresTx},
    },
    read_tx::ReadTx,
    trace,
    transaction::EngineTx,
    tx::Tx,
};

/// How often a job is run again because shards had to be rotated before. Once will do, unless that fails.
const MAX_ROTATIONS: u32 = 20;
/// After how many times it keeps the catalog as it is while it runs.
const CONFLICTS_BEFORE_LOCK: u32 = 4;

const BEGIN_WRITE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT version FROM pdb_catalog WHERE id = 1";
/// The same, for work that lost to changes of the catalog before: there will be none until it ends.
const BEGIN_LOCKED: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT version FROM pdb_catalog WHERE id = 1 FOR SHARE";
/// The same, for work that changes the catalog itself and lost to others that did: it holds the catalog from the beginning.
const BEGIN_DEFINITION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT version FROM pdb_catalog WHERE id = 1 FOR UPDATE";

impl Core {
    /// Runs work until it is committed, has failed by itself, or no more can be done. It has its result then.
    pub(super) fn run(&self, job: &mut dyn Job) {
        let until = Instant::now() + RETRY_TIMEOUT;
        let (mut conflicts, mut losses, mut rotations) = (0, 0, 0);
        let mut defines = false;
        loop {
            let begin = match conflicts {
                _ if defines => BEGIN_DEFINITION,
                0..CONFLICTS_BEFORE_LOCK => BEGIN_WRITE,
                _ => BEGIN_LOCKED,
            };
            let interruption = match self.begin(begin, until) {
                Ok((session, catalog)) => match self.attempt(&session, catalog, job) {
                    Ok(()) => break,
                    Err(interruption) => {
                        if matches!(interruption.fault, Fault::Lost(_)) {
                            session.give_up();
                        }
                        interruption
                    }
                },
                Err(error) => match FailedAttempt::of_begin(&error) {
                    Some(interruption) => interruption,
                    None => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "a write could not begin");
                        return job.fail(error);
                    }
                },
            };
            defines |= interruption.wants_catalog;
            if !interruption.due_rotations.is_empty() && rotations < MAX_ROTATIONS {
                rotations += 1;
                for due in interruption.due_rotations {
                    // One that fails is found due again.
                    let origin = job.trace().origin().clone();
                    self.run(&mut ClosureJob::of(origin, move |tx: &mut Tx<'_>| rotate(tx, &due), None));
                }
                continue;
            }
            match interruption.fault {
                Fault::Conflict(source) => {
                    conflicts += 1;
                    tracing::debug!(?source, conflicts, "a write is run again: others were in its way");
                    pause(&self.closed, conflicts - 1);
                    if conflicts > MAX_CONFLICTS || Instant::now() >= until + RETRY_TIMEOUT {
                        return job.fail(StoreError::Conflict);
                    }
                }
                Fault::Lost(source) => {
                    losses += 1;
                    tracing::debug!(%source, losses, "a write is run again: its connection was lost");
                    if pause(&self.closed, losses) || Instant::now() >= until {
                        return job.fail(StoreError::Unavailable { during: "write", source });
                    }
                }
                Fault::Refused(source) => {
                    return job.fail(StoreError::Database { during: "commit", source });
                }
            }
        }
    }

    /// Runs work once. An error means that nothing of it was kept.
    fn attempt(
        &self,
        session: &Session,
        catalog: Arc<Catalog>,
        job: &mut dyn Job,
    ) -> Result<(), FailedAttempt> {
        let begun = self.meters.begin_group();
        let mut state = PostgresTx::default();
        let mut tx = Tx::new(ReadTx::new(Driver::Postgres(session), catalog), EngineTx::Postgres(&mut state));
        let keep = job.run(&mut tx);
        let ReadTx { catalog, deltas, .. } = tx.into_read();
        let mut read = ReadTx { driver: Driver::Postgres(session), catalog, deltas };
        let fault = session.fault();
        if job.panicked() || (!keep && matches!(fault, None | Some(Fault::Refused(_)))) {
            session.roll_back();
            return Ok(());
        }
        if let Some(fault) = fault {
            session.roll_back();
            return Err(FailedAttempt::by(fault, &state));
        }
        if !state.due_rotations.is_empty() {
            session.roll_back();
            let due_rotations = std::mem::take(&mut state.due_rotations);
            return Err(FailedAttempt { due_rotations, ..FailedAttempt::by(Fault::Conflict(None), &state) });
        }
        let slot = self.slots.take();
        if let Err(error) = state.before_commit(&mut read, slot.number()) {
            session.roll_back();
            let fault = session.fault();
            return match fault {
                Some(fault) => Err(FailedAttempt::by(fault, &state)),
                None => {
                    job.fail(error);
                    Ok(())
                }
            };
        }
        let traces = std::iter::once(job.trace());
        let committed = trace::commit("postgresql", traces, || session.commit());
        drop(slot);
        if let Err(error) = committed {
            let fault = Fault::of(error.clone());
            if fault.is_certain() {
                session.roll_back();
                return Err(FailedAttempt::by(fault, &state));
            }
            tracing::warn!(%error, "the database was lost in the middle of a commit");
            job.fail(StoreError::Unavailable { during: "commit", source: error });
            return Ok(());
        }
        if state.holds_catalog {
            self.publish(&read.catalog);
        }
        self.meters.count_commit(1, begun);
        read.deltas.count_job_traffic();
        self.watchers.call();
        Ok(())
    }
}

/// Does a rotation that another transaction has found due.
fn rotate(tx: &mut Tx<'_>, due: &DueRotation) -> Result<(), StoreError> {
    match tx.find_table(&due.table) {
        Some(table) => tx.rotate_due_shards(&table, &due.ids, due.now).map(drop),
        None => Ok(()),
    }
}

/// Why work is to be run again, or has failed.
struct FailedAttempt {
    fault: Fault,
    /// It was to hold the catalog.
    wants_catalog: bool,
    /// What is to be done before.
    due_rotations: Vec<DueRotation>,
}

impl FailedAttempt {
    fn by(fault: Fault, state: &PostgresTx) -> Self {
        Self { fault, wants_catalog: state.wants_catalog, due_rotations: Vec::new() }
    }

    /// Of work that waited too long for the catalog when it was to begin; `None` if it could not begin for another reason.
    fn of_begin(error: &StoreError) -> Option<Self> {
        let StoreError::Database { source, .. } = error else { return None };
        let fault = Fault::of(source.clone());
        matches!(fault, Fault::Conflict(_)).then(|| Self {
            fault,
            wants_catalog: false,
            due_rotations: Vec::new(),
        })
    }
}
