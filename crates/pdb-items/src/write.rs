//! One write, as all operations that write plan it and carry it out.
//!
//! A write is planned before its transaction: everything that needs neither table nor item is checked, and expressions are
//! parsed. In the transaction come, in this order, the keys, the condition, and the change itself, which goes through
//! `pdb-capture`. Carrying out may happen again if the transaction is, so a plan is only read.

use std::borrow::Cow;
use std::sync::Arc;

use pdb_capture::{IndexChangeKind, LockedItem, WriteReport};
use pdb_expr::{ConditionExpression, Path, UpdateExpression};
use pdb_model::{
    AnyIndex, CancellationReason, EncodedItem, Env, IndexKind, Item, KeyBytes, MAX_ITEM_BYTES, MAX_NESTING,
    PrimaryKey, TableDefinition, TableName,
};
use pdb_store::{StoreError, Table, Tx};

use crate::ItemsError;
use crate::capacity::{CapacityUnits, Meter};
use crate::expressions::check_no_path_into_key;
use crate::keys::{
    KeyFault, check_assigned_index_key, check_index_keys, check_updated_index_keys, key_of_item,
    key_of_parameter,
};
use crate::options::ReturnValuesOnConditionCheckFailure;
use crate::ready::ready_table;

/// The text of an item that is too large to be put.
pub(crate) const ITEM_TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";
const UPDATE_TOO_LARGE: &str = "Item size to update has exceeded the maximum allowed size";
/// The text of values that nest too deep.
pub(crate) const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                                   levels beyond supported limit";

/// A write that is ready to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct PlannedWrite {
    pub(crate) table_name: TableName,
    pub(crate) change: Change,
    pub(crate) condition: Option<ConditionExpression>,
    pub(crate) on_failure: ReturnValuesOnConditionCheckFailure,
}

/// What a write does.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Puts this item.
    Put(Item),
    /// Puts this item, which is encoded already.
    PutEncoded(Item, EncodedItem),
    /// Puts this item unless one with its key exists: an `INSERT` of PartiQL.
    Insert(Arc<Item>),
    /// Deletes the item with this key.
    Delete(Item),
    /// Updates the item with this key, or creates it.
    Update(Item, Option<UpdateExpression>),
    /// Looks at the item with this key.
    Check(Item),
}

/// Why a write was not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A key value is empty: fails a whole transaction.
    EmptyKey(String),
    /// The keys, the stored values or the result do not fit.
    Unfit(String),
    /// The condition does not hold.
    Condition {
        /// The item, if the request asked to see it.
        shown: Option<EncodedItem>,
        /// Whether there is no item, so that nothing is locked.
        was_absent: bool,
    },
    /// An item with the key exists.
    Duplicate,
    /// Something that is not about this write.
    Failed(ItemsError),
}

/// A write whose item is locked and whose result is known.
#[derive(Debug)]
pub(crate) struct PreparedWrite<'a> {
    locked: LockedItem,
    outcome: ItemChange<'a>,
}

