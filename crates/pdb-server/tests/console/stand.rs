//! A server with a console, and clients of it.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

/// 2026-03-01T09:15:42.017Z.
pub(crate) const START: i64 = 1_772_356_542_017;

/// A server whose clock stands, which may be commanded, and in whose background nothing happens.
pub(crate) struct Stand {
    pub(crate) pretender: Pretender,
    options: ServerOptions,
    server: Option<RunningServer>,
    port: u16,
    /// The path of a named database.
    prefix: &'static str,
    _snapshots: tempfile::TempDir,
}

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(ServerOptions::default())
    }

    /// A server with these options besides.
    pub(crate) fn with(options: ServerOptions) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(START)));
        let pretender = Pretender::builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
        Self::of(pretender, ServerOptions { control: Some(clock), ..options })
    }

    /// A server of a database.
    pub(crate) fn of(pretender: Pretender, options: ServerOptions) -> Self {
        let snapshots = tempfile::tempdir().unwrap();
        let options = ServerOptions {
            snapshot_directory: Some(snapshots.path().to_owned()),
            // A live view stays open as long as its page.
            drain_timeout: Duration::from_millis(200),
            ..options
        };
        let server = Server::start(pretender.clone(), options.clone()).unwrap();
        let port = server.address().port();
        Self { pretender, options, server: Some(server), port, prefix: "", _snapshots: snapshots }
    }

    /// The same server, asked for the database with this path.
    pub(crate) fn within(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Stops the server. Its data stays.
    pub(crate) fn stop(&mut self) {
        self.server.take().map(RunningServer::stop);
    }

    /// Starts another server with the same data, at the same address.
    pub(crate) fn start_again(&mut self) {
        let options = ServerOptions { port: self.port, ..self.options.clone() };
        self.server = Some(Server::start(self.pretender.clone(), options).unwrap());
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.prefix)
    }

    /// Returns the address of a page of the console.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("{}/_pretender/console/{page}", self.base())
    }

    /// Calls an operation of DynamoDB as a client does.
    #[track_caller]
    pub(crate) fn call(&self, operation: &str, input: &Value) -> Value {
        self.call_target(&format!("DynamoDB_20120810.{operation}"), input)
    }

    /// Calls an operation of DynamoDB Streams.
    #[track_caller]
    fn call_streams(&self, operation: &str, input: &Value) -> Value {
        self.call_target(&format!("DynamoDBStreams_20120810.{operation}"), input)
    }

    #[track_caller]
    fn call_target(&self, target: &str, input: &Value) -> Value {
        let credential = "AWS4-HMAC-SHA256 Credential=k/20260301/us-east-1/dynamodb/aws4_request";
        let request = ureq::post(format!("{}/", self.base()))
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("Authorization", format!("{credential}, SignedHeaders=host, Signature=00"))
            .header("X-Amz-Date", "20260301T000000Z");
        answer(request, target, input)
    }

    /// Executes a command of the test instrument.
    #[track_caller]
    pub(crate) fn command(&self, command: &str, body: &Value) -> Value {
        let request = ureq::post(format!("{}/_pretender/{command}", self.base()));
        answer(request.header("Content-Type", "application/json"), command, body)
    }

    /// Reads some records of a table's stream from the oldest on, as a program does that goes on later.
    pub(crate) fn read_some(&self, table: &str, limit: u32) {
        let arn =
            self.call("DescribeTable", &json!({ "TableName": table }))["Table"]["LatestStreamArn"].take();
        let described = self.call_streams("DescribeStream", &json!({ "StreamArn": arn }));
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        let from = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = self.call_streams("GetShardIterator", &from)["ShardIterator"].take();
        let page = self.call_streams("GetRecords", &json!({ "ShardIterator": iterator, "Limit": limit }));
        // A reader is where it asks next.
        self.call_streams("GetRecords", &json!({ "ShardIterator": page["NextShardIterator"], "Limit": 1 }));
    }

    /// Creates a table with the partition key `id` and a stream of both images.
    pub(crate) fn create_table(&self, name: &str) {
        self.create(name, json!([{ "AttributeName": "id", "KeyType": "HASH" }]));
    }

    /// Creates a table with the keys `id` and `at`, both texts, and a stream of both images.
    pub(crate) fn create_sorted_table(&self, name: &str) {
        let keys = json!([
            { "AttributeName": "id", "KeyType": "HASH" },
            { "AttributeName": "at", "KeyType": "RANGE" },
        ]);
        self.create(name, keys);
    }

    fn create(&self, name: &str, keys: Value) {
        let types = keys.as_array().unwrap().iter();
        let types = types.map(|key| json!({ "AttributeName": key["AttributeName"], "AttributeType": "S" }));
        self.call(
            "CreateTable",
            &json!({
                "TableName": name,
                "KeySchema": keys,
                "AttributeDefinitions": types.collect::<Vec<_>>(),
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
        );
    }

    /// Writes an item in DynamoDB JSON.
    #[track_caller]
    pub(crate) fn put(&self, table: &str, item: &Value) {
        self.call("PutItem", &json!({ "TableName": table, "Item": item }));
    }

    /// Reads an item by its key.
    #[track_caller]
    pub(crate) fn get(&self, table: &str, key: &Value) -> Value {
        self.call("GetItem", &json!({ "TableName": table, "Key": key }))["Item"].take()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a request, and returns what is answered.
#[track_caller]
fn answer(request: ureq::RequestBuilder<ureq::typestate::WithBody>, name: &str, body: &Value) -> Value {
    let request = request.config().http_status_as_error(false).build();
    let mut answer = request.send(body.to_string()).unwrap();
    let mut text = String::new();
    answer.body_mut().as_reader().read_to_string(&mut text).unwrap();
    assert_eq!(answer.status(), 200, "{name} {body}: {text}");
    serde_json::from_str(&text).unwrap()
}
