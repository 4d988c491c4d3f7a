//! Many writes to one table, some hundred in a transaction. Not an operation of AWS: imports and bulk loads are built on it.
//!
//! A write that is refused does not concern the others, so every write has an outcome of its own.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use pdb_capture::BaseKey;
use pdb_expr::ConditionExpression;
use pdb_model::{
    AnyIndex, AttributeValue, EncodedItem, Env, IndexKind, Item, KeyBytes, PrimaryKey, TableDefinition,
    TableName,
};
use pdb_store::{Direction, KeyRange, Pending, StoreError, Table, Tx};

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

/// A write that is checked, and whose item is encoded, as far as that needs no table.
#[derive(Debug)]
pub struct PlannedBulkWrite(
    /// If it is refused, the item or key with the reason.
    Result<PlannedWrite, (Item, String)>,
);

impl PlannedBulkWrite {
    /// Plans a write to a table.
    #[must_use]
    pub fn new(table_name: &TableName, write: BulkWrite) -> Self {
        Self(plan(table_name, write))
    }

    /// Returns the item or key. Of an [encoded put](Self::encoded_put), it is what was kept of the item.
    #[must_use]
    pub fn item(&self) -> &Item {
        match &self.0 {
            Ok(write) => write.target(),
            Err((item, _)) => item,
        }
    }

    /// Plans a put into a table whose definition does not change until it is carried out. What is needed besides the encoded item is kept, and the
    /// rest of the attributes is not, which takes some times less memory.
    ///
    /// # Errors
    ///
    /// The text with which the table refuses the item.
    pub fn encoded_put(table: &TableDefinition, item: Item) -> Result<EncodedPut, String> {
        let planned = plan(&table.name, BulkWrite::put(item)).map_err(|(_, reason)| reason)?;
        let key = match planned.key(table) {
            Ok(key) => key,
            Err(refusal) => {
                return Err(match refusal {
                    Refusal::EmptyKey(text) | Refusal::Unfit(text) => text,
                    other => other.into_error().to_string(),
                });
            }
        };
        let mut put = EncodedPut { key: key.encode(), kept_bytes: 0, planned: Self(Ok(planned)) };
        if let Ok(PlannedWrite { change: Change::PutEncoded(item, encoded), .. }) = &mut put.planned.0 {
            let whole = std::mem::take(item);
            *item = whole.into_iter().filter(|(name, _)| pdb_capture::needs_attribute(table, name)).collect();
            // A tree of values takes some eight times what DynamoDB counts.
            put.kept_bytes = encoded.json().len() as u64 + 8 * item.size_bytes();
        }
        Ok(put)
    }
}

/// A put that [`PlannedBulkWrite::encoded_put`] has made.
#[derive(Debug)]
pub struct EncodedPut {
    /// The key.
    pub key: KeyBytes,
    /// About how much memory it takes.
    pub kept_bytes: u64,
    /// The put.
    pub planned: PlannedBulkWrite,
}

/// Writes to one table that are checked as far as that needs no table.
///
/// For code with a transaction of its own; [`ItemManager::write_in_bulk`] begins one.
#[derive(Debug)]
pub struct BulkBatch {
    table_name: TableName,
    planned: Vec<PlannedBulkWrite>,
}

/// What was written by a part of a bulk load, in bytes, as AWS counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BulkUsage {
    /// The bytes of the items.
    pub table: u64,
    /// The bytes of their entries in each local secondary index.
    #[serde(default)]
    pub local: BTreeMap<String, u64>,
    /// The bytes of their entries in each global secondary index.
    #[serde(default)]
    pub global: BTreeMap<String, u64>,
    /// The bytes of their vectors in each vector index.
    #[serde(default)]
    pub vectors: BTreeMap<String, u64>,
}

impl BulkUsage {
    /// Adds up two of them.
    pub fn add(&mut self, other: &Self) {
        self.table += other.table;
        let kinds = [
            (&mut self.local, &other.local),
            (&mut self.global, &other.global),
            (&mut self.vectors, &other.vectors),
        ];
        for (all, added) in kinds {
            for (index, bytes) in added {
                *all.entry(index.clone()).or_default() += bytes;
            }
        }
    }

    fn count(&mut self, table: &Table, key: &PrimaryKey, item: &EncodedItem) -> Result<(), ItemsError> {
        self.table += item.size_bytes();
        if table.definition.all_indexes().next().is_none() {
            return Ok(());
        }
        let decoded = item.decode().map_err(|error| StoreError::corrupt("item", error))?;
        let bytes = key.encode();
        for index in table.definition.all_indexes() {
            let base = BaseKey::new(&table.definition, key, &bytes);
            let Some(entry) = pdb_capture::index_entry(index, table, base, &decoded, item) else { continue };
            let name = index.name().to_string();
            match index {
                AnyIndex::Secondary(index) => {
                    let of_kind = match index.kind {
                        IndexKind::Local => &mut self.local,
                        IndexKind::Global => &mut self.global,
                    };
                    *of_kind.entry(name).or_default() += entry.stored().projected.size_bytes();
                }
                AnyIndex::Vector(vector) => {
                    *self.vectors.entry(name).or_default() += 4 * u64::from(vector.dimensions);
                }
            }
        }
        Ok(())
    }
}

