//! Reading a whole stream like a correct consumer: every shard, parents before children, from the oldest record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::Api;
use crate::context::Context;
use crate::outcome::Outcome;
use crate::record::{Record, Shard};
use crate::{check, fail, shown};

/// A reader of one stream, which remembers where it is in every shard.
#[derive(Debug)]
pub struct Reader {
    arn: String,
    limit: Option<u32>,
    shards: BTreeMap<String, ShardReader>,
    listed_at_poll: u64,
    polls: u64,
}

#[derive(Debug)]
struct ShardReader {
    parent: Option<String>,
    iterator: Option<String>,
    done: bool,
    records: Vec<Record>,
}

impl Reader {
    /// Makes a reader that begins at the horizon.
    pub fn new(stream_arn: &str) -> Reader {
        Reader {
            arn: stream_arn.to_owned(),
            limit: None,
            shards: BTreeMap::new(),
            listed_at_poll: 0,
            polls: 0,
        }
    }

    /// Asks for at most so many records a page.
    pub fn with_limit(mut self, limit: u32) -> Reader {
        self.limit = Some(limit);
        self
    }

    /// Reads on in every shard until each has answered with an empty page or its end; returns how many records came.
    pub fn poll(&mut self, cx: &Context<'_>) -> Outcome<usize> {
        self.polls += 1;
        if self.shards.is_empty() || self.polls >= self.listed_at_poll + 8 {
            self.list(cx)?;
        }
        let mut came = 0;
        let mut to_read: Vec<String> = self.readable();
        let mut seen: BTreeSet<String> = to_read.iter().cloned().collect();
        while let Some(id) = to_read.pop() {
            came += self.read_shard(cx, &id)?;
            if self.shards[&id].done {
                self.list(cx)?;
                let next: Vec<String> =
                    self.readable().into_iter().filter(|id| seen.insert(id.clone())).collect();
                to_read.extend(next);
            }
        }
        Ok(came)
    }

    /// Returns the records of all shards, parents before their children.
    pub fn records(&self) -> Vec<Record> {
        let mut order: Vec<(usize, &String)> = self.shards.keys().map(|id| (self.depth(id), id)).collect();
        order.sort();
        order.into_iter().flat_map(|(_, id)| self.shards[id].records.iter().cloned()).collect()
    }

    /// Returns the records of one item, in the order in which its lineage has them.
    pub fn records_of(&self, keys: &Value) -> Vec<Record> {
        self.records().into_iter().filter(|record| record.keys() == keys).collect()
    }

    /// Returns the ids of the shards known, with the records read from each.
    pub fn by_shard(&self) -> BTreeMap<String, Vec<Record>> {
        self.shards.iter().map(|(id, shard)| (id.clone(), shard.records.clone())).collect()
    }

    /// Returns whether every shard known has ended.
    pub fn is_finished(&self) -> bool {
        !self.shards.is_empty() && self.shards.values().all(|shard| shard.done)
    }

    fn depth(&self, id: &str) -> usize {
        let mut depth = 0;
        let mut at = self.shards.get(id);
        while let Some(parent) = at.and_then(|shard| shard.parent.as_ref()) {
            at = self.shards.get(parent);
            depth += 1;
            if depth > self.shards.len() {
                break;
            }
        }
        depth
    }

    fn list(&mut self, cx: &Context<'_>) -> Outcome {
        self.listed_at_poll = self.polls;
        for Shard(shard) in cx.shards(&self.arn)? {
            let shard = Shard(shard);
            self.shards.entry(shard.id().to_owned()).or_insert_with(|| ShardReader {
                parent: shard.parent().map(str::to_owned),
                iterator: None,
                done: false,
                records: Vec::new(),
            });
        }
        Ok(())
    }

    fn readable(&self) -> Vec<String> {
        let parent_done = |shard: &ShardReader| {
            shard.parent.as_ref().and_then(|id| self.shards.get(id)).is_none_or(|parent| parent.done)
        };
        let readable = self.shards.iter().filter(|(_, shard)| !shard.done && parent_done(shard));
        readable.map(|(id, _)| id.clone()).collect()
    }

    fn read_shard(&mut self, cx: &Context<'_>, id: &str) -> Outcome<usize> {
        let Some(shard) = self.shards.get_mut(id) else { return Ok(0) };
        if shard.iterator.is_none() {
            shard.iterator = Some(cx.iterator(&self.arn, id, "TRIM_HORIZON")?);
        }
        let mut came = 0;
        while let Some(iterator) = &shard.iterator {
            let mut request = json!({"ShardIterator": iterator});
            if let Some(limit) = self.limit {
                request["Limit"] = limit.into();
            }
            let page = cx.streams("GetRecords", request)?;
            let (records, next) = read_page(&page)?;
            let count = records.len();
            check!(
                self.limit.is_none_or(|limit| count <= limit as usize),
                "a page of {count} records, more than Limit {:?}",
                self.limit
            );
            came += count;
            shard.records.extend(records);
            shard.done = next.is_none();
            shard.iterator = next;
            if count == 0 {
                break;
            }
        }
        Ok(came)
    }
}

