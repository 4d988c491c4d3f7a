//! The walk by itself: a consumer that processes each page at once, or never.

use super::fake::{Change, FakeSource};
use crate::tail::*;
use pdb_model::EpochMillis;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A walker and what a consumer of it has seen.
struct Walk<'s> {
    source: &'s FakeSource,
    walker: ShardWalker,
    shards: Vec<Arc<str>>,
    seen: Vec<Change>,
    gaps: BTreeSet<Arc<str>>,
}

impl<'s> Walk<'s> {
    fn of(source: &'s FakeSource, arn: &str) -> Self {
        let walker = ShardWalker::new(arn, StreamProgress::new());
        Self { source, walker, shards: Vec::new(), seen: Vec::new(), gaps: BTreeSet::new() }
    }

    fn at_time(source: &'s FakeSource, arn: &str, time: EpochMillis) -> Self {
        Self { walker: ShardWalker::at_time(source, arn, time).unwrap(), ..Self::of(source, arn) }
    }

    /// Begins anew from what was noted.
    fn restart(&mut self) {
        self.take_gaps();
        self.walker = ShardWalker::new(&self.walker.stream_arn().clone(), self.walker.progress().clone());
        self.shards.clear();
    }

    fn look(&mut self) -> Result<(), SourceError> {
        let shards = &mut self.shards;
        self.walker.look(self.source, |shard_id| shards.push(shard_id.clone()))
    }

    fn look_for_successor(&mut self) -> Result<Option<String>, SourceError> {
        let shards = &mut self.shards;
        self.walker.look_for_successor(self.source, "T", |shard_id| shards.push(shard_id.clone()))
    }

    /// Reads one page of the n-th shard, notes its records and finishes the shard at its end.
    fn read(&mut self, n: usize, limit: u32) -> Result<(), SourceError> {
        let Some(shard_id) = self.shards.get(n % self.shards.len().max(1)).cloned() else { return Ok(()) };
        match self.walker.read(self.source, &shard_id, Some(limit))? {
            ShardRead::Records(records) => {
                let last = records.last().expect("records").sequence_number();
                self.walker.note(&shard_id, ShardProgress::After(last));
                self.seen.extend(records);
            }
            ShardRead::Ended => {
                self.walker.finish(&shard_id);
                self.shards.retain(|of_list| *of_list != shard_id);
            }
            ShardRead::Empty | ShardRead::Repositioned => {}
        }
        self.take_gaps();
        Ok(())
    }

    /// Reads until every shard that is left has answered a few empty pages.
    fn read_all(&mut self) -> String {
        let before = self.seen.len();
        for _ in 0..300 {
            let _ = self.look();
            for n in 0..self.shards.len() {
                let _ = self.read(n, 1000);
            }
        }
        self.take_gaps();
        let shown = self.seen[before..].iter().map(|change| format!("{}.{}", change.key, change.n));
        shown.collect::<Vec<_>>().join(" ")
    }

    fn take_gaps(&mut self) -> usize {
        let gaps = self.walker.take_gaps();
        let count = gaps.len();
        self.gaps.extend(gaps);
        count
    }
}

#[test]
fn a_shard_begins_when_its_parent_is_finished_not_when_it_is_read() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.replace(&arn, 0, 2);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    let parent = walk.shards[0].clone();
    while !walk.walker.is_at_end(&parent) {
        walk.walker.read(&source, &parent, None).unwrap();
    }
    walk.look().unwrap();
    assert_eq!(walk.shards.len(), 1);
    walk.walker.finish(&parent);
    assert!(walk.walker.must_look());
    walk.look().unwrap();
    assert_eq!(walk.shards.len(), 3);
    assert!(!walk.walker.must_look());
}

#[test]
fn an_iterator_that_expires_is_replaced_behind_what_was_read_not_what_was_noted() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.write(&arn, 2);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    let shard_id = walk.shards[0].clone();
    let mut read = || walk.walker.read(&source, &shard_id, Some(1)).unwrap();
    assert!(matches!(read(), ShardRead::Records(records) if records[0].key == 1));
    source.expire_iterators();
    assert_eq!(read(), ShardRead::Repositioned);
    assert!(matches!(read(), ShardRead::Records(records) if records[0].key == 2));
    // Nothing was noted, so a consumer that is started again reads both.
    walk.restart();
    assert_eq!(walk.read_all(), "1.0 2.0");
}

