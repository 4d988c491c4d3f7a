//! What can go wrong, where, and how often.

use std::time::Duration;

use pdb_model::{Operation, TableName};

use super::target::{FaultTarget, OperationGroup};

macro_rules! fault_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// What goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FaultKind {
            $($(#[$doc])* $kind),+
        }

        impl FaultKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Returns the name by which commands call the kind.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),+
                }
            }

            /// Finds the kind with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

fault_kinds! {
    /// `ProvisionedThroughputExceededException`, of operations on items.
    ProvisionedThroughputExceeded = "throughput-exceeded",
    /// `ThrottlingException`, of any operation.
    Throttling = "throttling",
    /// `RequestLimitExceeded`, of operations on items.
    RequestLimitExceeded = "request-limit",
    /// `LimitExceededException`, as `GetRecords` has it when too many read one shard.
    LimitExceeded = "limit-exceeded",
    /// `InternalServerError` with status 500; nothing was done.
    InternalError = "internal-error",
    /// `ServiceUnavailable` with status 503; nothing was done.
    Unavailable = "unavailable",
    /// The call waits before it is carried out; needs a delay.
    Latency = "latency",
    /// The connection closes without an answer; nothing was done. Typed calls have no connection: it does not affect them.
    DropBefore = "drop-before",
    /// The call is carried out, then the connection closes without an answer. Typed calls have no connection: it does not
    /// affect them.
    DropAfter = "drop-after",
    /// `ExpiredIteratorException` of `GetRecords`, however young the iterator is.
    ExpiredIterator = "expired-iterator",
    /// `TrimmedDataAccessException` of `GetRecords` and `GetShardIterator`; the records stay.
    TrimmedData = "trimmed-data",
    /// `GetRecords` answers no records, and an iterator at the same place.
    EmptyPage = "empty-page",
    /// `GetRecords` answers an iterator at the last record of its page, so that the next page begins with it once more.
    Duplicate = "duplicate",
    /// `BatchWriteItem` and `BatchGetItem` leave a part of the items out and answer it as unprocessed.
    Unprocessed = "unprocessed",
    /// `TransactionCanceledException` with a reason `TransactionConflict`, or `TransactionConflictException` of a single
    /// write; nothing was done.
    Conflict = "conflict",
}

impl FaultKind {
    /// Tells whether an operation can fail like this at AWS.
    #[must_use]
    pub fn applies_to(self, operation: Operation) -> bool {
        use Operation as O;
        match self {
            Self::ProvisionedThroughputExceeded | Self::RequestLimitExceeded => {
                OperationGroup::Items.contains(operation)
            }
            Self::Throttling
            | Self::InternalError
            | Self::Unavailable
            | Self::Latency
            | Self::DropBefore
            | Self::DropAfter => true,
            Self::LimitExceeded | Self::ExpiredIterator | Self::EmptyPage | Self::Duplicate => {
                operation == O::GetRecords
            }
            Self::TrimmedData => matches!(operation, O::GetRecords | O::GetShardIterator),
            Self::Unprocessed => matches!(operation, O::BatchWriteItem | O::BatchGetItem),
            Self::Conflict => {
                matches!(operation, O::PutItem | O::UpdateItem | O::DeleteItem | O::ExecuteStatement)
                    || OperationGroup::Transactions.contains(operation)
            }
        }
    }
}

/// A fault to be injected: what goes wrong, in which calls, and how often.
///
/// Of the calls that operations and table leave, the first [`skip`](Fault::skip) pass, then [`probability`](Fault::probability)
/// decides about each, until the fault was injected [`times`](Fault::times) times. The decisions follow from the seed: the same
/// calls in the same order meet the same faults.
///
/// # Examples
///
/// ```
/// use pretender::{Fault, FaultKind, Operation, OperationGroup};
///
/// // The second and third PutItem are throttled.
/// let throttled = Fault::new(FaultKind::Throttling).on(Operation::PutItem).skip(1).times(2);
/// // One in ten writes to a table is carried out, but its answer is lost.
/// let lost = Fault::new(FaultKind::DropAfter).on(OperationGroup::Writes).table("Orders".parse()?).probability(0.1);
/// # let db = pretender::Pretender::in_memory()?;
/// db.faults().add(throttled)?;
/// db.faults().add(lost)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// In which operations; in all that can fail like this if none is named.
    pub targets: Vec<FaultTarget>,
    /// Only in calls that name this table, or a stream of it.
    pub table: Option<TableName>,
    /// How likely each call is affected: more than 0, at most 1.
    pub probability: f64,
    /// How often it happens at most; without end if absent.
    pub times: Option<u64>,
    /// How many calls pass first.
    pub skip: u64,
    /// Where the random numbers start: of probability, of delay, and of which items are left unprocessed.
    pub seed: u64,
    /// How long a call waits, from the first to the second; of [`FaultKind::Latency`] only, and needed there.
    pub delay: Option<(Duration, Duration)>,
    /// How many items of a batch are left unprocessed, half of them if absent; of [`FaultKind::Unprocessed`] only. At least
    /// one item is always processed, as at AWS.
    pub items: Option<u32>,
}

