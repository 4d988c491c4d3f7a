//! `PutItem`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, EncodedItem, Item, TableName};
use pdb_store::{Pending, Tx};

use crate::ItemsError;
use crate::capacity::{ConsumedCapacity, RequestKind};
use crate::expressions::Expressions;
use crate::legacy::{ConditionalOperator, ExpectedAttributeValue, expected_condition};
use crate::manager::ItemManager;
use crate::metrics::ItemCollectionMetrics;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
    check_old_or_none,
};
use crate::write::{Change, PlannedWrite, check_new_item};

/// The input of `PutItem`.
#[derive(Clone, Debug)]
pub struct PutItemInput {
    /// The table.
    pub table_name: TableName,
    /// The whole new item.
    pub item: Item,
    /// The condition that the stored item must meet.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// The condition in its legacy form.
    pub expected: BTreeMap<String, ExpectedAttributeValue>,
    /// How the entries of `expected` combine.
    pub conditional_operator: ConditionalOperator,
    /// `None` or `AllOld`.
    pub return_values: ReturnValues,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

impl PutItemInput {
    /// A request that puts an item without condition.
    #[must_use]
    pub fn new(table_name: TableName, item: Item) -> Self {
        Self {
            table_name,
            item,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            expected: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            return_values: ReturnValues::default(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
            return_item_collection_metrics: ReturnItemCollectionMetrics::default(),
        }
    }
}

/// The output of `PutItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PutItemOutput {
    /// The replaced item, if `return_values` asked for it and there was one.
    pub attributes: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
    /// The item collection touched, if asked for and the table has local indexes.
    pub item_collection_metrics: Option<ItemCollectionMetrics>,
}

impl ItemManager {
    /// Creates an item, or replaces the one with the same key.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::ConditionalCheckFailed`].
    pub fn put_item(&self, input: PutItemInput) -> Result<PutItemOutput, ItemsError> {
        self.store.write(self.plan_put_item(input)?)
    }

    /// Async variant of [`ItemManager::put_item`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::put_item`].
    pub fn put_item_async(&self, input: PutItemInput) -> Pending<Result<PutItemOutput, ItemsError>> {
        self.submit(self.plan_put_item(input))
    }

    fn plan_put_item(
        &self,
        input: PutItemInput,
    ) -> Result<
        impl FnMut(&mut Tx<'_>) -> Result<PutItemOutput, ItemsError> + Send + 'static + use<>,
        ItemsError,
    > {
        let expected = self.enveloped(expected_condition(input.expected, input.conditional_operator))?;
        self.enveloped(check_old_or_none(input.return_values))?;
        check_new_item(&input.item)?;
        let expressions =
            Expressions::new(input.expression_attribute_names, input.expression_attribute_values);
        let condition = self.enveloped(expressions.condition(input.condition_expression.as_deref()))?;
        self.enveloped(expressions.finish())?;
        let write = PlannedWrite {
            table_name: input.table_name,
            change: Change::Put(input.item),
            condition: condition.or(expected),
            on_failure: input.return_values_on_condition_check_failure,
        };
        let env = self.env.clone();
        Ok(move |tx: &mut Tx<'_>| {
            let (table, written) = write.carry_out(&env, tx)?;
            written.meter.count_write(tx, &table);
            Ok(PutItemOutput {
                attributes: written.old.filter(|_| input.return_values == ReturnValues::AllOld),
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