#[derive(Debug)]
enum ItemChange<'a> {
    /// The item shall be this, or not be there.
    Replace(Option<Cow<'a, Item>>),
    /// The item shall be this.
    ReplaceEncoded(&'a Item, &'a EncodedItem),
    /// The item stays as it is.
    Keep,
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct WrittenItem {
    pub(crate) old: Option<EncodedItem>,
    pub(crate) new: Option<EncodedItem>,
    pub(crate) meter: Meter,
}

impl WrittenItem {
    fn of(table: &Table, report: WriteReport) -> Self {
        let meter = meter_of(&table.definition, &report);
        Self { old: report.old, new: report.new, meter }
    }
}

impl PlannedWrite {
    /// Returns the item or the key that says which item is meant.
    pub(crate) fn target(&self) -> &Item {
        match &self.change {
            Change::Put(item) | Change::PutEncoded(item, _) => item,
            Change::Insert(item) => item,
            Change::Delete(key) | Change::Update(key, _) | Change::Check(key) => key,
        }
    }

    /// Returns the table, or refuses as all operations on items do.
    pub(crate) fn table(&self, env: &Env, tx: &mut Tx<'_>) -> Result<Arc<Table>, ItemsError> {
        Ok(ready_table(env, tx, &self.table_name)?)
    }

    /// Checks everything that the table alone decides, and returns the item's key.
    pub(crate) fn key(&self, table: &TableDefinition) -> Result<PrimaryKey, Refusal> {
        let schema = &table.key_schema;
        let key = match &self.change {
            Change::Put(_) | Change::PutEncoded(..) | Change::Insert(_) => {
                let item = self.target();
                let key = key_of_item(schema, item)?;
                check_index_keys(table, item)?;
                key
            }
            Change::Delete(key) | Change::Check(key) => key_of_parameter(schema, key)?,
            Change::Update(key, update) => {
                let key = key_of_parameter(schema, key)?;
                update.as_ref().map_or(Ok(()), |update| check_targets(table, update))?;
                key
            }
        };
        if let Some(condition) = &self.condition {
            check_no_path_into_key(table, condition.paths())?;
        }
        Ok(key)
    }

    /// Locks the item, checks the condition, and works out what the item becomes. Changes nothing.
    pub(crate) fn prepare(
        &self,
        tx: &mut Tx<'_>,
        table: &Arc<Table>,
        key: &PrimaryKey,
    ) -> Result<PreparedWrite<'_>, Refusal> {
        let locked = pdb_capture::lock_item(tx, table, key)?;
        let stored = locked.old.as_ref();
        let mut old = match (stored, &self.change, &self.condition) {
            (Some(stored), Change::Update(_, Some(_)), _) => Some(decoded(stored)?),
            (Some(stored), _, Some(condition)) => Some(decoded_attributes(stored, condition.paths())?),
            _ => None,
        };
        if let Some(condition) = &self.condition
            && !condition.matches(old.as_ref())
        {
            let shown = match self.on_failure {
                ReturnValuesOnConditionCheckFailure::None => None,
                ReturnValuesOnConditionCheckFailure::AllOld => stored.cloned(),
            };
            return Err(Refusal::Condition { shown, was_absent: stored.is_none() });
        }
        let outcome = match &self.change {
            Change::Insert(_) if stored.is_some() => return Err(Refusal::Duplicate),
            Change::Put(_) | Change::Insert(_) => ItemChange::Replace(Some(Cow::Borrowed(self.target()))),
            Change::PutEncoded(item, encoded) => ItemChange::ReplaceEncoded(item, encoded),
            Change::Delete(_) => ItemChange::Replace(None),
            Change::Check(_) => ItemChange::Keep,
            Change::Update(_, None) if stored.is_some() => ItemChange::Keep,
            Change::Update(key, None) => ItemChange::Replace(Some(Cow::Borrowed(key))),
            Change::Update(key, Some(update)) => {
                match update.apply(old.take(), key).map_err(|error| Refusal::Unfit(error.to_string()))? {
                    None => ItemChange::Keep,
                    Some(new) => {
                        check_result(&table.definition, update, &new)?;
                        ItemChange::Replace(Some(Cow::Owned(new)))
                    }
                }
            }
        };
        Ok(PreparedWrite { locked, outcome })
    }

    /// Carries the write out by itself: what a plain operation does in its transaction.
    pub(crate) fn carry_out(
        &self,
        env: &Env,
        tx: &mut Tx<'_>,
    ) -> Result<(Arc<Table>, WrittenItem), ItemsError> {
        let table = self.table(env, tx)?;
        let written = self
            .key(&table.definition)
            .and_then(|key| self.prepare(tx, &table, &key))
            .and_then(|prepared| prepared.carry_out(env, tx, &table))
            .map_err(Refusal::into_error)?;
        Ok((table, written))
    }
}

