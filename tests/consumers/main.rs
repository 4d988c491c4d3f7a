//! Common mistakes in consumers of streams, each of them found by a short test: `docs/testing-consumers.md`.
//!
//! Each scenario must pass with a correct consumer, and fail with a consumer that makes its mistake.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod consumer;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use consumer::{Consumer, Mistake, World};
use pretender::Pretender;
use pretender::faults::{Fault, FaultKind, OperationGroup};
use pretender::items::{EncodedItems, PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification, UpdateTableInput};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A table with a stream, a clock that stands, a consumer, and what it does.
struct Scenario {
    db: Pretender,
    clock: Arc<ManualClock>,
    table: TableName,
    stream: StreamArn,
    consumer: Consumer,
    world: World,
    /// How many changes were made.
    changes: usize,
}

impl Scenario {
    fn new(mistake: Option<Mistake>) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        let db = Pretender::builder().in_memory().clock(clock.clone()).sweep_interval(None).open().unwrap();
        let table = TableName::new("orders").unwrap();
        let description = db
            .create_table(CreateTableInput {
                stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
                ..CreateTableInput::new(table.clone(), ("id", ScalarType::S), None)
            })
            .unwrap();
        let stream = description.latest_stream_arn.unwrap();
        let consumer = Consumer::new(&table, mistake);
        Self { db, clock, table, stream, consumer, world: World::default(), changes: 0 }
    }

    /// Writes this version of twenty orders; their keys lie in both halves of a split shard.
    fn write(&mut self, version: u32) {
        for order in 0..20 {
            let item = Item::new().with("id", format!("order-{order}")).with("version", i64::from(version));
            self.db.put_item(PutItemInput::new(self.table.clone(), item)).unwrap();
            self.changes += 1;
        }
    }

    fn poll(&mut self) -> Result<(), String> {
        self.consumer.poll(&self.db, &mut self.world).map_err(|error| error.to_string())
    }

    /// Time passes, and with it everything that is due.
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.db.run_due_work().unwrap();
    }

    fn inject(&self, fault: Fault) {
        self.db.faults().add(fault).unwrap();
    }

    fn split(&self) {
        self.db.split_shards(&self.stream, None).unwrap();
    }

    fn restart(mut self) -> Self {
        self.consumer = self.consumer.restarted();
        self
    }

    fn renew_stream(&self) {
        for specification in
            [StreamSpecification::disabled(), StreamSpecification::enabled(StreamViewType::NewAndOldImages)]
        {
            let input = UpdateTableInput {
                stream_specification: Some(specification),
                ..UpdateTableInput::new(self.table.clone())
            };
            self.db.update_table(input).unwrap();
            self.clock.advance(Duration::from_secs(1));
        }
    }

    /// The copy is the table.
    fn expect_copy(&self) -> Result<(), String> {
        let scan = self.db.scan(ScanInput::new(self.table.clone())).unwrap();
        let items = scan.items.iter().flat_map(EncodedItems::iter);
        let items: Vec<Value> = items.map(|item| serde_json::from_str(item.json()).unwrap()).collect();
        let table: BTreeMap<&str, &Value> =
            items.iter().map(|item| (item["id"]["S"].as_str().unwrap(), item)).collect();
        let copy: BTreeMap<&str, &Value> =
            self.world.copy.values().map(|item| (item["id"]["S"].as_str().unwrap(), item)).collect();
        if copy == table { Ok(()) } else { Err(format!("the copy differs: {copy:?}, not {table:?}")) }
    }

    /// There is one letter for each change.
    fn expect_letters(&self) -> Result<(), String> {
        let letters = self.world.letters.len();
        if letters == self.changes {
            Ok(())
        } else {
            Err(format!("{letters} letters for {} changes", self.changes))
        }
    }
}

fn a_shard_is_split(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.poll()?;
    scenario.split();
    scenario.write(2);
    scenario.poll()?;
    scenario.expect_copy()
}

fn it_begins_behind_a_split(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.split();
    scenario.write(2);
    scenario.poll()?;
    scenario.expect_copy()
}

fn nothing_happens_for_a_while(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.poll()?;
    scenario.write(1);
    scenario.poll()?;
    scenario.expect_copy()
}

