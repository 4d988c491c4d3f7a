//! An outbox: a change and the message about it are written in one transaction, and a relay that reads the stream of the
//! outbox publishes the message. Its tests do to the relay what AWS does to it in the course of a day.
//!
//! ```sh
//! cargo test -p pdb-sdk --example outbox
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    StreamSpecification, StreamViewType, TransactWriteItem,
};
use aws_sdk_dynamodbstreams::Client as StreamsClient;
use aws_sdk_dynamodbstreams::error::SdkError;
use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
use aws_sdk_dynamodbstreams::operation::get_shard_iterator::GetShardIteratorError;
use aws_sdk_dynamodbstreams::types::{OperationType, Record, Shard, ShardIteratorType};
use pdb_sdk::{PretenderExt, SdkConfig};
use pretender::Pretender;
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What writes.
struct Shop {
    client: Client,
}

impl Shop {
    fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Makes the tables; returns the ARN of the outbox's stream. At AWS that is the deployment's affair.
    async fn create_tables(&self) -> Result<String> {
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewImage)
            .build()?;
        let mut arn = None;
        for (table, stream) in [("orders", None), ("outbox", Some(stream))] {
            let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
            let id =
                AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
            let create =
                self.client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
            let create =
                create.key_schema(key).attribute_definitions(id.build()?).set_stream_specification(stream);
            arn = create.send().await?.table_description.and_then(|table| table.latest_stream_arn);
        }
        arn.ok_or_else(|| "the outbox has no stream".into())
    }

    /// Stores an order, and what is to be told about it: both, or neither.
    async fn place(&self, id: &str, total: u64) -> Result<()> {
        let order = Put::builder()
            .table_name("orders")
            .item("id", S(id.to_owned()))
            .item("total", N(total.to_string()))
            .condition_expression("attribute_not_exists(id)")
            .build()?;
        let message = Put::builder()
            .table_name("outbox")
            .item("id", S(format!("order-placed-{id}")))
            .item("body", S(format!("order {id} of {total}")))
            .build()?;
        let transaction = self.client.transact_write_items();
        transaction
            .transact_items(TransactWriteItem::builder().put(order).build())
            .transact_items(TransactWriteItem::builder().put(message).build())
            .send()
            .await?;
        Ok(())
    }
}

/// How far a relay has come in each shard. To be stored after each message, or in one transaction with what it caused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint(BTreeMap<String, Position>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Position {
    /// Everything that is still there.
    Beginning,
    /// Behind this sequence number.
    After(String),
    /// Read to its end.
    Finished,
}

/// What reads the outbox's stream and publishes.
struct Relay {
    streams: StreamsClient,
    stream_arn: String,
    checkpoint: Checkpoint,
    iterators: HashMap<String, String>,
}

impl Relay {
    fn new(config: &SdkConfig, stream_arn: &str, checkpoint: Checkpoint) -> Self {
        let streams = StreamsClient::new(config);
        Self { streams, stream_arn: stream_arn.to_owned(), checkpoint, iterators: HashMap::new() }
    }

    /// Publishes what is new. Call it again and again, as often as a message may be late.
    async fn poll(&mut self, publish: &mut impl FnMut(&str)) -> Result<()> {
        let shards = self.shards().await?;
        let listed: HashSet<&str> = shards.iter().filter_map(Shard::shard_id).collect();
        self.checkpoint.0.retain(|id, _| listed.contains(id.as_str()));
        let mut read = HashSet::new();
        loop {
            // A child is read only when its parent is finished, or messages about one order overtake each other.
            let next = shards.iter().find_map(|shard| {
                let waits = shard
                    .parent_shard_id()
                    .is_some_and(|parent| listed.contains(parent) && !self.is_finished(parent));
                shard.shard_id().filter(|id| !waits && !self.is_finished(id) && !read.contains(*id))
            });
            let Some(shard_id) = next else { return Ok(()) };
            self.read(shard_id, publish).await?;
            read.insert(shard_id);
        }
    }

