//! All that can be seen of the table: its items, those of its index, and the records of its stream.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::door::Door;
use crate::writer::TABLE;

/// A shard and its records.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) id: String,
    pub(crate) records: Vec<Value>,
}

/// The table at a moment at which nobody writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) items: BTreeMap<String, Value>,
    pub(crate) indexed: BTreeMap<String, Value>,
    /// Parents before children.
    pub(crate) shards: Vec<Shard>,
}

impl Seen {
    /// Reads all of it.
    pub(crate) fn of(door: &dyn Door) -> Result<Self, String> {
        let stream = stream_of(door)?;
        let mut shards = Vec::new();
        for (id, _) in shards_of(door, &stream)? {
            let records = records_of(door, &stream, &id, None)?;
            shards.push(Shard { id, records });
        }
        Ok(Self { items: scan(door, None)?, indexed: scan(door, Some("by-g"))?, shards })
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = (&Shard, &Value)> {
        self.shards.iter().flat_map(|shard| shard.records.iter().map(move |record| (shard, record)))
    }
}

/// The number of a record in its shard.
pub(crate) fn number_of(record: &Value) -> u128 {
    record["dynamodb"]["SequenceNumber"].as_str().and_then(|number| number.parse().ok()).unwrap_or(0)
}

pub(crate) fn id_of(record: &Value) -> &str {
    record["eventID"].as_str().unwrap_or_default()
}

pub(crate) fn key_of(record: &Value) -> &str {
    record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default()
}

/// The attribute `op` of an item.
pub(crate) fn op_of(item: &Value) -> Option<u64> {
    item["op"]["N"].as_str()?.parse().ok()
}

/// The ARN of the table's stream.
pub(crate) fn stream_of(door: &dyn Door) -> Result<String, String> {
    let described = door.get("DescribeTable", &json!({"TableName": TABLE}))?;
    described["Table"]["LatestStreamArn"]
        .as_str()
        .map(str::to_owned)
        .ok_or("the table has no stream".to_owned())
}

/// The shards of a stream with their parents, parents first.
pub(crate) fn shards_of(door: &dyn Door, stream: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut body = json!({"StreamArn": stream});
        if !after.is_null() {
            body["ExclusiveStartShardId"] = after.clone();
        }
        let answer = door.get("DescribeStream", &body)?;
        let described = &answer["StreamDescription"];
        for shard in described["Shards"].as_array().into_iter().flatten() {
            let id = shard["ShardId"].as_str().unwrap_or_default().to_owned();
            found.push((id, shard["ParentShardId"].as_str().map(str::to_owned)));
        }
        match described.get("LastEvaluatedShardId") {
            Some(last) if !last.is_null() => after = last.clone(),
            _ => break,
        }
    }
    let mut sorted: Vec<(String, Option<String>)> = Vec::new();
    let mut placed = BTreeSet::new();
    let all: BTreeSet<String> = found.iter().map(|(id, _)| id.clone()).collect();
    while !found.is_empty() {
        let is_ready = |parent: &Option<String>| {
            parent.as_ref().is_none_or(|parent| !all.contains(parent) || placed.contains(parent))
        };
        let (ready, later): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, parent)| is_ready(parent));
        if ready.is_empty() {
            return Err(format!("shards that are their own ancestors: {later:?}"));
        }
        placed.extend(ready.iter().map(|(id, _)| id.clone()));
        sorted.extend(ready);
        found = later;
    }
    Ok(sorted)
}

/// The records of a shard, from the trim horizon or after a number, to its present end.
pub(crate) fn records_of(
    door: &dyn Door,
    stream: &str,
    shard: &str,
    after: Option<&str>,
) -> Result<Vec<Value>, String> {
    let mut body = json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    if let Some(number) = after {
        body["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
        body["SequenceNumber"] = number.into();
    }
    let mut iterator = door.get("GetShardIterator", &body)?["ShardIterator"].clone();
    let mut records = Vec::new();
    loop {
        let mut page = door.get("GetRecords", &json!({"ShardIterator": iterator}))?;
        let found = page["Records"].as_array_mut().ok_or("a page without records")?;
        let is_empty = found.is_empty();
        records.append(found);
        match page.get("NextShardIterator") {
            Some(next) if !is_empty && !next.is_null() => iterator = next.clone(),
            _ => return Ok(records),
        }
    }
}

fn scan(door: &dyn Door, index: Option<&str>) -> Result<BTreeMap<String, Value>, String> {
    let mut items = BTreeMap::new();
    let mut body = json!({"TableName": TABLE});
    if let Some(index) = index {
        body["IndexName"] = index.into();
    }
    loop {
        let mut page = door.get("Scan", &body)?;
        for item in page["Items"].as_array_mut().into_iter().flatten() {
            let key = item["pk"]["S"].as_str().unwrap_or_default().to_owned();
            if items.insert(key.clone(), item.take()).is_some() {
                return Err(format!("a scan has {key} twice"));
            }
        }
        match page.get("LastEvaluatedKey") {
            Some(last) if !last.is_null() => body["ExclusiveStartKey"] = last.clone(),
            _ => return Ok(items),
        }
    }
}
