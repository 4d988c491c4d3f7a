//! The memory of answers: how many may be in the making, and how many bytes may wait to be sent.
//!
//! How long an answer is is known once it is made. So what may be long is made in one of a few places, and stays there until the
//! budget has a permit for its true size; no more is made meanwhile than there are places. Calls whose answers are short, or are
//! made on the spot, need no place and no permit: they never wait for the others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::Finder;
use pdb_wire::{Operation, OperationClass};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::budget::{Budget, Contention, Permit, SMALL};
use crate::ServerOptions;

/// Places for answers of many items: as many as there are threads for them.
const LONG_PLACES: usize = ServerOptions::MOST_LONG_READS as usize;
/// How many of them a batch takes, whose answer may have 20 MiB: four times what is seen of a page.
const BATCH_PLACES: u32 = 4;
/// Places for writes that return items, of up to 2.8 MB each. Made in groups that share a commit, so there are more of them.
const WRITE_PLACES: usize = 64;
/// How many answers of reads by key may wait for a permit.
const WAITING_PLACES: usize = 16;

/// What a request may have as its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
    /// A short text.
    Short,
    /// One item, read on the spot.
    Item,
    /// Up to a page or a batch of items; how many of the places it takes.
    Long(u32),
    /// What a write returns of the items it changed.
    Returned,
}

/// The memory of a server's answers.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    budget: Budget,
    long: Places,
    writes: Places,
    waiting: Places,
    return_values: Finder<'static>,
    escape: Finder<'static>,
}

impl AnswerBudget {
    /// Returns a budget of so many bytes of answers that are ready. Nobody waits longer than `timeout`.
    pub(crate) fn new(bytes: usize, timeout: Duration) -> Self {
        Self {
            budget: Budget::new(bytes, timeout),
            long: Places::new(LONG_PLACES, timeout),
            writes: Places::new(WRITE_PLACES, timeout),
            waiting: Places::new(WAITING_PLACES, timeout),
            return_values: Finder::new("\"ReturnValues"),
            escape: Finder::new("\\u00"),
        }
    }

    /// Returns what tells whether an answer waits for those that are not fetched.
    pub(crate) fn contention(&self) -> &Contention {
        self.budget.contention()
    }

    /// Waits until the answer to a request may be made; `None` if that took too long.
    pub(crate) async fn admit(&self, operation: Operation, body: &[u8]) -> Option<AnswerPlace> {
        let kind = self.kind(operation, body);
        let place = match kind {
            AnswerKind::Short | AnswerKind::Item => None,
            AnswerKind::Long(places) => Some(self.long.take(places).await?),
            AnswerKind::Returned => Some(self.writes.take(1).await?),
        };
        let must_be_sent = operation.class() == OperationClass::Write || is_statement(operation);
        Some(AnswerPlace { kind, place, must_be_sent })
    }

    /// Takes a permit for an answer, which it keeps until it is sent or dropped; `None` if there is none for too long, and the
    /// request has changed nothing.
    pub(crate) async fn keep(&self, place: AnswerPlace, answer: Vec<u8>) -> Option<Kept> {
        // What is small is in the hands of the operating system at once.
        if answer.len() <= SMALL {
            return Some(Kept { answer, permit: Permit::default() });
        }
        let permit = match self.budget.try_take(answer.len()) {
            Some(permit) => permit,
            None => match self.wait(&place, answer.len()).await {
                Some(permit) => permit,
                None if place.must_be_sent => Permit::default(),
                None => return None,
            },
        };
        Some(Kept { answer, permit })
    }

    async fn wait(&self, place: &AnswerPlace, bytes: usize) -> Option<Permit> {
        let _waiting = match place.kind {
            // There is no telling how many there are, and they are not much longer than that.
            AnswerKind::Short => return Some(Permit::default()),
            AnswerKind::Item => Some(self.waiting.try_take()?),
            AnswerKind::Long(_) | AnswerKind::Returned => None,
        };
        self.budget.take(bytes).await
    }

    fn kind(&self, operation: Operation, body: &[u8]) -> AnswerKind {
        match operation {
            Operation::GetItem => AnswerKind::Item,
            Operation::Query | Operation::Scan | Operation::GetRecords | Operation::ExecuteStatement => {
                AnswerKind::Long(1)
            }
            Operation::BatchGetItem
            | Operation::TransactGetItems
            | Operation::BatchExecuteStatement
            | Operation::ExecuteTransaction => AnswerKind::Long(BATCH_PLACES),
            _ if operation.class() == OperationClass::Write && self.may_return_items(body) => {
                AnswerKind::Returned
            }
            _ => AnswerKind::Short,
        }
    }

    /// Whether a write asks for items: it names such a member, or may do so in escaped letters.
    fn may_return_items(&self, body: &[u8]) -> bool {
        self.return_values.find(body).is_some() || self.escape.find(body).is_some()
    }
}

/// Whether an operation runs PartiQL, which may write.
fn is_statement(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ExecuteStatement | Operation::BatchExecuteStatement | Operation::ExecuteTransaction
    )
}

/// Where an answer is made.
#[derive(Debug)]
pub(crate) struct AnswerPlace {
    kind: AnswerKind,
    /// Held until the answer has its permit.
    #[expect(dead_code, reason = "it is given back when this is dropped")]
    place: Option<OwnedSemaphorePermit>,
    /// Something may have been written, and the client must learn of it.
    must_be_sent: bool,
}

/// An answer with its permit.
pub(crate) struct Kept {
    answer: Vec<u8>,
    permit: Permit,
}