impl PreparedWrite<'_> {
    /// Returns the key if the write leaves the item absent. A deletion without condition relies on that too: it says that there is no item
    /// at the moment at which the other actions of its transaction are carried out.
    pub(crate) fn relied_on_absence(&self) -> Option<&KeyBytes> {
        let makes_none = matches!(self.outcome, ItemChange::Keep | ItemChange::Replace(None));
        (self.locked.old.is_none() && makes_none).then_some(&self.locked.key)
    }

    /// Returns whether there is an item, which is locked then; a place without one is not.
    pub(crate) fn has_old_item(&self) -> bool {
        self.locked.old.is_some()
    }

    /// Returns about how much memory the write holds besides its request: the stored text of the old item, and the new item if it was
    /// made. A tree of values takes some eight times what DynamoDB counts.
    pub(crate) fn kept_bytes(&self) -> u64 {
        let old = self.locked.old.as_ref().map_or(0, |old| old.json().len() as u64);
        match &self.outcome {
            ItemChange::Replace(Some(Cow::Owned(new))) => old + 8 * new.size_bytes(),
            ItemChange::Replace(_) | ItemChange::ReplaceEncoded(..) | ItemChange::Keep => old,
        }
    }

    /// Writes, through the one door.
    pub(crate) fn carry_out(
        self,
        env: &Env,
        tx: &mut Tx<'_>,
        table: &Arc<Table>,
    ) -> Result<WrittenItem, Refusal> {
        match self.outcome {
            ItemChange::Keep => {
                let old = self.locked.old;
                let mut meter = Meter::default();
                meter.charge_table(CapacityUnits::of_write(write_bytes(&table.definition, old.as_ref())?));
                Ok(WrittenItem { new: old.clone(), old, meter })
            }
            ItemChange::Replace(new) => {
                let report = pdb_capture::write_item(env, tx, table, self.locked, new.as_deref(), None)?;
                Ok(WrittenItem::of(table, report))
            }
            ItemChange::ReplaceEncoded(new, encoded) => {
                let encoded = encoded.clone();
                let report = pdb_capture::write_encoded_item(env, tx, table, self.locked, new, encoded)?;
                Ok(WrittenItem::of(table, report))
            }
        }
    }
}

impl Refusal {
    /// Returns the output of a single operation.
    pub(crate) fn into_error(self) -> ItemsError {
        match self {
            Self::EmptyKey(text) | Self::Unfit(text) => ItemsError::Validation(text),
            Self::Condition { shown, .. } => ItemsError::ConditionalCheckFailed { item: shown },
            Self::Duplicate => ItemsError::DuplicateItem,
            Self::Failed(error) => error,
        }
    }

    /// What a transaction gives as its reason, unless the whole request fails.
    pub(crate) fn into_reason(self) -> Result<CancellationReason, ItemsError> {
        let (code, message, item) = match self {
            Self::EmptyKey(text) => return Err(ItemsError::Validation(text)),
            Self::Failed(error) => return Err(error),
            Self::Unfit(text) => ("ValidationError", text, None),
            Self::Condition { shown, .. } => {
                ("ConditionalCheckFailed", "The conditional request failed".to_owned(), shown)
            }
            Self::Duplicate => ("DuplicateItem", "Duplicate primary key exists in table".to_owned(), None),
        };
        Ok(CancellationReason { code, message: Some(message), item })
    }
}

impl From<KeyFault> for Refusal {
    fn from(fault: KeyFault) -> Self {
        match fault {
            KeyFault::Empty(text) => Self::EmptyKey(text),
            other => Self::Unfit(other.into_text()),
        }
    }
}

impl From<ItemsError> for Refusal {
    fn from(error: ItemsError) -> Self {
        match error {
            ItemsError::Validation(text) => Self::Unfit(text),
            other => Self::Failed(other),
        }
    }
}

impl From<pdb_capture::CaptureError> for Refusal {
    fn from(error: pdb_capture::CaptureError) -> Self {
        Self::Failed(error.into())
    }
}