    fn is_finished(&self, shard_id: &str) -> bool {
        self.checkpoint.0.get(shard_id) == Some(&Position::Finished)
    }

    /// All shards: a page may be short of some.
    async fn shards(&self) -> Result<Vec<Shard>> {
        let mut shards = Vec::new();
        loop {
            let last = shards.last().and_then(Shard::shard_id).map(str::to_owned);
            let describe = self.streams.describe_stream().stream_arn(&self.stream_arn);
            let answer = describe.set_exclusive_start_shard_id(last).send().await?;
            let description = answer.stream_description.ok_or("no description")?;
            shards.extend(description.shards.unwrap_or_default());
            if description.last_evaluated_shard_id.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Reads a shard until there is nothing new.
    async fn read(&mut self, shard_id: &str, publish: &mut impl FnMut(&str)) -> Result<()> {
        loop {
            let Some(iterator) = self.iterator(shard_id).await? else {
                self.note(shard_id, Position::Finished);
                return Ok(());
            };
            let page = self.streams.get_records().shard_iterator(iterator).send().await;
            let page = match page.map_err(SdkError::into_service_error) {
                Ok(page) => page,
                // Older than 15 minutes: the next one begins behind the last message.
                Err(GetRecordsError::ExpiredIteratorException(_)) => continue,
                // Older than 24 hours: messages are lost. Somebody should hear of it; the rest can still be read.
                Err(GetRecordsError::TrimmedDataAccessException(_)) => {
                    self.note(shard_id, Position::Beginning);
                    continue;
                }
                Err(other) => return Err(other.into()),
            };
            for record in page.records() {
                if let Some(message) = message(record) {
                    publish(message);
                }
                let number =
                    record.dynamodb().and_then(|change| change.sequence_number()).ok_or("no number")?;
                self.note(shard_id, Position::After(number.to_owned()));
            }
            match page.next_shard_iterator {
                None => {
                    self.note(shard_id, Position::Finished);
                    return Ok(());
                }
                Some(next) => {
                    self.iterators.insert(shard_id.to_owned(), next);
                }
            }
            if page.records.unwrap_or_default().is_empty() {
                return Ok(());
            }
        }
    }

    /// Returns where to read on; `None` if the shard is gone.
    async fn iterator(&mut self, shard_id: &str) -> Result<Option<String>> {
        if let Some(known) = self.iterators.remove(shard_id) {
            return Ok(Some(known));
        }
        loop {
            let request = self.streams.get_shard_iterator().stream_arn(&self.stream_arn).shard_id(shard_id);
            let request = match self.checkpoint.0.get(shard_id) {
                Some(Position::After(number)) => request
                    .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                    .sequence_number(number),
                _ => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
            };
            match request.send().await.map_err(SdkError::into_service_error) {
                Ok(answer) => return Ok(answer.shard_iterator),
                Err(GetShardIteratorError::ResourceNotFoundException(_)) => return Ok(None),
                Err(GetShardIteratorError::TrimmedDataAccessException(_)) => {
                    self.note(shard_id, Position::Beginning);
                }
                Err(other) => return Err(other.into()),
            }
        }
    }

    fn note(&mut self, shard_id: &str, position: Position) {
        self.checkpoint.0.insert(shard_id.to_owned(), position);
    }
}

/// Returns the message that a record brings: one for each item put into the outbox, none when it is swept.
fn message(record: &Record) -> Option<&str> {
    if record.event_name() != Some(&OperationType::Insert) {
        return None;
    }
    record.dynamodb()?.new_image()?.get("body")?.as_s().ok().map(String::as_str)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let db = Pretender::in_memory()?;
    // Against AWS this line is: let config = aws_config::load_from_env().await;
    let config = db.sdk_config();
    let shop = Shop::new(&config);
    let stream_arn = shop.create_tables().await?;
    shop.place("o1", 42).await?;
    let mut relay = Relay::new(&config, &stream_arn, Checkpoint::default());
    relay.poll(&mut |message| println!("published: {message}")).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pretender::time::ManualClock;

    use super::*;

    /// A shop whose clock is the test's.
    struct Setting {
        db: Pretender,
        clock: Arc<ManualClock>,
        config: SdkConfig,
        shop: Shop,
        stream_arn: String,
    }

    impl Setting {
        async fn new() -> Self {
            let clock = Arc::new(ManualClock::running());
            let db = Pretender::builder().clock(clock.clone()).open().unwrap();
            let config = db.sdk_config();
            let shop = Shop::new(&config);
            let stream_arn = shop.create_tables().await.unwrap();
            Self { db, clock, config, shop, stream_arn }
        }

        fn relay(&self, checkpoint: Checkpoint) -> Relay {
            Relay::new(&self.config, &self.stream_arn, checkpoint)
        }

        fn split(&self) {
            self.db.split_shards(&self.stream_arn.parse().unwrap(), None).unwrap();
        }
    }

    /// Returns what a poll publishes.
    async fn polled(relay: &mut Relay) -> Vec<String> {
        let mut published = Vec::new();
        relay.poll(&mut |message| published.push(message.to_owned())).await.unwrap();
        published
    }

    #[tokio::test]
    async fn a_message_is_published_once_and_only_with_its_order() {
        let setting = Setting::new().await;
        let mut relay = setting.relay(Checkpoint::default());
        setting.shop.place("o1", 1).await.unwrap();
        assert_eq!(polled(&mut relay).await, ["order o1 of 1"]);
        assert!(setting.shop.place("o1", 2).await.is_err(), "an order is placed once");
        assert!(polled(&mut relay).await.is_empty());
    }

    #[tokio::test]
    async fn a_relay_that_slept_goes_on() {
        let setting = Setting::new().await;
        let mut relay = setting.relay(Checkpoint::default());
        setting.shop.place("o1", 1).await.unwrap();
        assert_eq!(polled(&mut relay).await, ["order o1 of 1"]);
        setting.shop.place("o2", 2).await.unwrap();
        setting.clock.advance(Duration::from_secs(16 * 60));
        assert_eq!(polled(&mut relay).await, ["order o2 of 2"]);
    }

    #[tokio::test]
    async fn a_split_loses_and_repeats_nothing() {
        let setting = Setting::new().await;
        let mut relay = setting.relay(Checkpoint::default());
        let mut published = Vec::new();
        for round in 0..4 {
            for n in 0..10 {
                setting.shop.place(&format!("o{round}{n}"), round).await.unwrap();
                if n == 5 {
                    setting.split();
                }
            }
            published.extend(polled(&mut relay).await);
        }
        published.sort();
        let all = (0..40).map(|n| format!("order o{n:02} of {}", n / 10));
        assert_eq!(published, all.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_restarted_relay_goes_on_where_it_was() {
        let setting = Setting::new().await;
        setting.shop.place("o1", 1).await.unwrap();
        let mut first = setting.relay(Checkpoint::default());
        assert_eq!(polled(&mut first).await, ["order o1 of 1"]);
        let stored = serde_json::to_string(&first.checkpoint).unwrap();
        setting.split();
        setting.shop.place("o2", 2).await.unwrap();
        let mut second = setting.relay(serde_json::from_str(&stored).unwrap());
        assert_eq!(polled(&mut second).await, ["order o2 of 2"]);
    }

    #[tokio::test]
    async fn a_relay_that_slept_too_long_reads_what_is_left() {
        let setting = Setting::new().await;
        let mut relay = setting.relay(Checkpoint::default());
        setting.shop.place("o1", 1).await.unwrap();
        assert_eq!(polled(&mut relay).await, ["order o1 of 1"]);
        setting.shop.place("lost", 2).await.unwrap();
        setting.clock.advance(Duration::from_secs(25 * 3600));
        setting.db.run_due_work().unwrap();
        setting.shop.place("o3", 3).await.unwrap();
        assert_eq!(polled(&mut relay).await, ["order o3 of 3"]);
    }
}
