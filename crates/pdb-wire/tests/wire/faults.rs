//! Whatever faults there are: what a client was told is what happened, and the stream tells the same as the table.

use std::collections::BTreeMap;

use pdb_wire::Reply;
use pretender::faults::{Fault, FaultKind};
use pretender::items::ScanInput;
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
            let reply = client.wire.call(Some(&format!("DynamoDB_20120810.{operation}")), body.to_string().as_bytes());
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
