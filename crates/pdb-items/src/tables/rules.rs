//! Rules several table operations share: throughput, streams, encryption.
//!
//! Evidence: `validation.md` 10.11 to 10.12, `streams.md` 2.5.

use std::fmt::Display;

use pdb_model::{BillingMode, OnDemandThroughput, TableName};

use super::input::{SseSpecification, SseType, StreamSpecification, ThroughputInput, WarmThroughputInput};
use crate::ItemsError;

/// Most capacity units AWS's parser lets pass.
const MAX_UNITS: i64 = 1_000_000_000_000;
/// Reads a second an on-demand table starts with.
pub(crate) const ON_DEMAND_READS: i64 = 12_000;
/// Writes a second an on-demand table starts with.
pub(crate) const ON_DEMAND_WRITES: i64 = 4_000;

const INITIAL_THROUGHPUT_PAGE: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/\
                                       on-demand-capacity-mode.html#on-demand-capacity-mode-initial";

/// The refusal with AWS's usual opening.
pub(crate) fn invalid(text: impl Display) -> ItemsError {
    ItemsError::Validation(format!("One or more parameter values were invalid: {text}"))
}

/// The refusal with this text alone.
pub(crate) fn refused(text: impl Into<String>) -> ItemsError {
    ItemsError::Validation(text.into())
}

/// `ResourceNotFoundException` of the operations on tables.
pub(crate) fn table_not_found(table_name: &TableName) -> ItemsError {
    ItemsError::ResourceNotFound(format!("Requested resource not found: Table: {table_name} not found"))
}

/// What a throughput rule speaks of: the table, or one of its indexes.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Table,
    Index(&'a str),
}

impl Subject<'_> {
    /// As in `is out of bounds`.
    fn bounds_suffix(self) -> String {
        match self {
            Self::Table => String::new(),
            Self::Index(name) => format!(" for index {name}"),
        }
    }

    /// As in `for OnDemandThroughput for index: x`.
    fn colon_suffix(self) -> String {
        match self {
            Self::Table => String::new(),
            Self::Index(name) => format!(" for index: {name}"),
        }
    }

    /// As in `for OnDemandThroughput for index : x`; a table is not named.
    fn index_suffix(self) -> String {
        match self {
            Self::Table => String::new(),
            Self::Index(_) => self.spaced_suffix(),
        }
    }

    /// As in `for OnDemandThroughput for table`.
    pub(crate) fn spaced_suffix(self) -> String {
        match self {
            Self::Table => " for table".to_owned(),
            Self::Index(name) => format!(" for index : {name}"),
        }
    }
}

/// Checks the size of provisioned units.
pub(crate) fn check_units(units: ThroughputInput, subject: Subject<'_>) -> Result<(), ItemsError> {
    for (value, name) in
        [(units.read_capacity_units, "ReadCapacityUnits"), (units.write_capacity_units, "WriteCapacityUnits")]
    {
        if value < 1 {
            return Err(refused(format!(
                "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must have \
                 value greater than or equal to 1"
            )));
        }
        if value > MAX_UNITS {
            return Err(refused(format!(
                "Given value {value} for {name} is out of bounds{}",
                subject.bounds_suffix()
            )));
        }
    }
    Ok(())
}

/// As a cap, in an update: there is to be none.
pub(crate) const NO_CAP: i64 = -1;

/// Checks on-demand caps against the billing mode; updates may clear one, and have another text.
pub(crate) fn check_on_demand(
    caps: OnDemandThroughput,
    billing_mode: BillingMode,
    subject: Subject<'_>,
    is_update: bool,
) -> Result<(), ItemsError> {
    for (name, value) in named_caps(caps) {
        if billing_mode == BillingMode::Provisioned {
            return Err(invalid(if is_update {
                format!(
                    "{name} for OnDemandThroughput{} cannot be specified when the table BillingMode is PROVISIONED",
                    subject.index_suffix()
                )
            } else {
                format!(
                    "{name} for OnDemandThroughput{} cannot be specified when table BillingMode is PROVISIONED.",
                    subject.colon_suffix()
                )
            }));
        }
        if value < 1 && !(is_update && value == NO_CAP) {
            return Err(invalid(format!(
                "Requested {name} for OnDemandThroughput{} is outside of valid range",
                subject.spaced_suffix()
            )));
        }
    }
    Ok(())
}

