//! What is injected into one call.

use std::time::Duration;

use pdb_model::{ApiError, CancellationReason, ErrorCode, Operation, TableName};

use super::fault::{Fault, FaultKind};
use super::random::Random;
use super::target::OperationGroup;
use super::{Call, delay};

/// What is injected into one call; nothing at all for most. [`Faults::decide`](crate::Faults::decide) returns it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Injection {
    delay: Option<Duration>,
    effect: Option<Effect>,
}

#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Refuse(Box<ApiError>),
    Drop(ConnectionDrop),
    EmptyPage,
    Unprocessed(Unprocessed),
}

/// When the connection of a call is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionDrop {
    /// Instead of carrying the call out.
    Before,
    /// After the call was carried out.
    After,
}

/// Which part of a batch is returned as unprocessed.
#[derive(Clone, Debug, PartialEq)]
pub struct Unprocessed {
    table: Option<TableName>,
    items: Option<u32>,
    seed: u64,
}

impl Injection {
    /// Returns how long the call waits before anything else happens.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Removes the delay and returns it, for a caller that waits in its own way.
    pub fn take_delay(&mut self) -> Option<Duration> {
        self.delay.take()
    }

    /// Waits for the delay on this thread.
    pub fn wait(&self) {
        if let Some(delay) = self.delay {
            delay::wait(delay);
        }
    }

    /// Async variant of [`Injection::wait`]. It needs no particular runtime and does not block its threads.
    pub async fn wait_async(&self) {
        if let Some(delay) = self.delay {
            delay::wait_async(delay).await;
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

    /// Returns when the connection is dropped, if it is.
    #[must_use]
    pub fn drops(&self) -> Option<ConnectionDrop> {
        match &self.effect {
            Some(Effect::Drop(drop)) => Some(*drop),
            _ => None,
        }
    }

    /// Returns whether `GetRecords` returns no records, and an iterator at the same position.
    #[must_use]
    pub fn is_empty_page(&self) -> bool {
        self.effect == Some(Effect::EmptyPage)
    }

    /// Returns which part of a batch is returned as unprocessed, if any.
    #[must_use]
    pub fn unprocessed(&self) -> Option<&Unprocessed> {
        match &self.effect {
            Some(Effect::Unprocessed(unprocessed)) => Some(unprocessed),
            _ => None,
        }
    }

    pub(super) fn has_effect(&self) -> bool {
        self.effect.is_some()
    }

    /// Adds what a fault does to a call; returns the detail for the report.
    pub(super) fn add(&mut self, fault: &Fault, call: &Call, random: &mut Random) -> String {
        if fault.kind == FaultKind::Latency {
            let (least, most) = fault.delay.unwrap_or_default();
            let delay = random.between(least, most);
            self.delay = Some(self.delay.unwrap_or_default() + delay);
            return format!("{} ms", delay.as_millis());
        }
        self.effect = effect(fault, call, random);
        self.refusal().map(|error| error.code.name().to_owned()).unwrap_or_default()
    }
}

fn effect(fault: &Fault, call: &Call, random: &mut Random) -> Option<Effect> {
    let refuse = |error: ApiError| Some(Effect::Refuse(Box::new(error)));
    let refuse_with = |code, text: &str| refuse(ApiError::new(code, text));
    match fault.kind {
        // A delay is kept beside the effect. Whether a record is delivered again is decided when its page is known.
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
        FaultKind::LimitExceeded => refuse_with(ErrorCode::LimitExceededException, "Rate exceeded"),
        FaultKind::InternalError => refuse_with(
            ErrorCode::InternalServerError,
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        FaultKind::Unavailable => refuse_with(
            ErrorCode::ServiceUnavailable,
            "DynamoDB is currently unavailable. (This should be a temporary state.)",
        ),
        FaultKind::DropBefore => Some(Effect::Drop(ConnectionDrop::Before)),
        FaultKind::DropAfter => Some(Effect::Drop(ConnectionDrop::After)),
        FaultKind::ExpiredIterator => refuse_with(
            ErrorCode::ExpiredIteratorException,
            "The provided iterator exceeds the maximum age allowed.",
        ),
        FaultKind::TrimmedData => refuse_with(
            ErrorCode::TrimmedDataAccessException,
            "The data you are trying to access has been trimmed",
        ),
        FaultKind::EmptyPage => Some(Effect::EmptyPage),
        FaultKind::Unprocessed => Some(Effect::Unprocessed(Unprocessed {
            table: fault.table.clone(),
            items: fault.items,
            seed: random.next(),
        })),
        FaultKind::Conflict => refuse(conflict(fault, call)),
    }
}

/// Returns AWS's text of a `ThrottlingException`.
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

/// Returns the error of a conflict with another transaction. In a transaction the conflict is that of the first action on the
/// fault's table.
fn conflict(fault: &Fault, call: &Call) -> ApiError {
    const TEXT: &str = "Transaction is ongoing for the item";
    if !OperationGroup::Transactions.contains(call.operation) {
        return ApiError::new(ErrorCode::TransactionConflictException, TEXT);
    }
    let mut reasons = vec![CancellationReason::none(); call.tables.len().max(1)];
    let matches = |table: &TableName| fault.table.as_ref().is_none_or(|named| named == table);
    let first = call.tables.iter().position(matches).unwrap_or_default();
    reasons[first] =
        CancellationReason { code: "TransactionConflict", message: Some(TEXT.to_owned()), item: None };
    ApiError::transaction_canceled(reasons)
}

impl Unprocessed {
    /// Chooses which items of a batch are unprocessed: returns one flag for each of `tables`, the tables of the items in order.
    /// At least one flag is `false`.
    #[must_use]
    pub fn choose(&self, tables: &[TableName]) -> Vec<bool> {
        let matches = |table: &TableName| self.table.as_ref().is_none_or(|meant| meant == table);
        let mut candidates: Vec<usize> =
            (0..tables.len()).filter(|position| matches(&tables[*position])).collect();
        let wanted = self.items.map_or(tables.len().div_ceil(2), |items| items as usize);
        let wanted = wanted.min(tables.len().saturating_sub(1)).min(candidates.len());
        let mut unprocessed = vec![false; tables.len()];
        let mut random = Random::new(self.seed);
        for _ in 0..wanted {
            let chosen = candidates.swap_remove(random.below(candidates.len()));
            unprocessed[chosen] = true;
        }
        unprocessed
    }
}
