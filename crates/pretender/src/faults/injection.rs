//! What becomes of one call.

use std::time::Duration;

use pdb_items::ItemsError;
use pdb_model::{ApiError, CancellationReason, ErrorCode, Operation, TableName};
use pdb_streams::StreamsError;

use super::fault::{Fault, FaultKind};
use super::random::Random;
use super::target::OperationGroup;
use super::{Call, delay};
use crate::errors::{INTERNAL, items_error, streams_error};

/// What is injected into one call; nothing at all for most. Decided by [`Faults::decide`](super::Faults::decide).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Injection {
    delay: Option<Duration>,
    effect: Option<Effect>,
    /// Under which records that this call delivers twice are reported.
    pub(super) request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Refuse(Box<ApiError>),
    DropBefore,
    DropAfter,
    EmptyPage,
    Unprocessed(LeftOut),
}

/// When a connection is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drops {
    /// Nothing is done.
    Before,
    /// The call is carried out first.
    After,
}

/// Which part of a batch is left unprocessed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LeftOut {
    table: Option<TableName>,
    items: Option<u32>,
    seed: u64,
}

impl Injection {
    /// Nothing, for a request with this id.
    pub(super) fn for_request(request_id: Option<String>) -> Self {
        Self { request_id, ..Self::default() }
    }

    /// Returns how long the call waits before anything else happens.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Takes the wait out of the injection: who does so waits in its own way.
    pub fn take_delay(&mut self) -> Option<Duration> {
        self.delay.take()
    }

    /// Waits as long as the call is to wait; needs no particular runtime, and blocks no thread of it.
    pub async fn wait(&self) {
        if let Some(delay) = self.delay {
            delay::delay(delay).await;
        }
    }

    /// Waits as long as the call is to wait, on this thread.
    pub(crate) fn wait_blocking(&self) {
        if let Some(delay) = self.delay {
            delay::block(delay);
        }
    }

    /// Returns the error that the call fails with instead of being carried out.
    #[must_use]
    pub fn refusal(&self) -> Option<&ApiError> {
        match &self.effect {
            Some(Effect::Refuse(error)) => Some(error),
            _ => None,
        }
    }

    /// Tells whether the connection is to be dropped instead of an answer.
    #[must_use]
    pub fn drops(&self) -> Option<Drops> {
        match &self.effect {
            Some(Effect::DropBefore) => Some(Drops::Before),
            Some(Effect::DropAfter) => Some(Drops::After),
            _ => None,
        }
    }

    pub(crate) fn is_empty_page(&self) -> bool {
        self.effect == Some(Effect::EmptyPage)
    }

    pub(crate) fn left_out(&self) -> Option<&LeftOut> {
        match &self.effect {
            Some(Effect::Unprocessed(left_out)) => Some(left_out),
            _ => None,
        }
    }

    pub(super) fn has_effect(&self) -> bool {
        self.effect.is_some()
    }

    /// Adds what a fault does to a call; returns what to say about it in the report.
    pub(super) fn add(&mut self, fault: &Fault, call: &Call, random: &mut Random) -> String {
        if fault.kind == FaultKind::Latency {
            let (least, most) = fault.delay.unwrap_or_default();
            let delay = random.between(least, most);
            self.delay = Some(self.delay.unwrap_or_default() + delay);
            return format!("{} ms", delay.as_millis());
        }
        let effect = effect(fault, call, random);
        let said = match &effect {
            Some(Effect::Refuse(error)) => error.code.name().to_owned(),
            _ => String::new(),
        };
        self.effect = effect;
        said
    }
}

