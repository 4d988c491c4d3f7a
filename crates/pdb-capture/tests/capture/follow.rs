//! A reader that continues after the last sequence number it has seen misses no record, while others write, split shards and fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
};

use pdb_capture::CaptureError;
use pdb_model::StreamViewType;
use pdb_store::{Durability, StoreError};
use pdb_testkit::{TestDb, definition, string_key};

use crate::support::{Write, apply};

const THREADS: u8 = 4;
const WRITES: u8 = 60;

fn follow_while_others_write(db: &TestDb) {
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewImage);
    let writing = AtomicUsize::new(THREADS.into());
    let write = |thread: u8, i: u8| {
        let value = format!("{thread}-{i}");
        // Keys are shared, values are not: every write is a change.
        let attributes = Some([("value".to_owned(), value.into())].into());
        let write = Write { pk: i % 7, attributes, by_service: false };
        let env = db.env.clone();
        let done = db.store.write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            apply(&env, tx, &table, &write)?;
            // Some draw a number and fail.
            if i % 5 == 4 { Err(CaptureError::Store(StoreError::Closed)) } else { Ok(()) }
        });
        assert_eq!(done.is_ok(), i % 5 != 4);
        if i == 30 {
            let env = db.env.clone();
            db.write(move |tx| {
                let table = tx.table(&"orders".parse().unwrap())?;
                let now = env.clock.now();
                let shard = table.stream.as_ref().unwrap().shards[0].number;
                tx.split_shard(&table, shard, &*env.ids, now)
            });
        }
    };
    let seen = std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (write, writing) = (&write, &writing);
            scope.spawn(move || {
                (0..WRITES).for_each(|i| write(thread, i));
                writing.fetch_sub(1, Ordering::Release);
            });
        }
        let mut next: BTreeMap<u64, u64> = BTreeMap::new();
        let mut seen = Vec::new();
        loop {
            let last_round = writing.load(Ordering::Acquire) == 0;
            db.read(|tx| {
                let stream = tx.streams(None)?.remove(0);
                for shard in tx.shards(stream.id)? {
                    let from = next.entry(shard.number).or_default();
                    tx.records(&stream, shard.number, *from, &mut |record| {
                        assert!(record.sequence_number.counter >= *from);
                        *from = record.sequence_number.counter + 1;
                        seen.push(record.new_image.unwrap().to_owned());
                        ControlFlow::Continue(())
                    })?;
                }
                Ok(())
            });
            if last_round {
                return seen;
            }
        }
    });
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "a record was seen twice");
    let kept = usize::from(THREADS) * usize::from(WRITES - WRITES / 5);
    assert_eq!(seen.len(), kept, "a record was missed");
    assert_eq!(db.records().len(), kept);
}

#[test]
fn a_follower_misses_nothing_in_memory() {
    follow_while_others_write(&TestDb::new());
}

#[test]
fn a_follower_misses_nothing_on_disk() {
    follow_while_others_write(&TestDb::on_disk(Durability::Normal));
}
