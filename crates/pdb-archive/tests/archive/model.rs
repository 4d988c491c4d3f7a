//! Random histories of a database, its archive and a consumer, against a list of all records.

use crate::harness::{DAY, Db, HOUR, MINUTE, orders, read};
use crate::objects::Failure;
use pretender::archive::FromArchive;
use pretender::prelude::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Advance(u16),
    SetBack(u16),
    Rotate,
    Split,
    Break(u8, bool),
    Mend,
    Reopen,
    Restream,
    Save,
    Restore,
    Consume,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..6_u8).prop_map(Step::Put),
        6 => (1..2_000_u16).prop_map(Step::Advance),
        1 => (1..200_u16).prop_map(Step::SetBack),
        2 => Just(Step::Rotate),
        1 => Just(Step::Split),
        2 => (0..8_u8, any::<bool>()).prop_map(|(calls, after)| Step::Break(calls, after)),
        2 => Just(Step::Mend),
        2 => Just(Step::Reopen),
        1 => Just(Step::Restream),
        1 => Just(Step::Save),
        1 => Just(Step::Restore),
        4 => Just(Step::Consume),
    ]
}

/// The ARN of a stream, and a number in it.
type Place = (String, SequenceNumber);

struct Model {
    db: Db,
    /// All records that were ever written.
    written: BTreeMap<Place, StreamRecord>,
    /// Those that a restore has taken back before it was known whether they were archived.
    abandoned: BTreeSet<Place>,
    saved: Option<BTreeSet<Place>>,
    was_restored: bool,
    /// Whether shards were closed since the database was saved.
    was_rotated: bool,
    /// Whether a restore has opened shards again that the consumer had finished. If they are closed again before it looks, it does not read them,
    /// with an archive or without.
    were_reopened: bool,
    /// What the consumer has seen, in its order.
    seen: Vec<(String, StreamRecord)>,
    checkpoint: Checkpoint,
    writer: Checkpoint,
    shards: u32,
}

impl Model {
    fn new() -> Self {
        let mut model = Self {
            db: Db::new(),
            written: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            saved: None,
            was_restored: false,
            was_rotated: false,
            were_reopened: false,
            seen: Vec::new(),
            checkpoint: Checkpoint::default(),
            writer: Checkpoint::default(),
            shards: 1,
        };
        // Both begin with the first stream of the table.
        model.note_written();
        model.consume();
        model
    }

    /// Notes the records that were written since the last time; the clock has not moved since.
    fn note_written(&mut self) {
        // A subscription that does not follow goes on to the next stream when it is resumed.
        loop {
            let builder = self.db.pretender.subscribe().table("Orders").resume(self.writer.clone());
            let mut events = builder.start().unwrap();
            // A gap of this reader is a shard that a restore has taken back.
            for event in events.by_ref().flatten() {
                let place = (event.stream_arn.to_string(), event.record.sequence_number);
                if let Some(known) = self.written.insert(place, event.record.clone()) {
                    assert_eq!(known, event.record, "a number was given out twice");
                }
            }
            let before = std::mem::replace(&mut self.writer, events.checkpoint());
            if before == self.writer {
                return;
            }
        }
    }

