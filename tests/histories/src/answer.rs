//! What answers say about operations.

use serde_json::Value;

use crate::endpoint::Reply;
use crate::history::{Item, Op, Outcome, Part, Read, Seen};
use crate::plan::{Call, Returns};
use crate::request::keys_of;

/// When an operation was called and answered, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The number of the client.
    pub client: usize,
    /// When it was called.
    pub call: i64,
    /// When its answer was there.
    pub returned: i64,
}

/// Errors of requests that changed nothing and tell nothing.
const WITHOUT_EFFECT: &[&str] = &[
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
];

/// Returns the operations that a call and its reply add to the history: none if nothing is known of a call that changed nothing, and one
/// for each item of a batch.
///
/// # Errors
///
/// A reply that this call cannot have.
pub fn interpret(name: &str, call: &Call, reply: &Reply, span: Span) -> Result<Vec<Op>, String> {
    let op = |returned, parts, read, outcome| Op {
        client: span.client,
        call: span.call,
        returned,
        name: name.to_owned(),
        parts,
        read,
        token: if let Call::Transact { token, .. } = call { *token } else { 0 },
        outcome,
    };
    let (status, body) = match reply {
        Reply::NotSent => return Ok(Vec::new()),
        Reply::Answer { status, body } if *status < 500 => (*status, body),
        Reply::Lost | Reply::Answer { .. } => {
            // Parts of a batch are carried out one by one.
            return Ok(match call {
                Call::Write { part, .. } => vec![op(None, vec![part.clone()], None, Outcome::Unknown)],
                Call::Transact { parts, .. } => vec![op(None, parts.clone(), None, Outcome::Unknown)],
                Call::BatchWrite { parts } => {
                    parts.iter().map(|part| op(None, vec![part.clone()], None, Outcome::Unknown)).collect()
                }
                _ => Vec::new(),
            });
        }
    };
    let strange = || format!("{name} {call:?} was answered with {status} {body}");
    let done = Some(span.returned);
    if status != 200 {
        let code = body["__type"].as_str().and_then(|text| text.rsplit('#').next()).unwrap_or_default();
        return match call {
            _ if WITHOUT_EFFECT.contains(&code) => Ok(Vec::new()),
            // The index may not exist at the moment.
            Call::Index { late: true, .. }
                if code == "ValidationException" || code == "ResourceNotFoundException" =>
            {
                Ok(Vec::new())
            }
            Call::Write { part, shows_failed, .. } if code == "ConditionalCheckFailedException" => {
                let part = refused_part(part, *shows_failed, &body["Item"]).ok_or_else(strange)?;
                Ok(vec![op(done, vec![part], None, Outcome::Refused)])
            }
            Call::Transact { parts, shows_failed, .. } if code == "TransactionCanceledException" => {
                match refused_parts(parts, *shows_failed, &body["CancellationReasons"]).ok_or_else(strange)? {
                    Some(parts) => Ok(vec![op(done, parts, None, Outcome::Refused)]),
                    None => Ok(Vec::new()),
                }
            }
            _ => Err(strange()),
        };
    }
    let reads = |keys: Vec<usize>, bucket, found: Option<Vec<Option<Item>>>| {
        let found = found.ok_or_else(strange)?;
        Ok(op(done, Vec::new(), Some(Read { keys, bucket, found }), Outcome::Done))
    };
    match call {
        Call::Get { key, .. } => {
            Ok(vec![reads(vec![*key], 0, item_or_none(&body["Item"]).map(|item| vec![item]))?])
        }
        Call::Query { from, to, .. } => {
            let keys: Vec<_> = (*from..=*to).collect();
            let found = page(body, &keys);
            Ok(vec![reads(keys, 0, found)?])
        }
        Call::Scan { main, .. } => {
            let keys: Vec<_> = keys_of(*main).collect();
            let found = page(body, &keys);
            Ok(vec![reads(keys, 0, found)?])
        }
        Call::Index { bucket, .. } => {
            let keys: Vec<_> = keys_of(true).collect();
            let found = page(body, &keys);
            Ok(vec![reads(keys, *bucket, found)?])
        }
        Call::TransactGet { keys } => {
            let found = body["Responses"].as_array().and_then(|responses| {
                (responses.len() == keys.len())
                    .then(|| responses.iter().map(|response| item_or_none(&response["Item"])).collect())?
            });
            Ok(vec![reads(keys.clone(), 0, found)?])
        }
        Call::BatchGet { keys, .. } => {
            let unprocessed = body["UnprocessedKeys"].as_object().is_none_or(|tables| !tables.is_empty());
            if unprocessed {
                return Err(strange());
            }
            let tables = body["Responses"].as_object().ok_or_else(strange)?;
            let items: Vec<Value> = tables.values().filter_map(Value::as_array).flatten().cloned().collect();
            let found = found(&items, keys).ok_or_else(strange)?;
            keys.iter().zip(found).map(|(key, item)| reads(vec![*key], 0, Some(vec![item]))).collect()
        }
        Call::Write { part, returns, .. } => {
            let mut part = part.clone();
            let shown = &body["Attributes"];
            match returns {
                Returns::None => {}
                Returns::AllOld => part.before = Some(seen(shown, true).ok_or_else(strange)?),
                Returns::UpdatedOld => part.before = Some(seen(shown, false).ok_or_else(strange)?),
                Returns::AllNew => part.after = Some(seen(shown, true).ok_or_else(strange)?),
                Returns::UpdatedNew => part.after = Some(seen(shown, false).ok_or_else(strange)?),
            }
            Ok(vec![op(done, vec![part], None, Outcome::Done)])
        }
        Call::BatchWrite { parts } => {
            if body["UnprocessedItems"].as_object().is_none_or(|tables| !tables.is_empty()) {
                return Err(strange());
            }
            Ok(parts.iter().map(|part| op(done, vec![part.clone()], None, Outcome::Done)).collect())
        }
        Call::Transact { parts, .. } => Ok(vec![op(done, parts.clone(), None, Outcome::Done)]),
    }
}

