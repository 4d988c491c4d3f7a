//! `TransactWriteItems`.

use pdb_model::ApiError;
use pretender::Pretender;
use pretender::items::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure, TransactAction,
    TransactWrite, TransactWriteItemsInput, TransactWriteItemsOutput,
};

use super::capacity::{write_capacity, write_metrics_by_table};
use super::placeholders;
use super::table::{self, ShownTables};
use crate::Wire;
use crate::constraint::{Constraints, Path, at};
use crate::decode::{Entries, Text, decode_copied, shape};
use crate::json::JsonWriter;
use crate::layer::{Family, Texts};
use crate::value::{AttributeMap, Value};

/// The largest request, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

mod shapes {
    use super::*;

    shape! {
        /// What TransactWriteItems takes.
        pub(crate) struct TransactWriteItemsInput<'a> {
            transact_items: Vec<TransactWriteItem<'a>> = "TransactItems",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            return_item_collection_metrics: Text<'a> = "ReturnItemCollectionMetrics",
            client_request_token: Text<'a> = "ClientRequestToken",
        }

        /// One action: exactly one member.
        pub(crate) struct TransactWriteItem<'a> {
            condition_check: ConditionCheck<'a> = "ConditionCheck",
            put: Put<'a> = "Put",
            delete: Delete<'a> = "Delete",
            update: Update<'a> = "Update",
        }

        /// A condition that must hold.
        pub(crate) struct ConditionCheck<'a> {
            key: AttributeMap = "Key",
            table_name: Text<'a> = "TableName",
            condition_expression: Text<'a> = "ConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }

        /// An item to put.
        pub(crate) struct Put<'a> {
            item: AttributeMap = "Item",
            table_name: Text<'a> = "TableName",
            condition_expression: Text<'a> = "ConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }

        /// An item to delete.
        pub(crate) struct Delete<'a> {
            key: AttributeMap = "Key",
            table_name: Text<'a> = "TableName",
            condition_expression: Text<'a> = "ConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }

        /// An item to update.
        pub(crate) struct Update<'a> {
            key: AttributeMap = "Key",
            update_expression: Text<'a> = "UpdateExpression",
            table_name: Text<'a> = "TableName",
            condition_expression: Text<'a> = "ConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }
    }
}

/// An action without regard to its kind.
struct Action<'a> {
    kind: Kind,
    /// The item of a put, the key of the others.
    item: Option<AttributeMap>,
    table_name: Option<Text<'a>>,
    update_expression: Option<Text<'a>>,
    condition_expression: Option<Text<'a>>,
    expression_attribute_names: Option<Entries<'a, Text<'a>>>,
    expression_attribute_values: Option<Entries<'a, Value>>,
    return_values_on_condition_check_failure: Option<Text<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ConditionCheck,
    Put,
    Delete,
    Update,
}

macro_rules! action {
    ($kind:ident, $given:expr, $item:ident, $update:expr) => {{
        let given = $given;
        Action {
            kind: Kind::$kind,
            update_expression: $update(&given),
            item: given.$item,
            table_name: given.table_name,
            condition_expression: given.condition_expression,
            expression_attribute_names: given.expression_attribute_names,
            expression_attribute_values: given.expression_attribute_values,
            return_values_on_condition_check_failure: given.return_values_on_condition_check_failure,
        }
    }};
}

