//! pretender in process, beside the floor.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use pretender::{
    BatchWriteItemInput, CreateTableInput, Durability, GetItemInput, GetShardIteratorInput, Item, Pretender,
    PutItemInput, ScalarType, ShardIteratorType, StreamArn, StreamSpecification, StreamViewType, TableName,
    WriteRequest,
};

use crate::floor::Floor;
use crate::report::{Report, median};
use crate::work::Work;

const KEYS: u64 = 1_000;
const ITEM_BYTES: usize = 1_024;
/// Pieces of work that share a commit in the floor beside sixteen writing threads of ours.
const GROUP: u64 = 16;

/// A database with one streamed table.
struct Ours {
    db: Pretender,
    table: TableName,
    stream_arn: StreamArn,
}

impl Ours {
    fn open(path: Option<&Path>, durability: Durability) -> Result<Self, Box<dyn Error>> {
        let builder = Pretender::builder().durability(durability).sweep_interval(None);
        let db = match path {
            Some(path) => builder.file(path).open()?,
            None => builder.in_memory().open()?,
        };
        let table = TableName::new("bench")?;
        let description = db.create_table(CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
            ..CreateTableInput::new(table.clone(), ("pk", ScalarType::S), None)
        })?;
        let stream_arn = description.latest_stream_arn.ok_or("the table has no stream")?;
        Ok(Self { db, table, stream_arn })
    }

    fn put(&self, work: &Work, n: u64) -> Result<(), Box<dyn Error>> {
        self.db.put_item(PutItemInput::new(self.table.clone(), work.item(n)))?;
        Ok(())
    }

    /// Puts items from several threads; returns puts a second.
    fn put_all(&self, work: &Work, first: u64, count: u64, threads: u64) -> Result<f64, Box<dyn Error>> {
        let started = Instant::now();
        let failures: Vec<String> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn(move || {
                        (thread..count)
                            .step_by(threads as usize)
                            .find_map(|n| self.put(work, first + n).err().map(|error| error.to_string()))
                    })
                })
                .collect();
            runs.into_iter()
                .filter_map(|run| run.join().unwrap_or(Some("a thread panicked".to_owned())))
                .collect()
        });
        match failures.first() {
            None => Ok(count as f64 / started.elapsed().as_secs_f64()),
            Some(failure) => Err(failure.clone().into()),
        }
    }

    fn get_all(&self, work: &Work, count: u64) -> Result<f64, Box<dyn Error>> {
        let started = Instant::now();
        for n in 0..count {
            let key = Item::new().with("pk", work.key(n));
            std::hint::black_box(self.db.get_item(GetItemInput::new(self.table.clone(), key))?.item);
        }
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }

    /// Reads all records as stored text; returns records a second, how many there were and the bytes of their images.
    fn drain(&self) -> Result<(f64, u64, u64), Box<dyn Error>> {
        let shards = self.db.shards(&self.stream_arn)?;
        let (started, mut records, mut bytes) = (Instant::now(), 0u64, 0u64);
        for shard in shards {
            let mut iterator = Some(self.db.get_shard_iterator(&GetShardIteratorInput {
                stream_arn: self.stream_arn.clone(),
                shard_id: shard.shard_id,
                shard_iterator_type: ShardIteratorType::TrimHorizon,
            })?);
            while let Some(at) = iterator {
                let mut page = String::new();
                let mut seen = 0;
                iterator = self.db.get_records_with(&at, None, &mut |_, record| {
                    seen += 1;
                    page.push_str(record.keys);
                    page.push_str(record.old_image.unwrap_or_default());
                    page.push_str(record.new_image.unwrap_or_default());
                    Ok(())
                })?;
                (records, bytes) = (records + seen, bytes + page.len() as u64);
                if seen == 0 {
                    break;
                }
            }
        }
        Ok((records as f64 / started.elapsed().as_secs_f64(), records, bytes))
    }
}

