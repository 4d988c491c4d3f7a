//! A thousand databases in memory behind the SDK, each opened, used and dropped by a test of its own, many at the same time:
//! how long each step takes, and how much memory a database needs.
//!
//! ```sh
//! cargo run --release -p pdb-sdk --example isolation            # 1000 databases
//! cargo run --release -p pdb-sdk --example isolation -- 100
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType,
};
use pdb_sdk::PretenderExt;
use pretender::Pretender;

type Failure = Box<dyn Error + Send + Sync>;

/// Tests that run at the same time.
const THREADS: usize = 8;

/// A test's database, and how long each step took.
struct Test {
    db: Pretender,
    items: aws_sdk_dynamodb::Client,
    streams: aws_sdk_dynamodbstreams::Client,
    steps: Vec<(&'static str, Duration)>,
    since: Instant,
}

impl Test {
    fn open() -> Result<Self, Failure> {
        let since = Instant::now();
        let db = Pretender::in_memory()?;
        let config = db.sdk_config();
        let items = aws_sdk_dynamodb::Client::new(&config);
        let streams = aws_sdk_dynamodbstreams::Client::new(&config);
        let mut test = Self { db, items, streams, steps: Vec::new(), since };
        test.step("open, with both clients");
        Ok(test)
    }

    /// What a small test does. Fails if the database shows anything of another.
    async fn run(&mut self, number: usize) -> Result<(), Failure> {
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
        let id = AttributeDefinition::builder()
            .attribute_name("id")
            .attribute_type(ScalarAttributeType::S)
            .build()?;
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()?;
        let create = self.items.create_table().table_name("orders").billing_mode(BillingMode::PayPerRequest);
        let create = create.key_schema(key).attribute_definitions(id).stream_specification(stream);
        let created = create.send().await?.table_description.ok_or("no description")?;
        self.step("create a table with a stream");

        let put = self.items.put_item().table_name("orders").item("id", S("o1".to_owned()));
        put.item("number", N(number.to_string())).send().await?;
        self.step("put");

        let get = self.items.get_item().table_name("orders").key("id", S("o1".to_owned()));
        let item = get.send().await?.item.ok_or("no item")?;
        self.step("get");

        let arn = created.latest_stream_arn.ok_or("no stream")?;
        let described = self.streams.describe_stream().stream_arn(&arn).send().await?.stream_description;
        let shard = described.and_then(|stream| stream.shards?.pop()?.shard_id).ok_or("no shard")?;
        let iterator = self.streams.get_shard_iterator().stream_arn(&arn).shard_id(shard);
        let iterator = iterator.shard_iterator_type("TRIM_HORIZON".into()).send().await?.shard_iterator;
        let records = self.streams.get_records().set_shard_iterator(iterator).send().await?;
        self.step("read the record, in three calls");

        match (item.get("number"), records.records()) {
            (Some(N(found)), [_]) if *found == number.to_string() => Ok(()),
            _ => Err("a database does not hold exactly what was put into it".into()),
        }
    }

    fn close(self) -> Vec<(&'static str, Duration)> {
        let Self { db, items, streams, mut steps, .. } = self;
        let since = Instant::now();
        drop((items, streams, db));
        steps.push(("drop", since.elapsed()));
        steps
    }

    fn step(&mut self, name: &'static str) {
        self.steps.push((name, self.since.elapsed()));
        self.since = Instant::now();
    }
}

fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).map_or(Ok(1000), |count| count.parse())?;
    println!(
        "{count} databases in memory, by {THREADS} threads with a runtime each, as `#[tokio::test]` has it"
    );
    let started = Instant::now();
    let times = by_threads(count)?;
    let whole = started.elapsed();
    let steps = times.first().map_or(0, Vec::len);
    for step in 0..steps {
        let mut sorted: Vec<_> = times.iter().map(|times| times[step].1).collect();
        sorted.sort_unstable();
        let (median, high) = (sorted[sorted.len() / 2], sorted[(sorted.len() - 1) * 99 / 100]);
        println!(
            "{:<36} median {:>9.1} us, 99 of 100 within {:>9.1} us",
            times[0][step].0,
            us(median),
            us(high)
        );
    }
    println!("{:<36} {:>16.1} us", "wall clock for one", us(whole) / count as f64);
    all_at_once(count)
}

/// Opens, uses and drops databases, each thread its share.
fn by_threads(count: usize) -> Result<Vec<Vec<(&'static str, Duration)>>, Failure> {
    let run = |thread: usize| -> Result<Vec<_>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut times = Vec::new();
        for number in (thread..count).step_by(THREADS) {
            let mut test = Test::open()?;
            runtime.block_on(test.run(number))?;
            times.push(test.close());
        }
        Ok(times)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        let mut all = Vec::with_capacity(count);
        for thread in threads {
            all.extend(thread.join().map_err(|_| "a test panicked")??);
        }
        Ok(all)
    })
}

/// Holds all databases open, used, at the same time.
fn all_at_once(count: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = memory_kb();
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        let mut test = Test::open()?;
        runtime.block_on(test.run(number))?;
        open.push(test);
    }
    match (before, memory_kb()) {
        (Some(before), Some(now)) => {
            let each = now.saturating_sub(before) as f64 / count as f64;
            println!("{:<36} {each:>16.1} KB", "memory of one, used, with clients");
        }
        _ => println!("memory is not measured: there is no /proc"),
    }
    Ok(())
}

/// The memory of this process that is no page of a file.
fn memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_of_parallel_tests_do_not_meet() {
        let times = by_threads(32).unwrap();
        assert_eq!(times.len(), 32);
        assert!(times.iter().all(|steps| steps.len() == 6));
        all_at_once(8).unwrap();
    }
}
