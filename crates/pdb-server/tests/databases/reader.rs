//! A consumer that polls all the time: parents before children, as it should.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::served::Served;

/// Follows a stream from its oldest record through splits and rotations.
pub(crate) struct Reader {
    stream_arn: Value,
    /// Of the shards that are being read.
    iterators: BTreeMap<String, Value>,
    /// Read to their end.
    finished: BTreeSet<String>,
    /// In the order in which they came: that of each key is kept.
    pub(crate) records: Vec<Value>,
}

impl Reader {
    pub(crate) fn of(stream_arn: &Value) -> Self {
        Self {
            stream_arn: stream_arn.clone(),
            iterators: BTreeMap::new(),
            finished: BTreeSet::new(),
            records: Vec::new(),
        }
    }

    /// Asks each open shard once, through this server; returns how many records came. A server that has lost its database
    /// refuses; what was not read then is read by the next call.
    pub(crate) fn poll(&mut self, served: &Served) -> Result<usize, String> {
        self.find_shards(served)?;
        let mut came = 0;
        for (shard, iterator) in std::mem::take(&mut self.iterators) {
            let body = json!({"ShardIterator": iterator, "Limit": 1 + self.records.len() % 100});
            match served.call("GetRecords", &body) {
                Ok((200, mut page)) => {
                    let records = page["Records"].as_array_mut().unwrap();
                    came += records.len();
                    self.records.append(records);
                    match page.get("NextShardIterator") {
                        Some(next) => drop(self.iterators.insert(shard, next.clone())),
                        None => drop(self.finished.insert(shard)),
                    }
                }
                failed => {
                    self.iterators.insert(shard, iterator);
                    check_retryable(failed)?;
                }
            }
        }
        Ok(came)
    }

    /// Begins to read shards whose parents are finished, or gone.
    fn find_shards(&mut self, served: &Served) -> Result<(), String> {
        let mut shards = Vec::new();
        let mut body = json!({"StreamArn": self.stream_arn});
        loop {
            let mut page = match served.call("DescribeStream", &body) {
                Ok((200, page)) => page["StreamDescription"].clone(),
                failed => return check_retryable(failed),
            };
            shards.append(page["Shards"].as_array_mut().unwrap());
            match page.get("LastEvaluatedShardId") {
                Some(last) => body["ExclusiveStartShardId"] = last.clone(),
                None => break,
            }
        }
        let id = |shard: &Value, name: &str| shard.get(name).map(|id| id.as_str().unwrap().to_owned());
        let known: BTreeSet<String> = shards.iter().filter_map(|shard| id(shard, "ShardId")).collect();
        for shard in &shards {
            let shard_id = id(shard, "ShardId").unwrap();
            let parent = id(shard, "ParentShardId");
            let waits =
                parent.is_some_and(|parent| known.contains(&parent) && !self.finished.contains(&parent));
            if waits || self.finished.contains(&shard_id) || self.iterators.contains_key(&shard_id) {
                continue;
            }
            let body = json!({
                "StreamArn": self.stream_arn, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"});
            match served.call("GetShardIterator", &body) {
                Ok((200, answer)) => drop(self.iterators.insert(shard_id, answer["ShardIterator"].clone())),
                failed => return check_retryable(failed),
            }
        }
        Ok(())
    }

    /// Reads until nothing has come several times.
    pub(crate) fn drain(&mut self, served: &Served) {
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.poll(served).unwrap() == 0 { quiet + 1 } else { 0 };
        }
    }

    /// All records of a stream, read afresh.
    pub(crate) fn all(served: &Served, stream_arn: &Value) -> Vec<Value> {
        let mut reader = Self::of(stream_arn);
        reader.drain(served);
        reader.records
    }
}

/// A failure that a client may try again is an error; any other is a fault of the server's.
fn check_retryable(failed: Result<(u16, Value), String>) -> Result<(), String> {
    match failed {
        Ok((status, answer)) => {
            assert!(crate::http::is_retryable(status, &answer), "not retryable: {status} {answer}");
            Err(answer.to_string())
        }
        Err(error) => Err(error),
    }
}
