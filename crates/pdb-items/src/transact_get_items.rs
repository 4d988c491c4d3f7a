//! `TransactGetItems`.

use std::collections::BTreeMap;

use pdb_expr::ProjectionExpression;
use pdb_model::{CancellationReason, EncodedItem, Item, TableName};

use pdb_store::Pending;

use crate::ItemsError;
use crate::capacity::{CapacityUnits, Consistency, ConsumedCapacity, Meter, RequestKind};
use crate::expressions::Expressions;
use crate::get_item::{ReadFault, read_item};
use crate::keys::{KeyFault, key_of_parameter};
use crate::manager::ItemManager;
use crate::options::ReturnConsumedCapacity;
use crate::ready::ready_table;
use crate::transaction::{ReadItems, SAME_ITEM};

/// One item that a transaction reads.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactGet {
    /// The table.
    pub table_name: TableName,
    /// The key of the item.
    pub key: Item,
    /// Which parts of the item to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
}

/// The input of `TransactGetItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGetItemsInput {
    /// The items to read.
    pub transact_items: Vec<TransactGet>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// The output of `TransactGetItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGetItemsOutput {
    /// One entry for each requested item, in the order of the request; `None` for an item that does not exist.
    pub responses: Vec<Option<EncodedItem>>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

impl ItemManager {
    /// Returns the items with the given keys, as of one moment.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::TransactionCanceled`].
    pub fn transact_get_items(
        &self,
        input: TransactGetItemsInput,
    ) -> Result<TransactGetItemsOutput, ItemsError> {
        let projections = input.transact_items.iter().map(projection).collect::<Result<Vec<_>, _>>()?;
        for (position, get) in input.transact_items.iter().enumerate() {
            let same = |other: &TransactGet| other.table_name == get.table_name && other.key == get.key;
            if input.transact_items[..position].iter().any(same) {
                return Err(ItemsError::validation(SAME_ITEM));
            }
        }
        self.store.read(|tx| {
            let mut tables = Vec::with_capacity(input.transact_items.len());
            for get in &input.transact_items {
                tables.push(ready_table(&self.env, tx, &get.table_name)?);
            }
            // An empty key value fails the request before any fault of the other keys.
            for (get, table) in input.transact_items.iter().zip(&tables) {
                if let Err(KeyFault::Empty(text)) = key_of_parameter(&table.definition.key_schema, &get.key) {
                    return Err(ItemsError::Validation(text));
                }
            }
            let mut output = TransactGetItemsOutput::default();
            let mut meters: BTreeMap<&TableName, Meter> = BTreeMap::new();
            let mut read_items = ReadItems::default();
            for (position, (get, table)) in input.transact_items.iter().zip(&tables).enumerate() {
                let found =
                    read_item(tx, table, &get.key, projections[position].as_ref()).map_err(|fault| {
                        match fault {
                            ReadFault::Key(fault) => {
                                canceled(input.transact_items.len(), position, fault.into_text())
                            }
                            ReadFault::Failed(error) => error,
                        }
                    })?;
                let units = CapacityUnits::of_read(found.size_bytes, Consistency::Transactional);
                meters.entry(&get.table_name).or_default().charge_table(units);
                read_items.push(found.item);
            }
            output.responses = read_items.finish()?;
            meters.iter().for_each(|(table_name, meter)| meter.count_read_of(tx, table_name));
            output.consumed_capacity = meters
                .into_iter()
                .filter_map(|(table_name, meter)| {
                    meter.report(table_name, input.return_consumed_capacity, RequestKind::TransactionRead)
                })
                .collect();
            Ok(output)
        })
    }

    /// Async variant of [`ItemManager::transact_get_items`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::transact_get_items`].
    pub fn transact_get_items_async(
        &self,
        input: TransactGetItemsInput,
    ) -> Pending<Result<TransactGetItemsOutput, ItemsError>> {
        self.read_async(move |items| items.transact_get_items(input))
    }
}

/// Checks reads of a transaction as far as that needs no table, one after the other, as [`crate::check_transact_writes`] does.
///
/// # Errors
///
/// [`ItemsError::Validation`] for the first read with a fault.
pub fn check_transact_gets(gets: &[TransactGet]) -> Result<(), ItemsError> {
    gets.iter().try_for_each(|get| projection(get).map(|_| ()))
}

/// Parses the projection of a read.
fn projection(get: &TransactGet) -> Result<Option<ProjectionExpression>, ItemsError> {
    let expressions = Expressions::new(get.expression_attribute_names.clone(), BTreeMap::new());
    let projection = expressions.projection(get.projection_expression.as_deref())?;
    // As for actions that write: without an expression nothing is unused.
    if projection.is_some() {
        expressions.finish()?;
    }
    Ok(projection)
}

/// The cancellation of a transaction because of one of its actions.
fn canceled(actions: usize, position: usize, text: String) -> ItemsError {
    let mut reasons = vec![CancellationReason::none(); actions];
    reasons[position] = CancellationReason { code: "ValidationError", message: Some(text), item: None };
    ItemsError::TransactionCanceled(reasons)
}
