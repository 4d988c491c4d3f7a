//! The HTTP cases. All contestants get the same load in turns, so that disturbances of the machine affect all of them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::load::{self, Caller, LoadResult, MakeRequest, Until};
use crate::process::Usage;
use crate::report::Drain;
use crate::requests;
use crate::sizes::Sizes;
use crate::work::Work;

/// A server that takes part.
pub(crate) struct Contestant {
    /// What the table calls it.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its use of the machine, if its process was found.
    pub(crate) usage: Option<Usage>,
}

/// What is asked of the servers in one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `GetItem` of items that exist.
    Get,
    /// `PutItem`, with a stream of this view type if any.
    Put(Option<&'static str>),
    /// `UpdateItem` with a stream of both images.
    Update,
    /// `Query` of 100 items.
    Query,
    /// `BatchWriteItem` of 25 puts.
    BatchWrite,
    /// `TransactWriteItems` of 4 puts.
    TransactWrite,
    /// `PutItem` over ten streamed tables in turn.
    PutTenTables,
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// What is asked.
    pub(crate) operation: Operation,
    /// Size of an item in bytes.
    pub(crate) item_bytes: usize,
    /// How many connections ask.
    pub(crate) connections: u64,
    /// How many stream records there are before the measurement.
    pub(crate) records_before: u64,
}

impl Case {
    /// Returns the case's name.
    pub(crate) fn name(&self) -> String {
        let operation = match self.operation {
            Operation::Get => "GetItem".to_owned(),
            Operation::Put(None) => "PutItem".to_owned(),
            Operation::Put(Some(view_type)) => format!("PutItem {view_type}"),
            Operation::Update => "UpdateItem NEW_AND_OLD_IMAGES".to_owned(),
            Operation::Query => "Query 100 items".to_owned(),
            Operation::BatchWrite => "BatchWriteItem 25 puts".to_owned(),
            Operation::TransactWrite => "TransactWriteItems 4 puts".to_owned(),
            Operation::PutTenTables => "PutItem ten streamed tables".to_owned(),
        };
        let before = match self.records_before {
            0 => String::new(),
            n => format!(", {n} records before"),
        };
        format!("{operation}, {} B, {} connections{before}", self.item_bytes, self.connections)
    }
}

const BOTH: Option<&str> = Some("NEW_AND_OLD_IMAGES");

/// Returns a selection of cases.
pub(crate) fn quick_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    add(&mut cases, Operation::Get, 1024, &[16], 0);
    add(&mut cases, Operation::Put(None), 1024, &[16], 0);
    add(&mut cases, Operation::Put(BOTH), 1024, &[1, 16], 1_000);
    add(&mut cases, Operation::Update, 1024, &[16], 1_000);
    add(&mut cases, Operation::Query, 1024, &[16], 0);
    cases
}

/// Returns all cases.
pub(crate) fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |operation, item_bytes, connections: &[u64], before| {
        add(&mut cases, operation, item_bytes, connections, before);
    };
    add(Operation::Get, 1024, &[1, 16, 64], 0);
    add(Operation::Put(None), 1024, &[1, 16, 64], 0);
    add(Operation::Put(Some("KEYS_ONLY")), 1024, &[16], 1_000);
    add(Operation::Put(BOTH), 1024, &[1, 16, 64], 1_000);
    add(Operation::Put(BOTH), 1024, &[16], 100_000);
    add(Operation::Update, 1024, &[1, 16, 64], 1_000);
    add(Operation::Update, 1024, &[16], 100_000);
    add(Operation::Query, 1024, &[1, 16], 0);
    add(Operation::BatchWrite, 1024, &[16], 0);
    add(Operation::TransactWrite, 1024, &[16], 0);
    add(Operation::PutTenTables, 1024, &[16], 0);
    for item_bytes in [100, 102_400] {
        add(Operation::Get, item_bytes, &[16], 0);
        add(Operation::Put(BOTH), item_bytes, &[16], 1_000);
    }
    cases
}

