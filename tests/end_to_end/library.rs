//! Scenarios through the typed library.

use pretender::Pretender;
use pretender::errors::ApiError;
use pretender::items::{DeleteItemInput, GetItemInput, PutItemInput, UpdateItemInput};
use pretender::model::{EncodedItem, Item, ScalarType, TableName};
use pretender::streams::{
    DescribeStreamInput, GetShardIteratorInput, ListStreamsInput, ShardIteratorType, StreamRecord,
    StreamViewType,
};
use pretender::tables::{CreateTableInput, StreamSpecification, UpdateTableInput};
use pretender::time::EpochMillis;
use serde_json::Value;

use crate::driver::{Driver, Failure, Page, Record};

pub(crate) struct Library(pub(crate) Pretender);

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { code: error.code.name().to_owned(), message: error.message }
    }
}

fn name(table: &str) -> TableName {
    TableName::new(table).unwrap()
}

fn item(json: &Value) -> Item {
    Item::from_json(&json.to_string()).unwrap()
}

fn json(item: &EncodedItem) -> Value {
    serde_json::from_str(item.json()).unwrap()
}

impl From<StreamRecord> for Record {
    fn from(record: StreamRecord) -> Self {
        Self {
            event_name: record.event_name.to_string(),
            keys: json(&record.keys),
            old_image: record.old_image.as_ref().map(json),
            new_image: record.new_image.as_ref().map(json),
            sequence_number: record.sequence_number.to_string(),
            size_bytes: record.size_bytes,
            created_seconds: record.created.seconds(),
        }
    }
}

impl Driver for Library {
    fn create_table(
        &self,
        table: &str,
        view_type: Option<StreamViewType>,
    ) -> Result<Option<String>, Failure> {
        let description = self.0.create_table(CreateTableInput {
            stream_specification: view_type.map(StreamSpecification::enabled),
            ..CreateTableInput::new(name(table), ("pk", ScalarType::S), None)
        })?;
        Ok(description.latest_stream_arn.map(|arn| arn.to_string()))
    }

    fn delete_table(&self, table: &str) -> Result<(), Failure> {
        self.0.delete_table(&name(table))?;
        Ok(())
    }

    fn update_stream(
        &self,
        table: &str,
        view_type: Option<StreamViewType>,
    ) -> Result<Option<String>, Failure> {
        let specification =
            view_type.map_or_else(StreamSpecification::disabled, StreamSpecification::enabled);
        let description = self.0.update_table(UpdateTableInput {
            stream_specification: Some(specification),
            ..UpdateTableInput::new(name(table))
        })?;
        Ok(description.latest_stream_arn.map(|arn| arn.to_string()))
    }

    fn put(&self, table: &str, put: &Value) -> Result<(), Failure> {
        self.0.put_item(PutItemInput::new(name(table), item(put)))?;
        Ok(())
    }

    fn update(&self, table: &str, key: &Value, expression: &str, values: &Value) -> Result<(), Failure> {
        self.0.update_item(UpdateItemInput {
            update_expression: Some(expression.to_owned()),
            expression_attribute_values: item(values).0,
            ..UpdateItemInput::new(name(table), item(key))
        })?;
        Ok(())
    }

    fn delete(&self, table: &str, key: &Value) -> Result<(), Failure> {
        self.0.delete_item(DeleteItemInput::new(name(table), item(key)))?;
        Ok(())
    }

    fn get(&self, table: &str, key: &Value) -> Result<Option<Value>, Failure> {
        let output = self.0.get_item(GetItemInput::new(name(table), item(key)))?;
        Ok(output.item.as_ref().map(json))
    }

    fn streams(&self, table: &str) -> Result<Vec<String>, Failure> {
        let input = ListStreamsInput { table_name: Some(name(table)), ..ListStreamsInput::default() };
        let output = self.0.list_streams(&input)?;
        Ok(output.streams.into_iter().map(|stream| stream.stream_arn.to_string()).collect())
    }

    fn describe(&self, stream_arn: &str) -> Result<(String, Vec<String>), Failure> {
        let description = self.0.describe_stream(&DescribeStreamInput::new(stream_arn.parse().unwrap()))?;
        let shards = description.shards.into_iter().map(|shard| shard.shard_id.to_string()).collect();
        Ok((description.stream_status.to_string(), shards))
    }

    fn iterator_at_time(
        &self,
        stream_arn: &str,
        shard_id: &str,
        kind: &str,
        number: Option<&str>,
        time: Option<&str>,
    ) -> Result<String, Failure> {
        let time = time.map(|time| EpochMillis((time.parse::<f64>().unwrap() * 1000.0).round() as i64));
        let shard_iterator_type = ShardIteratorType::from_request(kind, number, time)
            .map_err(|error| ApiError::validation(error.to_string()))?
            .unwrap();
        let (stream_arn, shard_id) = (stream_arn.parse().unwrap(), shard_id.parse().unwrap());
        Ok(self.0.get_shard_iterator(&GetShardIteratorInput { stream_arn, shard_id, shard_iterator_type })?)
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<Page, Failure> {
        let output = self.0.get_records(iterator, limit)?;
        let records = output.records.into_iter().map(Record::from).collect();
        Ok(Page { records, next: output.next_shard_iterator })
    }
}
