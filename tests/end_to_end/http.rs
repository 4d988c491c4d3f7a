//! Scenarios over HTTP, with a client that uses nothing from the workspace.

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::streams::StreamViewType;
use serde_json::{Value, json};

use crate::driver::{Driver, Failure, Page, Record};

pub(crate) struct Http {
    agent: ureq::Agent,
    server: RunningServer,
}

impl Http {
    pub(crate) fn new(db: Pretender) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self { agent: config.into(), server: Server::start(db, ServerOptions::default()).unwrap() }
    }

    fn call(&self, target: &str, body: &Value) -> Result<Value, Failure> {
        self.call_text(target, &body.to_string())
    }

    fn call_text(&self, target: &str, body: &str) -> Result<Value, Failure> {
        let mut answer = self
            .agent
            .post(self.server.url())
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", target)
            .header("X-Amz-Date", "20260301T000000Z")
            .header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
            )
            .send(body)
            .unwrap();
        let status = answer.status();
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        if status == 200 {
            return Ok(answer);
        }
        let code = answer["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        Err(Failure { code, message: message_of(&answer) })
    }

    pub(crate) fn table(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        self.call(&format!("DynamoDB_20120810.{operation}"), body)
    }

    /// Calls an operation of streams with a body that is text.
    pub(crate) fn stream_text(&self, operation: &str, body: &str) -> Result<Value, Failure> {
        self.call_text(&format!("DynamoDBStreams_20120810.{operation}"), body)
    }

    fn stream(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        self.call(&format!("DynamoDBStreams_20120810.{operation}"), body)
    }
}

/// Some errors spell the member in another way.
fn message_of(answer: &Value) -> String {
    let message = answer.get("message").or(answer.get("Message"));
    message.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn latest_arn(answer: &Value) -> Option<String> {
    answer["TableDescription"]["LatestStreamArn"].as_str().map(str::to_owned)
}

fn specification(view_type: Option<StreamViewType>) -> Value {
    match view_type {
        Some(view_type) => json!({"StreamEnabled": true, "StreamViewType": view_type.as_str()}),
        None => json!({"StreamEnabled": false}),
    }
}

impl Driver for Http {
    fn create_table(
        &self,
        table: &str,
        view_type: Option<StreamViewType>,
    ) -> Result<Option<String>, Failure> {
        let answer = self.table(
            "CreateTable",
            &json!({
                "TableName": table, "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "StreamSpecification": specification(view_type),
            }),
        )?;
        Ok(latest_arn(&answer))
    }

    fn delete_table(&self, table: &str) -> Result<(), Failure> {
        self.table("DeleteTable", &json!({"TableName": table})).map(drop)
    }

    fn update_stream(
        &self,
        table: &str,
        view_type: Option<StreamViewType>,
    ) -> Result<Option<String>, Failure> {
        let body = json!({"TableName": table, "StreamSpecification": specification(view_type)});
        Ok(latest_arn(&self.table("UpdateTable", &body)?))
    }

    fn put(&self, table: &str, item: &Value) -> Result<(), Failure> {
        self.table("PutItem", &json!({"TableName": table, "Item": item})).map(drop)
    }

    fn update(&self, table: &str, key: &Value, expression: &str, values: &Value) -> Result<(), Failure> {
        let body = json!({
            "TableName": table, "Key": key,
            "UpdateExpression": expression, "ExpressionAttributeValues": values,
        });
        self.table("UpdateItem", &body).map(drop)
    }

    fn delete(&self, table: &str, key: &Value) -> Result<(), Failure> {
        self.table("DeleteItem", &json!({"TableName": table, "Key": key})).map(drop)
    }

    fn get(&self, table: &str, key: &Value) -> Result<Option<Value>, Failure> {
        Ok(self.table("GetItem", &json!({"TableName": table, "Key": key}))?.get("Item").cloned())
    }

    fn streams(&self, table: &str) -> Result<Vec<String>, Failure> {
        let answer = self.stream("ListStreams", &json!({"TableName": table}))?;
        let arns = answer["Streams"].as_array().unwrap().iter();
        Ok(arns.map(|stream| stream["StreamArn"].as_str().unwrap().to_owned()).collect())
    }

    fn describe(&self, stream_arn: &str) -> Result<(String, Vec<String>), Failure> {
        let answer = self.stream("DescribeStream", &json!({"StreamArn": stream_arn}))?;
        let description = &answer["StreamDescription"];
        let shards = description["Shards"].as_array().unwrap().iter();
        let ids = shards.map(|shard| shard["ShardId"].as_str().unwrap().to_owned()).collect();
        Ok((description["StreamStatus"].as_str().unwrap().to_owned(), ids))
    }

    fn iterator_at_time(
        &self,
        stream_arn: &str,
        shard_id: &str,
        kind: &str,
        number: Option<&str>,
        time: Option<&str>,
    ) -> Result<String, Failure> {
        let mut body = json!({"StreamArn": stream_arn, "ShardId": shard_id, "ShardIteratorType": kind});
        if let Some(number) = number {
            body["SequenceNumber"] = number.into();
        }
        if let Some(time) = time {
            body["Timestamp"] = time.parse::<serde_json::Number>().unwrap().into();
        }
        Ok(self.stream("GetShardIterator", &body)?["ShardIterator"].as_str().unwrap().to_owned())
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<Page, Failure> {
        let mut body = json!({"ShardIterator": iterator});
        if let Some(limit) = limit {
            body["Limit"] = limit.into();
        }
        let answer = self.stream("GetRecords", &body)?;
        let records = answer["Records"].as_array().unwrap().iter().map(|record| {
            let change = &record["dynamodb"];
            Record {
                event_name: record["eventName"].as_str().unwrap().to_owned(),
                keys: change["Keys"].clone(),
                old_image: change.get("OldImage").cloned(),
                new_image: change.get("NewImage").cloned(),
                sequence_number: change["SequenceNumber"].as_str().unwrap().to_owned(),
                size_bytes: change["SizeBytes"].as_u64().unwrap(),
                created_seconds: change["ApproximateCreationDateTime"].as_i64().unwrap(),
            }
        });
        let next = answer.get("NextShardIterator").map(|next| next.as_str().unwrap().to_owned());
        Ok(Page { records: records.collect(), next })
    }
}
