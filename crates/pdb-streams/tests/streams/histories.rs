//! Random histories against a simple model: what a reader of the whole lineage sees.

use crate::harness::{DAY, Db, key_of};
use pdb_model::{EpochMillis, StreamArn};
use pdb_streams::ShardIteratorType::TrimHorizon;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Write(u8),
    Rotate {
        split: bool,
    },
    /// Disables the stream and enables another.
    Renew,
    Advance(u32),
    /// Trims what has outlived the retention, as the sweep does, in steps of this size.
    Trim(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..8).prop_map(Step::Write),
        1 => any::<bool>().prop_map(|split| Step::Rotate { split }),
        1 => Just(Step::Renew),
        2 => (1u32..60 * 10).prop_map(Step::Advance),
        1 => (1u32..5).prop_map(Step::Trim),
    ]
}

/// What there was, in the simplest form: each stream's records with key and time.
#[derive(Default)]
struct Model {
    streams: Vec<ModelStream>,
}

struct ModelStream {
    arn: StreamArn,
    disabled: Option<EpochMillis>,
    records: Vec<(String, EpochMillis)>,
}

impl ModelStream {
    fn new(arn: StreamArn) -> Self {
        Self { arn, disabled: None, records: Vec::new() }
    }
}

fn trim(db: &Db, step: u32) {
    let cut = EpochMillis(db.test.env.clock.now().minus(DAY).0 + 1);
    db.test.write(move |tx| {
        for stream in tx.streams(None)? {
            for shard in tx.shards(stream.id)? {
                while let Some(through) = tx.last_created_before(&stream, shard.number, cut, step)? {
                    tx.trim_records(&stream, shard.number, through, step)?;
                }
            }
        }
        Ok(())
    });
}

/// Reads a stream's lineage with pages of this size and returns each key's times.
fn read(db: &Db, arn: &StreamArn, limit: u32) -> BTreeMap<String, Vec<EpochMillis>> {
    let mut seen: BTreeMap<String, Vec<EpochMillis>> = BTreeMap::new();
    for shard_id in db.shard_ids(arn) {
        let mut next = Some(db.iterator(arn, &shard_id, TrimHorizon).unwrap());
        let mut last = None;
        while let Some(iterator) = next {
            let page = db.streams.get_records(&iterator, Some(limit)).unwrap();
            for record in &page.records {
                assert!(last < Some(record.sequence_number));
                last = Some(record.sequence_number);
                seen.entry(key_of(&record.keys)).or_default().push(record.created);
            }
            next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(64)))]
    #[test]
    fn readers_see_what_is_young_and_nothing_else(
        steps in prop::collection::vec(any_step(), 0..60),
        shards in 1u64..4,
        limit in 1u32..7,
    ) {
        let db = Db::new();
        let mut model = Model::default();
        model.streams.push(ModelStream::new(db.enable_on("orders", shards)));
        for step in steps {
            let now = db.test.env.clock.now();
            let current = model.streams.last_mut().unwrap();
            match step {
                Step::Write(key) => {
                    let key = format!("key {key}");
                    db.write(&key);
                    current.records.push((key, now));
                }
                Step::Rotate { split } => db.rotate(split),
                Step::Renew => {
                    db.disable();
                    current.disabled = Some(now);
                    db.advance(Duration::from_millis(1));
                    model.streams.push(ModelStream::new(db.enable_on("orders", shards)));
                }
                Step::Advance(minutes) => db.advance(Duration::from_secs(60 * u64::from(minutes))),
                Step::Trim(step) => trim(&db, step),
            }
        }
        let now = db.test.env.clock.now();
        for ModelStream { arn, disabled, records } in &model.streams {
            if disabled.is_some_and(|disabled| disabled.plus(DAY) <= now) {
                prop_assert!(db.streams.describe_stream(&pdb_streams::DescribeStreamInput::new(arn.clone())).is_err());
                continue;
            }
            let mut expected: BTreeMap<String, Vec<EpochMillis>> = BTreeMap::new();
            for (key, created) in records.iter().filter(|(_, created)| created.plus(DAY) > now) {
                expected.entry(key.clone()).or_default().push(*created);
            }
            prop_assert_eq!(read(&db, arn, limit), expected);
        }
    }
}
