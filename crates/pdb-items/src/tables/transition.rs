//! Transitions of tables: the status that is shown after a change, and the operations that are refused in the meantime.
//!
//! Every change is complete when its operation returns. Tests of code that waits can set a delay: for so long, a table is shown as
//! `CREATING` or `UPDATING`, and operations are refused that AWS refuses then. A deleted table is gone at once, with any delay.
//!
//! Evidence: `dynamodb.md` 3.4, `streams.md` 2.6.

use pdb_model::{EpochMillis, IndexName, TableChange, TableDefinition, Transition};

use super::description::{TableDescription, TableStatus};
use super::input::UpdateTableInput;
use super::manager::TableManager;
use super::rules::{one_at_a_time, refused};
use crate::ItemsError;

const STILL_IN_USE: &str = "Attempt to change a resource which is still in use: ";

impl TableManager {
    /// Notes in the definition that it is busy with a change, if a delay was asked for.
    pub(crate) fn begin(&self, definition: &mut TableDefinition, change: TableChange, now: EpochMillis) {
        // First the resources of a vector index are allocated, then the items are taken in: both are shown for the delay.
        let delay = match change {
            TableChange::VectorIndexCreation { .. } => self.transition_delay.saturating_mul(2),
            _ => self.transition_delay,
        };
        let hides_another = match change {
            TableChange::Settings => definition.change_in_progress(now).is_some(),
            TableChange::IndexThroughput(_) => {
                definition.change_in_progress(now).is_some_and(makes_or_removes_an_index)
            }
            _ => false,
        };
        if !delay.is_zero() && !hides_another {
            definition.transition = Some(Transition { change, until: now.plus(delay) });
        }
    }
}

/// Shows in a description what the table is busy with.
pub(crate) fn show(definition: &TableDefinition, now: EpochMillis, description: &mut TableDescription) {
    let Some(change) = definition.change_in_progress(now) else { return };
    description.table_status = match change {
        TableChange::Creation => TableStatus::Creating,
        TableChange::IndexThroughput(_) => TableStatus::Active,
        TableChange::VectorIndexCreation { backfills, .. } if *backfills <= now => TableStatus::Active,
        TableChange::Throughput
        | TableChange::Stream { .. }
        | TableChange::IndexCreation(_)
        | TableChange::VectorIndexCreation { .. }
        | TableChange::IndexDeletion(_)
        | TableChange::Settings => TableStatus::Updating,
    };
    for described in &mut description.vector_indexes {
        match change {
            TableChange::Creation => described.index_status = TableStatus::Creating,
            TableChange::VectorIndexCreation { index, backfills } if *index == described.index.name => {
                described.index_status = TableStatus::Creating;
                described.backfilling = Some(*backfills <= now);
                (described.item_count, described.index_size_bytes) = (0, 0);
            }
            _ => {}
        }
    }
    for index in &mut description.global_secondary_indexes {
        match change {
            TableChange::Creation => index.index_status = TableStatus::Creating,
            TableChange::IndexCreation(name) if *name == index.index_name => {
                index.index_status = TableStatus::Creating;
                index.backfilling = Some(false);
            }
            TableChange::IndexThroughput(name) if *name == index.index_name => {
                index.index_status = TableStatus::Updating;
            }
            _ => {}
        }
    }
}

