//! `GetItem`.

use std::collections::BTreeMap;

use pdb_expr::ProjectionExpression;
use pdb_model::{EncodedItem, Item, TableName};
use pdb_store::{Pending, ReadTx, Table};

use crate::ItemsError;
use crate::capacity::{CapacityUnits, Consistency, ConsumedCapacity, Meter, RequestKind};
use crate::expressions::{Expressions, check_no_path_into_key};
use crate::keys::{KeyFault, key_of_parameter};
use crate::legacy;
use crate::manager::ItemManager;
use crate::options::ReturnConsumedCapacity;
use crate::ready::ready_table;
use crate::write::decoded_attributes;

/// The input of `GetItem`.
#[derive(Clone, Debug)]
pub struct GetItemInput {
    /// The table.
    pub table_name: TableName,
    /// The key of the item.
    pub key: Item,
    /// Whether the read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
    /// Which parts of the item to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Which attributes to return, in the legacy form.
    pub attributes_to_get: Vec<String>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

impl GetItemInput {
    /// A request for a whole item.
    #[must_use]
    pub fn new(table_name: TableName, key: Item) -> Self {
        Self {
            table_name,
            key,
            consistent_read: false,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            attributes_to_get: Vec::new(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
        }
    }
}

/// The output of `GetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetItemOutput {
    /// The item, or the parts that the projection names; absent if the item does not exist.
    pub item: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}

impl ItemManager {
    /// Returns the item with a key, if there is one.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn get_item(&self, input: GetItemInput) -> Result<GetItemOutput, ItemsError> {
        let attributes = legacy::projection_of(&input.attributes_to_get)?;
        let expressions = Expressions::new(input.expression_attribute_names, BTreeMap::new());
        let projection = expressions.projection(input.projection_expression.as_deref())?.or(attributes);
        expressions.finish()?;
        self.store.read_once(|tx| {
            let table = ready_table(&self.env, tx, &input.table_name)?;
            let found =
                read_item(tx, &table, &input.key, projection.as_ref()).map_err(ReadFault::into_error)?;
            let mut meter = Meter::default();
            meter.charge_table(CapacityUnits::of_read(
                found.size_bytes,
                Consistency::of(input.consistent_read),
            ));
            meter.count_read(tx, &table);
            Ok(GetItemOutput {
                item: found.item,
                consumed_capacity: meter.report(
                    table.name(),
                    input.return_consumed_capacity,
                    RequestKind::NonTransactional,
                ),
            })
        })
    }

    /// Async variant of [`ItemManager::get_item`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::get_item`].
    pub fn get_item_async(&self, input: GetItemInput) -> Pending<Result<GetItemOutput, ItemsError>> {
        if self.store.is_remote() {
            self.read_async(move |items| items.get_item(input))
        } else {
            Pending::ready(self.get_item(input))
        }
    }
}

/// What a read by key found.
pub(crate) struct FoundItem {
    /// What the projection names of the item.
    pub(crate) item: Option<EncodedItem>,
    /// The size of the whole item.
    pub(crate) size_bytes: u64,
}

/// Reads one item by its key.
pub(crate) fn read_item(
    tx: &mut ReadTx<'_>,
    table: &Table,
    key: &Item,
    projection: Option<&ProjectionExpression>,
) -> Result<FoundItem, ReadFault> {
    let definition = &table.definition;
    let key = key_of_parameter(&definition.key_schema, key).map_err(ReadFault::Key)?;
    if let Some(projection) = projection {
        check_no_path_into_key(definition, projection.paths()).map_err(ReadFault::Failed)?;
    }
    let item = tx.get_item(table, &key.encode()).map_err(|error| ReadFault::Failed(error.into()))?;
    let size_bytes = item.as_ref().map_or(0, EncodedItem::size_bytes);
    let item = match (item, projection) {
        (Some(item), Some(projection)) => {
            let whole = decoded_attributes(&item, projection.paths()).map_err(ReadFault::Failed)?;
            Some(EncodedItem::from(&projection.apply(whole)))
        }
        (item, _) => item,
    };
    Ok(FoundItem { item, size_bytes })
}

/// Why a read by key failed.
pub(crate) enum ReadFault {
    /// The key does not fit the table: a reason to cancel a transaction, unless it is empty.
    Key(KeyFault),
    /// Anything else.
    Failed(ItemsError),
}

impl ReadFault {
    /// Returns the output of a single operation.
    pub(crate) fn into_error(self) -> ItemsError {
        match self {
            Self::Key(fault) => ItemsError::Validation(fault.into_text()),
            Self::Failed(error) => error,
        }
    }
}
