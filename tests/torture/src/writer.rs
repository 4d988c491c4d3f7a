//! A writer: random operations on keys that only it writes, and transactions that also touch counters which all share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::campaign::short;
use crate::dice::Dice;
use crate::door::{Door, Reply};
use crate::ledger::{Effect, Ledger, Verdict};

/// The table.
pub(crate) const TABLE: &str = "Torture";
/// The counters that transactions raise together.
pub(crate) const COUNTERS: [&str; 2] = ["sum-a", "sum-b"];
/// Keys of a writer.
const KEYS: u64 = 4;
/// How long a writer waits after an error before it looks what has become of its keys.
const PAUSE: Duration = Duration::from_millis(5);

/// Creates the table, with an index and a stream.
pub(crate) fn create_table(door: &dyn Door) -> Result<(), String> {
    door.get(
        "CreateTable",
        &json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
            "GlobalSecondaryIndexes": [{"IndexName": "by-g", "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
    )
    .map(drop)
}

/// When a writer gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// At the first step of which it does not know what became of it.
    End,
    /// Not before it cannot even read its keys.
    ReadAndGoOn,
}

/// How a writer works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// The most steps.
    pub(crate) steps: u64,
    pub(crate) on_error: OnError,
    /// The longest text in an item.
    pub(crate) longest: u64,
}

/// One writer.
pub(crate) struct Writer<'a> {
    pub(crate) number: u64,
    pub(crate) door: &'a dyn Door,
    pub(crate) ledger: &'a Ledger,
    pub(crate) dice: Dice,
    pub(crate) habits: Habits,
}