impl Fault {
    /// A fault in every call that can fail like this.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            targets: Vec::new(),
            table: None,
            probability: 1.0,
            times: None,
            skip: 0,
            seed: 0,
            delay: None,
            items: None,
        }
    }

    /// Every call waits as long as this.
    pub fn latency(delay: Duration) -> Self {
        Self::latency_between(delay, delay)
    }

    /// Every call waits for a random time from `least` to `most`.
    pub fn latency_between(least: Duration, most: Duration) -> Self {
        Self { delay: Some((least, most)), ..Self::new(FaultKind::Latency) }
    }

    /// Only in this operation or group; called again, also in another.
    pub fn on(mut self, target: impl Into<FaultTarget>) -> Self {
        self.targets.push(target.into());
        self
    }

    /// Only in calls that name this table, or a stream of it.
    pub fn table(mut self, table: TableName) -> Self {
        self.table = Some(table);
        self
    }

    /// How likely each call is affected.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// How often it happens at most.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// How many calls pass first.
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Where the random numbers start; 0 unless chosen.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many items of a batch are left unprocessed.
    pub fn items(mut self, items: u32) -> Self {
        self.items = Some(items);
        self
    }

    /// Returns the operations that the fault can affect, or why it cannot be.
    pub(super) fn checked(&self) -> Result<Vec<Operation>, FaultError> {
        // Also refuses what is no number.
        if !(self.probability > 0.0 && self.probability <= 1.0) {
            return Err(FaultError::Probability(self.probability));
        }
        if self.times == Some(0) {
            return Err(FaultError::Never);
        }
        match (self.kind, self.delay) {
            (FaultKind::Latency, None) => return Err(FaultError::NoDelay),
            (FaultKind::Latency, Some((least, most))) => {
                if least > most || most.is_zero() || most > MAX_DELAY {
                    return Err(FaultError::Delay);
                }
            }
            (kind, Some(_)) => return Err(FaultError::NotOfKind { what: "delay", kind: kind.name() }),
            (_, None) => {}
        }
        match (self.kind, self.items) {
            (_, None) => {}
            (FaultKind::Unprocessed, Some(items)) if items > 0 => {}
            (FaultKind::Unprocessed, Some(_)) => return Err(FaultError::Never),
            (kind, Some(_)) => {
                return Err(FaultError::NotOfKind { what: "number of items", kind: kind.name() });
            }
        }
        self.operations()
    }

    fn operations(&self) -> Result<Vec<Operation>, FaultError> {
        let possible: Vec<Operation> =
            Operation::ALL.iter().copied().filter(|operation| self.kind.applies_to(*operation)).collect();
        if self.targets.is_empty() {
            return Ok(possible);
        }
        for target in &self.targets {
            if !possible.iter().any(|operation| target.contains(*operation)) {
                return Err(FaultError::CannotHappen { kind: self.kind, target: *target, possible });
            }
        }
        let is_named = |operation: &Operation| self.targets.iter().any(|target| target.contains(*operation));
        Ok(possible.into_iter().filter(is_named).collect())
    }
}

/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);

/// Why a fault cannot be added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// The operation, or no operation of the group, can fail like this.
    #[error("`{}` cannot affect {target}, only {}", kind.name(), names(possible))]
    CannotHappen {
        /// What was to go wrong.
        kind: FaultKind,
        /// Where.
        target: FaultTarget,
        /// What it can affect.
        possible: Vec<Operation>,
    },
    /// The probability is none.
    #[error("a probability is more than 0 and at most 1, not {0}")]
    Probability(f64),
    /// The fault would never happen.
    #[error("a fault happens at least once, to at least one item")]
    Never,
    /// A latency says how long.
    #[error("`latency` needs a delay")]
    NoDelay,
    /// The delay is none, too long, or ends before it begins.
    #[error("a delay is more than nothing, at most an hour, and no longer at least than at most")]
    Delay,
    /// Something that faults of this kind do not have.
    #[error("`{kind}` has no {what}")]
    NotOfKind {
        /// What was given.
        what: &'static str,
        /// The kind's name.
        kind: &'static str,
    },
}

/// Some operations as a person enumerates them.
fn names(operations: &[Operation]) -> String {
    let group = OperationGroup::ALL.iter().find(|group| {
        operations.len() > 4
            && Operation::ALL
                .iter()
                .all(|operation| group.contains(*operation) == operations.contains(operation))
    });
    match group {
        Some(group) => group.to_string(),
        None => operations.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", "),
    }
}