#[test]
fn a_walk_from_a_time_begins_there_in_every_shard_that_there_is() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    for n in 0..12 {
        source.write(&arn, n * 20);
        if n % 3 == 2 {
            source.replace(&arn, usize::from(n) % 2, 1 + u16::from(n) % 2);
        }
    }
    let times: Vec<i64> =
        source.changes(&arn).iter().map(|change| change.sequence_number().parse().unwrap()).collect();
    let (oldest, newest) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
    for time in oldest - 1..=newest + 1 {
        let expected = times.iter().filter(|number| **number >= time).count();
        let mut walk = Walk::at_time(&source, &arn, EpochMillis(time));
        walk.read_all();
        let seen: BTreeSet<i64> =
            walk.seen.iter().map(|change| change.sequence_number().parse().unwrap()).collect();
        assert_eq!((seen.len(), walk.seen.len()), (expected, expected), "{time}");
        assert!(seen.iter().all(|number| *number >= time) && walk.gaps.is_empty(), "{time}");
    }
}

#[test]
fn a_walk_from_a_time_is_resumed_and_reads_new_shards_whole() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    // Later than all that is there.
    let mut walk = Walk::at_time(&source, &arn, EpochMillis(1_000));
    assert_eq!(walk.read_all(), "");
    // The iterator dies, and the process, before there is a record.
    source.expire_iterators();
    let text = Checkpoint::of_stream(&arn, walk.walker.progress().clone()).to_string();
    assert!(text.contains(r#"{"since":1000}"#), "{text}");
    let progress = text.parse::<Checkpoint>().unwrap().stream(&arn).unwrap().clone();
    assert_eq!(progress, *walk.walker.progress());
    source.replace(&arn, 0, 2);
    source.write(&arn, 2);
    walk.restart();
    assert_eq!(walk.read_all(), "2.0");
    assert_eq!(walk.take_gaps(), 0);
}

#[test]
fn a_shard_that_vanishes_before_it_is_read_from_a_time_is_no_gap() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.replace(&arn, 0, 1);
    source.write(&arn, 2);
    let mut walk = Walk::at_time(&source, &arn, EpochMillis(0));
    source.trim_closed(&arn, 0, true);
    assert_eq!(walk.read_all(), "2.0");
    assert!(walk.gaps.is_empty());
}

#[test]
fn a_gap_is_told_once_also_if_no_iterator_can_be_had_for_a_while() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.write(&arn, 2);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    walk.read(0, 1).unwrap();
    source.trim(&arn, 0, false);
    source.write(&arn, 3);
    source.faults.borrow_mut().failed_iterators = 2;
    let shard_id = walk.shards[0].clone();
    for expected_gaps in [1, 0] {
        assert!(matches!(walk.walker.read(&source, &shard_id, None), Err(SourceError::Failed(_))));
        assert_eq!(walk.take_gaps(), expected_gaps);
    }
    assert_eq!(walk.walker.read(&source, &shard_id, None).unwrap(), ShardRead::Repositioned);
    assert_eq!(walk.read_all(), "3.0");
    assert_eq!(walk.take_gaps(), 0);
}

#[test]
fn a_trim_horizon_that_is_called_trimmed_is_an_error_not_a_loop() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    walk.read(0, 1).unwrap();
    source.expire_iterators();
    source.faults.borrow_mut().trimmed_iterators = 2;
    assert!(matches!(walk.read(0, 1), Err(SourceError::Trimmed)));
    assert_eq!(walk.take_gaps(), 1);
    source.write(&arn, 2);
    assert_eq!(walk.read_all(), "1.0 2.0");
}

#[test]
fn a_stream_of_the_same_arn_is_read_again() {
    for is_read in [false, true] {
        let source = FakeSource::default();
        let arn = source.enable("T");
        source.write(&arn, 1);
        let mut walk = Walk::of(&source, &arn);
        assert_eq!(walk.read_all(), "1.0");
        if is_read {
            // Its shards are still listed, as finished ones, when the stream is over.
            source.disable(&arn);
            walk.read_all();
            assert!(walk.walker.is_over() && !walk.walker.is_gone());
        }
        source.purge(&arn);
        if !is_read {
            walk.read_all();
            assert!(walk.walker.is_gone());
        }
        assert_eq!(walk.look_for_successor().unwrap(), None);
        assert!(walk.walker.is_over());
        source.enable_as("T", arn.clone());
        source.write(&arn, 2);
        assert_eq!(walk.look_for_successor().unwrap(), None);
        assert!(!walk.walker.is_over());
        assert_eq!(walk.read_all(), "2.0", "read to its end before: {is_read}");
    }
}

