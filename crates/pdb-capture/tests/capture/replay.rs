//! Applying a table's records in order to an empty table rebuilds the table.

use pdb_model::StreamViewType;
use pdb_testkit::TestDb;
use proptest::prelude::*;

use crate::support::{Write, any_view_type, any_write, apply, replay, write_all};

/// The table `orders` as [`replay`] would build it.
fn expected(db: &TestDb, view_type: StreamViewType) -> Vec<String> {
    let mut items: Vec<_> = db
        .items()
        .into_values()
        .map(|item| {
            let decoded = item.decode().unwrap();
            let key = pdb_model::Item::new().with("pk", decoded["pk"].clone());
            if view_type.includes_new() { item } else { pdb_model::EncodedItem::from(&key) }
        })
        .map(pdb_model::EncodedItem::into_json)
        .collect();
    items.sort();
    items
}

fn check(db: &TestDb, view_type: StreamViewType) {
    let mut replayed: Vec<_> = replay(view_type, &db.records()).into_values().collect();
    replayed.sort();
    assert_eq!(replayed, expected(db, view_type));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(96), ..ProptestConfig::default() })]

    #[test]
    fn replay_rebuilds_the_table(
        view_type in any_view_type(),
        writes in prop::collection::vec(any_write(), 0..40),
    ) {
        let db = TestDb::streaming(view_type);
        write_all(&db.store, &db.env, &writes);
        check(&db, view_type);
        let ids: std::collections::BTreeSet<_> =
            db.records().iter().map(|record| record.event_id.0).collect();
        prop_assert_eq!(ids.len(), db.records().len());
        prop_assert!(db.records().is_sorted_by(|a, b| a.sequence_number < b.sequence_number));
    }

    /// Several items in one transaction, some transactions undone.
    #[test]
    fn replay_rebuilds_the_table_after_failed_writes(
        transactions in prop::collection::vec(
            (prop::collection::vec(any_write(), 1..5), prop::bool::weighted(0.7)), 0..10),
    ) {
        let db = TestDb::streaming(StreamViewType::NewAndOldImages);
        for (writes, good) in transactions {
            let env = db.env.clone();
            let done = db.store.write(move |tx| {
                let table = tx.table(&"orders".parse().unwrap())?;
                for write in &writes {
                    apply(&env, tx, &table, write)?;
                }
                if good { Ok(()) } else { Err(pdb_capture::CaptureError::Store(pdb_store::StoreError::Closed)) }
            });
            prop_assert_eq!(done.is_ok(), good);
        }
        check(&db, StreamViewType::NewAndOldImages);
    }
}

#[test]
fn a_write_that_changes_nothing_makes_no_record() {
    let db = TestDb::streaming(StreamViewType::KeysOnly);
    let put = |attributes: &[(&str, i64)]| Write {
        pk: 1,
        attributes: Some(attributes.iter().map(|(name, n)| ((*name).to_owned(), (*n).into())).collect()),
        by_service: false,
    };
    let remove = Write { pk: 1, attributes: None, by_service: true };
    let writes =
        [remove.clone(), put(&[("a", 1)]), put(&[("a", 1)]), put(&[]), put(&[]), remove.clone(), remove];
    write_all(&db.store, &db.env, &writes);
    let events: Vec<_> = db
        .records()
        .iter()
        .map(|record| (record.event_name.as_str(), record.user_identity.is_some(), record.size_bytes))
        .collect();
    assert_eq!(events, [("INSERT", false, 3), ("MODIFY", false, 3), ("REMOVE", true, 3)]);
}