fn it_is_paused_for_16_minutes(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.poll()?;
    scenario.pass(16 * MINUTE);
    scenario.write(2);
    scenario.poll()?;
    scenario.expect_copy()
}

fn it_is_down_for_a_day(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.poll()?;
    scenario.write(2);
    scenario.pass(25 * HOUR);
    scenario = scenario.restart();
    scenario.write(3);
    scenario.poll()?;
    if !scenario.world.told_of_loss {
        return Err("twenty changes were lost, and nobody was told".to_owned());
    }
    scenario.expect_copy()
}

fn it_dies_before_it_saved(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.consumer.dies_before_saving = true;
    scenario.poll()?;
    scenario = scenario.restart();
    scenario.poll()?;
    scenario.expect_letters()
}

fn the_stream_is_renewed(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.poll()?;
    scenario.write(2);
    scenario.renew_stream();
    scenario.write(3);
    scenario.poll()?;
    scenario.expect_letters()?;
    scenario.expect_copy()
}

fn a_record_comes_twice(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.inject(Fault::new(FaultKind::Duplicate).times(1));
    scenario.poll()?;
    scenario.expect_letters()
}

fn a_page_is_empty_before_the_end(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.inject(Fault::new(FaultKind::EmptyPage).times(1));
    scenario.poll()?;
    scenario.poll()?;
    scenario.expect_copy()
}

fn calls_fail_now_and_then(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    for (seed, kind) in [FaultKind::Throttling, FaultKind::InternalError].into_iter().enumerate() {
        scenario.inject(Fault::new(kind).on(OperationGroup::Streams).probability(0.3).seed(seed as u64));
    }
    scenario.inject(Fault::new(FaultKind::LimitExceeded).times(2));
    scenario.poll()?;
    scenario.split();
    scenario.write(2);
    scenario.poll()?;
    scenario.expect_letters()?;
    scenario.expect_copy()
}

fn something_was_written_before(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.write(1);
    scenario.poll()?;
    scenario.expect_copy()
}

fn two_shards_are_open(mistake: Option<Mistake>) -> Result<(), String> {
    let mut scenario = Scenario::new(mistake);
    scenario.split();
    scenario.write(1);
    scenario.poll()?;
    scenario.expect_copy()
}

type Check = fn(Option<Mistake>) -> Result<(), String>;

/// Each scenario, the mistake it is about, and what it says of it.
const SCENARIOS: [(Check, Mistake, &str); 12] = [
    (a_shard_is_split, Mistake::FirstShardsOnly, "the copy differs"),
    (it_begins_behind_a_split, Mistake::AnyOrder, "the copy differs"),
    (nothing_happens_for_a_while, Mistake::EmptyPageIsTheEnd, "the copy differs"),
    (it_is_paused_for_16_minutes, Mistake::KeepsIterators, "ExpiredIteratorException"),
    (it_is_down_for_a_day, Mistake::NothingIsTrimmed, "TrimmedDataAccessException"),
    (it_dies_before_it_saved, Mistake::ActsTwice, "40 letters for 20 changes"),
    (the_stream_is_renewed, Mistake::OneStreamForEver, "40 letters for 60 changes"),
    (a_record_comes_twice, Mistake::ActsTwice, "21 letters for 20 changes"),
    (a_page_is_empty_before_the_end, Mistake::EmptyPageIsTheEnd, "the copy differs"),
    (calls_fail_now_and_then, Mistake::NeverTriesAgain, "Exception: Rate exceeded"),
    (something_was_written_before, Mistake::BeginsAtLatest, "the copy differs: {}"),
    (two_shards_are_open, Mistake::OneOrderForAll, "the copy differs"),
];

#[test]
fn a_consumer_without_mistakes_passes_every_scenario() {
    for (scenario, mistake, _) in SCENARIOS {
        let result = scenario(None);
        assert_eq!(result, Ok(()), "the scenario of {mistake:?}");
    }
}

#[test]
fn each_scenario_fails_on_the_consumer_that_makes_its_mistake() {
    for (scenario, mistake, text) in SCENARIOS {
        let Err(found) = scenario(Some(mistake)) else { panic!("{mistake:?} went unnoticed") };
        assert!(found.contains(text), "{mistake:?}: {found}");
    }
}
