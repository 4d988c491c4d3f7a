//! Readers that poll streams while clients write.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::random::Random;
use crate::watch::Watch;

use super::whole::{answer, list_shards};
use super::{Chain, Listing, Poll, Record, Start};

/// The most records of a page if the request does not say so.
const PAGE: usize = 1000;
/// The most iterators that a reader uses for one stream.
const CHAINS: usize = 6;

/// What a reader saw.
#[derive(Clone, Debug, Default)]
pub struct ReaderLog {
    /// All chains of iterators.
    pub chains: Vec<Chain>,
    /// All listings of shards.
    pub listings: Vec<Listing>,
}

/// A reader of one stream. It keeps every iterator until its shard ends, whatever happens to the server.
#[derive(Debug)]
pub struct Reader {
    table: usize,
    stream_arn: String,
    random: Random,
    log: ReaderLog,
    /// The chains that go on, with their iterators.
    open: Vec<(usize, Value)>,
    /// The shards that were read from their beginning.
    known: BTreeSet<String>,
}

impl Reader {
    /// Creates a reader.
    #[must_use]
    pub fn new(table: usize, stream_arn: &str, random: Random) -> Self {
        Self {
            table,
            stream_arn: stream_arn.to_owned(),
            random,
            log: ReaderLog::default(),
            open: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Returns what it saw.
    #[must_use]
    pub fn into_log(self) -> ReaderLog {
        self.log
    }

    /// Lists the shards, begins chains, and polls each one once, with any of these endpoints.
    ///
    /// # Errors
    ///
    /// An answer that no reader should get.
    pub fn round(&mut self, endpoints: &mut [Endpoint], watch: &Watch) -> Result<(), String> {
        let call = watch.now();
        let at = self.random.below(endpoints.len());
        let Some(shards) = list_shards(&mut endpoints[at], &self.stream_arn)? else { return Ok(()) };
        let shards: Vec<String> = shards.into_iter().map(|(id, _)| id).collect();
        self.log.listings.push(Listing { table: self.table, call, shards: shards.clone() });
        for shard in &shards {
            if !self.known.contains(shard) && self.begin(endpoints, watch, shard, Start::TrimHorizon)? {
                self.known.insert(shard.clone());
            }
        }
        if self.open.len() < CHAINS && self.random.percent(30) {
            // Open shards are at the end.
            let recent = shards.len().min(4);
            let shard = shards[shards.len() - 1 - self.random.below(recent)].clone();
            let start = self.any_start(&shard);
            self.begin(endpoints, watch, &shard, start)?;
        }
        for at in (0..self.open.len()).rev() {
            self.poll(endpoints, watch, at)?;
        }
        Ok(())
    }

    /// Chooses where to begin in a shard: at its end, or at a record that was seen in it.
    fn any_start(&mut self, shard: &str) -> Start {
        let in_shard = self.log.chains.iter().filter(|chain| chain.shard == shard);
        let seen: Vec<u128> = in_shard
            .flat_map(|chain| &chain.polls)
            .flat_map(|poll| &poll.records)
            .map(|it| it.sequence_number)
            .collect();
        match self.random.below(3) {
            0 if !seen.is_empty() => Start::At(self.random.of(&seen)),
            1 if !seen.is_empty() => Start::After(self.random.of(&seen)),
            _ => Start::Latest,
        }
    }

    /// Begins a chain. Returns whether the server gave an iterator.
    fn begin(
        &mut self,
        endpoints: &mut [Endpoint],
        watch: &Watch,
        shard: &str,
        start: Start,
    ) -> Result<bool, String> {
        let mut body = json!({ "StreamArn": self.stream_arn, "ShardId": shard });
        let (kind, number) = match start {
            Start::TrimHorizon => ("TRIM_HORIZON", None),
            Start::Latest => ("LATEST", None),
            Start::At(number) => ("AT_SEQUENCE_NUMBER", Some(number)),
            Start::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number)),
        };
        body["ShardIteratorType"] = json!(kind);
        if let Some(number) = number {
            body["SequenceNumber"] = json!(format!("{number:021}"));
        }
        let call = watch.now();
        let at = self.random.below(endpoints.len());
        let Some(given) = answer(&mut endpoints[at], "GetShardIterator", &body)? else { return Ok(false) };
        let returned = watch.now();
        self.open.push((self.log.chains.len(), given["ShardIterator"].clone()));
        self.log.chains.push(Chain {
            table: self.table,
            shard: shard.to_owned(),
            start,
            call,
            returned,
            polls: Vec::new(),
        });
        Ok(true)
    }

    fn poll(&mut self, endpoints: &mut [Endpoint], watch: &Watch, at: usize) -> Result<(), String> {
        let (chain, iterator) = self.open[at].clone();
        let limit = self.random.percent(20).then(|| 1 + self.random.below(5));
        let mut body = json!({ "ShardIterator": iterator });
        if let Some(limit) = limit {
            body["Limit"] = json!(limit);
        }
        let call = watch.now();
        let endpoint = self.random.below(endpoints.len());
        let Some(page) = answer(&mut endpoints[endpoint], "GetRecords", &body)? else { return Ok(()) };
        let returned = watch.now();
        let records = page["Records"].as_array().ok_or_else(|| format!("a page without records: {page}"))?;
        let records = records.iter().map(Record::parse).collect::<Result<Vec<_>, _>>()?;
        let next = &page["NextShardIterator"];
        let poll = Poll { call, returned, records, limit: limit.unwrap_or(PAGE), end: next.is_null() };
        self.log.chains[chain].polls.push(poll);
        if next.is_null() {
            self.open.remove(at);
        } else {
            self.open[at].1 = next.clone();
        }
        Ok(())
    }
}
