//! A Lambda function that follows a stream, and its tests: its events come from a table in this process, through the event
//! source mapping of `pdb-trigger`, which retries and gives up as Lambda does.
//!
//! ```sh
//! cargo test -p pdb-sdk --example lambda_handler
//! ```
//!
//! Deployed, its `main` is:
//!
//! ```text
//! let counter = Counter::new(&aws_config::load_from_env().await);
//! lambda_runtime::run(lambda_runtime::service_fn(|event| counter.handle(event))).await
//! ```

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType,
};
use lambda_runtime::{Context, Error, LambdaEvent};
use pdb_sdk::{PretenderExt, SdkConfig};
use pdb_trigger::{InvokeError, Response, Settings, Trigger};
use pretender::Pretender;
use serde::{Deserialize, Serialize};

/// An order, as the table has it.
#[derive(Deserialize)]
struct Order {
    customer: String,
    amount: i64,
}

/// What Lambda is told: from which record on the batch is to be tried again. Nothing: all is well.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchResponse {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// The function: keeps the sum of each customer's orders.
#[derive(Clone)]
struct Counter {
    client: Client,
}

impl Counter {
    fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// What Lambda calls with a batch. Stops at the first record that cannot be handled, so that none is overtaken.
    async fn handle(&self, event: LambdaEvent<Event>) -> Result<BatchResponse, Error> {
        for record in event.payload.records {
            if let Err(error) = self.count(&record).await {
                eprintln!("{}: {error}", record.event_id);
                let item_identifier = record.change.sequence_number.unwrap_or_default();
                return Ok(BatchResponse { batch_item_failures: vec![Failure { item_identifier }] });
            }
        }
        Ok(BatchResponse::default())
    }