/// Puts, gets and drains, in memory and in files, as shares of the floor.
pub(crate) fn run(report: &mut Report, quick: bool) -> Result<(), Box<dyn Error>> {
    let count = if quick { 20_000 } else { 100_000 };
    let turns = if quick { 3 } else { 5 };
    let work = Work { item_bytes: ITEM_BYTES, keys: KEYS };
    for (name, in_file, durability) in [
        ("memory", false, Durability::Normal),
        ("file normal", true, Durability::Normal),
        ("file full", true, Durability::Full),
    ] {
        let full = durability == Durability::Full;
        // Each sync takes its time: fewer of them say as much.
        let count = if full { count / 10 } else { count };
        let (mut single, mut many, mut gets, mut drains) = (vec![], vec![], vec![], vec![]);
        for _ in 0..turns {
            let folder = tempfile::tempdir()?;
            let ours_file = folder.path().join("ours.db");
            let floor_file = folder.path().join("floor.db");
            let ours = Ours::open(in_file.then_some(&*ours_file), durability)?;
            let mut floor = Floor::open(in_file.then_some(&*floor_file), full)?;
            ours.put_all(&work, 0, KEYS, 1)?;
            floor.put(&work, KEYS, 1)?;
            single.push((ours.put_all(&work, KEYS, count, 1)?, count as f64 / floor.put(&work, count, 1)?));
            let grouped = if full { GROUP } else { 1 };
            many.push((
                ours.put_all(&work, KEYS + count, count, 16)?,
                count as f64 / floor.put(&work, count, grouped)?,
            ));
            gets.push((ours.get_all(&work, count)?, count as f64 / floor.get(&work, count)?));
            let (rate, records, bytes) = ours.drain()?;
            let (seconds, floor_bytes) = floor.drain(500)?;
            drains.push((rate * bytes as f64 / records.max(1) as f64, floor_bytes as f64 / seconds));
        }
        let mut add = |what: &str, pairs: Vec<(f64, f64)>| {
            let rate = median(pairs.iter().map(|pair| pair.0));
            let floor = median(pairs.iter().map(|pair| pair.1));
            report.share(&format!("{name}: {what}"), rate, floor);
        };
        add("PutItem with capture, 1 thread", single);
        add(
            if full {
                "PutItem with capture, 16 threads; floor 16 a commit"
            } else {
                "PutItem with capture, 16 threads"
            },
            many,
        );
        add("GetItem, 1 thread", gets);
        add("GetRecords drain (bytes of images)", drains);
    }
    Ok(())
}

/// What a put and a page of records cost while the stream grows, as shares of what they cost at first.
pub(crate) fn growth(report: &mut Report, quick: bool) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ours = Ours::open(Some(&folder.path().join("growth.db")), Durability::Normal)?;
    let work = Work { item_bytes: 200, keys: KEYS };
    let step = 10_000;
    ours.put_all(&work, 0, KEYS, 1)?;
    let first = ours.put_all(&work, KEYS, step, 1)?;
    let mut written = KEYS + step;
    let targets: &[u64] = if quick { &[100_000] } else { &[1_000, 100_000, 1_000_000] };
    for &target in targets {
        while written < target {
            let puts = (0..25).map(|n| WriteRequest::Put(work.item(written + n))).collect();
            let input = BatchWriteItemInput {
                request_items: [(ours.table.clone(), puts)].into(),
                ..BatchWriteItemInput::default()
            };
            ours.db.batch_write_item(input)?;
            written += 25;
        }
        let now = ours.put_all(&work, written, step, 1)?;
        written += step;
        report.share(&format!("a put with {target} records behind it; beside one with none"), now, first);
    }
    let (rate, records, _) = ours.drain()?;
    println!("{records} records written, then read back at {rate:.0} records/s");
    report.footprint("records written and read back", records as f64, "records");
    report.footprint("records read back", rate, "records/s");
    Ok(())
}
