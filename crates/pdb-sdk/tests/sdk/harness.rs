//! A database with both clients.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType,
};
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use pdb_sdk::PretenderExt;
use pretender::time::{EpochMillis, ManualClock};
use pretender::{Builder, Pretender};

/// A database, its clock and its clients.
pub(crate) struct Db {
    pub(crate) pretender: Pretender,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) items: aws_sdk_dynamodb::Client,
    pub(crate) streams: aws_sdk_dynamodbstreams::Client,
}

impl Db {
    /// A database in memory whose clock stands.
    pub(crate) fn in_memory() -> Self {
        Self::of(Pretender::builder())
    }

    pub(crate) fn of(builder: Builder) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_000)));
        let pretender = builder.clock(clock.clone()).sweep_interval(None).open().unwrap();
        let config = pretender.sdk_config();
        Self {
            items: aws_sdk_dynamodb::Client::new(&config),
            streams: aws_sdk_dynamodbstreams::Client::new(&config),
            pretender,
            clock,
        }
    }

    /// Makes the table `orders` with the keys `pk` and `sk` and a stream of both images; returns the stream's ARN.
    pub(crate) async fn create_orders(&self) -> String {
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let attribute = |name: &str| {
            let kind = ScalarAttributeType::S;
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
        };
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .unwrap();
        let created = self
            .items
            .create_table()
            .table_name("orders")
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .attribute_definitions(attribute("pk"))
            .attribute_definitions(attribute("sk"))
            .stream_specification(stream)
            .send()
            .await
            .unwrap();
        created.table_description.unwrap().latest_stream_arn.unwrap()
    }

    /// Puts an item with a total.
    pub(crate) async fn put(&self, pk: &str, sk: &str, total: i64) {
        let put = self.items.put_item().table_name("orders").item("pk", s(pk)).item("sk", s(sk));
        put.item("amount", n(total)).send().await.unwrap();
    }

    /// Returns the ids of the shards of a stream.
    pub(crate) async fn shards(&self, stream_arn: &str) -> Vec<String> {
        let described = self.streams.describe_stream().stream_arn(stream_arn).send().await.unwrap();
        let shards = described.stream_description.unwrap().shards.unwrap();
        shards.into_iter().map(|shard| shard.shard_id.unwrap()).collect()
    }

    /// Returns an iterator at the beginning of a shard.
    pub(crate) async fn iterator(&self, stream_arn: &str, shard_id: &str) -> String {
        let get = self.streams.get_shard_iterator().stream_arn(stream_arn).shard_id(shard_id);
        let got = get.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        got.shard_iterator.unwrap()
    }

    /// Returns all records of a stream, shard by shard.
    pub(crate) async fn records(&self, stream_arn: &str) -> Vec<Record> {
        let mut records = Vec::new();
        for shard in self.shards(stream_arn).await {
            let mut iterator = Some(self.iterator(stream_arn, &shard).await);
            while let Some(at) = iterator {
                let page = self.streams.get_records().shard_iterator(at).send().await.unwrap();
                let page_records = page.records.unwrap_or_default();
                iterator = page.next_shard_iterator.filter(|_| !page_records.is_empty());
                records.extend(page_records);
            }
        }
        records
    }
}

/// A text.
pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A number.
pub(crate) fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
