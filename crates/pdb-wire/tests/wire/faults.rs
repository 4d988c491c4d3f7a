//! Faults that affect requests. With any faults, the answers that a client gets agree with the table, and the table with its stream.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pdb_wire::{Host, Operation, Reply, Request, Wire};
use pretender::faults::{Fault, FaultKind};
use pretender::items::ScanInput;
use pretender::prelude::{DescribeStreamInput, GetShardIteratorInput, ShardIteratorType};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::Client;

const TABLE: &str = r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST",
    "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
    "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;

type Contents = BTreeMap<String, String>;

/// A write; keys and values are small, so that writes meet.
#[derive(Clone, Debug)]
enum Write {
    Put(u8, u8),
    Delete(u8),
    Batch(Vec<(u8, Option<u8>)>),
    Transaction(Vec<(u8, Option<u8>)>),
}

fn any_write() -> impl Strategy<Value = Write> {
    let several = || {
        prop::collection::btree_map(0_u8..6, prop::option::of(0_u8..3), 1..5)
            .prop_map(|writes| writes.into_iter().collect())
    };
    prop_oneof![
        (0_u8..6, 0_u8..3).prop_map(|(key, value)| Write::Put(key, value)),
        (0_u8..6).prop_map(Write::Delete),
        several().prop_map(Write::Batch),
        several().prop_map(Write::Transaction),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let kinds: Vec<FaultKind> =
        FaultKind::ALL.iter().copied().filter(|kind| *kind != FaultKind::Latency).collect();
    (
        prop::sample::select(kinds),
        prop_oneof![Just(1.0), 0.1..0.9],
        prop::option::of(1_u64..4),
        0_u64..3,
        any::<u64>(),
    )
        .prop_map(|(kind, probability, times, skip, seed)| Fault {
            times,
            ..Fault::new(kind).probability(probability).skip(skip).seed(seed)
        })
}

fn item(key: u8, value: u8) -> Value {
    json!({"pk": {"S": format!("k{key}")}, "v": {"S": format!("v{value}")}})
}

fn key(key: u8) -> Value {
    json!({"pk": {"S": format!("k{key}")}})
}

impl Write {
    fn request(&self) -> (&'static str, Value) {
        match self {
            Self::Put(at, value) => ("PutItem", json!({"TableName": "Orders", "Item": item(*at, *value)})),
            Self::Delete(at) => ("DeleteItem", json!({"TableName": "Orders", "Key": key(*at)})),
            Self::Batch(writes) => {
                let writes: Vec<Value> = writes
                    .iter()
                    .map(|(at, value)| match value {
                        Some(value) => json!({"PutRequest": {"Item": item(*at, *value)}}),
                        None => json!({"DeleteRequest": {"Key": key(*at)}}),
                    })
                    .collect();
                ("BatchWriteItem", json!({"RequestItems": {"Orders": writes}}))
            }
            Self::Transaction(writes) => {
                let writes: Vec<Value> = writes
                    .iter()
                    .map(|(at, value)| match value {
                        Some(value) => json!({"Put": {"TableName": "Orders", "Item": item(*at, *value)}}),
                        None => json!({"Delete": {"TableName": "Orders", "Key": key(*at)}}),
                    })
                    .collect();
                ("TransactWriteItems", json!({"TransactItems": writes}))
            }
        }
    }

    /// What was written if the call did its work and left these items out.
    fn apply(&self, model: &mut Contents, unprocessed: &[String]) {
        let mut write = |at: &u8, value: &Option<u8>| {
            let name = format!("k{at}");
            match value {
                _ if unprocessed.contains(&name) => {}
                Some(value) => drop(model.insert(name, format!("v{value}"))),
                None => drop(model.remove(&name)),
            }
        };
        match self {
            Self::Put(at, value) => write(at, &Some(*value)),
            Self::Delete(at) => write(at, &None),
            Self::Batch(writes) | Self::Transaction(writes) => {
                writes.iter().for_each(|(at, value)| write(at, value));
            }
        }
    }
}

fn shown(item: &Value) -> (String, String) {
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    (text("pk"), text("v"))
}

/// The table as it is, and as its stream tells it.
fn contents(client: &Client) -> (Contents, Contents) {
    let db = client.wire.pretender().without_faults();
    let items = db.scan(ScanInput::new("Orders".parse().unwrap())).unwrap().items.unwrap();
    let items: Vec<Value> = serde_json::from_str(&format!("[{}]", items.json())).unwrap();
    let mut told = Contents::new();
    for event in db.subscribe().table("Orders").start().unwrap() {
        let record = event.unwrap().record;
        let (name, _) = shown(&serde_json::from_str(record.keys.json()).unwrap());
        match &record.new_image {
            Some(image) => drop(told.insert(name, shown(&serde_json::from_str(image.json()).unwrap()).1)),
            None => drop(told.remove(&name)),
        }
    }
    (items.iter().map(shown).collect(), told)
}

/// The keys that an answer lists as unprocessed.
fn unprocessed(answer: &Value) -> Vec<String> {
    let writes = answer["UnprocessedItems"]["Orders"].as_array().into_iter().flatten();
    let item = |write: &Value| match write.get("PutRequest") {
        Some(put) => shown(&put["Item"]).0,
        None => shown(&write["DeleteRequest"]["Key"]).0,
    };
    writes.map(item).collect()
}

/// A client whose calls are affected by these faults.
fn faulty(faults: impl IntoIterator<Item = Fault>) -> Client {
    let client = Client::new();
    for fault in faults {
        client.wire.pretender().faults().add(fault).unwrap();
    }
    client
}

fn reply(client: &Client, operation: &str, body: &str) -> Reply {
    client.wire.call(Request::new(Some(&format!("DynamoDB_20120810.{operation}")), body))
}

/// The exception that a call is answered with.
fn exception(reply: Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.answer().unwrap().body).unwrap();
    body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()
}