fn add(cases: &mut Vec<Case>, operation: Operation, item_bytes: usize, connections: &[u64], before: u64) {
    cases.extend(connections.iter().map(|&connections| Case {
        operation,
        item_bytes,
        connections,
        records_before: before,
    }));
}

/// What one contestant did in one turn of a case.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Turn {
    /// The contestant.
    pub(crate) name: String,
    /// What the generator saw.
    pub(crate) load: LoadResult,
    /// Requests a second.
    pub(crate) rate: f64,
    /// CPU time of the server for one request, in microseconds.
    pub(crate) cpu_us: Option<f64>,
    /// How many records or items were there before the first turn: a slow server is not filled to the end.
    pub(crate) records_before: u64,
}

/// Runs a case on all contestants, `turns` times each, alternately.
pub(crate) fn run(case: &Case, contestants: &[Contestant], sizes: &Sizes) -> io::Result<Vec<Turn>> {
    let mut loads = Vec::new();
    for contestant in contestants {
        loads.push(prepare(case, contestant, sizes.fill)?);
    }
    let mut results = Vec::new();
    for _ in 0..sizes.turns {
        for (contestant, (records_before, make)) in contestants.iter().zip(&loads) {
            let cpu_before = contestant.usage.map(Usage::cpu_us);
            let load = load::run(contestant.address, case.connections, Until::Elapsed(sizes.turn), make)?;
            let requests = (load.requests + load.failures).max(1) as f64;
            let cpu_us =
                contestant.usage.zip(cpu_before).map(|(usage, before)| (usage.cpu_us() - before) / requests);
            results.push(Turn {
                name: contestant.name.clone(),
                rate: load.rate(),
                load,
                cpu_us,
                records_before: *records_before,
            });
        }
    }
    Ok(results)
}

/// Makes the case's tables on a server, fills them, and returns with how much, and the load.
fn prepare(case: &Case, contestant: &Contestant, time: Duration) -> io::Result<(u64, MakeRequest)> {
    let address = contestant.address;
    let work = Work { item_bytes: case.item_bytes, keys: 1_000 };
    let table = format!("bench-{}", unique());
    let view_type = match case.operation {
        Operation::Get | Operation::Query => None,
        Operation::Put(view_type) => view_type,
        Operation::BatchWrite | Operation::TransactWrite => None,
        Operation::Update | Operation::PutTenTables => Some("NEW_AND_OLD_IMAGES"),
    };
    let sorted = case.operation == Operation::Query;
    let create = |name: &str| -> io::Result<()> {
        let (target, body) = requests::create_table(name, view_type, sorted);
        match load::call(address, target, &body)? {
            (200, _) => Ok(()),
            (status, answer) => Err(io::Error::other(format!("CreateTable: {status} {answer}"))),
        }
    };
    create(&table)?;
    let fill = |count: u64, make: MakeRequest| -> io::Result<u64> {
        let result = load::run(address, 8, Until::RequestsWithin(count, time), &make)?;
        if result.failures > 0 {
            return Err(io::Error::other(format!("{} of {count} requests failed", result.failures)));
        }
        Ok(result.requests)
    };
    let before = if sorted {
        fill(2 * requests::QUERY_ITEMS, requests::put_sorted(&table, work))?
    } else {
        fill(work.keys.max(case.records_before), requests::put_item(&table, work, 0))?
    };
    let first = work.keys.max(case.records_before) + 1;
    let make = match case.operation {
        Operation::Get => requests::get_item(&table, work),
        Operation::Put(_) => requests::put_item(&table, work, first),
        Operation::Update => requests::update_item(&table, work, first),
        Operation::Query => requests::query(&table),
        Operation::BatchWrite => requests::batch_write_item(&table, work, first),
        Operation::TransactWrite => requests::transact_write_items(&table, work, first),
        Operation::PutTenTables => {
            let mut loads = Vec::new();
            for n in 0..10 {
                let name = format!("{table}-{n}");
                create(&name)?;
                loads.push(requests::put_item(&name, work, first));
            }
            std::sync::Arc::new(move |n| loads[(n % 10) as usize](n))
        }
    };
    Ok((before, make))
}