impl Kept {
    /// Returns the answer.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.answer
    }

    /// Puts a shorter answer in its place, and gives back what is not needed for it.
    pub(crate) fn replace(&mut self, answer: Vec<u8>) {
        self.permit.shrink(answer.len());
        self.answer = answer;
    }

    /// Returns the answer as it is sent; with its last part the permit goes.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.answer.len() <= SMALL { self.answer.into() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

/// A number of places.
#[derive(Debug)]
struct Places {
    free: Arc<Semaphore>,
    timeout: Duration,
}

impl Places {
    fn new(places: usize, timeout: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(places)), timeout }
    }

    fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    async fn take(&self, places: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(taken) = self.free.clone().try_acquire_many_owned(places) {
            return Some(taken);
        }
        let waiting = self.free.clone().acquire_many_owned(places);
        // The semaphore is never closed.
        tokio::time::timeout(self.timeout, waiting).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn budget() -> AnswerBudget {
        AnswerBudget::new(8 * MIB, Duration::ZERO)
    }

    async fn answer(budget: &AnswerBudget, operation: Operation, bytes: usize) -> Option<Bytes> {
        let place = budget.admit(operation, br#"{"ReturnValues": "ALL_OLD"}"#).await?;
        budget.keep(place, vec![b'x'; bytes]).await.map(Kept::into_bytes)
    }

    #[tokio::test]
    async fn a_shorter_answer_gives_back_what_it_does_not_need() {
        let budget = budget();
        let place = budget.admit(Operation::Scan, b"").await.unwrap();
        let mut page = budget.keep(place, vec![b'x'; 5 * MIB]).await.unwrap();
        let item = answer(&budget, Operation::GetItem, MIB).await.unwrap();
        let place = budget.admit(Operation::GetItem, b"").await.unwrap();
        let mut reserved = budget.keep(place, vec![b'x'; MIB]).await.unwrap();
        assert_eq!(budget.budget.free(), (0, 1024));
        page.replace(vec![b'y'; MIB]);
        reserved.replace(vec![b'y'; MIB / 2]);
        assert_eq!(budget.budget.free(), (4096, 1536));
        assert_eq!(page.bytes(), vec![b'y'; MIB]);
        let (page, reserved) = (page.into_bytes(), reserved.into_bytes());
        assert_eq!((page.len(), budget.budget.free()), (MIB, (4096, 1536)));
        drop((page, reserved, item));
        assert_eq!(budget.budget.free(), (6144, 2048));
        let place = budget.admit(Operation::Scan, b"").await.unwrap();
        let mut page = budget.keep(place, vec![b'x'; MIB]).await.unwrap();
        page.replace(vec![b'y'; SMALL]);
        let _small = page.into_bytes();
        assert_eq!(budget.budget.free(), (6144, 2048));
    }

    #[tokio::test]
    async fn an_answer_keeps_its_permit_until_it_is_sent() {
        let budget = budget();
        let page = answer(&budget, Operation::Scan, 5 * MIB).await.unwrap();
        let item = answer(&budget, Operation::GetItem, MIB / 2).await.unwrap();
        assert_eq!(budget.budget.free(), (512, 2048));
        let _small = answer(&budget, Operation::GetItem, SMALL).await.unwrap();
        assert_eq!(budget.budget.free(), (512, 2048));
        // The next page finds no permit, and gives its place back.
        assert!(answer(&budget, Operation::Scan, 2 * MIB).await.is_none());
        assert_eq!(budget.long.free.available_permits(), LONG_PLACES);
        // Items still do.
        let other = answer(&budget, Operation::GetItem, MIB).await.unwrap();
        assert_eq!(budget.budget.free(), (512, 1024));
        let part = page.slice(5..10);
        drop((page, item, other));
        assert_eq!(budget.budget.free(), (1024, 2048));
        drop(part);
        assert_eq!(budget.budget.free(), (6144, 2048));
    }

    #[tokio::test]
    async fn what_was_written_is_answered_in_any_case() {
        let budget = budget();
        let _all = answer(&budget, Operation::Query, 20 * MIB).await.unwrap();
        let _rest = answer(&budget, Operation::Query, MIB).await.unwrap();
        let _reserve = answer(&budget, Operation::Query, MIB).await.unwrap();
        assert_eq!(budget.budget.free(), (0, 0));
        assert!(answer(&budget, Operation::Query, 100_000).await.is_none());
        assert!(answer(&budget, Operation::GetItem, 100_000).await.is_none());
        for operation in [Operation::UpdateItem, Operation::ExecuteStatement, Operation::CreateTable] {
            assert!(answer(&budget, operation, 100_000).await.is_some(), "{operation:?}");
        }
        assert!(answer(&budget, Operation::GetItem, SMALL).await.is_some());
    }

    #[test]
    fn only_writes_that_return_items_need_a_place() {
        let budget = budget();
        let kind = |operation, body: &str| budget.kind(operation, body.as_bytes());
        assert_eq!(kind(Operation::PutItem, r#"{"TableName":"t","Item":{}}"#), AnswerKind::Short);
        for body in [
            r#"{"ReturnValues":"ALL_OLD"}"#,
            r#"{"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#,
            r#"{"Retur\u006eValues":"ALL_OLD"}"#,
        ] {
            assert_eq!(kind(Operation::UpdateItem, body), AnswerKind::Returned, "{body}");
        }
        assert_eq!(kind(Operation::BatchGetItem, "{}"), AnswerKind::Long(BATCH_PLACES));
        assert_eq!(kind(Operation::DescribeTable, "{}"), AnswerKind::Short);
    }
}