/// Returns what an UpdateTable request makes the table busy with.
///
/// `allocated` is when the items are taken in of a vector index that it creates.
pub(crate) fn change_of(
    input: &UpdateTableInput,
    old: &TableDefinition,
    allocated: EpochMillis,
) -> Option<TableChange> {
    let mut indexes = None;
    for update in input.global_secondary_index_updates.iter().flatten() {
        indexes = match (&update.create, &update.delete, &update.update) {
            (Some(create), _, _) => Some(TableChange::IndexCreation(create.index_name.clone())),
            (_, Some(delete), _) => Some(TableChange::IndexDeletion(delete.clone())),
            (_, _, Some(update)) => {
                indexes.or_else(|| Some(TableChange::IndexThroughput(update.index_name.clone())))
            }
            (None, None, None) => indexes,
        };
    }
    for update in input.vector_index_updates.iter().flatten() {
        indexes = match (&update.create, &update.delete) {
            (Some(create), _) => Some(TableChange::VectorIndexCreation {
                index: create.index_name.clone(),
                backfills: allocated,
            }),
            (_, Some(delete)) => Some(TableChange::IndexDeletion(delete.clone())),
            (None, None) => indexes,
        };
    }
    if let Some(stream) = input.stream_specification {
        return Some(TableChange::Stream { enabling: stream.stream_enabled });
    }
    if indexes.as_ref().is_some_and(makes_or_removes_an_index) {
        return indexes;
    }
    if input.provisioned_throughput.is_some()
        || input.billing_mode.is_some_and(|mode| mode != old.billing_mode)
    {
        return Some(TableChange::Throughput);
    }
    let is_slow =
        input.sse_specification.is_some() || input.table_class.is_some() || input.warm_throughput.is_some();
    indexes.or(is_slow.then_some(TableChange::Settings))
}

/// Refuses an UpdateTable request that does not go together with what the table is busy with.
pub(crate) fn check_update(
    input: &UpdateTableInput,
    definition: &TableDefinition,
    now: EpochMillis,
) -> Result<(), ItemsError> {
    let Some(busy) = definition.change_in_progress(now) else { return Ok(()) };
    let table = &definition.name;
    let asks_throughput = input.provisioned_throughput.is_some()
        || input.on_demand_throughput.is_some()
        || input.billing_mode.is_some_and(|mode| mode != definition.billing_mode);
    let asks_stream = input.stream_specification.is_some();
    let refusal = match busy {
        TableChange::Creation => Some(format!("Table is being created: {table}")),
        TableChange::Throughput if asks_throughput => {
            Some(format!("Table IOPS are currently being updated. Table: {table}"))
        }
        TableChange::Throughput if asks_stream => Some(format!(
            "Can't enable or disable stream while table IOPS are being updated. Table: {table}"
        )),
        TableChange::Stream { enabling } => {
            let label = definition.stream.as_ref().map_or("", |stream| stream.label.as_str());
            let operation = if *enabling { "ENABLE" } else { "DISABLE" };
            let details = format!("Table: {table} Stream: {label} Operation: {operation}");
            if asks_stream {
                Some(format!("A stream status change is currently in progress. {details}"))
            } else if asks_throughput {
                Some(format!("Can't change table IOPS when stream status is being updated. {details}"))
            } else if input.table_class.is_some() {
                Some(format!("Can't update table class when stream status is being updated. {details}"))
            } else {
                None
            }
        }
        TableChange::IndexCreation(index) | TableChange::VectorIndexCreation { index, .. }
            if asks_throughput =>
        {
            Some(format!(
                "Can't change table IOPS when an index is being created. Table: {table} Indexes: [{index}]"
            ))
        }
        TableChange::IndexCreation(_) | TableChange::VectorIndexCreation { .. } if asks_stream => {
            Some("Can't change stream status when an index is being created".to_owned())
        }
        TableChange::VectorIndexCreation { backfills, .. } if *backfills <= now => {
            // It can be deleted; nothing else of an index can change.
            let deletes = input.vector_index_updates.iter().flatten().all(|update| update.delete.is_some());
            if input.changes_indexes() && !(deletes && asks_for(input, busy)) {
                return Err(one_at_a_time());
            }
            return Ok(());
        }
        TableChange::IndexCreation(index) | TableChange::VectorIndexCreation { index, .. } => asks_for(input, busy).then(|| {
            format!(
                "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the \
                 index is active. Table: {table} Index: {index}"
            )
        }),
        TableChange::IndexDeletion(index) => {
            asks_for(input, busy).then(|| format!("Index is being deleted. Table: {table} Index: {index}"))
        }
        TableChange::IndexThroughput(index) => {
            asks_for(input, busy).then(|| format!("Index is being updated. Table: {table} Index: {index}"))
        }
        TableChange::Throughput | TableChange::Settings => None,
    };
    refusal.map_or(Ok(()), |tail| Err(in_use(&tail)))?;
    if input.changes_indexes() && makes_or_removes_an_index(busy) {
        return Err(one_at_a_time());
    }
    Ok(())
}

