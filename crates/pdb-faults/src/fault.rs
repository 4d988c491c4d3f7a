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

            /// Returns the name of the kind, as commands and the control API spell it.
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
    /// `ProvisionedThroughputExceededException`, of operations on items but `SearchVectors`.
    ProvisionedThroughputExceeded = "throughput-exceeded",
    /// `ThrottlingException`, of any operation.
    Throttling = "throttling",
    /// `RequestLimitExceeded`, of operations on items.
    RequestLimitExceeded = "request-limit",
    /// `LimitExceededException` of `GetRecords`: too many readers of one shard.
    LimitExceeded = "limit-exceeded",
    /// `InternalServerError` with status 500; the call had no effect.
    InternalError = "internal-error",
    /// `ServiceUnavailable` with status 503; the call had no effect.
    Unavailable = "unavailable",
    /// The call waits before it is carried out; needs [`Fault::delay`].
    Latency = "latency",
    /// The connection closes without an answer; the call had no effect. Typed calls have no connection and are not affected.
    DropBefore = "drop-before",
    /// The call is carried out, then the connection closes without an answer. Typed calls have no connection and are not
    /// affected.
    DropAfter = "drop-after",
    /// `ExpiredIteratorException` of `GetRecords`, although the iterator is younger than 15 minutes.
    ExpiredIterator = "expired-iterator",
    /// `TrimmedDataAccessException` of `GetRecords` and `GetShardIterator`; no record is removed.
    TrimmedData = "trimmed-data",
    /// `GetRecords` returns no records and an iterator at the same position.
    EmptyPage = "empty-page",
    /// `GetRecords` returns an iterator at the last record of its page, so that the next page begins with that record again.
    Duplicate = "duplicate",
    /// `BatchWriteItem` and `BatchGetItem` return a part of the items as unprocessed.
    Unprocessed = "unprocessed",
    /// `TransactionCanceledException` with a reason `TransactionConflict`, or `TransactionConflictException` of a single
    /// write; the call had no effect.
    Conflict = "conflict",
}

