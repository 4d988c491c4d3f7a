//! A repository class, and its tests: each has a database of its own, and they run in parallel.
//!
//! ```sh
//! cargo test -p pdb-sdk --example repository
//! ```

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue::S;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
};
use pdb_sdk::{PretenderExt, SdkConfig};
use pretender::Pretender;
use serde::{Deserialize, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, from_items, to_item};

/// An order of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    customer: String,
    id: String,
    total: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Shipped,
    Cancelled,
}

/// Why an order is not as the caller wants it.
#[derive(Debug)]
enum OrderError {
    /// There is an order of this customer and id already.
    Exists,
    /// There is no such order.
    Unknown,
    /// Too late: it is no longer open.
    NotOpen(State),
    /// The database failed.
    Database(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("the order exists already"),
            Self::Unknown => f.write_str("there is no such order"),
            Self::NotOpen(state) => write!(f, "the order is {state:?}"),
            Self::Database(error) => write!(f, "the database failed: {error}"),
        }
    }
}

impl Error for OrderError {}

fn database(error: impl Into<Box<dyn Error + Send + Sync>>) -> OrderError {
    OrderError::Database(error.into())
}

/// All orders. What it is given decides whether they are at AWS.
struct Orders {
    client: Client,
}

impl Orders {
    fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Makes the table. At AWS that is the deployment's affair.
    async fn create_table(&self) -> Result<(), OrderError> {
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let text = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let failed = |error: BuildError| database(error);
        let create = self.client.create_table().table_name("orders").billing_mode(BillingMode::PayPerRequest);
        create
            .key_schema(key("customer", KeyType::Hash).map_err(failed)?)
            .key_schema(key("id", KeyType::Range).map_err(failed)?)
            .attribute_definitions(text("customer").map_err(failed)?)
            .attribute_definitions(text("id").map_err(failed)?)
            .send()
            .await
            .map_err(database)?;
        Ok(())
    }

    /// Stores a new order.
    async fn place(&self, order: &Order) -> Result<(), OrderError> {
        let put =
            self.client.put_item().table_name("orders").set_item(Some(to_item(order).map_err(database)?));
        put.condition_expression("attribute_not_exists(id)").send().await.map_err(|error| {
            match error.into_service_error() {
                PutItemError::ConditionalCheckFailedException(_) => OrderError::Exists,
                other => database(other),
            }
        })?;
        Ok(())
    }

    /// Cancels an order that is still open, and returns it.
    async fn cancel(&self, customer: &str, id: &str) -> Result<Order, OrderError> {
        let update = self
            .client
            .update_item()
            .table_name("orders")
            .key("customer", S(customer.to_owned()))
            .key("id", S(id.to_owned()))
            .update_expression("SET #state = :cancelled")
            .condition_expression("#state = :open")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":cancelled", S("cancelled".to_owned()))
            .expression_attribute_values(":open", S("open".to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_values(ReturnValue::AllNew);
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(done) => from_item(done.attributes.unwrap_or_default()).map_err(database),
            Err(UpdateItemError::ConditionalCheckFailedException(refused)) => Err(match refused.item {
                None => OrderError::Unknown,
                Some(item) => OrderError::NotOpen(from_item::<Order>(item).map_err(database)?.state),
            }),
            Err(other) => Err(database(other)),
        }
    }

    /// Returns the orders of a customer, by id, however many there are.
    async fn of_customer(&self, customer: &str) -> Result<Vec<Order>, OrderError> {
        let query = self
            .client
            .query()
            .table_name("orders")
            .key_condition_expression("customer = :customer")
            .expression_attribute_values(":customer", S(customer.to_owned()));
        let pages = query.into_paginator().page_size(100).items().send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.map_err(database)?;
        from_items(items).map_err(database)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let db = Pretender::in_memory()?;
    // Against AWS: Orders::new(&aws_config::load_from_env().await)
    let orders = Orders::new(&db.sdk_config());
    orders.create_table().await?;
    orders.place(&Order { customer: "c1".into(), id: "o1".into(), total: 42, state: State::Open }).await?;
    orders.cancel("c1", "o1").await?;
    println!("{:?}", orders.of_customer("c1").await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders in a database that only this test knows. It lives as long as its clients.
    async fn orders() -> Orders {
        let orders = Orders::new(&Pretender::in_memory().unwrap().sdk_config());
        orders.create_table().await.unwrap();
        orders
    }

    fn order(customer: &str, id: &str) -> Order {
        Order { customer: customer.to_owned(), id: id.to_owned(), total: 42, state: State::Open }
    }

    #[tokio::test]
    async fn an_order_is_placed_once() {
        let orders = orders().await;
        orders.place(&order("c1", "o1")).await.unwrap();
        assert!(matches!(orders.place(&order("c1", "o1")).await, Err(OrderError::Exists)));
        assert_eq!(orders.of_customer("c1").await.unwrap(), [order("c1", "o1")]);
    }

    #[tokio::test]
    async fn only_an_open_order_is_cancelled() {
        let orders = orders().await;
        orders.place(&order("c1", "open")).await.unwrap();
        orders.place(&Order { state: State::Shipped, ..order("c1", "shipped") }).await.unwrap();
        assert_eq!(orders.cancel("c1", "open").await.unwrap().state, State::Cancelled);
        for (id, state) in [("open", State::Cancelled), ("shipped", State::Shipped)] {
            let refused = orders.cancel("c1", id).await;
            assert!(matches!(refused, Err(OrderError::NotOpen(found)) if found == state), "{refused:?}");
        }
        assert!(matches!(orders.cancel("c1", "none").await, Err(OrderError::Unknown)));
    }

    #[tokio::test]
    async fn all_orders_of_a_customer_are_found() {
        let orders = orders().await;
        for n in 0..250 {
            orders.place(&order("many", &format!("{n:03}"))).await.unwrap();
        }
        orders.place(&order("other", "o1")).await.unwrap();
        let found = orders.of_customer("many").await.unwrap();
        assert_eq!(found.len(), 250);
        assert!(found.is_sorted_by(|a, b| a.id < b.id));
    }

    #[tokio::test]
    async fn without_a_table_the_database_fails() {
        let orders = Orders::new(&Pretender::in_memory().unwrap().sdk_config());
        assert!(matches!(orders.place(&order("c1", "o1")).await, Err(OrderError::Database(_))));
    }
}