/// Checks an item that is to be put, as far as it can be checked without its table. Returns its size in bytes.
pub(crate) fn check_new_item(item: &Item) -> Result<u64, ItemsError> {
    if item.depth() > MAX_NESTING {
        return Err(ItemsError::validation(TOO_DEEP));
    }
    let bytes = item.size_bytes();
    if bytes > MAX_ITEM_BYTES {
        return Err(ItemsError::validation(ITEM_TOO_LARGE));
    }
    Ok(bytes)
}

/// Reads a stored item.
pub(crate) fn decoded(stored: &EncodedItem) -> Result<Item, ItemsError> {
    stored.decode().map_err(|error| ItemsError::Store(StoreError::corrupt("item", error)))
}

/// Reads the attributes of a stored item that paths begin with.
pub(crate) fn decoded_attributes<'a>(
    stored: &EncodedItem,
    paths: impl IntoIterator<Item = &'a Path>,
) -> Result<Item, ItemsError> {
    let mut names: Vec<&str> = paths.into_iter().map(|path| &*path.attribute).collect();
    names.sort_unstable();
    stored
        .decode_attributes(|name| names.binary_search(&name).is_ok())
        .map_err(|error| ItemsError::Store(StoreError::corrupt("item", error)))
}

/// Checks what an update does to keys before any item is read.
fn check_targets(table: &TableDefinition, update: &UpdateExpression) -> Result<(), Refusal> {
    if let Some(target) = update.targets().find(|target| table.key_schema.contains(&target.attribute)) {
        return Err(Refusal::Unfit(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            target.attribute
        )));
    }
    check_no_path_into_key(table, update.targets())?;
    for (attribute, value) in update.direct_assignments() {
        check_assigned_index_key(table, attribute, value)?;
    }
    Ok(())
}

/// Checks the item that an update makes; its nesting has been checked where it was made.
fn check_result(table: &TableDefinition, update: &UpdateExpression, new: &Item) -> Result<(), Refusal> {
    if new.size_bytes() > MAX_ITEM_BYTES {
        return Err(Refusal::Unfit(UPDATE_TOO_LARGE.to_owned()));
    }
    let is_target = |attribute: &str| update.targets().any(|target| &*target.attribute == attribute);
    Ok(check_updated_index_keys(table, is_target, new)?)
}

/// Returns how many bytes a write counts as that leaves an item as it is.
fn write_bytes(table: &TableDefinition, item: Option<&EncodedItem>) -> Result<u64, ItemsError> {
    let Some(item) = item else { return Ok(0) };
    if table.vector_indexes.is_empty() {
        return Ok(item.size_bytes());
    }
    let is_vector = |name: &str| table.vector_indexes.iter().any(|index| index.vector_attribute == name);
    let vectors = item.decode_attributes(is_vector);
    let vectors = vectors.map_err(|error| ItemsError::Store(StoreError::corrupt("item", error)))?;
    Ok(table.write_bytes(&vectors, item.size_bytes()))
}

/// What a write through the door costs.
fn meter_of(table: &TableDefinition, report: &WriteReport) -> Meter {
    let mut meter = Meter::default();
    meter.charge_table(CapacityUnits::of_write(report.write_bytes));
    for change in &report.index_changes {
        let Some(AnyIndex::Secondary(index)) = table.any_index(change.index.as_str()) else {
            meter.charge_vector(&change.index, change.old_size_bytes.max(change.new_size_bytes).unwrap_or(0));
            continue;
        };
        let units = |size: Option<u64>| size.map_or(CapacityUnits::ZERO, CapacityUnits::of_write);
        let (old, new) = (units(change.old_size_bytes), units(change.new_size_bytes));
        let units = match change.kind {
            IndexChangeKind::Entered => new,
            IndexChangeKind::Left => old,
            IndexChangeKind::Moved => old + new,
            IndexChangeKind::Updated => old.max(new),
        };
        match index.kind {
            IndexKind::Local => meter.charge_local(&change.index, units),
            IndexKind::Global => meter.charge_global(&change.index, units),
        }
    }
    meter
}