impl FaultKind {
    /// Returns whether an operation can fail like this on AWS.
    #[must_use]
    pub fn applies_to(self, operation: Operation) -> bool {
        use Operation as O;
        match self {
            // `SearchVectors` does not declare this error (`vector-search.md` 10).
            Self::ProvisionedThroughputExceeded => {
                OperationGroup::Items.contains(operation) && operation != O::SearchVectors
            }
            Self::RequestLimitExceeded => OperationGroup::Items.contains(operation),
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
/// Calls match by operation and table. The first [`skip`](Fault::skip) matching calls are left alone. The fault is injected into each
/// of the others with its [`probability`](Fault::probability), until it was injected [`times`](Fault::times) times. The decisions
/// follow from the seed: the same calls in the same order are affected by the same faults.
///
/// # Examples
///
/// ```
/// use pdb_faults::{Fault, FaultKind, Faults, OperationGroup};
/// use pdb_model::{Operation, SystemClock};
///
/// // The second and third PutItem are throttled.
/// let throttled = Fault::new(FaultKind::Throttling).on(Operation::PutItem).skip(1).times(2);
/// // One in ten writes to a table is carried out, but its answer is lost.
/// let lost = Fault::new(FaultKind::DropAfter).on(OperationGroup::Writes).table("Orders".parse()?).probability(0.1);
/// # let faults = Faults::new(std::sync::Arc::new(SystemClock));
/// faults.add(throttled)?;
/// faults.add(lost)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The operations it affects; if empty, all operations that can fail like this.
    pub targets: Vec<FaultTarget>,
    /// The table, or the table of the stream, that a call must name to be affected; any call if absent.
    pub table: Option<TableName>,
    /// The probability with which each matching call is affected: more than 0, at most 1.
    pub probability: f64,
    /// How many calls are affected at most; without a limit if absent.
    pub times: Option<u64>,
    /// How many matching calls are left alone first.
    pub skip: u64,
    /// The seed of the random numbers: of the probability, of the delay, and of the choice of unprocessed items.
    pub seed: u64,
    /// The least and the greatest delay of a call, at most one hour. Required for [`FaultKind::Latency`], refused for other kinds.
    pub delay: Option<(Duration, Duration)>,
    /// How many items of a batch are returned as unprocessed; half of them if absent. Refused for kinds other than
    /// [`FaultKind::Unprocessed`]. At least one item is processed, as on AWS.
    pub items: Option<u32>,
}

impl Fault {
    /// Returns a fault that affects every call that can fail like this.
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

    /// Returns a fault that delays every call by this time.
    pub fn latency(delay: Duration) -> Self {
        Self::latency_between(delay, delay)
    }

    /// Returns a fault that delays every call by a random time from `least` to `most`.
    pub fn latency_between(least: Duration, most: Duration) -> Self {
        Self { delay: Some((least, most)), ..Self::new(FaultKind::Latency) }
    }

    /// Limits the fault to an operation or group. Further calls add further operations.
    pub fn on(mut self, target: impl Into<FaultTarget>) -> Self {
        self.targets.push(target.into());
        self
    }

    /// Limits the fault to calls that name this table or a stream of it.
    pub fn table(mut self, table: TableName) -> Self {
        self.table = Some(table);
        self
    }

    /// Sets the probability with which each matching call is affected.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Sets how many calls are affected at most.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Sets how many matching calls are left alone first.
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Sets the seed of the random numbers; the default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many items of a batch are returned as unprocessed.
    pub fn items(mut self, items: u32) -> Self {
        self.items = Some(items);
        self
    }

    /// Returns the operations that the fault affects, or why it cannot be added.
    pub(super) fn checked(&self) -> Result<Vec<Operation>, FaultError> {
        // Written so that NaN is refused, too.
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
                return Err(FaultError::DoesNotApply { kind: self.kind, target: *target, possible });
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
    /// The operation, or every operation of the group, cannot fail like this on AWS.
    #[error("`{}` does not apply to {target}, only to {}", kind.name(), names(possible))]
    DoesNotApply {
        /// The kind of the fault.
        kind: FaultKind,
        /// The operation or group that was named.
        target: FaultTarget,
        /// The operations to which the kind applies.
        possible: Vec<Operation>,
    },
    /// The probability is out of range.
    #[error("a probability must be greater than 0 and at most 1, not {0}")]
    Probability(f64),
    /// The fault would never be injected: `times` or `items` is 0.
    #[error("a fault must happen at least once, to at least one item")]
    Never,
    /// A latency has no delay.
    #[error("`latency` needs a delay")]
    NoDelay,
    /// The delay is zero, longer than an hour, or its minimum exceeds its maximum.
    #[error(
        "a delay must be longer than zero and at most one hour, and its minimum must not exceed its maximum"
    )]
    Delay,
    /// A parameter that faults of this kind do not have.
    #[error("`{kind}` has no {what}")]
    NotOfKind {
        /// The parameter.
        what: &'static str,
        /// The kind's name.
        kind: &'static str,
    },
}

/// Lists operations for people: by the name of their group if there is one, because some kinds apply to dozens.
fn names(operations: &[Operation]) -> String {
    let listed = |operations: &[Operation]| {
        operations.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", ")
    };
    let others_of = |group: &OperationGroup| -> Vec<Operation> {
        let is_other = |operation: &Operation| group.contains(*operation) && !operations.contains(operation);
        Operation::ALL.iter().copied().filter(is_other).collect()
    };
    let group = OperationGroup::ALL
        .iter()
        .filter(|group| operations.len() > 4 && operations.iter().all(|operation| group.contains(*operation)))
        .map(|group| (group, others_of(group)))
        .min_by_key(|(_, others)| others.len());
    match group {
        Some((group, others)) if others.is_empty() => group.to_string(),
        Some((group, others)) if others.len() < operations.len() => {
            format!("{group} but {}", listed(&others))
        }
        Some(_) | None => listed(operations),
    }
}
