//! The members of records that a replay does not check.

use std::time::Duration;

use pdb_capture::{CaptureError, disable_stream, enable_stream};
use pdb_model::{Account, Clock, StreamLabel, StreamViewType};
use pdb_testkit::{TestDb, definition, string_key};

use crate::support::{Write, apply, write_all};

fn write(pk: u8) -> Write {
    Write { pk, attributes: Some([("a".to_owned(), 1.into())].into()), by_service: false }
}

#[test]
fn all_changes_of_a_transaction_have_the_same_creation_time() {
    let db = TestDb::streaming(StreamViewType::KeysOnly);
    let (env, clock) = (db.env.clone(), db.clock.clone());
    let start = clock.now();
    db.store
        .write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            for pk in 0..3 {
                apply(&env, tx, &table, &write(pk))?;
                clock.advance(Duration::from_secs(1));
            }
            Ok::<(), CaptureError>(())
        })
        .unwrap();
    assert_eq!(db.records().iter().map(|record| record.created).collect::<Vec<_>>(), [start; 3]);
}

#[test]
fn each_partition_key_has_its_shard() {
    let db = TestDb::new();
    db.create_table(&definition("orders", string_key("pk")));
    let env = db.env.clone();
    let label = StreamLabel::at(db.clock.now());
    let table = db
        .store
        .write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            let arn = Account::default().stream_arn(table.name(), &label);
            enable_stream(&env, tx, &table, &arn, StreamViewType::NewImage, 3)
        })
        .unwrap();
    let shards = &table.stream.as_ref().unwrap().shards;
    assert_eq!((shards[0].hash_from, shards[2].hash_to), (0, u64::MAX));
    for pair in shards.windows(2) {
        assert_eq!(pair[0].hash_to.wrapping_add(1), pair[1].hash_from);
        assert_ne!(pair[0].id, pair[1].id);
    }
    write_all(&db.store, &db.env, &(0..50).map(write).collect::<Vec<_>>());
    let mut used = std::collections::BTreeSet::new();
    for record in db.records() {
        let key = table.definition.key_schema.extract(&record.keys.decode().unwrap()).unwrap();
        let stream = table.stream.as_ref().unwrap();
        assert_eq!(record.sequence_number.shard, stream.shard_of(key.shard_token()).unwrap().number);
        used.insert(record.sequence_number.shard);
    }
    assert_eq!(used.len(), 3);
    // Disabled, it records nothing more.
    let env = db.env.clone();
    db.store
        .write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            disable_stream(&env, tx, &table)
        })
        .unwrap();
    write_all(&db.store, &db.env, &[write(77)]);
    assert_eq!(db.records().len(), 50);
}