    /// Adds what one change did to the sum; a second delivery of the same record adds nothing.
    async fn count(&self, record: &EventRecord) -> Result<(), Error> {
        let read = |image: &serde_dynamo::Item| match image.is_empty() {
            true => Ok(None),
            false => serde_dynamo::from_item::<_, Order>(image.clone()).map(Some),
        };
        let (old, new) = (read(&record.change.old_image)?, read(&record.change.new_image)?);
        let Some(customer) = new.as_ref().or(old.as_ref()).map(|order| order.customer.clone()) else {
            return Ok(());
        };
        let change = new.map_or(0, |order| order.amount) - old.map_or(0, |order| order.amount);
        let update = self.client.update_item().table_name("sums").key("customer", S(customer));
        let update = update
            .update_expression("ADD amount :change SET seen = :number")
            .condition_expression("attribute_not_exists(seen) OR seen < :number")
            .expression_attribute_values(":change", N(change.to_string()))
            .expression_attribute_values(
                ":number",
                S(record.change.sequence_number.clone().unwrap_or_default()),
            );
        match update.send().await.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes the tables. At AWS that is the deployment's affair.
async fn create_tables(client: &Client) -> Result<(), Error> {
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()?;
    for (table, key, stream) in [("orders", "id", Some(stream)), ("sums", "customer", None)] {
        let schema = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash).build()?;
        let text = AttributeDefinition::builder()
            .attribute_name(key)
            .attribute_type(ScalarAttributeType::S)
            .build()?;
        let create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        create.key_schema(schema).attribute_definitions(text).set_stream_specification(stream).send().await?;
    }
    Ok(())
}

/// Connects the function to the table, as an event source mapping does. Its calls run on the runtime this is called in.
fn connect(db: &Pretender, counter: Counter, settings: Settings) -> Result<Trigger, Error> {
    let runtime = tokio::runtime::Handle::current();
    let function = move |event: &[u8]| {
        let event: Event =
            serde_json::from_slice(event).map_err(|error| InvokeError::failed(error.to_string()))?;
        let event = LambdaEvent::new(event, Context::default());
        match runtime.block_on(counter.handle(event)) {
            Ok(response) => serde_json::to_vec(&response)
                .map(Response::json)
                .map_err(|error| InvokeError::failed(error.to_string())),
            Err(error) => Err(InvokeError::failed(error.to_string())),
        }
    };
    Ok(Trigger::start(db, "orders", settings, function)?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let db = Pretender::in_memory()?;
    let config = db.sdk_config();
    let client = Client::new(&config);
    create_tables(&client).await?;
    let trigger = connect(&db, Counter::new(&config), Settings::default())?;
    for (id, amount) in [("o1", 40), ("o2", 2)] {
        let put = client.put_item().table_name("orders").item("id", S(id.to_owned()));
        put.item("customer", S("c1".to_owned())).item("amount", N(amount.to_string())).send().await?;
    }
    let trigger = Arc::new(trigger);
    let waiting = trigger.clone();
    tokio::task::spawn_blocking(move || waiting.wait_until_caught_up(Duration::from_secs(60))).await?;
    println!("{:?}", client.scan().table_name("sums").send().await?.items());
    Ok(())
}

#[cfg(test)]
mod tests {
    use pdb_trigger::lambda_event;

    use super::*;

    struct Setting {
        db: Pretender,
        config: SdkConfig,
        client: Client,
    }

    impl Setting {
        async fn new() -> Self {
            let db = Pretender::in_memory().unwrap();
            let config = db.sdk_config();
            let client = Client::new(&config);
            create_tables(&client).await.unwrap();
            Self { db, config, client }
        }

        async fn put(&self, id: &str, amount: aws_sdk_dynamodb::types::AttributeValue) {
            let put = self.client.put_item().table_name("orders").item("id", S(id.to_owned()));
            put.item("customer", S("c1".to_owned())).item("amount", amount).send().await.unwrap();
        }

        /// The sum of the customer's orders.
        async fn sum(&self) -> Option<String> {
            let get = self.client.get_item().table_name("sums").key("customer", S("c1".to_owned()));
            Some(get.send().await.unwrap().item?["amount"].as_n().unwrap().clone())
        }
    }

    /// The handler alone: its event is made from the stream, in Lambda's form, and read by Lambda's types.
    #[tokio::test]
    async fn a_batch_of_the_stream_is_counted_once() {
        let setting = Setting::new().await;
        setting.put("o1", N("40".to_owned())).await;
        setting.put("o1", N("41".to_owned())).await;
        setting.put("o2", N("2".to_owned())).await;
        let delete = setting.client.delete_item().table_name("orders").key("id", S("o2".to_owned()));
        delete.send().await.unwrap();

        let changes = setting.db.subscribe().table("orders").start().unwrap();
        let changes: Vec<_> = changes.collect::<Result<_, _>>().unwrap();
        let records =
            changes.iter().map(|change| pdb_trigger::EventRecord::new(&change.record, &change.stream_arn));
        let event: Event = serde_json::from_str(&lambda_event(&records.collect::<Vec<_>>())).unwrap();
        let names: Vec<&str> = event.records.iter().map(|record| record.event_name.as_str()).collect();
        assert_eq!(names, ["INSERT", "MODIFY", "INSERT", "REMOVE"]);

        let counter = Counter::new(&setting.config);
        for _delivery in 0..2 {
            let event = LambdaEvent::new(event.clone(), Context::default());
            assert_eq!(counter.handle(event).await.unwrap(), BatchResponse::default());
            assert_eq!(setting.sum().await.as_deref(), Some("41"));
        }
    }

    /// The handler behind the mapping: a record that cannot be read is given up, and costs the others nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_bad_record_costs_the_others_nothing() {
        let setting = Setting::new().await;
        let settings = Settings {
            maximum_retry_attempts: 0,
            bisect_batch_on_function_error: true,
            report_batch_item_failures: true,
            ..Settings::default()
        };
        let trigger = connect(&setting.db, Counter::new(&setting.config), settings).unwrap();
        setting.put("o1", N("40".to_owned())).await;
        setting.put("o2", S("a lot".to_owned())).await;
        setting.put("o3", N("2".to_owned())).await;
        let state = tokio::task::spawn_blocking(move || {
            assert!(trigger.wait_until_caught_up(Duration::from_secs(120)));
            trigger.stop()
        });
        let state = state.await.unwrap();
        assert_eq!((state.processed_records, state.discarded_records), (2, 1));
        assert_eq!(setting.sum().await.as_deref(), Some("42"));
    }
}