#[test]
fn a_request_that_cannot_be_decoded_names_no_table() {
    // The first is not JSON, the second has a member of another type, the third breaks a constraint, the last names no possible table.
    let undecodable =
        ["{", r#"{"TableName":7}"#, r#"{"TableName":"Orders"}"#, r#"{"TableName":"!!","Key":{}}"#];
    for body in undecodable {
        let own = exception(reply(&Client::new(), "GetItem", body));
        assert!(own == "SerializationException" || own == "ValidationException", "{own}");
        // It is affected by faults of any table, before its own error is reported.
        let throttled = faulty([Fault::new(FaultKind::Throttling)]);
        assert_eq!(exception(reply(&throttled, "GetItem", body)), "ThrottlingException", "{body}");
        for kind in [FaultKind::DropBefore, FaultKind::DropAfter] {
            assert_eq!(reply(&faulty([Fault::new(kind)]), "GetItem", body), Reply::Drop, "{body}");
        }
        // A fault of one table does not affect it.
        for kind in [FaultKind::Throttling, FaultKind::DropBefore, FaultKind::DropAfter] {
            let client = faulty([Fault::new(kind).table("Orders".parse().unwrap())]);
            assert_eq!(exception(reply(&client, "GetItem", body)), own, "{body}");
            assert_eq!(client.wire.pretender().faults().report().faults[0].matched, 0);
        }
        let delayed = faulty([Fault::latency(Duration::from_millis(1))]);
        assert_eq!(exception(reply(&delayed, "GetItem", body)), own, "{body}");
        let injected = delayed.wire.pretender().faults().report().injected;
        assert_eq!((injected.len(), injected[0].tables.as_slice()), (1, [].as_slice()), "{body}");
    }
    // A request that names no operation is affected by no fault.
    let client = faulty([Fault::new(FaultKind::DropBefore)]);
    assert_eq!(exception(reply(&client, "NoSuchOperation", "{}")), "UnknownOperationException");
}

#[test]
fn a_delayed_request_is_carried_out_once() {
    let client = Client::new();
    client.ok("CreateTable", TABLE);
    let faults = client.wire.pretender().faults();
    faults.add(Fault::latency(Duration::from_millis(1)).on(Operation::UpdateItem)).unwrap();
    let add = r#"{"TableName":"Orders","Key":{"pk":{"S":"k0"}},"UpdateExpression":"ADD n :one",
        "ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"ALL_NEW"}"#;
    client.check("UpdateItem", add, r#"{"Attributes":{"n":{"N":"1"},"pk":{"S":"k0"}}}"#);
    assert_eq!(faults.report().injected.len(), 1);
    // A delay and another fault affect the same request.
    faults.add(Fault::new(FaultKind::InternalError).on(Operation::UpdateItem)).unwrap();
    assert_eq!(exception(reply(&client, "UpdateItem", add)), "InternalServerError");
    assert_eq!(faults.report().injected.len(), 3);
}

#[test]
fn a_database_without_faults_has_none_behind_a_wire_either() {
    let client = Client::new();
    client.ok("CreateTable", TABLE);
    client.ok("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"a"}}}"#);
    let db = client.wire.pretender();
    let stream_arn = db.list_streams(&Default::default()).unwrap().streams[0].stream_arn.clone();
    let shard = db.describe_stream(&DescribeStreamInput::new(stream_arn.clone())).unwrap().shards.remove(0);
    let iterator = GetShardIteratorInput {
        stream_arn,
        shard_id: shard.shard_id,
        shard_iterator_type: ShardIteratorType::TrimHorizon,
    };
    let body = json!({"ShardIterator": db.get_shard_iterator(&iterator).unwrap()}).to_string();
    for kind in [FaultKind::Duplicate, FaultKind::Throttling, FaultKind::DropAfter] {
        db.faults().add(Fault::new(kind)).unwrap();
    }
    let calm = Wire::new(db.without_faults());
    let reply = calm.call(Request::new(Some("DynamoDBStreams_20120810.GetRecords"), body));
    let answer: Value = serde_json::from_slice(&reply.answer().unwrap().body).unwrap();
    assert_eq!(answer["Records"].as_array().unwrap().len(), 1);
    assert!(db.faults().report().faults.iter().all(|fault| fault.matched == 0));
}

/// The tables in the report of a fault that affects a request.
#[track_caller]
fn check_tables(operation: &str, body: &str, tables: &str) {
    let client = faulty([Fault::new(FaultKind::InternalError)]);
    let (status, answer) = client.call(operation, body);
    assert_eq!(status, 500, "{operation} {body} {answer}");
    let injected = client.wire.pretender().faults().report().injected;
    let named: Vec<&str> = injected[0].tables.iter().map(|table| table.as_str()).collect();
    assert_eq!(named.join(" "), tables, "{operation} {body}");
}

#[test]
fn requests_name_their_tables() {
    const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
    let arn = |rest: &str| format!("{ARN}{rest}");
    check_tables("PutItem", r#"{"TableName":"Orders","Item":{"TableName":{"S":"Other"}}}"#, "Orders");
    check_tables("GetItem", &format!(r#"{{"TableName":"{ARN}","Key":{{"pk":{{"S":"a"}}}}}}"#), "Orders");
    let stream = arn("/stream/2026-03-01T09:15:42.017");
    check_tables("DescribeStream", &json!({ "StreamArn": stream }).to_string(), "Orders");
    check_tables("GetRecords", &json!({"ShardIterator": format!("{stream}|1|AAAA")}).to_string(), "Orders");
    check_tables("ListTagsOfResource", &json!({ "ResourceArn": ARN }).to_string(), "Orders");
    check_tables("DescribeBackup", &json!({"BackupArn": arn("/backup/0123")}).to_string(), "Orders");
    check_tables("DescribeContinuousBackups", r#"{"TableName":"Orders"}"#, "Orders");
    check_tables(
        "RestoreTableToPointInTime",
        r#"{"SourceTableName":"Orders","TargetTableName":"Copies","UseLatestRestorableTime":true}"#,
        "Copies Orders",
    );
    check_tables(
        "BatchGetItem",
        r#"{"RequestItems":{"Bbb":{"Keys":[{"pk":{"S":"a"}},{"pk":{"S":"b"}}]},"Aaa":{"Keys":[{"pk":{"S":"a"}}]}}}"#,
        "Aaa Bbb",
    );
    check_tables(
        "BatchWriteItem",
        r#"{"RequestItems":{"Aaa":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}}]}}"#,
        "Aaa",
    );
    check_tables(
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"Bbb","Item":{"pk":{"S":"a"}}}},
            {"Delete":{"TableName":"Aaa","Key":{"pk":{"S":"a"}}}}]}"#,
        "Aaa Bbb",
    );
    check_tables(
        "TransactGetItems",
        r#"{"TransactItems":[{"Get":{"TableName":"Bbb","Key":{"pk":{"S":"a"}}}}]}"#,
        "Bbb",
    );
    check_tables("ExecuteStatement", r#"{"Statement":"SELECT * FROM \"Orders\" WHERE pk = 'a'"}"#, "Orders");
    check_tables(
        "BatchExecuteStatement",
        r#"{"Statements":[{"Statement":"INSERT INTO \"Orders\" VALUE {'pk':'a'}"},{"Statement":"nonsense"}]}"#,
        "Orders",
    );
    check_tables(
        "ExecuteTransaction",
        r#"{"TransactStatements":[{"Statement":"DELETE FROM \"Orders\" WHERE pk = 'a?'"}]}"#,
        "Orders",
    );
    // Operations that name no table, also those that do not ask the database.
    for operation in ["ListTables", "DescribeLimits", "DescribeEndpoints", "ListStreams", "ListGlobalTables"]
    {
        check_tables(operation, "{}", "");
    }
}

/// A front end that counts the delays it was asked for.
#[derive(Default)]
struct CountingHost {
    waits: Mutex<Vec<Duration>>,
    blocked: AtomicUsize,
    refuses: bool,
}

impl Host for CountingHost {
    async fn wait(&self, delay: Duration) -> bool {
        self.waits.lock().unwrap().push(delay);
        !self.refuses
    }

    async fn block<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.blocked.fetch_add(1, Ordering::Relaxed);
        Some(work())
    }
}

#[test]
fn the_front_end_waits_and_lends_its_threads() {
    let client = Client::new();
    client.ok("CreateTable", TABLE);
    let wire = &client.wire;
    let hour = Duration::from_secs(3600);
    wire.pretender().faults().add(Fault::latency(hour).on(Operation::Scan)).unwrap();
    let run = |host: &CountingHost, operation: Operation, body: &str| {
        let mut call = pin!(wire.call_async(Request::of(operation, body.to_owned()), host));
        // Neither the host nor a database in memory that nobody else uses lets a call wait. A write lets other tasks go first, once.
        let mut poll = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let polled = poll();
        match if polled.is_pending() && operation == Operation::PutItem { poll() } else { polled } {
            Poll::Ready(reply) => reply.answer().unwrap().status,
            Poll::Pending => panic!("the call waits"),
        }
    };
    // Decoding a large request would hold up the other tasks of the thread.
    for (text, blocked) in [(1000, 0), (60_000, 0), (70_000, 1), (300_000, 1)] {
        let text = "x".repeat(text);
        let body = format!(r#"{{"TableName":"Orders","Item":{{"pk":{{"S":"a"}},"text":{{"S":"{text}"}}}}}}"#);
        let host = CountingHost::default();
        assert_eq!(run(&host, Operation::PutItem, &body), 200);
        assert_eq!(host.blocked.load(Ordering::Relaxed), blocked, "{} bytes", body.len());
        let bad = &body[..body.len() - 1];
        assert_eq!(run(&host, Operation::PutItem, bad), 400);
    }
    let host = CountingHost::default();
    assert_eq!(run(&host, Operation::Scan, r#"{"TableName":"Orders"}"#), 200);
    assert_eq!(*host.waits.lock().unwrap(), [hour]);
    // Once to decode and decide, once to read.
    assert_eq!(host.blocked.load(Ordering::Relaxed), 2);
    let host = CountingHost::default();
    assert_eq!(run(&host, Operation::GetItem, r#"{"TableName":"Orders","Key":{"pk":{"S":"a"}}}"#), 200);
    assert_eq!((host.waits.lock().unwrap().len(), host.blocked.load(Ordering::Relaxed)), (0, 0));
    let host = CountingHost { refuses: true, ..CountingHost::default() };
    assert_eq!(run(&host, Operation::Scan, r#"{"TableName":"Orders"}"#), 503);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The table holds what succeeded, and nothing else; a lost answer is one of a write that was carried out, or one that
    /// was not, as the fault says.
    #[test]
    fn what_was_told_is_what_happened(faults in vec(any_fault(), 0..4), writes in vec(any_write(), 0..25)) {
        let client = Client::new();
        client.ok("CreateTable", TABLE);
        let db = client.wire.pretender().clone();
        for fault in &faults {
            db.faults().add(fault.clone()).unwrap();
        }
        let mut model = Contents::new();
        for write in &writes {
            let (operation, body) = write.request();
            let reply = client.wire.call(Request::new(Some(&format!("DynamoDB_20120810.{operation}")), body.to_string()));
            match reply {
                Reply::Answer(answer) if answer.status == 200 => {
                    write.apply(&mut model, &unprocessed(&serde_json::from_slice(&answer.body).unwrap()));
                }
                Reply::Answer(_) => {}
                Reply::Drop => match db.faults().report().injected.last().unwrap().kind {
                    FaultKind::DropAfter => write.apply(&mut model, &[]),
                    kind => prop_assert_eq!(kind, FaultKind::DropBefore),
                },
            }
        }
        let (table, told) = contents(&client);
        prop_assert_eq!(&table, &model);
        prop_assert_eq!(&told, &model);
        // Without faults all is as ever.
        db.faults().clear();
        client.ok("PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"k0"},"v":{"S":"v9"}}}"#);
        model.insert("k0".to_owned(), "v9".to_owned());
        prop_assert_eq!(contents(&client), (model.clone(), model));
    }
}
