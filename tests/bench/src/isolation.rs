//! A database for each test: the cost of opening, using and removing one, while other tests do the same.

use std::error::Error;
use std::time::{Duration, Instant};

use pretender::Pretender;
use pretender::items::{GetItemInput, PutItemInput};
use pretender::model::{Item, TableName};
use pretender::streams::{DescribeStreamInput, GetShardIteratorInput, ShardIteratorType};

use crate::ours;
use crate::process::Usage;
use crate::report::Report;
use crate::sizes::Sizes;

/// Tests that run at the same time, each with a database of its own.
const THREADS: usize = 8;
/// Databases that are opened before it is counted, so that the program's own memory is there.
const WARM: usize = 16;

/// What one database did, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    open: Duration,
    create_table: Duration,
    put: Duration,
    get: Duration,
    record: Duration,
    close: Duration,
}

/// Opens, uses and drops databases in memory, then holds them all at once.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let databases = sizes.databases;
    for threads in [1, THREADS] {
        println!("{databases} databases in memory, by {threads} threads");
        one_after_another(WARM, threads)?;
        let started = Instant::now();
        let times = one_after_another(databases, threads)?;
        let whole = started.elapsed();
        let say = |report: &mut Report, what: &str, of: fn(&Times) -> Duration| {
            let mut sorted: Vec<Duration> = times.iter().map(of).collect();
            sorted.sort_unstable();
            let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
            let what = format!("isolation, {threads} threads: {what}");
            report.footprint(&format!("{what}, median"), at(0.5), "us");
            report.footprint(&format!("{what}, 99 of 100"), at(0.99), "us");
        };
        say(report, "open", |times| times.open);
        say(report, "create a table with a stream", |times| times.create_table);
        say(report, "put", |times| times.put);
        say(report, "get", |times| times.get);
        say(report, "read the record", |times| times.record);
        say(report, "drop", |times| times.close);
        let each = whole.as_secs_f64() * 1e6 / databases as f64;
        report.footprint(&format!("isolation, {threads} threads: wall clock a database"), each, "us");
    }
    all_at_once(report, databases)
}

/// Opens, uses and drops databases, each thread its share, one after the other.
fn one_after_another(databases: usize, threads: usize) -> Result<Vec<Times>, Box<dyn Error>> {
    let runs: Vec<Result<Vec<Times>, String>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mine = (thread..databases).step_by(threads);
                    mine.map(|n| use_one(n).map_err(|error| error.to_string())).collect()
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect()
    });
    let mut times = Vec::with_capacity(databases);
    for run in runs {
        times.extend(run?);
    }
    Ok(times)
}

fn use_one(n: usize) -> Result<Times, Box<dyn Error>> {
    let mut times = Times::default();
    let db = timed(&mut times.open, Pretender::in_memory)?;
    work_on(&db, n, &mut times)?;
    timed(&mut times.close, move || drop(db));
    Ok(times)
}

/// What a small test does; fails if a database sees anything of another.
fn work_on(db: &Pretender, n: usize, times: &mut Times) -> Result<(), Box<dyn Error>> {
    let table = TableName::new("orders")?;
    let stream_arn = timed(&mut times.create_table, || ours::create_table(db, &table))?;
    let item = Item::new().with("pk", "o1").with("database", n as i64);
    timed(&mut times.put, || db.put_item(PutItemInput::new(table.clone(), item)))?;
    let key = Item::new().with("pk", "o1");
    let found = timed(&mut times.get, || db.get_item(GetItemInput::new(table.clone(), key)))?;
    let records = timed(&mut times.record, || -> Result<_, Box<dyn Error>> {
        let shards = db.describe_stream(&DescribeStreamInput::new(stream_arn.clone()))?.shards;
        let shard_id = shards.first().ok_or("the stream has no shard")?.shard_id.clone();
        let shard_iterator_type = ShardIteratorType::TrimHorizon;
        let iterator =
            db.get_shard_iterator(&GetShardIteratorInput { stream_arn, shard_id, shard_iterator_type })?;
        Ok(db.get_records(&iterator, None)?.records)
    })?;
    match (found.item, records.as_slice()) {
        (Some(_), [_]) => Ok(()),
        _ => Err("a database does not hold exactly what was put into it".into()),
    }
}

fn timed<T>(time: &mut Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let output = work();
    *time = started.elapsed();
    output
}

/// Holds all databases open at the same time, each used.
fn all_at_once(report: &mut Report, databases: usize) -> Result<(), Box<dyn Error>> {
    let usage = Usage::of_this_process();
    let (memory, threads) = (usage.anonymous_bytes(), usage.threads());
    let mut open = Vec::with_capacity(databases);
    let say = |report: &mut Report, what: &str| {
        let grown = usage.anonymous_bytes().saturating_sub(memory) as f64 / 1024.0 / databases as f64;
        report.footprint(&format!("isolation, all at once: memory a database, {what}"), grown, "KB");
    };
    for _ in 0..databases {
        open.push(Pretender::in_memory()?);
    }
    say(report, "open");
    for (n, db) in open.iter().enumerate() {
        work_on(db, n, &mut Times::default())?;
    }
    say(report, "used");
    let grown = usage.threads().saturating_sub(threads) as f64 / databases as f64;
    report.footprint("isolation, all at once: threads a database", grown, "threads");
    Ok(())
}
