//! UpdateTable: what it checks against the table, and what it does.
//!
//! Evidence: `validation.md` 10.12, `dynamodb.md` 3.5, `streams.md` 2.5.

use std::borrow::Cow;
use std::sync::Arc;

use pdb_capture::disable_stream;
use pdb_model::{BillingMode, StreamViewType, TableClass, TableDefinition, WarmThroughput};
use pdb_store::Tx;

use super::backfill::fill_index;
use super::definition::table_class;
use super::describe::{Counts, warm};
use super::description::{TableDescription, TableStatus};
use super::input::{SseSpecification, StreamSpecification, UpdateTableInput, WarmThroughputInput};
use super::manager::TableManager;
use super::rules::{Subject, check_on_demand, invalid, refused};
use super::transition::{change_of, check_update};
use super::update_indexes::IndexChanges;
use super::update_rules::check;
use super::update_throughput::{ThroughputChange, echoed, merged_caps, raise};
use crate::ItemsError;

impl TableManager {
    /// Changes a table: one concern at a time, with few exceptions.
    ///
    /// The answer says `UPDATING` where AWS's does; the change is done all the same.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`] of the table or an index,
    /// [`ItemsError::LimitExceeded`]. Nothing of a refused request is done.
    pub fn update_table(&self, input: UpdateTableInput) -> Result<TableDescription, ItemsError> {
        check(&input)?;
        let input = Arc::new(input);
        self.write(move |manager, tx| manager.update(tx, &input))
    }

    fn update(&self, tx: &mut Tx<'_>, input: &UpdateTableInput) -> Result<TableDescription, ItemsError> {
        let now = tx.moment(|| self.env.clock.now());
        let table = self.table(tx, &input.table_name)?;
        let old = &table.definition;
        let mut input = Cow::Borrowed(input);
        if self.habits.index_throughput
            && input.billing_mode.unwrap_or(old.billing_mode) == BillingMode::PayPerRequest
        {
            self.habits.adapt_update(input.to_mut());
        }
        let input = &*input;
        let mut new: TableDefinition = (**old).clone();

        check_update(input, old, self.env.clock.now())?;
        let index_changes = IndexChanges::check(input, old, self.habits)?;
        let throughput = ThroughputChange::check(input, old, self.habits)?;
        let switches_stream = check_stream(input.stream_specification, old)?;
        check_encryption_changes(self, input.sse_specification.as_ref(), old)?;

        throughput.apply(&mut new, now);
        if let Some(caps) = input.on_demand_throughput {
            check_on_demand(caps, new.billing_mode, Subject::Table, true)?;
            new.on_demand_throughput = merged_caps(new.on_demand_throughput, caps);
        }
        if let Some(asked) = input.warm_throughput {
            new.warm_throughput = Some(raised_warm(asked, &new)?);
        }
        if let Some(class) = input.table_class {
            change_class(&mut new, table_class(class, Some(now)));
        }
        if let Some(protection) = input.deletion_protection_enabled {
            new.deletion_protection = protection;
        }
        if let Some(specification) = &input.sse_specification {
            new.server_side_encryption = self.encryption(Some(specification));
        }
        index_changes.apply(&mut new)?;
        if let Some(change) = change_of(input, old, now.plus(self.transition_delay)) {
            self.begin(&mut new, change, now);
        }

        let mut changed = if new == **old { Arc::clone(&table) } else { tx.replace_definition(&new)? };
        if let Some(index) = index_changes.created() {
            fill_index(tx, &changed, index, &self.activities)?;
        }
        if let Some(view_type) = switches_stream.enables {
            changed = self.enable_stream(tx, &changed, view_type)?;
        }
        if switches_stream.disables {
            changed = disable_stream(&self.env, tx, &changed)?;
        }

        if input.warm_throughput.is_some() {
            changed = self.split_warm_shards(tx, changed)?;
        }

        let counts = Counts::of(tx, &changed)?;
        let mut description = self.describer().describe(&changed.definition, &counts);
        if is_slow_at_aws(input, old) {
            description.table_status = TableStatus::Updating;
        }
        mark_updating(input, &mut description);
        index_changes.mark(&self.describer(), old, &mut description);
        description.on_demand_throughput =
            echoed(input.on_demand_throughput, description.on_demand_throughput);
        Ok(description)
    }
}

/// What becomes of the stream.
#[derive(Default)]
struct StreamSwitch {
    enables: Option<StreamViewType>,
    disables: bool,
}

fn check_stream(
    specification: Option<StreamSpecification>,
    old: &TableDefinition,
) -> Result<StreamSwitch, ItemsError> {
    let Some(specification) = specification else { return Ok(StreamSwitch::default()) };
    match (specification.stream_enabled, old.enabled_stream()) {
        (true, Some(_)) => {
            Err(refused(format!("Table already has an enabled stream: TableName: {}", old.name)))
        }
        (false, None) => Err(refused(format!("Table has no stream to disable: TableName: {}", old.name))),
        (true, None) => Ok(StreamSwitch { enables: specification.stream_view_type, disables: false }),
        (false, Some(_)) => Ok(StreamSwitch { enables: None, disables: true }),
    }
}

fn check_encryption_changes(
    manager: &TableManager,
    specification: Option<&SseSpecification>,
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    let Some(specification) = specification else { return Ok(()) };
    match (manager.encryption(Some(specification)), &old.server_side_encryption) {
        (None, None) => Err(invalid("Table is already encrypted by default")),
        (Some(new), Some(old)) if new == *old => Err(invalid(
            "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change \
             Master Key",
        )),
        (Some(_), _) | (None, Some(_)) => Ok(()),
    }
}

fn raised_warm(asked: WarmThroughputInput, table: &TableDefinition) -> Result<WarmThroughput, ItemsError> {
    let current = warm(table.warm_throughput, table.billing_mode, &table.provisioned_throughput);
    raise(asked, (current.read_units_per_second, current.write_units_per_second), Subject::Table)
}

fn change_class(definition: &mut TableDefinition, class: TableClass) {
    if definition.table_class.is_none_or(|old| old.infrequent_access != class.infrequent_access) {
        definition.table_class = Some(class);
    }
}

/// Whether AWS shows the table as `UPDATING` for a while after such a request.
fn is_slow_at_aws(input: &UpdateTableInput, old: &TableDefinition) -> bool {
    let switches_billing = input.billing_mode.is_some_and(|mode| mode != old.billing_mode);
    switches_billing
        || input.changes_indexes()
        || input.provisioned_throughput.is_some()
        || input.stream_specification.is_some()
        || input.sse_specification.is_some()
        || input.table_class.is_some()
        || input.warm_throughput.is_some()
}

fn mark_updating(input: &UpdateTableInput, description: &mut TableDescription) {
    if input.warm_throughput.is_some() {
        description.warm_throughput = description.warm_throughput.map(|warm| warm.updating());
    }
    if let Some(sse) = description.sse_description.as_mut().filter(|_| input.sse_specification.is_some()) {
        sse.is_updating = true;
    }
}
