//! The checks of UpdateTable that do not need the table: that the request changes something, that its changes can be
//! combined, and that each part is well formed.
//!
//! Evidence: `validation.md` 10.12, items 3 to 7; `streams.md` 2.6.

use std::collections::BTreeSet;

use pdb_model::{BillingMode, IndexName};

use super::input::{GlobalIndexInput, GlobalIndexUpdate, UpdateTableInput, WarmThroughputInput};
use super::key_rules::{check_global_key, check_projection};
use super::rules::{
    Subject, check_changed_stream, check_encryption, check_units, invalid, one_at_a_time, refused,
};
use super::vector_rules::check_vector_updates;
use crate::ItemsError;

/// Checks all that can be checked without the table.
pub(crate) fn check(input: &UpdateTableInput) -> Result<(), ItemsError> {
    if input.is_empty() {
        return Err(refused(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, \
             SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, \
             DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required",
        ));
    }
    if input.global_secondary_index_updates.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("List of GlobalSecondaryIndexUpdates is empty"));
    }
    if input.vector_index_updates.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("List of VectorIndexUpdates is empty"));
    }
    check_combination(input)?;
    if input.changes_replicas {
        return Err(invalid("ReplicaUpdates is not supported: there are no global tables here"));
    }
    check_index_updates(input)?;
    check_throughput(input)?;
    if let Some(stream) = input.stream_specification {
        check_changed_stream(stream)?;
    }
    if let Some(encryption) = &input.sse_specification {
        check_encryption(encryption)?;
    }
    Ok(())
}

/// Checks that the changes of the request go together.
fn check_combination(input: &UpdateTableInput) -> Result<(), ItemsError> {
    let index_updates = input.global_secondary_index_updates.as_deref().unwrap_or_default();
    let creates_index = index_updates.iter().any(|update| update.create.is_some());
    let changes_indexes = creates_index || index_updates.iter().any(|update| update.delete.is_some());
    // A switch to provisioned units is refused with a text of its own if there is a vector index.
    let changes_vectors =
        input.changes_vector_indexes() && input.billing_mode != Some(BillingMode::Provisioned);
    let changes_indexes = changes_indexes || changes_vectors;
    let changes_throughput = input.provisioned_throughput.is_some();
    let changes = ChangeCount::of(input);

    if input.sse_specification.is_some() && changes.count > 1 {
        return Err(invalid("Server-Side Encryption modification must be the only operation in the request"));
    }
    if input.table_class.is_some() && changes.count > 1 {
        return Err(invalid("TableClass modification must be the only operation in the request"));
    }
    if input.deletion_protection_enabled.is_some() && changes.count > 1 {
        return Err(invalid("DeletionProtection modification must be the only operation in the request"));
    }
    if input.warm_throughput.is_some() && changes.count > 1 {
        return Err(invalid(if creates_index && changes.count == 2 {
            "Create global secondary index cannot be specified when updating WarmThroughput"
        } else {
            "WarmThroughput must be the only operation in the request"
        }));
    }
    if input.changes_replicas && changes.count > 1 {
        return Err(invalid("Replica modification must be the only operation in the request"));
    }
    if input.on_demand_throughput.is_some() && changes.without_billing_mode > 1 {
        return Err(invalid(
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ));
    }
    let provisions = changes_throughput || input.billing_mode == Some(BillingMode::Provisioned);
    if input.stream_specification.is_some() && provisions {
        return Err(invalid("You cannot modify stream status while updating table IOPS"));
    }
    if changes_indexes && changes_throughput {
        return Err(invalid("You cannot create or delete index while updating table IOPS"));
    }
    if changes_indexes && input.stream_specification.is_some() {
        return Err(invalid("You cannot create or delete index while changing stream status"));
    }
    Ok(())
}

/// How many changes a request makes to a table.
struct ChangeCount {
    count: usize,
    without_billing_mode: usize,
}

impl ChangeCount {
    fn of(input: &UpdateTableInput) -> Self {
        let without_billing_mode = [
            input.provisioned_throughput.is_some(),
            input.global_secondary_index_updates.is_some(),
            input.vector_index_updates.is_some(),
            input.stream_specification.is_some(),
            input.sse_specification.is_some(),
            input.changes_replicas,
            input.table_class.is_some(),
            input.deletion_protection_enabled.is_some(),
            input.warm_throughput.is_some(),
            input.on_demand_throughput.is_some(),
        ]
        .into_iter()
        .filter(|asked| *asked)
        .count();
        Self { count: without_billing_mode + usize::from(input.billing_mode.is_some()), without_billing_mode }
    }
}

/// Checks the index updates by themselves. That only one index may be created or deleted does not depend on the table
/// either, so AWS says it before it looks the table up.
fn check_index_updates(input: &UpdateTableInput) -> Result<(), ItemsError> {
    let mut names: BTreeSet<&IndexName> = BTreeSet::new();
    let mut online = check_vector_updates(input.vector_index_updates.as_deref().unwrap_or_default())?;
    for update in input.global_secondary_index_updates.iter().flatten() {
        let name = check_one_action(update)?;
        if !names.insert(name) {
            return Err(invalid(format!(
                "Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )));
        }
        if let Some(create) = &update.create {
            check_created_index(create, input)?;
        }
        if let Some(units) = update.update.as_ref().and_then(|update| update.provisioned_throughput) {
            check_units(units, Subject::Index(name.as_ref()))?;
        }
        let warm = update.update.as_ref().and_then(|update| update.warm_throughput);
        if warm == Some(WarmThroughputInput::default()) {
            return Err(invalid(format!(
                "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: \
                 {name}"
            )));
        }
        online += usize::from(update.update.is_none());
    }
    if online > 1 { Err(one_at_a_time()) } else { Ok(()) }
}

/// Checks that an update has exactly one member, and returns its index's name.
fn check_one_action(update: &GlobalIndexUpdate) -> Result<&IndexName, ItemsError> {
    let names: Vec<&IndexName> = [
        update.update.as_ref().map(|update| &update.index_name),
        update.create.as_ref().map(|create| &create.index_name),
        update.delete.as_ref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    match names.as_slice() {
        [] => Err(invalid(
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
             GlobalSecondaryIndexUpdate.Delete must not be null",
        )),
        [name] => Ok(name),
        [_, ..] => Err(invalid(
            "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
        )),
    }
}

fn check_created_index(create: &GlobalIndexInput, input: &UpdateTableInput) -> Result<(), ItemsError> {
    if input.attribute_definitions.as_ref().is_none_or(Vec::is_empty) {
        return Err(invalid(format!(
            "AttributeDefinitions is not specified for index: {}",
            create.index_name
        )));
    }
    check_global_key(&create.key_schema)?;
    check_projection(&create.projection)
}

/// Checks throughput members against each other.
fn check_throughput(input: &UpdateTableInput) -> Result<(), ItemsError> {
    let Some(units) = input.provisioned_throughput else { return Ok(()) };
    if input.billing_mode == Some(BillingMode::PayPerRequest) {
        return Err(neither_units());
    }
    check_units(units, Subject::Table)
}

/// The refusal of units on an on-demand table.
pub(crate) fn neither_units() -> ItemsError {
    invalid(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    )
}