impl BulkBatch {
    /// Puts planned writes to this table together.
    #[must_use]
    pub fn new(table_name: &TableName, planned: Vec<PlannedBulkWrite>) -> Self {
        Self { table_name: table_name.clone(), planned }
    }

    /// Returns the items and keys of the writes, in their order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.planned.iter().map(PlannedBulkWrite::item)
    }

    /// Carries the writes out in the caller's transaction. Two writes with the same key are carried out in their order. If `usage` is given,
    /// what was put is added to it.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Store`]. The transaction has to be given up then.
    pub fn carry_out(
        &self,
        env: &Env,
        tx: &mut Tx<'_>,
        table: &Arc<Table>,
        mut usage: Option<&mut BulkUsage>,
    ) -> Result<Vec<BulkOutcome>, ItemsError> {
        let (mut outcomes, mut ready) = self.keys(table)?;
        if tx.has_rivals() {
            // Stable, so that writes with the same key keep their order.
            ready.sort_by_cached_key(|(_, _, key)| key.encode());
        }
        let mut meter = Meter::default();
        for (position, write, key) in ready {
            tx.order_records_as(position);
            let written =
                write.prepare(tx, table, &key).and_then(|prepared| prepared.carry_out(env, tx, table));
            match written {
                Ok(written) => {
                    meter.add(&written.meter);
                    if let (Some(usage), Some(item)) = (usage.as_deref_mut(), &written.new) {
                        usage.count(table, &key, item)?;
                    }
                }
                Err(refusal) => outcomes[position] = outcome_of(refusal)?,
            }
        }
        meter.count_write_of(tx, &self.table_name);
        Ok(outcomes)
    }

    /// Returns what the table refuses, and changes nothing. Conditions are not evaluated.
    fn try_out(&self, table: &Table) -> Result<Vec<BulkOutcome>, ItemsError> {
        self.keys(table).map(|(outcomes, _)| outcomes)
    }

    /// Returns the writes that the table does not refuse, with their keys.
    fn keys(&self, table: &Table) -> Result<(Vec<BulkOutcome>, Vec<ReadyWrite<'_>>), ItemsError> {
        let mut outcomes = vec![BulkOutcome::Written; self.planned.len()];
        let mut ready = Vec::with_capacity(self.planned.len());
        for (position, planned) in self.planned.iter().enumerate() {
            let write = match &planned.0 {
                Ok(write) => write,
                Err((_, reason)) => {
                    outcomes[position] = BulkOutcome::Refused(reason.clone());
                    continue;
                }
            };
            match write.key(&table.definition) {
                Ok(key) => ready.push((position, write, key)),
                Err(refusal) => outcomes[position] = outcome_of(refusal)?,
            }
        }
        Ok((outcomes, ready))
    }
}

/// A write that can be carried out: its position, and its key.
type ReadyWrite<'b> = (usize, &'b PlannedWrite, PrimaryKey);

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
        let plan = |write: &BulkWrite| PlannedBulkWrite::new(table_name, write.clone());
        let batch = BulkBatch::new(table_name, writes.iter().map(plan).collect());
        let env = self.env.clone();
        let job = move |tx: &mut Tx<'_>| {
            let table = ready_table(&env, tx, &batch.table_name)?;
            if is_trial { batch.try_out(&table) } else { batch.carry_out(&env, tx, &table, None) }
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

fn plan(table_name: &TableName, write: BulkWrite) -> Result<PlannedWrite, (Item, String)> {
    let text = |error: ItemsError| match error {
        ItemsError::Validation(text) => text,
        other => other.to_string(),
    };
    let condition = match write.condition.as_ref().map(parsed).transpose() {
        Ok(condition) => condition.flatten(),
        Err(error) => {
            let (BulkChange::Put(item) | BulkChange::Delete(item)) = write.change;
            return Err((item, text(error)));
        }
    };
    let change = match write.change {
        BulkChange::Put(item) => match check_new_item(&item) {
            Ok(_) => {
                let encoded = EncodedItem::from(&item);
                Change::PutEncoded(item, encoded)
            }
            Err(error) => return Err((item, text(error))),
        },
        BulkChange::Delete(key) => Change::Delete(key),
    };
    let on_failure = ReturnValuesOnConditionCheckFailure::AllOld;
    Ok(PlannedWrite { table_name: table_name.clone(), change, condition, on_failure })
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