#[test]
fn a_stream_that_is_live_again_is_read_again_from_its_open_shards() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.replace(&arn, 0, 1);
    source.write(&arn, 2);
    let snapshot = source.snapshot();
    let mut walk = Walk::of(&source, &arn);
    source.disable(&arn);
    assert_eq!(walk.read_all(), "1.0 2.0");
    assert!(walk.walker.is_over());
    source.restore(&snapshot);
    source.write(&arn, 3);
    assert_eq!(walk.look_for_successor().unwrap(), None);
    // The closed shard stays finished. Of the open one all is read again: better than to miss something.
    assert_eq!(walk.read_all(), "2.0 3.0");
}

#[test]
fn a_list_that_is_older_than_a_page_opens_nothing_again() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    let before = source.snapshot();
    source.replace(&arn, 0, 1);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    while !walk.shards.is_empty() {
        walk.read(0, 1).unwrap();
    }
    // The description still shows the shard as open, and no child.
    source.faults.borrow_mut().old_descriptions = (1, before);
    walk.look().unwrap();
    assert!(walk.shards.is_empty() && walk.walker.must_look());
    source.write(&arn, 2);
    assert_eq!(walk.read_all(), "2.0");
    assert_eq!(walk.seen.len(), 2);
}

#[test]
fn an_old_list_is_looked_at_again_although_another_shard_is_being_read() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.replace(&arn, 0, 2);
    let before = source.snapshot();
    let mut walk = Walk::of(&source, &arn);
    walk.read_all();
    source.replace(&arn, 0, 1);
    source.write(&arn, 1);
    walk.read(0, 1000).unwrap();
    source.faults.borrow_mut().old_descriptions = (1, before);
    walk.look().unwrap();
    assert_eq!(walk.shards.len(), 1);
    assert!(walk.walker.must_look(), "the list lacks the child of the shard that has ended");
    assert_eq!(walk.read_all(), "1.0");
}

#[test]
fn a_shard_is_read_again_if_the_database_goes_back_before_its_end_was_looked_at() {
    // By itself, or beside another shard that is being read.
    for shards in [1, 2] {
        let source = FakeSource::default();
        let arn = source.enable("T");
        source.replace(&arn, 0, shards);
        source.write(&arn, 1);
        let snapshot = source.snapshot();
        let mut walk = Walk::of(&source, &arn);
        assert_eq!(walk.read_all(), "1.0");
        source.replace(&arn, 0, 1);
        walk.read(0, 1000).unwrap();
        source.restore(&snapshot);
        source.write(&arn, 2);
        assert_eq!(walk.read_all(), "2.0", "{shards} shards");
    }
}

#[test]
fn a_shard_is_read_on_if_it_was_open_again_before_its_end_was_looked_at() {
    // The consumer goes on, or another one does from its checkpoint; behind records, or in an empty shard.
    for (is_resumed, has_records) in [(false, false), (false, true), (true, false), (true, true)] {
        let source = FakeSource::default();
        let arn = source.enable("T");
        if has_records {
            source.write(&arn, 1);
        }
        let snapshot = source.snapshot();
        let mut walk = Walk::of(&source, &arn);
        walk.read_all();
        source.replace(&arn, 0, 1);
        walk.read(0, 1000).unwrap();
        assert!(walk.shards.is_empty(), "the end was read");
        source.restore(&snapshot);
        source.write(&arn, 2);
        source.replace(&arn, 0, 2);
        source.write(&arn, 3);
        if is_resumed {
            walk.restart();
        }
        assert_eq!(walk.read_all(), "2.0 3.0", "resumed: {is_resumed}, records: {has_records}");
        assert_eq!(walk.read_all(), "");
    }
}

