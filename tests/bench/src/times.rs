//! Iterators at a time: the cost must not grow with the shard.

use std::error::Error;
use std::hint::black_box;

use pretender::Durability;
use pretender::streams::{GetShardIteratorInput, ShardIteratorType};
use pretender::time::{Clock, EpochMillis};

use crate::cost::{Cost, measure};
use crate::ours::Ours;
use crate::report::{Pair, Report, median};
use crate::sizes::Sizes;
use crate::work::Work;

const WORK: Work = Work { item_bytes: 200, keys: 1_000 };
const FEW: u64 = 1_000;
const CALLS: u64 = 2_000;

/// A database with one shard, and the time in which its records were made.
struct Filled {
    ours: Ours,
    begin: EpochMillis,
    end: EpochMillis,
}

impl Filled {
    fn with(folder: &tempfile::TempDir, records: u64) -> Result<Self, Box<dyn Error>> {
        let path = folder.path().join(format!("{records}.db"));
        let ours = Ours::open(Some(&path), Durability::Normal)?;
        let begin = ours.clock.now();
        ours.fill(&WORK, 0, records)?;
        let end = ours.clock.now();
        Ok(Self { ours, begin, end })
    }

    /// Asks for iterators of a type, which may depend on a time that goes from the first record to the last.
    fn iterators(&self, kind: impl Fn(EpochMillis) -> ShardIteratorType) -> Result<Cost, Box<dyn Error>> {
        let db = &self.ours.db;
        let shard_id = db.shards(&self.ours.stream_arn)?.remove(0).shard_id;
        let span = self.end.0 - self.begin.0;
        measure(CALLS, || {
            (0..CALLS as i64).try_for_each(|nth| {
                let time = EpochMillis(self.begin.0 + span * nth / CALLS as i64);
                black_box(db.get_shard_iterator(&GetShardIteratorInput {
                    stream_arn: self.ours.stream_arn.clone(),
                    shard_id: shard_id.clone(),
                    shard_iterator_type: kind(time),
                })?);
                Ok(())
            })
        })
    }
}

/// Iterators at times all over a long shard, beside those of a short one.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    println!("Times: GetShardIterator in process, in shards of different length");
    let folder = tempfile::tempdir()?;
    let few = Filled::with(&folder, FEW)?;
    let many = Filled::with(&folder, sizes.records)?;
    let records = sizes.records;
    let mut pairs = Vec::new();
    for _ in 0..sizes.turns {
        pairs.push((
            many.iterators(ShardIteratorType::AtTimestamp)?,
            few.iterators(ShardIteratorType::AtTimestamp)?,
        ));
    }
    let cpu = |of: fn(&(Cost, Cost)) -> Cost| median(pairs.iter().map(|pair| of(pair).cpu_us));
    report.footprint(&format!("AT_TIMESTAMP among {FEW} records"), cpu(|pair| pair.1), "us");
    report.footprint(&format!("AT_TIMESTAMP among {records} records"), cpu(|pair| pair.0), "us");
    let latest = many.iterators(|_| ShardIteratorType::Latest)?;
    report.footprint(&format!("LATEST among {records} records"), latest.cpu_us, "us");
    let pairs: Vec<Pair> = pairs.into_iter().map(|(many, few)| Pair::of(many, few)).collect();
    report.share(&format!("an iterator at a time among {records} records; beside {FEW}"), &pairs);
    Ok(())
}
