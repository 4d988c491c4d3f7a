//! Many writes to one table, some hundred in a transaction. Not an operation of AWS: imports and bulk loads are built on it.
//!
//! A write that is refused does not concern the others, so every write has an outcome of its own.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use pdb_expr::ConditionExpression;
use pdb_model::{AttributeValue, EncodedItem, Item, PrimaryKey, TableName};
use pdb_store::{Direction, KeyRange, Pending, Tx};

use crate::ItemsError;
use crate::capacity::Meter;
use crate::expressions::Expressions;
use crate::manager::{ItemManager, SeveralWrites};
use crate::options::ReturnValuesOnConditionCheckFailure;
use crate::ready::ready_table;
use crate::write::{Change, PlannedWrite, Refusal, check_new_item};

/// A write of a bulk load.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkWrite {
    /// What is written.
    pub change: BulkChange,
    /// The condition on the item that is there.
    pub condition: Option<BulkCondition>,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum BulkChange {
    /// Puts this item, and replaces the one with the same key.
    Put(Item),
    /// Deletes the item with this key, if it is there.
    Delete(Item),
}

/// A condition with what its expression refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BulkCondition {
    /// The condition expression.
    pub expression: String,
    /// Attribute names by placeholder.
    pub names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub values: BTreeMap<String, AttributeValue>,
}

/// How a write of a bulk load went.
#[derive(Clone, Debug, PartialEq)]
pub enum BulkOutcome {
    /// It was carried out, also if it changed nothing.
    Written,
    /// It is not valid, and had no effect. The text is AWS's.
    Refused(String),
    /// Its condition does not hold. It had no effect. The item is the one that is there.
    ConditionFailed(Option<EncodedItem>),
}

impl BulkWrite {
    /// Returns a put without a condition.
    #[must_use]
    pub fn put(item: Item) -> Self {
        Self { change: BulkChange::Put(item), condition: None }
    }

    /// Returns a deletion without a condition.
    #[must_use]
    pub fn delete(key: Item) -> Self {
        Self { change: BulkChange::Delete(key), condition: None }
    }

    /// Returns the size of the item or key, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match &self.change {
            BulkChange::Put(item) | BulkChange::Delete(item) => item.size_bytes(),
        }
    }
}

/// Takes the items of a table, as canonical DynamoDB JSON, until it breaks off.
pub type ItemReader<'r> = &'r mut dyn FnMut(&str) -> ControlFlow<()>;

/// A write that is checked as far as that needs no table, or the reason why it is refused.
type Planned = Result<PlannedWrite, String>;

impl ItemManager {
    /// Carries writes out in one transaction, or only checks them. Two writes with the same key are carried out in their order.
    ///
    /// The writes are as real as those of the other operations: with index entries and stream records. Give some hundred at a time, so that
    /// other writers get their turn in between.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`], [`ItemsError::Store`]. No write has been carried out then.
    pub fn write_in_bulk(
        &self,
        table_name: &TableName,
        writes: &[BulkWrite],
        is_trial: bool,
    ) -> Pending<Result<Vec<BulkOutcome>, ItemsError>> {
        let bytes = writes.iter().map(BulkWrite::size_bytes).sum();
        let planned: Vec<Planned> = writes.iter().map(|write| plan(table_name, write)).collect();
        let (env, table_name) = (self.env.clone(), table_name.clone());
        let job = move |tx: &mut Tx<'_>| {
            let table = ready_table(&env, tx, &table_name)?;
            let mut outcomes = vec![BulkOutcome::Written; planned.len()];
            let mut ready: Vec<(usize, &PlannedWrite, PrimaryKey)> = Vec::with_capacity(planned.len());
            for (position, planned) in planned.iter().enumerate() {
                let write = match planned {
                    Ok(write) => write,
                    Err(reason) => {
                        outcomes[position] = BulkOutcome::Refused(reason.clone());
                        continue;
                    }
                };
                match write.key(&table.definition) {
                    Ok(key) => ready.push((position, write, key)),
                    Err(refusal) => outcomes[position] = outcome_of(refusal)?,
                }
            }
            if is_trial {
                return Ok(outcomes);
            }
            if tx.has_rivals() {
                // Stable, so that writes with the same key keep their order.
                ready.sort_by_cached_key(|(_, _, key)| key.encode());
            }
            let mut meter = Meter::default();
            for (position, write, key) in ready {
                tx.order_records_as(position);
                let written =
                    write.prepare(tx, &table, &key).and_then(|prepared| prepared.carry_out(&env, tx, &table));
                match written {
                    Ok(written) => meter.add(&written.meter),
                    Err(refusal) => outcomes[position] = outcome_of(refusal)?,
                }
            }
            meter.count_write_of(tx, &table_name);
            Ok(outcomes)
        };
        self.submit_several(Ok(SeveralWrites { job, bytes }))
    }

    /// Passes all items of a table to a function, in the order of a scan, as canonical DynamoDB JSON. With several functions, the whole table
    /// is read for one after the other. All of them see the same commit.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`], [`ItemsError::Store`].
    pub fn read_whole_table(
        &self,
        table_name: &TableName,
        passes: &mut [ItemReader<'_>],
    ) -> Result<(), ItemsError> {
        self.store.read(|tx| {
            let table = ready_table(&self.env, tx, table_name)?;
            for each in passes {
                tx.scan(&table, None, &KeyRange::all(), Direction::Forward, &mut |row| each(row.json))?;
            }
            Ok(())
        })
    }
}

fn plan(table_name: &TableName, write: &BulkWrite) -> Planned {
    let text = |error: ItemsError| match error {
        ItemsError::Validation(text) => text,
        other => other.to_string(),
    };
    let change = match &write.change {
        BulkChange::Put(item) => {
            check_new_item(item).map_err(text)?;
            Change::Put(item.clone())
        }
        BulkChange::Delete(key) => Change::Delete(key.clone()),
    };
    Ok(PlannedWrite {
        table_name: table_name.clone(),
        change,
        condition: write.condition.as_ref().map(parsed).transpose().map_err(text)?.flatten(),
        on_failure: ReturnValuesOnConditionCheckFailure::AllOld,
    })
}

fn parsed(condition: &BulkCondition) -> Result<Option<ConditionExpression>, ItemsError> {
    let expressions = Expressions::new(condition.names.clone(), condition.values.clone());
    let parsed = expressions.condition(Some(&condition.expression))?;
    expressions.finish()?;
    Ok(parsed)
}

/// Returns how a write went that was not carried out, or the error if something else is at fault.
fn outcome_of(refusal: Refusal) -> Result<BulkOutcome, ItemsError> {
    match refusal {
        Refusal::Condition { shown, .. } => Ok(BulkOutcome::ConditionFailed(shown)),
        Refusal::EmptyKey(text) | Refusal::Unfit(text) => Ok(BulkOutcome::Refused(text)),
        Refusal::Duplicate => Ok(BulkOutcome::Refused("Duplicate primary key exists in table".to_owned())),
        Refusal::Failed(error) => Err(error),
    }
}