impl<'a> Action<'a> {
    /// The actions of an element; there should be one.
    fn all(element: shapes::TransactWriteItem<'a>) -> Vec<Self> {
        let mut actions = Vec::with_capacity(1);
        actions
            .extend(element.condition_check.map(|given| action!(ConditionCheck, given, key, |_: &_| None)));
        actions.extend(element.put.map(|given| action!(Put, given, item, |_: &_| None)));
        actions.extend(element.delete.map(|given| action!(Delete, given, key, |_: &_| None)));
        actions.extend(element.update.map(|given| {
            action!(Update, given, key, |update: &shapes::Update<'a>| update.update_expression.clone())
        }));
        actions
    }

    fn constrain(&self, check: &mut Constraints, at_element: &Path<'_>) {
        let (member, item) = match self.kind {
            Kind::ConditionCheck => ("ConditionCheck", "Key"),
            Kind::Put => ("Put", "Item"),
            Kind::Delete => ("Delete", "Key"),
            Kind::Update => ("Update", "Key"),
        };
        let at_action = at_element.member(member);
        check.one_of::<ReturnValuesOnConditionCheckFailure>(
            &at_action.member("ReturnValuesOnConditionCheckFailure"),
            self.return_values_on_condition_check_failure.as_ref(),
        );
        check.table_name(&at_action.member("TableName"), self.table_name.as_ref());
        check.required(&at_action.member(item), self.item.as_ref());
        match self.kind {
            Kind::ConditionCheck => {
                check.required(&at_action.member("ConditionExpression"), self.condition_expression.as_ref());
            }
            Kind::Update => {
                check.required(&at_action.member("UpdateExpression"), self.update_expression.as_ref())
            }
            Kind::Put | Kind::Delete => {}
        }
    }

    fn take(self, tables: &mut ShownTables, texts: Texts) -> Result<TransactWrite, ApiError> {
        // Names and values without an expression are accepted here, unlike in the operations on one item.
        table::check_arn(self.table_name.as_deref())?;
        let item = self.item.unwrap_or_default().checked(texts)?;
        let names = placeholders::names(self.expression_attribute_names, texts)?;
        let values = placeholders::values(self.expression_attribute_values, texts)?;
        let on_failure = self.return_values_on_condition_check_failure.as_deref();
        Ok(TransactWrite {
            table_name: tables.table_name(&self.table_name.unwrap_or_default())?,
            action: match self.kind {
                Kind::ConditionCheck => TransactAction::ConditionCheck { key: item },
                Kind::Put => TransactAction::Put { item },
                Kind::Delete => TransactAction::Delete { key: item },
                Kind::Update => TransactAction::Update {
                    key: item,
                    update_expression: self.update_expression.unwrap_or_default().into_owned(),
                },
            },
            condition_expression: placeholders::expression(self.condition_expression),
            expression_attribute_names: names,
            expression_attribute_values: values,
            return_values_on_condition_check_failure: match on_failure {
                Some("ALL_OLD") => ReturnValuesOnConditionCheckFailure::AllOld,
                _ => ReturnValuesOnConditionCheckFailure::None,
            },
        })
    }
}

/// Runs `TransactWriteItems`.
pub(crate) async fn transact_write_items(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let (request, tables) = decode(wire, body)?;
    let output = wire.pretender.transact_write_items_async(request).await?;
    Ok(answer(&output, &tables))
}

fn decode(wire: &Wire, body: &[u8]) -> Result<(TransactWriteItemsInput, ShownTables), ApiError> {
    let texts = wire.texts(Family::Bulk);
    let input: shapes::TransactWriteItemsInput<'_> = decode_copied(body)?;
    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    let metrics = check.one_of::<ReturnItemCollectionMetrics>(
        &at("ReturnItemCollectionMetrics"),
        input.return_item_collection_metrics.as_ref(),
    );
    check.text_length(&at("ClientRequestToken"), input.client_request_token.as_ref(), 1..=36);
    let at_items = at("TransactItems");
    check.required(&at_items, input.transact_items.as_ref());
    check.list_length(&at_items, input.transact_items.as_ref(), 1..=100);
    let elements: Vec<Vec<Action<'_>>> =
        input.transact_items.into_iter().flatten().map(Action::all).collect();
    for (index, actions) in elements.iter().enumerate() {
        actions.iter().for_each(|action| action.constrain(&mut check, &at_items.element(index)));
    }
    check.finish()?;
    if elements.iter().any(|actions| actions.len() > 1) {
        return Err(ApiError::validation(
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ));
    }
    if elements.iter().any(Vec::is_empty) {
        return Err(ApiError::validation(if texts.is_modern {
            "1 validation error detected: Value '' at 'transactItems' failed to satisfy constraint: TransactWriteRequest \
             should contain Delete or Put or Update or ConditionCheck"
        } else {
            "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
        }));
    }

    let mut tables = ShownTables::new(wire);
    let mut transact_items = Vec::with_capacity(elements.len());
    let (mut refusal, mut not_found) = (None, None);
    for action in elements.into_iter().flatten() {
        match action.take(&mut tables, texts) {
            Ok(write) => transact_items.push(write),
            // A table that cannot exist is reported after all that needs no table.
            Err(error) if error.code != pdb_model::ErrorCode::ValidationException => not_found = Some(error),
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    let is_too_large = body.len() > MOST_BYTES;
    let too_large =
        || is_too_large.then(|| ApiError::validation("Transaction request size cannot exceed 4 MB"));
    if let Some(error) = refusal.or_else(too_large).or(not_found) {
        // What is wrong with an earlier action comes first.
        Pretender::check_transact_writes(transact_items)?;
        return Err(error);
    }
    let request = TransactWriteItemsInput {
        transact_items,
        client_request_token: input.client_request_token.map(Text::into_owned),
        return_consumed_capacity: consumed.unwrap_or_default(),
        return_item_collection_metrics: metrics.unwrap_or_default(),
    };
    Ok((request, tables))
}

fn answer(output: &TransactWriteItemsOutput, tables: &ShownTables) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, tables.shown(&consumed.table_name));
            });
        }
        write_metrics_by_table(json, &output.item_collection_metrics, tables);
    })
}
