//! Reading whole streams, after a history.

use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reply};

use super::Record;

/// A shard with all of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: String,
    /// The position of its parent in the list, if it has one.
    pub parent: Option<usize>,
    /// Its records.
    pub records: Vec<Record>,
    /// Whether it takes no more records.
    pub closed: bool,
}

/// A stream with all of its records. Parents come before their children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// The shards.
    pub shards: Vec<Shard>,
}

/// Reads a stream from the trim horizon of every shard.
///
/// # Errors
///
/// An answer that is no success, or that cannot be read.
pub fn read_whole(endpoint: &mut Endpoint, stream_arn: &str) -> Result<Whole, String> {
    let mut whole = Whole::default();
    let mut parents = Vec::new();
    for (id, parent) in list_shards(endpoint, stream_arn)?.unwrap_or_default() {
        let (records, closed) = read_shard(endpoint, stream_arn, &id)?;
        whole.shards.push(Shard { id, parent: None, records, closed });
        parents.push(parent);
    }
    for (at, parent) in parents.iter().enumerate() {
        let Some(parent) = parent else { continue };
        let Some(found) = whole.shards[..at].iter().position(|shard| shard.id == *parent) else {
            return Err(format!(
                "shard {} comes before its parent {parent}, or has lost it",
                whole.shards[at].id
            ));
        };
        whole.shards[at].parent = Some(found);
    }
    Ok(whole)
}

/// A shard's id, and that of its parent.
pub(super) type ListedShard = (String, Option<String>);

/// Lists all shards with their parents, in the order of `DescribeStream`. `None` if the server cannot be reached.
pub(super) fn list_shards(
    endpoint: &mut Endpoint,
    stream_arn: &str,
) -> Result<Option<Vec<ListedShard>>, String> {
    let mut shards: Vec<ListedShard> = Vec::new();
    loop {
        let mut body = json!({ "StreamArn": stream_arn });
        if let Some((last, _)) = shards.last() {
            body["ExclusiveStartShardId"] = json!(last);
        }
        let Some(answer) = answer(endpoint, "DescribeStream", &body)? else { return Ok(None) };
        let description = &answer["StreamDescription"];
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        for shard in description["Shards"].as_array().into_iter().flatten() {
            let id = text(&shard["ShardId"]).ok_or_else(|| format!("a shard without id: {shard}"))?;
            shards.push((id, text(&shard["ParentShardId"])));
        }
        if description["LastEvaluatedShardId"].is_null() {
            return Ok(Some(shards));
        }
    }
}

fn read_shard(endpoint: &mut Endpoint, stream_arn: &str, shard: &str) -> Result<(Vec<Record>, bool), String> {
    let missing = || format!("the server does not answer while {stream_arn} {shard} is read");
    let body = json!({ "StreamArn": stream_arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let mut iterator =
        answer(endpoint, "GetShardIterator", &body)?.ok_or_else(missing)?["ShardIterator"].clone();
    let mut records = Vec::new();
    loop {
        let page =
            answer(endpoint, "GetRecords", &json!({ "ShardIterator": iterator }))?.ok_or_else(missing)?;
        let more = page["Records"].as_array().ok_or_else(|| format!("a page without records: {page}"))?;
        for record in more {
            records.push(Record::parse(record)?);
        }
        iterator = page["NextShardIterator"].clone();
        if iterator.is_null() || more.is_empty() {
            return Ok((records, iterator.is_null()));
        }
    }
}

/// Calls the Streams API. Returns `None` if there is no answer, or one of a server that is stopping or cannot reach its database.
pub(super) fn answer(
    endpoint: &mut Endpoint,
    operation: &str,
    body: &Value,
) -> Result<Option<Value>, String> {
    match endpoint.call_streams(operation, body) {
        Reply::Answer { status: 200, body } => Ok(Some(body)),
        Reply::Answer { status: 500.., .. } | Reply::Lost | Reply::NotSent => Ok(None),
        Reply::Answer { status, body: answer } => {
            Err(format!("{operation} {body} was answered with {status} {answer}"))
        }
    }
}
