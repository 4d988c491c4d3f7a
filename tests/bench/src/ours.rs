//! pretender in process: a database with one streamed table.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pretender::items::{BatchWriteItemInput, GetItemInput, PutItemInput, WriteRequest};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{GetShardIteratorInput, ShardIteratorType, StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::ManualClock;
use pretender::{Durability, Pretender};

use crate::cost::{Cost, measure};
use crate::work::Work;

/// A database with a streamed table.
pub(crate) struct Ours {
    pub(crate) db: Pretender,
    pub(crate) table: TableName,
    pub(crate) stream_arn: StreamArn,
    pub(crate) clock: Arc<ManualClock>,
}

impl Ours {
    /// Opens a database in which nothing happens by itself.
    pub(crate) fn open(path: Option<&Path>, durability: Durability) -> Result<Self, Box<dyn Error>> {
        Self::sweeping(path, durability, None)
    }

    /// Opens a database that is swept so often.
    pub(crate) fn sweeping(
        path: Option<&Path>,
        durability: Durability,
        interval: Option<Duration>,
    ) -> Result<Self, Box<dyn Error>> {
        let clock = Arc::new(ManualClock::running());
        let builder =
            Pretender::builder().durability(durability).sweep_interval(interval).clock(clock.clone());
        let db = match path {
            Some(path) => builder.file(path).open()?,
            None => builder.in_memory().open()?,
        };
        let table = TableName::new("bench")?;
        let stream_arn = create_table(&db, &table)?;
        Ok(Self { db, table, stream_arn, clock })
    }

    pub(crate) fn put(&self, work: &Work, n: u64) -> Result<(), Box<dyn Error>> {
        self.db.put_item(PutItemInput::new(self.table.clone(), work.item(n)))?;
        Ok(())
    }

    /// Puts items from this thread.
    pub(crate) fn puts(&self, work: &Work, first: u64, count: u64) -> Result<Cost, Box<dyn Error>> {
        measure(count, || (first..first + count).try_for_each(|n| self.put(work, n)))
    }

    /// Puts items in batches of 25.
    pub(crate) fn fill(&self, work: &Work, first: u64, count: u64) -> Result<(), Box<dyn Error>> {
        for start in (first..first + count).step_by(25) {
            let puts = (start..(start + 25).min(first + count)).map(|n| WriteRequest::Put(work.item(n)));
            self.db.batch_write_item(BatchWriteItemInput {
                request_items: [(self.table.clone(), puts.collect())].into(),
                ..BatchWriteItemInput::default()
            })?;
        }
        Ok(())
    }

    /// Puts items from several threads; returns puts a second.
    pub(crate) fn puts_of_threads(
        &self,
        work: &Work,
        first: u64,
        count: u64,
        threads: u64,
    ) -> Result<f64, Box<dyn Error>> {
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

    pub(crate) fn gets(&self, work: &Work, count: u64) -> Result<Cost, Box<dyn Error>> {
        measure(count, || {
            for n in 0..count {
                let key = Item::new().with("pk", work.key(n));
                std::hint::black_box(self.db.get_item(GetItemInput::new(self.table.clone(), key))?.item);
            }
            Ok(())
        })
    }

    /// Returns iterators at the oldest records of all shards.
    pub(crate) fn iterators(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut iterators = Vec::new();
        for shard in self.db.shards(&self.stream_arn)? {
            iterators.push(self.db.get_shard_iterator(&GetShardIteratorInput {
                stream_arn: self.stream_arn.clone(),
                shard_id: shard.shard_id,
                shard_iterator_type: ShardIteratorType::TrimHorizon,
            })?);
        }
        Ok(iterators)
    }

    /// Reads a page of records as stored text; returns how many there were, the bytes of their texts, and the next
    /// iterator.
    pub(crate) fn page(&self, iterator: &str) -> Result<(u64, u64, Option<String>), Box<dyn Error>> {
        let mut text = String::new();
        let mut seen = 0;
        let next = self.db.get_records_with(iterator, None, &mut |_, record| {
            seen += 1;
            text.push_str(record.keys);
            text.push_str(record.old_image.unwrap_or_default());
            text.push_str(record.new_image.unwrap_or_default());
            Ok(())
        })?;
        Ok((seen, std::hint::black_box(text).len() as u64, next))
    }

    /// Reads all records, handing each page's iterator to `each`; returns how many there were and the bytes of their texts.
    pub(crate) fn drain(&self, each: &mut dyn FnMut(&str)) -> Result<(u64, u64), Box<dyn Error>> {
        let (mut records, mut bytes) = (0, 0);
        for mut iterator in self.iterators()? {
            loop {
                let (seen, length, next) = self.page(&iterator)?;
                (records, bytes) = (records + seen, bytes + length);
                match next {
                    Some(next) if seen > 0 => {
                        each(&iterator);
                        iterator = next;
                    }
                    _ => break,
                }
            }
        }
        Ok((records, bytes))
    }
}

/// Creates a table with a stream of both images.
pub(crate) fn create_table(db: &Pretender, name: &TableName) -> Result<StreamArn, Box<dyn Error>> {
    let description = db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
        ..CreateTableInput::new(name.clone(), ("pk", ScalarType::S), None)
    })?;
    Ok(description.latest_stream_arn.ok_or("the table has no stream")?)
}