/// Refuses to delete a table that is busy.
pub(crate) fn check_deletion(definition: &TableDefinition, now: EpochMillis) -> Result<(), ItemsError> {
    let Some(busy) = definition.change_in_progress(now) else { return Ok(()) };
    Err(in_use(&match busy {
        TableChange::Creation => format!("Table is being created: {}", definition.name),
        TableChange::Throughput | TableChange::Settings => {
            format!("Table: {} is in the process of being updated.", definition.name)
        }
        TableChange::Stream { .. } => {
            "Cannot delete table while stream is being enabled/disabled.".to_owned()
        }
        TableChange::IndexCreation(_)
        | TableChange::VectorIndexCreation { .. }
        | TableChange::IndexDeletion(_)
        | TableChange::IndexThroughput(_) => {
            "Cannot delete table while indexes are being created, updated, or deleted.".to_owned()
        }
    }))
}

/// Refuses what cannot be done to a table that is being created.
pub(crate) fn check_created(definition: &TableDefinition, now: EpochMillis) -> Result<(), ItemsError> {
    match definition.change_in_progress(now) {
        Some(TableChange::Creation) => Err(in_use(&format!("Table is being created: {}", definition.name))),
        Some(_) | None => Ok(()),
    }
}

/// As [`check_created`], in the words of UpdateTimeToLive.
pub(crate) fn check_created_for_expiry(
    definition: &TableDefinition,
    now: EpochMillis,
) -> Result<(), ItemsError> {
    check_created(definition, now).map_err(|_| in_use(&format!("Table {} is being created", definition.name)))
}

/// As [`check_created`], in the words of DescribeTimeToLive.
pub(crate) fn check_created_to_describe_expiry(
    definition: &TableDefinition,
    now: EpochMillis,
) -> Result<(), ItemsError> {
    check_created(definition, now).map_err(|_| {
        refused(
            "Cannot describe time to live while table is in CREATING state: Current table state is CREATING",
        )
    })
}

fn makes_or_removes_an_index(change: &TableChange) -> bool {
    match change {
        TableChange::IndexCreation(_)
        | TableChange::VectorIndexCreation { .. }
        | TableChange::IndexDeletion(_) => true,
        TableChange::Creation
        | TableChange::Throughput
        | TableChange::Stream { .. }
        | TableChange::IndexThroughput(_)
        | TableChange::Settings => false,
    }
}

/// Whether a request is about the index that the table is busy with.
fn asks_for(input: &UpdateTableInput, busy: &TableChange) -> bool {
    let (TableChange::IndexCreation(index)
    | TableChange::VectorIndexCreation { index, .. }
    | TableChange::IndexDeletion(index)
    | TableChange::IndexThroughput(index)) = busy
    else {
        return false;
    };
    let asks = |created: Option<&IndexName>, deleted: &Option<IndexName>| {
        created == Some(index) || deleted.as_ref() == Some(index)
    };
    let mut vectors = input.vector_index_updates.iter().flatten();
    vectors.any(|update| asks(update.create.as_ref().map(|create| &create.index_name), &update.delete))
        || input.global_secondary_index_updates.iter().flatten().any(|update| {
            update.delete.as_ref() == Some(index)
                || update.create.as_ref().is_some_and(|create| create.index_name == *index)
                || update.update.as_ref().is_some_and(|update| update.index_name == *index)
        })
}

pub(crate) fn in_use(tail: &str) -> ItemsError {
    ItemsError::ResourceInUse(format!("{STILL_IN_USE}{tail}"))
}