#[test]
fn a_finished_shard_is_read_again_if_it_was_open_again_and_is_closed() {
    for is_resumed in [false, true] {
        let source = FakeSource::default();
        let arn = source.enable("T");
        source.write(&arn, 1);
        let snapshot = source.snapshot();
        source.replace(&arn, 0, 1);
        let mut walk = Walk::of(&source, &arn);
        assert_eq!(walk.read_all(), "1.0");
        source.restore(&snapshot);
        source.write(&arn, 2);
        source.replace(&arn, 0, 1);
        source.write(&arn, 3);
        if is_resumed {
            let text = Checkpoint::of_stream(&arn, walk.walker.progress().clone()).to_string();
            let checkpoint: Checkpoint = text.parse().unwrap();
            walk.walker = ShardWalker::new(&arn, checkpoint.stream(&arn).unwrap().clone());
            walk.shards.clear();
        }
        // A shard that is begun anew is read whole.
        assert_eq!(walk.read_all(), "1.0 2.0 3.0", "resumed: {is_resumed}");
        assert_eq!(walk.read_all(), "");
    }
}

#[test]
fn a_shard_that_was_open_again_is_read_on_although_what_was_read_is_trimmed() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let snapshot = source.snapshot();
    source.write(&arn, 1);
    source.replace(&arn, 0, 1);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    while !walk.shards.is_empty() {
        walk.read(0, 1000).unwrap();
    }
    source.restore(&snapshot);
    source.write(&arn, 2);
    source.trim(&arn, 0, false);
    source.write(&arn, 1);
    source.replace(&arn, 0, 1);
    source.write(&arn, 1);
    assert_eq!(walk.read_all(), "1.0 1.1", "of the second past, in its order");
    assert_eq!(walk.gaps.len(), 1);
}

#[test]
fn the_end_of_a_shard_may_follow_an_empty_page() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.write(&arn, 1);
    source.replace(&arn, 0, 1);
    let mut walk = Walk::of(&source, &arn);
    walk.look().unwrap();
    while !walk.shards.is_empty() {
        walk.read(0, 1).unwrap();
    }
    // The walker asks once more whether something is behind the last page.
    source.faults.borrow_mut().late_ends = 1;
    walk.look().unwrap();
    assert_eq!(source.faults.borrow().late_ends, 0);
    assert_eq!(walk.shards.len(), 1, "the child");
    source.write(&arn, 2);
    assert_eq!(walk.read_all(), "2.0");
}

#[test]
fn the_successor_is_the_next_stream_not_the_newest() {
    let source = FakeSource::default();
    let first = source.enable("T");
    let mut walk = Walk::of(&source, &first);
    walk.read_all();
    assert_eq!(walk.look_for_successor().unwrap(), None);
    source.disable(&first);
    let second = source.enable("T");
    source.disable(&second);
    source.enable("T");
    walk.read_all();
    source.faults.borrow_mut().failed_listings = 1;
    assert!(walk.look_for_successor().is_err());
    assert!(walk.walker.must_look());
    assert_eq!(walk.look_for_successor().unwrap(), Some(second));
    assert!(!walk.walker.must_look());
}

#[test]
fn a_stream_from_before_is_the_successor_also_if_it_ended_again() {
    let source = FakeSource::default();
    let first = source.enable("T");
    let snapshot = source.snapshot();
    source.disable(&first);
    let second = source.enable("T");
    let mut walk = Walk::of(&source, &second);
    walk.read_all();
    source.restore(&snapshot);
    source.disable(&first);
    let third = source.enable_as("T", "arn:T/stream/0005".to_owned());
    assert!(third > second);
    walk.read_all();
    assert_eq!(walk.look_for_successor().unwrap(), Some(first.clone()));
    let mut walk = Walk::of(&source, &first);
    walk.read_all();
    assert_eq!(walk.look_for_successor().unwrap(), Some(third));
}