/// Writes `records` records into a fresh streamed table of a server, and reads them all, again and again for the time of
/// a turn.
pub(crate) fn drain(
    contestant: &Contestant,
    records: u64,
    item_bytes: usize,
    sizes: &Sizes,
) -> io::Result<Drain> {
    let address = contestant.address;
    let table = format!("bench-{}", unique());
    let work = Work { item_bytes, keys: 1_000 };
    let (target, body) = requests::create_table(&table, Some("NEW_AND_OLD_IMAGES"), false);
    load::call(address, target, &body)?;
    let fill = Until::RequestsWithin(records, sizes.fill);
    let written = load::run(address, 8, fill, &requests::put_item(&table, work, 0))?.requests;
    let arn =
        field(&streams(address, "ListStreams", &format!(r#"{{"TableName":"{table}"}}"#))?, "StreamArn")?;
    let started = std::time::Instant::now();
    let cpu_before = contestant.usage.map(Usage::cpu_us);
    let (mut seen, mut passes) = (0, 0);
    while passes == 0 || started.elapsed() < sizes.turn {
        seen += read_all(address, &arn)?;
        passes += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu_us = contestant
        .usage
        .zip(cpu_before)
        .map(|(usage, before)| (usage.cpu_us() - before) / seen.max(1) as f64);
    let name = contestant.name.clone();
    Ok(Drain { name, records: written, seen: seen / passes, rate: seen as f64 / seconds, cpu_us })
}

/// Reads a stream from its beginning, shard by shard, over one connection, and returns how many records it had. Looks at the
/// pages just enough to know where to go on: it must not take longer than the server.
fn read_all(address: SocketAddr, arn: &str) -> io::Result<u64> {
    let mut caller = Caller::to(address)?;
    let description = streams(address, "DescribeStream", &format!(r#"{{"StreamArn":"{arn}"}}"#))?;
    let mut seen = 0;
    for shard in fields(&description, "ShardId") {
        let body =
            format!(r#"{{"StreamArn":"{arn}","ShardId":"{shard}","ShardIteratorType":"TRIM_HORIZON"}}"#);
        let mut iterator = field(&streams(address, "GetShardIterator", &body)?, "ShardIterator")?;
        loop {
            let request = format!(r#"{{"ShardIterator":"{iterator}"}}"#);
            let (status, page) = caller.call("DynamoDBStreams_20120810.GetRecords", &request)?;
            if status != 200 {
                return Err(io::Error::other(format!("GetRecords: {status}")));
            }
            let records = memchr::memmem::find_iter(page, "\"eventID\"").count() as u64;
            seen += records;
            let Some(at) = memchr::memmem::rfind(page, b"\"NextShardIterator\"") else { break };
            if records == 0 {
                break;
            }
            let rest = String::from_utf8_lossy(&page[at..page.len().min(at + 4096)]);
            iterator = field(&rest, "NextShardIterator")?;
        }
    }
    Ok(seen)
}

fn streams(address: SocketAddr, operation: &str, body: &str) -> io::Result<String> {
    match load::call(address, &format!("DynamoDBStreams_20120810.{operation}"), body)? {
        (200, answer) => Ok(answer),
        (status, answer) => Err(io::Error::other(format!("{operation}: {status} {answer}"))),
    }
}

/// Returns the texts of all members of this name. None of those asked for here needs an escape.
fn fields(json: &str, name: &str) -> Vec<String> {
    let marker = format!("\"{name}\"");
    json.split(&marker)
        .skip(1)
        .filter_map(|rest| rest.trim_start_matches([' ', ':']).strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn field(json: &str, name: &str) -> io::Result<String> {
    fields(json, name).pop().ok_or_else(|| io::Error::other(format!("the answer has no {name}")))
}

/// Returns a number no earlier run has used.
fn unique() -> u128 {
    use pdb_model::IdSource;
    pdb_model::RandomIds.next_id() >> 64
}
