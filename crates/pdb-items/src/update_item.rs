//! `UpdateItem`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, EncodedItem, Item, MAX_NESTING, TableName};
use pdb_store::{Pending, Tx};

use crate::ItemsError;
use crate::capacity::{ConsumedCapacity, RequestKind};
use crate::expressions::Expressions;
use crate::legacy::{
    AttributeValueUpdate, ConditionalOperator, ExpectedAttributeValue, expected_condition, update_of,
};
use crate::manager::ItemManager;
use crate::metrics::ItemCollectionMetrics;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
};
use crate::write::{Change, PlannedWrite, TOO_DEEP, WrittenItem, decoded_attributes};

/// The input of `UpdateItem`.
#[derive(Clone, Debug)]
pub struct UpdateItemInput {
    /// The table.
    pub table_name: TableName,
    /// The key of the item to update, or to create.
    pub key: Item,
    /// What to change.
    pub update_expression: Option<String>,
    /// The condition that the stored item must meet.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// What to change, in its legacy form.
    pub attribute_updates: BTreeMap<String, AttributeValueUpdate>,
    /// The condition in its legacy form.
    pub expected: BTreeMap<String, ExpectedAttributeValue>,
    /// How the entries of `expected` combine.
    pub conditional_operator: ConditionalOperator,
    /// Any of the five.
    pub return_values: ReturnValues,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

impl UpdateItemInput {
    /// A request that changes nothing; an item that does not exist yet is created with its key alone.
    #[must_use]
    pub fn new(table_name: TableName, key: Item) -> Self {
        Self {
            table_name,
            key,
            update_expression: None,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            attribute_updates: BTreeMap::new(),
            expected: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            return_values: ReturnValues::default(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
            return_item_collection_metrics: ReturnItemCollectionMetrics::default(),
        }
    }
}

/// The output of `UpdateItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateItemOutput {
    /// The attributes that `return_values` asked for, if there are any.
    pub attributes: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
    /// The item collection touched, if asked for and the table has local indexes.
    pub item_collection_metrics: Option<ItemCollectionMetrics>,
}

impl ItemManager {
    /// Changes an item, or creates it if there is none with its key.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::ConditionalCheckFailed`].
    pub fn update_item(&self, input: UpdateItemInput) -> Result<UpdateItemOutput, ItemsError> {
        self.store.write(self.plan_update_item(input)?)
    }

    /// Async variant of [`ItemManager::update_item`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::update_item`].
    pub fn update_item_async(&self, input: UpdateItemInput) -> Pending<Result<UpdateItemOutput, ItemsError>> {
        self.submit(self.plan_update_item(input))
    }

    fn plan_update_item(
        &self,
        input: UpdateItemInput,
    ) -> Result<
        impl FnMut(&mut Tx<'_>) -> Result<UpdateItemOutput, ItemsError> + Send + 'static + use<>,
        ItemsError,
    > {
        let updates = self.enveloped(update_of(input.attribute_updates))?;
        let expected = self.enveloped(expected_condition(input.expected, input.conditional_operator))?;
        let is_too_deep = |value: &AttributeValue| value.depth() > MAX_NESTING;
        if input.expression_attribute_values.values().any(is_too_deep) {
            return self.enveloped(Err(ItemsError::validation(TOO_DEEP)));
        }
        let expressions =
            Expressions::new(input.expression_attribute_names, input.expression_attribute_values);
        let update = self.enveloped(expressions.update(input.update_expression.as_deref()))?.or(updates);
        let condition = self.enveloped(expressions.condition(input.condition_expression.as_deref()))?;
        self.enveloped(expressions.finish())?;
        let write = PlannedWrite {
            table_name: input.table_name,
            change: Change::Update(input.key, update),
            condition: condition.or(expected),
            on_failure: input.return_values_on_condition_check_failure,
        };
        let env = self.env.clone();
        Ok(move |tx: &mut Tx<'_>| {
            let (table, written) = write.carry_out(&env, tx)?;
            written.meter.count_write(tx, &table);
            Ok(UpdateItemOutput {
                attributes: returned(&write.change, &written, input.return_values)?,
                consumed_capacity: written.meter.report(
                    table.name(),
                    input.return_consumed_capacity,
                    RequestKind::NonTransactional,
                ),
                item_collection_metrics: ItemCollectionMetrics::of(
                    &table.definition,
                    write.target(),
                    input.return_item_collection_metrics,
                ),
            })
        })
    }
}

/// Returns the attributes that an update returns.
pub(crate) fn returned(
    change: &Change,
    written: &WrittenItem,
    return_values: ReturnValues,
) -> Result<Option<EncodedItem>, ItemsError> {
    let touched = |item: &Option<EncodedItem>| {
        let Change::Update(_, Some(update)) = change else { return Ok(None) };
        let item = item.as_ref().map(|item| decoded_attributes(item, update.targets())).transpose()?;
        Ok(update.project_targets(item).map(|touched| EncodedItem::from(&touched)))
    };
    match return_values {
        ReturnValues::None => Ok(None),
        ReturnValues::AllOld => Ok(written.old.clone()),
        ReturnValues::AllNew => Ok(written.new.clone()),
        ReturnValues::UpdatedOld => touched(&written.old),
        ReturnValues::UpdatedNew => touched(&written.new),
    }
}