#[test]
fn a_stream_from_before_is_the_successor_if_the_database_went_back_to_it() {
    let source = FakeSource::default();
    let first = source.enable("T");
    source.write(&first, 1);
    let snapshot = source.snapshot();
    source.disable(&first);
    let second = source.enable("T");
    let mut walk = Walk::of(&source, &second);
    walk.read_all();
    source.restore(&snapshot);
    source.write(&first, 2);
    walk.read_all();
    assert!(walk.walker.is_gone());
    assert_eq!(walk.look_for_successor().unwrap(), Some(first.clone()));

    // A subscription goes back to what it had read of that stream.
    source.restore(&snapshot);
    let mut subscription = Subscription::builder(&source).table("T").start().unwrap();
    let mut read = || subscription.by_ref().map(|event| event.ok().map(|event| event.record.key)).collect();
    let seen: Vec<Option<u8>> = read();
    assert_eq!(seen, [Some(1)]);
    source.disable(&first);
    source.enable("T");
    let seen: Vec<Option<u8>> = read();
    assert_eq!(seen, []);
    let checkpoint = subscription.checkpoint();
    let mut resumed = Subscription::builder(&source).table("T").resume(checkpoint).start().unwrap();
    assert_eq!(resumed.by_ref().count(), 0);
    source.restore(&snapshot);
    source.write(&first, 3);
    let checkpoint = resumed.checkpoint();
    let resumed = Subscription::builder(&source).table("T").resume(checkpoint).start().unwrap();
    let keys: Vec<u8> = resumed.filter_map(|event| event.ok().map(|event| event.record.key)).collect();
    // All of the shard that is open again: better than to miss something.
    assert_eq!(keys, [1, 3]);
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8),
    Replace { nth: usize, children: u16 },
    Read { nth: usize, limit: u32 },
    Look,
    Restart,
    Expire,
    Trim { nth: usize, drop: bool },
    EmptyPages(u32),
    Throttle(u32),
    Fail(u32),
    HideIterators(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..=255).prop_map(Step::Write),
        2 => (0usize..4, 1u16..3).prop_map(|(nth, children)| Step::Replace { nth, children }),
        6 => (0usize..4, 1u32..4).prop_map(|(nth, limit)| Step::Read { nth, limit }),
        3 => Just(Step::Look),
        1 => Just(Step::Restart),
        1 => Just(Step::Expire),
        1 => (0usize..8, any::<bool>()).prop_map(|(nth, drop)| Step::Trim { nth, drop }),
        1 => (0u32..3).prop_map(Step::EmptyPages),
        1 => (0u32..3).prop_map(Step::Throttle),
        1 => (0u32..3).prop_map(Step::Fail),
        1 => (0u32..3).prop_map(Step::HideIterators),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: pdb_testkit::rounds(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Each change is read once and in the order of its item, unless it was trimmed before. A shard of which only a part was read has a gap.
    #[test]
    fn every_change_once_and_in_order_or_trimmed(steps in prop::collection::vec(any_step(), 0..80)) {
        let source = FakeSource::default();
        let arn = source.enable("T");
        let mut walk = Walk::of(&source, &arn);
        for step in steps {
            match step {
                Step::Write(key) => source.write(&arn, key),
                Step::Replace { nth, children } => source.replace(&arn, nth, children),
                Step::Read { nth, limit } => drop(walk.read(nth, limit)),
                Step::Look => drop(walk.look()),
                Step::Restart => walk.restart(),
                Step::Expire => source.expire_iterators(),
                Step::Trim { nth, drop } => source.trim_closed(&arn, nth, drop),
                Step::EmptyPages(count) => source.faults.borrow_mut().empty_pages = count,
                Step::Throttle(count) => source.faults.borrow_mut().throttled = count,
                Step::Fail(count) => {
                    let mut faults = source.faults.borrow_mut();
                    (faults.failed, faults.failed_iterators, faults.failed_descriptions) = (count, count, count);
                }
                // Only of shards that are to be begun: one that is read and not there has been lost.
                Step::HideIterators(count) => {
                    source.faults.borrow_mut().hidden_iterators = count;
                    drop(walk.look());
                    source.faults.borrow_mut().hidden_iterators = 0;
                }
            }
        }
        source.disable(&arn);
        walk.read_all();
        prop_assert!(walk.walker.is_over());
        for key in 0u8..=255 {
            let numbers: Vec<u64> =
                walk.seen.iter().filter(|change| change.key == key).map(|change| change.n).collect();
            prop_assert!(numbers.is_sorted_by(|a, b| a < b), "key {}: {:?}", key, numbers);
        }
        for (shard_id, kept, trimmed) in source.shards(&arn) {
            let is_seen = |change: &Change| walk.seen.contains(change);
            prop_assert!(kept.iter().all(is_seen), "{shard_id} lacks changes that were there");
            let has_begun = kept.iter().chain(&trimmed).any(is_seen);
            if has_begun && !trimmed.iter().all(is_seen) {
                prop_assert!(walk.gaps.contains(&*shard_id), "{shard_id} has a gap that was not told");
            }
        }
        for shard_id in &walk.gaps {
            let has_trimmed = |(id, _, trimmed): &(String, _, Vec<_>)| **id == **shard_id && !trimmed.is_empty();
            let is_told_rightly = source.shards(&arn).iter().any(has_trimmed) || source.is_unlisted(&arn, shard_id);
            prop_assert!(is_told_rightly, "{shard_id} has no gap");
        }
    }
}