    fn consume(&mut self) {
        loop {
            let builder = self.db.pretender.subscribe().from_archive().table("Orders");
            let mut events = builder.resume(self.checkpoint.clone()).start().unwrap();
            for event in events.by_ref() {
                match event {
                    Ok(event) => self.seen.push((event.stream_arn.to_string(), event.record)),
                    Err(TailError::Trimmed { .. }) if self.was_restored => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            let read: Checkpoint = events.checkpoint().to_string().parse().unwrap();
            let before = std::mem::replace(&mut self.checkpoint, read);
            if before == self.checkpoint {
                return;
            }
        }
    }

    fn apply(&mut self, step: &Step) {
        self.was_rotated |= matches!(step, Step::Rotate | Step::Split | Step::Restream);
        match step {
            Step::Put(key) => {
                self.db.put(&format!("k{key}"));
                self.note_written();
            }
            Step::Advance(minutes) => self.db.advance(u32::from(*minutes) * MINUTE),
            Step::SetBack(minutes) => {
                let now = self.db.clock.now().minus(u32::from(*minutes) * MINUTE);
                self.db.pretender.set_time(now).unwrap();
            }
            Step::Rotate => drop(self.db.pretender.rotate_shards(&self.db.arn(), None).unwrap()),
            Step::Split if self.shards < 4 => {
                self.shards *= 2;
                self.db.pretender.split_shards(&self.db.arn(), None).unwrap();
            }
            Step::Split => {}
            Step::Break(calls, after) => {
                let how = if *after { Failure::After } else { Failure::Before };
                self.db.objects.fail_after(i64::from(*calls), how);
            }
            Step::Mend => self.db.objects.mend(),
            Step::Reopen => self.db.reopen(),
            Step::Restream => {
                // A subscription goes on in a stream with a later label.
                let newest = self.db.arn().label.moment();
                self.db.clock.set(self.db.clock.now().max(newest).plus(MINUTE));
                self.set_stream(None);
                self.db.clock.advance(MINUTE);
                self.set_stream(Some(StreamViewType::NewImage));
                self.shards = 1;
            }
            Step::Save => {
                self.db.pretender.save_snapshot("s").unwrap();
                self.was_rotated = false;
                self.saved = Some(self.written.keys().cloned().collect());
            }
            Step::Restore => {
                let Some(saved) = &self.saved else { return };
                let lost = self.written.keys().filter(|place| !saved.contains(place));
                self.abandoned.extend(lost.cloned());
                self.db.pretender.restore_snapshot("s").unwrap();
                self.was_restored = true;
                self.were_reopened |= self.was_rotated;
                self.shards = 4;
            }
            Step::Consume => {
                self.db.objects.mend();
                self.consume();
            }
        }
    }

    fn set_stream(&self, view_type: Option<StreamViewType>) {
        let specification = view_type.map_or(StreamSpecification::disabled(), StreamSpecification::enabled);
        let input =
            UpdateTableInput { stream_specification: Some(specification), ..UpdateTableInput::new(orders()) };
        self.db.pretender.update_table(input).unwrap();
    }

    /// Checks what somebody has read from the beginning.
    fn check(&self, what: &str, records: &[(String, StreamRecord)], may_repeat: bool) {
        let mut seen = BTreeSet::new();
        let mut last_of_key: BTreeMap<&str, Place> = BTreeMap::new();
        for (stream, record) in records {
            let place = (stream.clone(), record.sequence_number);
            assert_eq!(self.written.get(&place), Some(record), "{what} has a record that was never written");
            assert!(seen.insert(place.clone()) || may_repeat, "{what} has {place:?} twice");
            // What a restore has taken back has its place in an order that nobody has seen.
            if !may_repeat && !self.abandoned.contains(&place) {
                let before = last_of_key.insert(record.keys.json(), place.clone());
                assert!(before.is_none_or(|before| before < place), "{what}: order");
            }
        }
        if may_repeat && self.were_reopened {
            return;
        }
        let missing =
            self.written.keys().find(|place| !seen.contains(place) && !self.abandoned.contains(place));
        assert_eq!(missing, None, "{what} lacks a record, of {}", self.written.len());
    }
}

/// Reads all streams of the table from the archive alone.
fn all_streams(db: &Db) -> Vec<(String, StreamRecord)> {
    let mut all = Vec::new();
    for arn in db.reader().streams("Orders").unwrap().iter().rev() {
        let (records, errors) = db.read_archive(arn);
        assert_eq!(errors, [""; 0]);
        all.extend(records.into_iter().map(|record| (arn.to_string(), record)));
    }
    all
}

fn check(steps: &[Step]) {
    let mut model = Model::new();
    steps.iter().for_each(|step| model.apply(step));
    model.db.objects.mend();
    // The clock may have been set back: records of the future have to become old, too.
    model.db.advance(HOUR);
    model.consume();
    model.check("the consumer", &model.seen, model.was_restored);
    model.db.advance(4 * DAY);
    model.db.advance(4 * DAY);
    let status = model.db.pretender.archive_status().unwrap();
    assert_eq!((status.lost_records, status.oldest_waiting, status.last_error), (0, None, None));
    assert_eq!(read(model.db.pretender.subscribe().table("Orders")).0, [], "all is trimmed");
    model.check("the archive", &all_streams(&model.db), false);
    let before = model.seen.len();
    model.consume();
    assert_eq!(model.seen[before..], [], "nothing is new");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// After any history, the archive has each record once, and so has a consumer that reads over archive and live stream.
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(steps in prop::collection::vec(any_step(), 1..40)) {
        check(&steps);
    }
}
