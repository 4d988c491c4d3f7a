//! The memory of answers: how many may be computed, and how many bytes may wait to be sent.
//!
//! The length of an answer is known only when it has been computed. So an answer that may be long needs a slot to be
//! computed, and keeps it until the budget has a permit for its actual size. No more such answers than there are slots
//! exist without a permit. Calls whose answers are short or quickly computed need neither a slot nor a permit to start:
//! they never wait for the others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::Finder;
use pdb_wire::{Operation, OperationClass};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::budget::{Budget, BudgetPermit, Contention, SMALL};
use crate::ServerOptions;

/// Slots for answers of many items: as many as there are threads for them.
const LONG_SLOTS: usize = ServerOptions::MAX_LONG_READS as usize;
/// The number of slots for a batch. Its answer may have 20 MiB, four times as much as a page in practice.
const BATCH_SLOTS: u32 = 4;
/// Slots for writes that return items, of up to 2.8 MB each. There are more of them, because such writes are computed
/// in groups that share a commit.
const WRITE_SLOTS: usize = 64;
/// How many answers of reads by key may wait for a permit.
const WAITING_SLOTS: usize = 16;

/// What the answer to a request may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
    /// A short text.
    Short,
    /// One item, read immediately.
    Item,
    /// Up to a page or a batch of items. The number is that of the slots it needs.
    Long(u32),
    /// The items that a write returns.
    Returned,
}

/// The memory of a server's answers.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    budget: Budget,
    long: Slots,
    writes: Slots,
    waiting: Slots,
    return_values: Finder<'static>,
    escape: Finder<'static>,
}

impl AnswerBudget {
    /// Creates a budget of so many bytes for computed answers. A wait ends after `timeout`.
    pub(crate) fn new(bytes: usize, timeout: Duration) -> Self {
        Self {
            budget: Budget::new(bytes, timeout),
            long: Slots::new(LONG_SLOTS, timeout),
            writes: Slots::new(WRITE_SLOTS, timeout),
            waiting: Slots::new(WAITING_SLOTS, timeout),
            return_values: Finder::new("\"ReturnValues"),
            escape: Finder::new("\\u00"),
        }
    }

    /// Returns whether an answer waits for others that their clients have not received yet.
    pub(crate) fn contention(&self) -> &Contention {
        self.budget.contention()
    }

    /// Waits until the answer to a request may be computed. Returns `None` after the timeout.
    pub(crate) async fn admit(&self, operation: Operation, body: &[u8]) -> Option<AnswerSlot> {
        let kind = self.kind(operation, body);
        let slot = match kind {
            AnswerKind::Short | AnswerKind::Item => None,
            AnswerKind::Long(slots) => Some(self.long.take(slots).await?),
            AnswerKind::Returned => Some(self.writes.take(1).await?),
        };
        let must_be_sent = operation.class() == OperationClass::Write || is_statement(operation);
        Some(AnswerSlot { kind, slot, must_be_sent })
    }

    /// Takes a permit for an answer, which is held until the answer is sent or dropped. Returns `None` after the
    /// timeout, if the request has changed nothing.
    pub(crate) async fn keep(&self, slot: AnswerSlot, answer: Vec<u8>) -> Option<BudgetedAnswer> {
        // The operating system takes a small answer at once.
        if answer.len() <= SMALL {
            return Some(BudgetedAnswer { answer, permit: BudgetPermit::default() });
        }
        let permit = match self.budget.try_take(answer.len()) {
            Some(permit) => permit,
            None => match self.wait(&slot, answer.len()).await {
                Some(permit) => permit,
                None if slot.must_be_sent => BudgetPermit::default(),
                None => return None,
            },
        };
        Some(BudgetedAnswer { answer, permit })
    }

    async fn wait(&self, slot: &AnswerSlot, bytes: usize) -> Option<BudgetPermit> {
        let _waiting = match slot.kind {
            // The number of these answers is not limited, but they are hardly longer than that.
            AnswerKind::Short => return Some(BudgetPermit::default()),
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
            | Operation::SearchVectors
            | Operation::BatchExecuteStatement
            | Operation::ExecuteTransaction => AnswerKind::Long(BATCH_SLOTS),
            _ if operation.class() == OperationClass::Write && self.may_return_items(body) => {
                AnswerKind::Returned
            }
            _ => AnswerKind::Short,
        }
    }

