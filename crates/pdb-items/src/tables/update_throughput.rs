//! UpdateTable's changes of billing mode and throughput: units, caps of on-demand throughput, warm throughput.
//!
//! Evidence: `validation.md` 10.12, item 6; `dynamodb.md` 3.3.

use pdb_model::{
    BillingMode, EpochMillis, IndexKind, IndexName, OnDemandThroughput, ProvisionedThroughput,
    TableDefinition, WarmThroughput,
};

use super::describe::decreases_on_day_of;
use super::input::{GlobalIndexThroughputUpdate, ThroughputInput, UpdateTableInput, WarmThroughputInput};
use super::rules::{NO_CAP, Subject, invalid, refused};
use super::update_rules::neither_units;
use crate::{Habits, ItemsError};

/// A checked change of billing mode and units, of the table and its indexes.
pub(crate) struct ThroughputChange {
    billing_mode: Option<BillingMode>,
    table: Option<ThroughputInput>,
    indexes: Vec<(IndexName, ThroughputInput)>,
}

impl ThroughputChange {
    /// Checks a request against the table.
    pub(crate) fn check(
        input: &UpdateTableInput,
        old: &TableDefinition,
        habits: Habits,
    ) -> Result<Self, ItemsError> {
        let new_mode = input.billing_mode.unwrap_or(old.billing_mode);
        let mut updates: Vec<_> = input
            .global_secondary_index_updates
            .iter()
            .flatten()
            .filter_map(|update| update.update.as_ref())
            .collect();
        if habits.index_throughput && new_mode == BillingMode::PayPerRequest {
            // Units are taken, and have no effect.
            updates.retain(|update| update.provisioned_throughput.is_none());
        }
        match new_mode {
            BillingMode::PayPerRequest => check_on_demand_table(input, &updates)?,
            BillingMode::Provisioned if old.billing_mode == BillingMode::PayPerRequest => {
                check_switch_to_provisioned(input, &updates, old)?;
            }
            BillingMode::Provisioned => check_unchanged(input, &updates, old)?,
        }
        let indexes = updates
            .iter()
            .filter_map(|update| Some((update.index_name.clone(), update.provisioned_throughput?)))
            .collect();
        Ok(Self { billing_mode: input.billing_mode, table: input.provisioned_throughput, indexes })
    }

    /// Does it.
    pub(crate) fn apply(&self, definition: &mut TableDefinition, now: EpochMillis) {
        let old_mode = definition.billing_mode;
        let new_mode = self.billing_mode.unwrap_or(old_mode);
        definition.billing_mode = new_mode;
        let is_switch = new_mode != old_mode;
        if is_switch {
            match new_mode {
                BillingMode::PayPerRequest => switch_to_on_demand(definition, now),
                BillingMode::Provisioned => switch_to_provisioned(definition),
            }
        }
        if let Some(units) = self.table {
            let warm = set_units(&mut definition.provisioned_throughput, units, now, is_switch);
            definition.warm_throughput = keep_warm(definition.warm_throughput, warm);
        }
        for (name, units) in &self.indexes {
            if let Some(index) = definition.indexes.iter_mut().find(|index| index.name == *name) {
                let warm = set_units(&mut index.provisioned_throughput, *units, now, is_switch);
                index.warm_throughput = keep_warm(index.warm_throughput, warm);
            }
        }
    }
}

fn check_on_demand_table(
    input: &UpdateTableInput,
    updates: &[&GlobalIndexThroughputUpdate],
) -> Result<(), ItemsError> {
    if input.provisioned_throughput.is_some() {
        return Err(neither_units());
    }
    let changes_nothing_else = |update: &GlobalIndexThroughputUpdate| {
        update.on_demand_throughput.is_none() && update.warm_throughput.is_none()
    };
    let refused =
        updates.iter().find(|update| update.provisioned_throughput.is_some() || changes_nothing_else(update));
    if let Some(update) = refused {
        return Err(invalid(format!(
            "The only Updates for index: {} when TableThroughputMode is PAY_PER_REQUEST can be to \
             OnDemandThroughput, WarmThroughput",
            update.index_name
        )));
    }
    Ok(())
}