impl Writer<'_> {
    /// Works until it is told to stop, has done its steps, or meets an error. Returns an error only if the database is wrong.
    pub(crate) fn work(mut self, stop: &AtomicBool) -> Result<(), String> {
        let Some(mut own) = self.read_own() else { return Ok(()) };
        for _ in 0..self.habits.steps {
            if stop.load(Ordering::Acquire) {
                return Ok(());
            }
            if self.step(&mut own)? {
                continue;
            }
            if self.habits.on_error == OnError::End {
                return Ok(());
            }
            std::thread::park_timeout(PAUSE);
            let Some(read) = self.read_own() else { return Ok(()) };
            own = read;
        }
        Ok(())
    }

    fn key(&self, n: u64) -> String {
        format!("w{}-k{n}", self.number)
    }

    /// The numbers of the steps that last wrote the keys of this writer; `None` if they cannot be read.
    fn read_own(&self) -> Option<BTreeMap<String, Option<u64>>> {
        let mut own = BTreeMap::new();
        for key in (0..KEYS).map(|n| self.key(n)) {
            let body = json!({"TableName": TABLE, "Key": {"pk": {"S": key}}, "ConsistentRead": true});
            let Reply::Done(answer) = self.door.ask("GetItem", &body) else { return None };
            own.insert(key, answer["Item"]["op"]["N"].as_str().and_then(|op| op.parse().ok()));
        }
        Some(own)
    }

    /// Takes a step; returns whether it is known what became of it.
    fn step(&mut self, own: &mut BTreeMap<String, Option<u64>>) -> Result<bool, String> {
        let first = self.dice.below(KEYS);
        let key = self.key(first);
        let present = own[&key];
        let put = |key: &str| Effect { key: key.to_owned(), removes: None };
        match self.dice.below(20) {
            0..8 => self.try_step(own, false, false, vec![put(&key)], |it, op| {
                ("PutItem", json!({"TableName": TABLE, "Item": it.item(&key, op)}))
            }),
            8..11 => self.try_step(own, false, false, vec![put(&key)], |it, op| {
                let pad = it.pad();
                (
                    "UpdateItem",
                    json!({
                    "TableName": TABLE, "Key": {"pk": {"S": key}},
                    "UpdateExpression": "SET #o = :o, #p = :p",
                    "ExpressionAttributeNames": {"#o": "op", "#p": "pad"},
                    "ExpressionAttributeValues": {":o": {"N": op.to_string()}, ":p": {"S": pad}}}),
                )
            }),
            11..13 if present.is_some() => self.try_step(
                own,
                false,
                false,
                vec![Effect { key: key.clone(), removes: present }],
                |_, _| ("DeleteItem", json!({"TableName": TABLE, "Key": {"pk": {"S": key}}})),
            ),
            13 if present.is_some() => {
                // A condition that does not hold: a step without an effect.
                let item = self.item(&key, 0);
                let body = json!({
                    "TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"});
                match self.door.ask("PutItem", &body) {
                    Reply::Refused(name, _) if name == "ConditionalCheckFailedException" => Ok(true),
                    Reply::Unknown(_) => Ok(false),
                    other => Err(format!("a put on {key}, which has an item: {other}")),
                }
            }
            13..16 => {
                let effects = self.effects(own, first, 3);
                self.try_step(own, false, false, effects.clone(), |it, op| {
                    let requests: Vec<Value> = effects
                        .iter()
                        .map(|effect| match effect.removes {
                            Some(_) => json!({"DeleteRequest": {"Key": {"pk": {"S": effect.key}}}}),
                            None => json!({"PutRequest": {"Item": it.item(&effect.key, op)}}),
                        })
                        .collect();
                    ("BatchWriteItem", json!({"RequestItems": {TABLE: requests}}))
                })
            }
            _ => {
                let effects = self.effects(own, first, 3);
                self.try_step(own, true, true, effects.clone(), |it, op| {
                    let mut parts: Vec<Value> = effects
                        .iter()
                        .map(|effect| match effect.removes {
                            Some(_) => json!({"Delete": {"TableName": TABLE, "Key": {"pk": {"S": effect.key}}}}),
                            None => json!({"Put": {"TableName": TABLE, "Item": it.item(&effect.key, op)}}),
                        })
                        .collect();
                    parts.extend(COUNTERS.map(|counter| {
                        json!({"Update": {
                            "TableName": TABLE, "Key": {"pk": {"S": counter}}, "UpdateExpression": "ADD n :one",
                            "ExpressionAttributeValues": {":one": {"N": "1"}}}})
                    }));
                    let mut body = json!({"TransactItems": parts});
                    if it.dice.one_of(2) {
                        body["ClientRequestToken"] = format!("token-{op}").into();
                    }
                    ("TransactWriteItems", body)
                })
            }
        }
    }

    /// Puts of one key and some more, and now and then a deletion.
    fn effects(&mut self, own: &BTreeMap<String, Option<u64>>, first: u64, most: u64) -> Vec<Effect> {
        let count = 1 + self.dice.below(most);
        (first..first + count)
            .map(|n| {
                let key = self.key(n % KEYS);
                let removes = own[&key].filter(|_| self.dice.one_of(4));
                Effect { key, removes }
            })
            .collect()
    }

    fn try_step(
        &mut self,
        own: &mut BTreeMap<String, Option<u64>>,
        is_atomic: bool,
        counts: bool,
        effects: Vec<Effect>,
        request: impl FnOnce(&mut Self, u64) -> (&'static str, Value),
    ) -> Result<bool, String> {
        let op = self.ledger.begin(is_atomic, counts, effects.clone());
        let (operation, body) = request(self, op);
        let reply = self.door.ask(operation, &body);
        let verdict = match &reply {
            Reply::Done(answer) => {
                let left = answer.get("UnprocessedItems").and_then(Value::as_object);
                // What a batch leaves unprocessed may be some of it.
                if left.is_some_and(|left| !left.is_empty()) { Verdict::Unknown } else { Verdict::Done }
            }
            Reply::Refused(name, answer) => {
                if !matches!(
                    name.as_str(),
                    "TransactionCanceledException"
                        | "TransactionConflictException"
                        | "TransactionInProgressException"
                ) {
                    return Err(format!("{operation} {} was refused: {}", short(&body), short(answer)));
                }
                Verdict::Refused
            }
            Reply::Unknown(_) => Verdict::Unknown,
        };
        self.ledger.end(op, verdict);
        if verdict == Verdict::Done {
            for effect in effects {
                own.insert(effect.key, effect.removes.is_none().then_some(op));
            }
        }
        Ok(verdict != Verdict::Unknown)
    }

    fn item(&mut self, key: &str, op: u64) -> Value {
        let mut item = json!({
            "pk": {"S": key}, "op": {"N": op.to_string()}, "writer": {"N": self.number.to_string()},
            "pad": {"S": self.pad()}});
        if self.dice.one_of(2) {
            item["g"] = json!({"S": format!("g{}", op % 5)});
        }
        item
    }

    fn pad(&mut self) -> String {
        let length = self.dice.spread(1, self.habits.longest);
        char::from(b'a' + self.dice.below(26) as u8).to_string().repeat(length as usize)
    }
}