/// Takes a page of `GetRecords` apart, and checks that both members have the form that consumers rely on.
pub fn read_page(page: &Value) -> Outcome<(Vec<Record>, Option<String>)> {
    let Some(records) = page["Records"].as_array() else {
        fail!("GetRecords answered without a list of Records: {}", shown(page));
    };
    let next = match page.get("NextShardIterator") {
        None => None,
        Some(Value::String(next)) if !next.is_empty() => Some(next.clone()),
        Some(other) => fail!("NextShardIterator is {other}, not a text and not absent"),
    };
    Ok((records.iter().cloned().map(Record).collect(), next))
}

impl Context<'_> {
    /// Returns all shards of a stream, however many pages they take.
    pub fn shards(&self, stream_arn: &str) -> Outcome<Vec<Shard>> {
        let mut shards = Vec::new();
        let mut request = json!({"StreamArn": stream_arn});
        loop {
            let answer = self.streams("DescribeStream", request.clone())?;
            let description = &answer["StreamDescription"];
            let Some(page) = description["Shards"].as_array() else {
                fail!("DescribeStream answered without a list of Shards: {}", shown(&answer));
            };
            shards.extend(page.iter().cloned().map(Shard));
            match description["LastEvaluatedShardId"].as_str() {
                Some(last) => request["ExclusiveStartShardId"] = last.into(),
                None => return Ok(shards),
            }
        }
    }

    /// Returns an iterator of a type that needs no sequence number.
    pub fn iterator(&self, stream_arn: &str, shard_id: &str, kind: &str) -> Outcome<String> {
        let request = json!({"StreamArn": stream_arn, "ShardId": shard_id, "ShardIteratorType": kind});
        self.iterator_of(request)
    }

    /// Returns an iterator at or after a sequence number.
    pub fn iterator_at(&self, stream_arn: &str, shard_id: &str, kind: &str, number: &str) -> Outcome<String> {
        self.iterator_of(json!({
            "StreamArn": stream_arn, "ShardId": shard_id, "ShardIteratorType": kind, "SequenceNumber": number,
        }))
    }

    fn iterator_of(&self, request: Value) -> Outcome<String> {
        let answer = self.client().ok(Api::Streams, "GetShardIterator", &request)?;
        match answer["ShardIterator"].as_str() {
            Some(iterator) if !iterator.is_empty() => Ok(iterator.to_owned()),
            _ => fail!("GetShardIterator answered {}", shown(&answer)),
        }
    }

    /// Reads one page.
    pub fn page(&self, iterator: &str, limit: Option<u32>) -> Outcome<(Vec<Record>, Option<String>)> {
        let mut request = json!({"ShardIterator": iterator});
        if let Some(limit) = limit {
            request["Limit"] = limit.into();
        }
        read_page(&self.streams("GetRecords", request)?)
    }

    /// Reads from an iterator until `count` records have come, or the shard has ended; then once more, so that a
    /// record too many is seen.
    pub fn read_from(&self, iterator: &str, count: usize) -> Outcome<Vec<Record>> {
        let mut records = Vec::new();
        let mut next = Some(iterator.to_owned());
        let what = format!("{count} records from one iterator");
        self.wait(&what, || {
            while let Some(iterator) = next.take() {
                let (page, then) = self.page(&iterator, None)?;
                next = then;
                if page.is_empty() {
                    break;
                }
                records.extend(page);
            }
            Ok((records.len() >= count || next.is_none()).then_some(()))
        })
        .map_err(|stop| stop.during(&format!("{} came", records.len())))?;
        if let Some(iterator) = next {
            self.settle();
            records.extend(self.page(&iterator, None)?.0);
        }
        Ok(records)
    }

    /// Reads a stream until it has shown `count` records; then once more, so that a record too many is seen.
    pub fn read_stream(&self, stream_arn: &str, count: usize) -> Outcome<Vec<Record>> {
        let mut reader = Reader::new(stream_arn);
        self.read_until(&mut reader, &format!("{count} records"), |reader| reader.records().len() >= count)?;
        self.settle();
        reader.poll(self)?;
        Ok(reader.records())
    }

    /// Lets a reader read on until it has what is wanted.
    pub fn read_until(&self, reader: &mut Reader, what: &str, enough: impl Fn(&Reader) -> bool) -> Outcome {
        let result = self.wait(what, || {
            reader.poll(self)?;
            Ok(enough(reader).then_some(()))
        });
        result.map_err(|stop| {
            let seen: Vec<String> = reader.records().iter().map(Record::summary).collect();
            stop.during(&format!("the stream has {} records {}", seen.len(), shown(&seen)))
        })
    }
}