fn check_switch_to_provisioned(
    input: &UpdateTableInput,
    updates: &[&GlobalIndexThroughputUpdate],
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    if !old.vector_indexes.is_empty() {
        return Err(invalid("Tables with vector indexes must be in PAY_PER_REQUEST mode"));
    }
    if input.provisioned_throughput.is_none() {
        return Err(invalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED"));
    }
    let missing: Vec<&str> = old
        .indexes_of(IndexKind::Global)
        .filter(|index| {
            !updates
                .iter()
                .any(|update| update.index_name == index.name && update.provisioned_throughput.is_some())
        })
        .map(|index| index.name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(invalid(format!(
            "ProvisionedThroughput must be specified for index: {}",
            missing.join(",")
        )));
    }
    Ok(())
}

fn check_unchanged(
    input: &UpdateTableInput,
    updates: &[&GlobalIndexThroughputUpdate],
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    if let Some(units) = input.provisioned_throughput {
        check_differs(units, &old.provisioned_throughput, "table", "the table")?;
    }
    for update in updates {
        let index = old.indexes_of(IndexKind::Global).find(|index| index.name == update.index_name);
        if let (Some(units), Some(index)) = (update.provisioned_throughput, index) {
            let subject = format!("index {}", index.name);
            check_differs(units, &index.provisioned_throughput, &subject, &subject)?;
        }
    }
    Ok(())
}

fn check_differs(
    new: ThroughputInput,
    old: &ProvisionedThroughput,
    subject: &str,
    place: &str,
) -> Result<(), ItemsError> {
    let (old_reads, old_writes) = (old.read_units, old.write_units);
    let (new_reads, new_writes) = (new.read_capacity_units, new.write_capacity_units);
    if (old_reads, old_writes) != (new_reads, new_writes) {
        return Ok(());
    }
    Err(refused(format!(
        "The provisioned throughput for the {subject} will not change. The requested value equals the current value. \
         Current ReadCapacityUnits provisioned for {place}: {old_reads}. Requested ReadCapacityUnits: {new_reads}. \
         Current WriteCapacityUnits provisioned for {place}: {old_writes}. Requested WriteCapacityUnits: {new_writes}. \
         Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )))
}

fn switch_to_on_demand(definition: &mut TableDefinition, now: EpochMillis) {
    definition.last_update_to_pay_per_request = Some(now);
    let throughputs = definition.indexes.iter_mut().map(|index| &mut index.provisioned_throughput);
    for throughput in throughputs.chain([&mut definition.provisioned_throughput]) {
        throughput.read_units = 0;
        throughput.write_units = 0;
    }
}

fn switch_to_provisioned(definition: &mut TableDefinition) {
    definition.on_demand_throughput = None;
    for index in &mut definition.indexes {
        index.on_demand_throughput = None;
    }
}

/// Sets units, and returns those that were there if some became lower: they stay warm.
fn set_units(
    throughput: &mut ProvisionedThroughput,
    units: ThroughputInput,
    now: EpochMillis,
    is_switch: bool,
) -> Option<WarmThroughput> {
    let (old_reads, old_writes) = (throughput.read_units, throughput.write_units);
    let (reads, writes) = (units.read_capacity_units, units.write_capacity_units);
    throughput.read_units = reads;
    throughput.write_units = writes;
    if is_switch {
        return None;
    }
    if reads > old_reads || writes > old_writes {
        throughput.last_increase = Some(now);
    }
    if reads >= old_reads && writes >= old_writes {
        return None;
    }
    throughput.decreases = decreases_on_day_of(now, throughput) + 1;
    throughput.last_decrease = Some(now);
    Some(WarmThroughput { read_units: old_reads, write_units: old_writes })
}

fn keep_warm(known: Option<WarmThroughput>, seen: Option<WarmThroughput>) -> Option<WarmThroughput> {
    match (known, seen) {
        (Some(known), Some(seen)) => Some(WarmThroughput {
            read_units: known.read_units.max(seen.read_units),
            write_units: known.write_units.max(seen.write_units),
        }),
        (known, seen) => known.or(seen),
    }
}

/// Caps after an update: -1 clears one, an absent one stays.
pub(crate) fn merged_caps(
    old: Option<OnDemandThroughput>,
    update: OnDemandThroughput,
) -> Option<OnDemandThroughput> {
    let old = old.unwrap_or_default();
    let merge = |old: Option<i64>, new: Option<i64>| new.map_or(old, |new| (new != NO_CAP).then_some(new));
    let merged = OnDemandThroughput {
        max_read_units: merge(old.max_read_units, update.max_read_units),
        max_write_units: merge(old.max_write_units, update.max_write_units),
    };
    (merged != OnDemandThroughput::default()).then_some(merged)
}

/// The caps as the answer to an update shows them: one that was cleared is shown as -1 this once.
pub(crate) fn echoed(
    update: Option<OnDemandThroughput>,
    merged: Option<OnDemandThroughput>,
) -> Option<OnDemandThroughput> {
    let Some(update) = update else { return merged };
    let kept = merged.unwrap_or_default();
    let echo = |update: Option<i64>, kept: Option<i64>| update.filter(|units| *units == NO_CAP).or(kept);
    let shown = OnDemandThroughput {
        max_read_units: echo(update.max_read_units, kept.max_read_units),
        max_write_units: echo(update.max_write_units, kept.max_write_units),
    };
    (shown != OnDemandThroughput::default()).then_some(shown)
}

/// Returns `asked` unless it is lower than what there is.
pub(crate) fn raise(
    asked: WarmThroughputInput,
    (reads, writes): (i64, i64),
    subject: Subject<'_>,
) -> Result<WarmThroughput, ItemsError> {
    let raised = WarmThroughput {
        read_units: asked.read_units_per_second.unwrap_or(reads),
        write_units: asked.write_units_per_second.unwrap_or(writes),
    };
    for (new, old, name) in [
        (raised.read_units, reads, "ReadUnitsPerSecond"),
        (raised.write_units, writes, "WriteUnitsPerSecond"),
    ] {
        if new < old {
            return Err(invalid(format!(
                "Requested {name} for WarmThroughput{} is lower than current WarmThroughput, decreasing \
                 WarmThroughput is not supported",
                subject.spaced_suffix()
            )));
        }
    }
    Ok(raised)
}