    /// Returns whether a write may ask for items: it contains the name of such a member, or escaped letters that could
    /// form it.
    fn may_return_items(&self, body: &[u8]) -> bool {
        self.return_values.find(body).is_some() || self.escape.find(body).is_some()
    }
}

/// Returns whether an operation runs PartiQL, which may write.
fn is_statement(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ExecuteStatement | Operation::BatchExecuteStatement | Operation::ExecuteTransaction
    )
}

/// The right to compute an answer.
#[derive(Debug)]
pub(crate) struct AnswerSlot {
    kind: AnswerKind,
    /// Held until the answer has its permit.
    #[expect(dead_code, reason = "it is given back when this is dropped")]
    slot: Option<OwnedSemaphorePermit>,
    /// Whether the request may have changed something, so that the client must get the answer.
    must_be_sent: bool,
}

/// An answer with its permit.
pub(crate) struct BudgetedAnswer {
    answer: Vec<u8>,
    permit: BudgetPermit,
}

impl BudgetedAnswer {
    /// Returns the answer.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.answer
    }

    /// Replaces the answer by a shorter one, and gives back what is not needed for it.
    pub(crate) fn replace(&mut self, answer: Vec<u8>) {
        self.permit.shrink(answer.len());
        self.answer = answer;
    }

    /// Returns the answer as the bytes to send. The permit is dropped with the last part of them.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.answer.len() <= SMALL { self.answer.into() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for BudgetedAnswer {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

/// A number of slots.
#[derive(Debug)]
struct Slots {
    free: Arc<Semaphore>,
    timeout: Duration,
}

impl Slots {
    fn new(slots: usize, timeout: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(slots)), timeout }
    }

    fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    async fn take(&self, slots: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(taken) = self.free.clone().try_acquire_many_owned(slots) {
            return Some(taken);
        }
        let waiting = self.free.clone().acquire_many_owned(slots);
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
        let slot = budget.admit(operation, br#"{"ReturnValues": "ALL_OLD"}"#).await?;
        budget.keep(slot, vec![b'x'; bytes]).await.map(BudgetedAnswer::into_bytes)
    }

    #[tokio::test]
    async fn a_shorter_answer_gives_back_what_it_does_not_need() {
        let budget = budget();
        let slot = budget.admit(Operation::Scan, b"").await.unwrap();
        let mut page = budget.keep(slot, vec![b'x'; 5 * MIB]).await.unwrap();
        let item = answer(&budget, Operation::GetItem, MIB).await.unwrap();
        let slot = budget.admit(Operation::GetItem, b"").await.unwrap();
        let mut reserved = budget.keep(slot, vec![b'x'; MIB]).await.unwrap();
        assert_eq!(budget.budget.free(), (0, 1024));
        page.replace(vec![b'y'; MIB]);
        reserved.replace(vec![b'y'; MIB / 2]);
        assert_eq!(budget.budget.free(), (4096, 1536));
        assert_eq!(page.bytes(), vec![b'y'; MIB]);
        let (page, reserved) = (page.into_bytes(), reserved.into_bytes());
        assert_eq!((page.len(), budget.budget.free()), (MIB, (4096, 1536)));
        drop((page, reserved, item));
        assert_eq!(budget.budget.free(), (6144, 2048));
        let slot = budget.admit(Operation::Scan, b"").await.unwrap();
        let mut page = budget.keep(slot, vec![b'x'; MIB]).await.unwrap();
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
        // The next page gets no permit, and gives its slot back.
        assert!(answer(&budget, Operation::Scan, 2 * MIB).await.is_none());
        assert_eq!(budget.long.free.available_permits(), LONG_SLOTS);
        // Items still get permits.
        let other = answer(&budget, Operation::GetItem, MIB).await.unwrap();
        assert_eq!(budget.budget.free(), (512, 1024));
        let part = page.slice(5..10);
        drop((page, item, other));
        assert_eq!(budget.budget.free(), (1024, 2048));
        drop(part);
        assert_eq!(budget.budget.free(), (6144, 2048));
    }

    #[tokio::test]
    async fn writes_are_always_answered() {
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
    fn only_writes_that_return_items_need_a_slot() {
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
        assert_eq!(kind(Operation::BatchGetItem, "{}"), AnswerKind::Long(BATCH_SLOTS));
        assert_eq!(kind(Operation::DescribeTable, "{}"), AnswerKind::Short);
    }
}