/// Returns the item that a failed condition shows, in its part.
fn refused_part(part: &Part, shows: bool, item: &Value) -> Option<Part> {
    let before = if shows { Some(seen(item, true)?) } else { None };
    Some(Part { refused: true, before, ..part.clone() })
}

/// Returns the parts of a cancelled transaction; `Some(None)` if it met another transaction.
fn refused_parts(parts: &[Part], shows: bool, reasons: &Value) -> Option<Option<Vec<Part>>> {
    let reasons = reasons.as_array().filter(|reasons| reasons.len() == parts.len())?;
    let mut refused = Vec::new();
    for (part, reason) in parts.iter().zip(reasons) {
        match reason["Code"].as_str()? {
            "None" => refused.push(part.clone()),
            "ConditionalCheckFailed" => refused.push(refused_part(part, shows, &reason["Item"])?),
            "TransactionConflict" => return Some(None),
            _ => return None,
        }
    }
    Some(Some(refused))
}

/// Returns the items of a page that must be the only one, for each key.
fn page(body: &Value, keys: &[usize]) -> Option<Vec<Option<Item>>> {
    if !body["LastEvaluatedKey"].is_null() {
        return None;
    }
    found(body["Items"].as_array()?, keys)
}

/// Returns an item, or none, for each key. Each item must have one of the keys, and another key than the others.
fn found(items: &[Value], keys: &[usize]) -> Option<Vec<Option<Item>>> {
    let mut found = vec![None; keys.len()];
    for value in items {
        let at = keys.iter().position(|key| Some(*key) == key_in(value))?;
        if found[at].replace(item(value)?).is_some() {
            return None;
        }
    }
    Some(found)
}

/// Returns the number of an item in its group.
#[must_use]
pub fn key_in(value: &Value) -> Option<usize> {
    value["k"]["S"].as_str()?.parse().ok()
}

/// Returns an item.
#[must_use]
pub fn item(value: &Value) -> Option<Item> {
    let seen = seen(value, true).filter(|seen| !seen.gone)?;
    Some(Item { v: seen.v?, n: seen.n?, b: seen.b? })
}

/// Returns an item that may be missing.
#[must_use]
pub fn item_or_none(value: &Value) -> Option<Option<Item>> {
    if value.is_null() { Some(None) } else { item(value).map(Some) }
}

/// Returns what an answer shows of an item, all of it or parts. `None` if there is anything that cannot be read.
fn seen(value: &Value, all: bool) -> Option<Seen> {
    let attributes = match value {
        Value::Object(attributes) if !attributes.is_empty() => attributes,
        Value::Null | Value::Object(_) => return Some(Seen { gone: true, ..Seen::default() }),
        _ => return None,
    };
    let mut seen = Seen::default();
    for (name, attribute) in attributes {
        match name.as_str() {
            "v" => seen.v = Some(attribute["N"].as_str()?.parse().ok()?),
            "n" => seen.n = Some(attribute["N"].as_str()?.parse().ok()?),
            "b" => seen.b = Some(attribute["S"].as_str()?.parse().ok()?),
            "g" | "k" => {}
            _ => return None,
        }
    }
    // An item that was created by an update is in no bucket.
    if all && seen.b.is_none() {
        seen.b = Some(0);
    }
    (!all || seen.v.is_some() && seen.n.is_some()).then_some(seen)
}
