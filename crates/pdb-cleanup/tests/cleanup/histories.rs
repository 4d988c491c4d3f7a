//! Random histories of writes, rotations, sweeps and clock jumps: the stream always tells the story of its table.

use crate::harness::{DAY, Db, key_of};
use pdb_cleanup::{RETENTION, Throttle, rotate_shards_of_stream, split_shard, trim};
use pdb_model::{EpochMillis, Item, StreamArn, StreamRecord};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Put {
        key: u8,
        value: i64,
    },
    PutExpiring {
        key: u8,
        minutes: i64,
    },
    Remove(u8),
    Rotate,
    Split,
    /// Disables the stream, enables another.
    Renew,
    Advance {
        minutes: i64,
    },
    Sweep,
    Trim {
        step: u32,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..6, 0i64..4).prop_map(|(key, value)| Step::Put { key, value }),
        2 => (0u8..6, 0i64..300).prop_map(|(key, minutes)| Step::PutExpiring { key, minutes }),
        3 => (0u8..6).prop_map(Step::Remove),
        1 => Just(Step::Rotate),
        1 => Just(Step::Split),
        1 => Just(Step::Renew),
        // The clock may go back, too.
        3 => (-30i64..400).prop_map(|minutes| Step::Advance { minutes }),
        1 => Just(Step::Sweep),
        1 => (1u32..4).prop_map(|step| Step::Trim { step }),
    ]
}

/// A record as it was seen when it was written, and whether it has been missed since.
type Seen = BTreeMap<(StreamArn, u128), StreamRecord>;

/// Adds the records that are new, and checks that what is gone was old, and that nothing comes back.
fn check_records(db: &Db, seen: &mut Seen, gone: &mut Seen, horizon: EpochMillis) {
    let present: Seen = db.test.read(|tx| {
        let mut present = Seen::new();
        for stream in tx.streams(None)? {
            for shard in tx.shards(stream.id)? {
                tx.records(&stream, shard.number, 0, &mut |record| {
                    let record = record.to_record(stream.view_type).unwrap();
                    present.insert((stream.arn.clone(), record.event_id.0), record);
                    std::ops::ControlFlow::Continue(())
                })?;
            }
        }
        Ok(present)
    });
    for (id, record) in seen.iter().filter(|(id, _)| !present.contains_key(id)) {
        // Of a stream that was purged everything goes, of others only what is old.
        assert!(record.created <= horizon || !db.has_stream(&id.0), "{record:?}");
        gone.insert(id.clone(), record.clone());
    }
    assert!(present.keys().all(|id| !gone.contains_key(id)), "a record came back");
    seen.retain(|id, _| present.contains_key(id));
    seen.extend(present);
}

/// Plays records on a table that begins with these items, and returns what becomes of it.
fn replay<'r>(
    mut table: BTreeMap<String, Item>,
    records: impl Iterator<Item = &'r StreamRecord>,
) -> BTreeMap<String, Item> {
    for record in records {
        let key = key_of(&record.keys.decode().unwrap());
        let old = record.old_image.as_ref().map(|image| image.decode().unwrap());
        let new = record.new_image.as_ref().map(|image| image.decode().unwrap());
        assert_eq!(table.get(&key), old.as_ref(), "an old image is the item before");
        match new {
            Some(item) => drop(table.insert(key, item)),
            None => drop(table.remove(&key)),
        }
    }
    table
}

fn items(db: &Db) -> BTreeMap<String, Item> {
    let items = db.test.items().into_values().map(|item| item.decode().unwrap());
    items.map(|item| (key_of(&item), item)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(64)))]
    #[test]
    fn the_stream_tells_the_tables_story(steps in prop::collection::vec(any_step(), 0..60), shards in 1u32..4) {
        let db = Db::new();
        let mut arn = db.enable(shards);
        let (store, env) = (&db.test.store, &db.test.env);
        let (mut seen, mut gone) = (Seen::new(), Seen::new());
        // All records of the current stream, and the table when it was enabled.
        let mut at_enable = BTreeMap::new();
        // The latest time there ever was: what is older by a day may be gone for ever.
        let mut latest = db.now();
        for step in steps {
            match step {
                Step::Put { key, value } => {
                    let key = format!("key {key}");
                    db.write(&key, Some(Item::new().with("pk", key.as_str()).with("n", value)));
                }
                Step::PutExpiring { key, minutes } => {
                    db.put_expiring(&format!("key {key}"), db.now().seconds() + 60 * minutes);
                }
                Step::Remove(key) => db.write(&format!("key {key}"), None),
                Step::Rotate => drop(rotate_shards_of_stream(store, env, &arn, None).unwrap()),
                Step::Split => drop(split_shard(store, env, &arn, None).unwrap()),
                Step::Renew => {
                    db.disable();
                    latest = latest.plus(Duration::from_millis(1));
                    db.test.clock.set(latest);
                    arn = db.enable(shards);
                    at_enable = items(&db);
                }
                Step::Advance { minutes } => {
                    db.test.clock.set(EpochMillis(db.now().0 + 60_000 * minutes));
                    latest = latest.max(db.now());
                }
                Step::Sweep => drop(db.sweep()),
                Step::Trim { step } => drop(trim(store, db.now(), RETENTION, &Throttle::new(step)).unwrap()),
            }
            check_records(&db, &mut seen, &mut gone, latest.minus(DAY));
        }
        // The current stream's records, trimmed or not, in the order of the lineage.
        let mut story: Vec<&StreamRecord> =
            seen.iter().chain(&gone).filter(|(id, _)| id.0 == arn).map(|(_, record)| record).collect();
        story.sort_by_key(|record| record.sequence_number);
        prop_assert_eq!(replay(at_enable, story.into_iter()), items(&db));
    }
}
