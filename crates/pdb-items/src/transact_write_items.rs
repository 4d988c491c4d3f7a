//! `TransactWriteItems`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, Item, TableName};
use pdb_store::{Pending, Tx};

use crate::ItemsError;
use crate::capacity::ConsumedCapacity;
use crate::expressions::Expressions;
use crate::manager::{ItemManager, SeveralWrites};
use crate::metrics::MetricsByTable;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};
use crate::transaction::{Fingerprint, RequestToken, check_request_size, transact};
use crate::write::{Change, PlannedWrite, check_new_item};

/// One action of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactWrite {
    /// The table.
    pub table_name: TableName,
    /// What is done, and to which item.
    pub action: TransactAction,
    /// The condition that the stored item must meet; a check needs one.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// What an action does to its item.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactAction {
    /// `ConditionCheck`: looks only.
    ConditionCheck {
        /// The key of the item.
        key: Item,
    },
    /// `Put`.
    Put {
        /// The whole new item.
        item: Item,
    },
    /// `Delete`.
    Delete {
        /// The key of the item.
        key: Item,
    },
    /// `Update`.
    Update {
        /// The key of the item.
        key: Item,
        /// What to change.
        update_expression: String,
    },
}

impl TransactWrite {
    /// An action without condition.
    #[must_use]
    pub fn new(table_name: TableName, action: TransactAction) -> Self {
        Self {
            table_name,
            action,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
        }
    }
}

/// The input of `TransactWriteItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWriteItemsInput {
    /// The actions.
    pub transact_items: Vec<TransactWrite>,
    /// Makes a repetition within ten minutes harmless.
    pub client_request_token: Option<String>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

/// The output of `TransactWriteItems`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWriteItemsOutput {
    /// The item collections touched, if asked for.
    pub item_collection_metrics: MetricsByTable,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

impl ItemManager {
    /// Carries out up to 100 actions on different items: all of them or none.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::TransactionCanceled`],
    /// [`ItemsError::IdempotentParameterMismatch`].
    pub fn transact_write_items(
        &self,
        input: TransactWriteItemsInput,
    ) -> Result<TransactWriteItemsOutput, ItemsError> {
        self.store.write(self.plan_transact_write_items(input)?.job)
    }

    /// Async variant of [`ItemManager::transact_write_items`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::transact_write_items`].
    pub fn transact_write_items_async(
        &self,
        input: TransactWriteItemsInput,
    ) -> Pending<Result<TransactWriteItemsOutput, ItemsError>> {
        self.submit_several(self.plan_transact_write_items(input))
    }

    fn plan_transact_write_items(
        &self,
        input: TransactWriteItemsInput,
    ) -> Result<
        SeveralWrites<
            impl FnMut(&mut Tx<'_>) -> Result<TransactWriteItemsOutput, ItemsError> + Send + 'static + use<>,
        >,
        ItemsError,
    > {
        let token = input.client_request_token.as_ref().map(|token| RequestToken {
            token: token.clone(),
            fingerprint: fingerprint(&input.transact_items),
        });
        let mut writes = Vec::with_capacity(input.transact_items.len());
        let mut request_bytes = 0;
        for (position, action) in input.transact_items.into_iter().enumerate() {
            let (write, size_bytes) = plan(position, action)?;
            request_bytes += size_bytes;
            writes.push(write);
        }
        check_request_size(request_bytes)?;
        let env = self.env.clone();
        let job = move |tx: &mut Tx<'_>| {
            let report = transact(&env, tx, &writes, token.as_ref(), input.return_item_collection_metrics)?;
            Ok(TransactWriteItemsOutput {
                consumed_capacity: report.consumed_capacity(input.return_consumed_capacity),
                item_collection_metrics: report.metrics,
            })
        };
        Ok(SeveralWrites { job, bytes: request_bytes })
    }
}

/// Checks actions of a transaction as far as that needs no table, one after the other.
///
/// AWS does so too: a fault in the first action comes before all faults of the second. Those who find a fault in an action
/// before they can make a request of it ask first about the actions in front of it.
///
/// # Errors
///
/// [`ItemsError::Validation`] for the first action with a fault.
pub fn check_transact_writes(actions: Vec<TransactWrite>) -> Result<(), ItemsError> {
    actions.into_iter().enumerate().try_for_each(|(position, action)| plan(position, action).map(|_| ()))
}

/// Checks what can be checked of an action without its table; also returns its size.
fn plan(position: usize, action: TransactWrite) -> Result<(PlannedWrite, u64), ItemsError> {
    if let TransactAction::Put { item } = &action.action {
        check_new_item(item)?;
    }
    let values_bytes: u64 = action.expression_attribute_values.values().map(AttributeValue::size_bytes).sum();
    let expressions = Expressions::new(action.expression_attribute_names, action.expression_attribute_values);
    let has_expression =
        action.condition_expression.is_some() || matches!(action.action, TransactAction::Update { .. });
    let change = match action.action {
        TransactAction::ConditionCheck { key } => {
            if action.condition_expression.is_none() {
                return Err(ItemsError::Validation(format!(
                    "1 validation error detected: Value null at \
                     'transactItems.{}.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member \
                     must not be null",
                    position + 1
                )));
            }
            Change::Check(key)
        }
        TransactAction::Put { item } => Change::Put(item),
        TransactAction::Delete { key } => Change::Delete(key),
        TransactAction::Update { key, update_expression } => {
            Change::Update(key, expressions.update(Some(&update_expression))?)
        }
    };
    let condition = expressions.condition(action.condition_expression.as_deref())?;
    // An action without any expression may name what it likes: AWS looks at names and values for expressions only.
    if has_expression {
        expressions.finish()?;
    }
    let write = PlannedWrite {
        table_name: action.table_name,
        change,
        condition,
        on_failure: action.return_values_on_condition_check_failure,
    };
    let size_bytes = write.target().size_bytes() + values_bytes;
    Ok((write, size_bytes))
}

/// Returns what tells these actions from others, however they were spelled on the wire.
fn fingerprint(actions: &[TransactWrite]) -> Vec<u8> {
    let mut fingerprint = Fingerprint::new("TransactWriteItems");
    for action in actions {
        let (kind, target, update) = match &action.action {
            TransactAction::ConditionCheck { key } => ("ConditionCheck", key, None),
            TransactAction::Put { item } => ("Put", item, None),
            TransactAction::Delete { key } => ("Delete", key, None),
            TransactAction::Update { key, update_expression } => {
                ("Update", key, Some(update_expression.as_str()))
            }
        };
        fingerprint.text(action.table_name.as_str());
        fingerprint.text(kind);
        fingerprint.item(target);
        fingerprint.optional_text(update);
        fingerprint.optional_text(action.condition_expression.as_deref());
        for (placeholder, name) in &action.expression_attribute_names {
            fingerprint.text(placeholder);
            fingerprint.text(name);
        }
        for (placeholder, value) in &action.expression_attribute_values {
            fingerprint.text(placeholder);
            fingerprint.text(&value.to_string());
        }
        fingerprint.text(match action.return_values_on_condition_check_failure {
            ReturnValuesOnConditionCheckFailure::None => "NONE",
            ReturnValuesOnConditionCheckFailure::AllOld => "ALL_OLD",
        });
    }
    fingerprint.finish()
}
