//! Expiry of items.

use crate::harness::{Db, HOUR, orders};
use pdb_cleanup::{CleanupError, Throttle, expire_items};
use pdb_model::{AttributeValue, EncodedItem, EventName, Item, UserIdentity};
use pdb_store::StoreError;

const FIVE_YEARS: i64 = 5 * 365 * 24 * 60 * 60;

#[test]
fn only_what_has_expired_goes() {
    let (db, _) = Db::streaming();
    let now = db.now().seconds();
    for (key, ttl) in [
        ("due", now.into()),
        ("past", (now - 100).into()),
        ("five years", (now - FIVE_YEARS).into()),
        ("older", (now - FIVE_YEARS - 1).into()),
        ("future", (now + 1).into()),
        ("text", AttributeValue::S(now.to_string())),
        ("zero", 0.into()),
    ] {
        db.put_expiring(key, ttl);
    }
    db.write("none", Some(Item::new().with("pk", "none")));
    assert_eq!(db.expire(), 3);
    assert_eq!(db.keys(), ["future", "none", "older", "text", "zero"]);
    assert_eq!(db.expire(), 0);
    db.advance(HOUR);
    assert_eq!(db.expire(), 1);
    assert_eq!(db.keys(), ["none", "older", "text", "zero"]);
}

#[test]
fn the_record_says_that_the_service_did_it() {
    let (db, _) = Db::streaming();
    db.put_expiring("a", db.now().seconds());
    db.put_expiring("b", db.now().seconds());
    db.write("b", None);
    db.expire();
    let records = db.records();
    let removed: Vec<_> = records.iter().filter(|record| record.event_name == EventName::Remove).collect();
    let [by_user, by_service] = &removed[..] else { panic!("two removals") };
    assert_eq!(by_user.user_identity, None);
    assert_eq!(by_service.user_identity, Some(UserIdentity::time_to_live()));
    assert_eq!(by_service.keys.json(), r#"{"pk":{"S":"a"}}"#);
    assert!(by_service.old_image.is_some() && by_service.new_image.is_none());
}

#[test]
fn an_update_saves_an_item() {
    let (db, _) = Db::streaming();
    let now = db.now().seconds();
    db.put_expiring("longer", now);
    db.put_expiring("longer", now + 10);
    db.put_expiring("without", now);
    db.write("without", Some(Item::new().with("pk", "without")));
    assert_eq!(db.expire(), 0);
    assert_eq!(db.keys(), ["longer", "without"]);
}

#[test]
fn steps_of_every_size_remove_the_same() {
    for step in [1, 2, 4, 5, 6] {
        let (db, _) = Db::streaming();
        for key in ["a", "b", "c", "d", "e"] {
            db.put_expiring(key, db.now().seconds());
        }
        assert_eq!(
            expire_items(&db.test.store, &db.test.env, &Throttle::new(step)).unwrap(),
            5,
            "step {step}"
        );
        assert_eq!(db.records().len(), 10);
    }
}

#[test]
fn tables_without_a_time_to_live_keep_everything() {
    let (db, _) = Db::streaming();
    db.put_expiring("a", db.now().seconds());
    db.test.write(|tx| {
        let table = tx.table(&orders())?;
        let mut definition = (*table.definition).clone();
        definition.time_to_live_attribute = None;
        tx.replace_definition(&definition)
    });
    assert_eq!(db.expire(), 0);
    assert_eq!(db.keys(), ["a"]);
}

#[test]
fn no_stream_no_record() {
    let db = Db::new();
    db.put_expiring("a", db.now().seconds());
    assert_eq!(db.expire(), 1);
    assert!(db.keys().is_empty() && db.records().is_empty());
}

#[test]
fn a_stopped_expiry_leaves_off() {
    let db = Db::new();
    db.put_expiring("a", db.now().seconds());
    let throttle = Throttle::default();
    throttle.stop();
    assert_eq!(expire_items(&db.test.store, &db.test.env, &throttle).unwrap(), 0);
}

#[test]
fn a_stored_item_without_its_key_is_an_error() {
    let db = Db::new();
    db.put_expiring("a", db.now().seconds());
    let now = db.now().seconds();
    db.test.write(move |tx| {
        let table = tx.table(&orders())?;
        let key = tx.expired_items(&table, 0, now, 1)?.remove(0);
        let row = tx.lock_item(&table, &key)?.map(|(row, _)| row);
        tx.put_item(&table, &key, row, &EncodedItem::from(&Item::new().with("ttl", now)), Some(now))
    });
    let error = expire_items(&db.test.store, &db.test.env, &Throttle::default()).unwrap_err();
    assert!(matches!(error, CleanupError::Capture(_)));
    assert_eq!(error.to_string(), "an expired item could not be deleted");
}

/// The moment beside an item only serves to find it: damage to it removes nothing, and is mended.
#[test]
fn a_wrong_note_of_expiry_does_not_remove_an_item() {
    let db = Db::new();
    let now = db.now().seconds();
    db.put_expiring("later", now + 1_000);
    db.put_expiring("never", "no number");
    db.put_expiring("past", now);
    let note = |expires_at: Option<i64>| {
        db.test.write(move |tx| {
            let table = tx.table(&orders())?;
            for key in ["later", "never"] {
                let key = table.definition.key_schema.extract(&Item::new().with("pk", key)).unwrap();
                tx.set_expiry(&table, &key.encode(), expires_at)?;
            }
            Ok(())
        });
    };
    note(Some(now - 5));
    assert_eq!(db.expire(), 1);
    assert_eq!(db.keys(), ["later", "never"]);
    let due = |at: i64| {
        let keys = db.test.read(|tx| {
            let table = tx.table(&orders())?;
            tx.expired_items(&table, 0, at, 9)
        });
        keys.len()
    };
    assert_eq!((due(now + 999), due(now + 1_000)), (0, 1));
}

#[test]
fn a_closed_store_is_an_error() {
    let db = Db::new();
    db.test.store.close();
    let error = expire_items(&db.test.store, &db.test.env, &Throttle::default()).unwrap_err();
    assert!(matches!(error, CleanupError::Store(StoreError::Closed)));
    assert_eq!(error.to_string(), "the store is closed");
}