fn effect(fault: &Fault, call: &Call, random: &mut Random) -> Option<Effect> {
    let refuse = |error: ApiError| Some(Effect::Refuse(Box::new(error)));
    let refuse_with = |code, text: &str| refuse(ApiError::new(code, text));
    match fault.kind {
        // Carried out elsewhere: a wait is no effect, and what is delivered twice is decided when there is something to deliver.
        FaultKind::Latency | FaultKind::Duplicate => None,
        // Evidence: `validation.md` 11.
        FaultKind::ProvisionedThroughputExceeded => refuse_with(
            ErrorCode::ProvisionedThroughputExceededException,
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning \
             level with the UpdateTable API.",
        ),
        FaultKind::Throttling => refuse_with(ErrorCode::ThrottlingException, throttled(call.operation)),
        // The text of the API's model.
        FaultKind::RequestLimitExceeded => refuse_with(
            ErrorCode::RequestLimitExceeded,
            "Throughput exceeds the current throughput quota for your account. Please contact Amazon Web Services Support to \
             request a quota increase.",
        ),
        FaultKind::LimitExceeded => refuse(streams_error(StreamsError::TooManyReaders)),
        FaultKind::InternalError => refuse_with(ErrorCode::InternalServerError, INTERNAL),
        FaultKind::Unavailable => refuse_with(
            ErrorCode::ServiceUnavailable,
            "DynamoDB is currently unavailable. (This should be a temporary state.)",
        ),
        FaultKind::DropBefore => Some(Effect::DropBefore),
        FaultKind::DropAfter => Some(Effect::DropAfter),
        FaultKind::ExpiredIterator => refuse(streams_error(StreamsError::ExpiredIterator)),
        FaultKind::TrimmedData => refuse(streams_error(StreamsError::Trimmed)),
        FaultKind::EmptyPage => Some(Effect::EmptyPage),
        FaultKind::Unprocessed => Some(Effect::Unprocessed(LeftOut {
            table: fault.table.clone(),
            items: fault.items,
            seed: random.next(),
        })),
        FaultKind::Conflict => refuse(conflict(fault, call)),
    }
}

/// AWS's text of a `ThrottlingException`.
fn throttled(operation: Operation) -> &'static str {
    if operation.is_of_streams() {
        "Rate exceeded"
    } else if OperationGroup::Tables.contains(operation) {
        "The rate of control plane requests made by this account is too high"
    } else {
        // As tables with on-demand capacity answer; quoted in many reports of users, 2021 to 2024.
        "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index \
         so please try again shortly. If exceptions persist, check if you have a hot key: \
         https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
    }
}

/// Another transaction is at work on an item: of a transaction on that of the first action that the fault means.
fn conflict(fault: &Fault, call: &Call) -> ApiError {
    const TEXT: &str = "Transaction is ongoing for the item";
    if !OperationGroup::Transactions.contains(call.operation) {
        return ApiError::new(ErrorCode::TransactionConflictException, TEXT);
    }
    let mut reasons = vec![CancellationReason::none(); call.tables.len().max(1)];
    let meant = |table: &TableName| fault.table.as_ref().is_none_or(|named| named == table);
    let first = call.tables.iter().position(meant).unwrap_or_default();
    reasons[first] =
        CancellationReason { code: "TransactionConflict", message: Some(TEXT.to_owned()), item: None };
    items_error(ItemsError::TransactionCanceled(reasons))
}

impl LeftOut {
    /// Chooses which of a batch's items, given by their tables, are left out; at least one is not.
    pub(crate) fn choose(&self, tables: &[TableName]) -> Vec<bool> {
        let is_meant = |table: &TableName| self.table.as_ref().is_none_or(|meant| meant == table);
        let mut candidates: Vec<usize> =
            (0..tables.len()).filter(|position| is_meant(&tables[*position])).collect();
        let wanted = self.items.map_or(tables.len().div_ceil(2), |items| items as usize);
        let wanted = wanted.min(tables.len().saturating_sub(1)).min(candidates.len());
        let mut left_out = vec![false; tables.len()];
        let mut random = Random::new(self.seed);
        for _ in 0..wanted {
            let chosen = candidates.swap_remove(random.below(candidates.len()));
            left_out[chosen] = true;
        }
        left_out
    }
}