/// The caps that are given, by their names.
pub(crate) fn named_caps(caps: OnDemandThroughput) -> impl Iterator<Item = (&'static str, i64)> {
    let members =
        [("MaxReadRequestUnits", caps.max_read_units), ("MaxWriteRequestUnits", caps.max_write_units)];
    members.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// Checks that warm throughput is at least what the table or index has anyway.
pub(crate) fn check_warm(
    warm: WarmThroughputInput,
    billing_mode: BillingMode,
    units: Option<ThroughputInput>,
    subject: Subject<'_>,
) -> Result<(), ItemsError> {
    let least = least_warm(billing_mode, units);
    let members = [
        (warm.read_units_per_second, least.0, "ReadUnitsPerSecond", "ReadCapacityUnits"),
        (warm.write_units_per_second, least.1, "WriteUnitsPerSecond", "WriteCapacityUnits"),
    ];
    for (value, least, name, units_name) in members {
        if value.is_none_or(|value| value >= least) {
            continue;
        }
        let suffix = subject.spaced_suffix();
        return Err(invalid(match billing_mode {
            BillingMode::PayPerRequest => format!(
                "Requested {name} for WarmThroughput{suffix} is lower than initial throughput for OnDemand. See: \
                 {INITIAL_THROUGHPUT_PAGE}"
            ),
            BillingMode::Provisioned => format!(
                "Requested {name} for WarmThroughput{suffix} is lower than {units_name} of ProvisionedThroughput"
            ),
        }));
    }
    Ok(())
}

/// Returns the reads and writes a second that are warm without asking.
pub(crate) fn least_warm(billing_mode: BillingMode, units: Option<ThroughputInput>) -> (i64, i64) {
    match (billing_mode, units) {
        (BillingMode::PayPerRequest, _) => (ON_DEMAND_READS, ON_DEMAND_WRITES),
        (BillingMode::Provisioned, Some(units)) => (units.read_capacity_units, units.write_capacity_units),
        (BillingMode::Provisioned, None) => (0, 0),
    }
}

/// Checks the stream of a table that is being created.
pub(crate) fn check_created_stream(specification: StreamSpecification) -> Result<(), ItemsError> {
    match (specification.stream_enabled, specification.stream_view_type) {
        (true, Some(_)) | (false, None) => Ok(()),
        (true, None) => {
            Err(invalid("Table is being created with a stream enabled, UpdateViewType is required"))
        }
        (false, Some(_)) => Err(invalid(
            "Table is being created with a stream disabled, UpdateViewType should not be specified",
        )),
    }
}

/// Checks a change of a table's stream, not yet against the table.
pub(crate) fn check_changed_stream(specification: StreamSpecification) -> Result<(), ItemsError> {
    match (specification.stream_enabled, specification.stream_view_type) {
        (true, Some(_)) | (false, None) => Ok(()),
        (true, None) => Err(invalid("If stream is being enabled then UpdateViewType is required")),
        (false, Some(_)) => {
            Err(invalid("If stream is being disabled, then UpdateViewType must not be specified"))
        }
    }
}

/// Checks requested encryption.
pub(crate) fn check_encryption(specification: &SseSpecification) -> Result<(), ItemsError> {
    if specification.enabled == Some(false) {
        if specification.sse_type.is_some() {
            return Err(invalid("SSEType can not be specified if Enabled is false"));
        }
        if specification.kms_master_key_id.is_some() {
            return Err(invalid("KMSMasterKeyId can not be specified if Enabled is false"));
        }
        return Ok(());
    }
    match (specification.sse_type, &specification.kms_master_key_id) {
        (Some(SseType::Kms), _) | (None, None) => Ok(()),
        (Some(SseType::Aes256) | None, Some(_)) => {
            Err(invalid("SSEType KMS is required if KMSMasterKeyId is specified"))
        }
        (Some(SseType::Aes256), None) => Err(invalid("SSEType AES256 is not supported")),
    }
}

/// The refusal to create or delete several indexes at once.
pub(crate) fn one_at_a_time() -> ItemsError {
    ItemsError::LimitExceeded(
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
            .to_owned(),
    )
}
