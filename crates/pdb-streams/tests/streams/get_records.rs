//! `GetRecords`: pages, ends, ages, and what is no iterator.

use crate::harness::{Db, HOUR, MILLISECOND, changed, key_of};
use pdb_model::{EpochMillis, ShardId};
use pdb_store::StoreError;
use pdb_streams::ShardIteratorType::{Latest, TrimHorizon};
use pdb_streams::{ITERATOR_LIFE, StreamManager, StreamOptions, StreamsError};
use proptest::prelude::*;

fn horizon(db: &Db) -> (pdb_model::StreamArn, String) {
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    (arn, iterator)
}

#[test]
fn records_are_whole() {
    let db = Db::new();
    let (arn, iterator) = horizon(&db);
    let number = db.write("a");
    db.advance(MILLISECOND);
    db.write("expired");
    let page = db.streams.get_records(&iterator, None).unwrap();
    let [first, second] = &page.records[..] else { panic!("two records") };
    assert_eq!(first.sequence_number, number);
    assert_eq!(first.keys.json(), r#"{"pk":{"S":"a"}}"#);
    assert_eq!(first.new_image.as_ref().unwrap().json(), r#"{"f":{"S":""},"pk":{"S":"a"}}"#);
    assert_eq!(first.old_image, None);
    assert_eq!((first.size_bytes, first.created, first.user_identity.clone()), (7, arn.label.moment(), None));
    assert_eq!(second.created, EpochMillis(first.created.0 + 1));
    assert_eq!(second.user_identity.as_ref().unwrap().principal_id, "dynamodb.amazonaws.com");
    assert_ne!(first.event_id, second.event_id);
    // Read again, they are the same.
    assert_eq!(db.streams.get_records(&iterator, None).unwrap().records, page.records);
}

#[test]
fn records_can_be_read_as_they_are_stored() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.write_all(&["a", "b"]);
    let mut text = String::new();
    let next = db.streams.get_records_with(&iterator, None, &mut |page, record| {
        assert_eq!(page.region, "us-east-1");
        text.push_str(record.keys);
        Ok(())
    });
    assert_eq!(text, r#"{"pk":{"S":"a"}}{"pk":{"S":"b"}}"#);
    assert_eq!(db.show_page(&next.unwrap().unwrap(), None), ".");
    let mut calls = 0;
    let failed = db.streams.get_records_with(&iterator, None, &mut |_, _| {
        calls += 1;
        Err(StoreError::Closed)
    });
    assert!(matches!(failed, Err(StreamsError::Store(StoreError::Closed))));
    assert_eq!(calls, 1);
}

#[test]
fn a_page_ends_at_its_limit() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.write_all(&["a", "b", "c"]);
    for (limit, expected) in [(1, "a ."), (2, "a b ."), (3, "a b c ."), (4, "a b c ."), (1000, "a b c .")] {
        assert_eq!(db.show_page(&iterator, Some(limit)), expected);
    }
    for (limit, text) in [
        (
            0,
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        ),
        (1001, "One or more parameter values were invalid: Limit should be less than or equal to 1000"),
    ] {
        assert_eq!(db.show_page(&iterator, Some(limit)), text);
        // Limits come before iterators.
        assert_eq!(db.show_page("nonsense", Some(limit)), text);
    }
}

#[test]
fn a_page_ends_at_1000_records() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    for _ in 0..1001 {
        db.write("a");
    }
    let page = db.streams.get_records(&iterator, None).unwrap();
    assert_eq!(page.records.len(), 1000);
    assert_eq!(db.show_page(&page.next_shard_iterator.unwrap(), None), "a .");
}

#[test]
fn a_page_ends_at_1_mib() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    // Three records that fill a page to the byte, then one byte too many.
    let sizes = [400_000, 400_000, 248_576, 7];
    for (size, key) in sizes.into_iter().zip(["a", "b", "c", "d"]) {
        db.append("orders", key, size);
    }
    let page = db.streams.get_records(&iterator, None).unwrap();
    assert_eq!(page.records.iter().map(|record| record.size_bytes).sum::<u64>(), 1_048_576);
    assert_eq!(db.show_page(&page.next_shard_iterator.unwrap(), None), "d .");
}

#[test]
fn one_record_always_fits() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.append("orders", "a", 1_048_577);
    db.append("orders", "b", 0);
    let page = db.streams.get_records(&iterator, None).unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(db.show_page(&page.next_shard_iterator.unwrap(), None), "b .");
}

#[test]
fn an_open_shard_always_goes_on() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    let first = db.streams.get_records(&iterator, None).unwrap();
    let second = db.streams.get_records(first.next_shard_iterator.as_ref().unwrap(), None).unwrap();
    assert_ne!(first.next_shard_iterator, second.next_shard_iterator);
    db.write("a");
    assert_eq!(db.show_page(&second.next_shard_iterator.unwrap(), None), "a .");
    assert_eq!(db.show_page(&iterator, None), "a .");
}

#[test]
fn the_end_of_a_closed_shard_has_no_next() {
    let db = Db::new();
    let (arn, iterator) = horizon(&db);
    db.write_all(&["a", "b"]);
    let idle = db.streams.get_records(&iterator, None).unwrap().next_shard_iterator.unwrap();
    db.rotate(false);
    assert_eq!(db.show_page(&iterator, Some(1)), "a .");
    // Left out on the page of the last record already.
    assert_eq!(db.show_page(&iterator, Some(2)), "a b");
    assert_eq!(db.show_page(&iterator, None), "a b");
    assert_eq!(db.show_page(&idle, None), "");
    let shards = db.shard_ids(&arn);
    assert_eq!(db.show(&arn, &shards[0], Latest), "");
    // Also if the shard never had a record.
    db.rotate(false);
    assert_eq!(db.show(&arn, &shards[1], TrimHorizon), "");
}

#[test]
fn iterators_live_for_15_minutes() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.write("a");
    db.advance(ITERATOR_LIFE);
    let next = db.streams.get_records(&iterator, None).unwrap().next_shard_iterator.unwrap();
    db.advance(MILLISECOND);
    let error = db.streams.get_records(&iterator, None).unwrap_err();
    assert!(matches!(error, StreamsError::ExpiredIterator));
    assert_eq!(error.to_string(), "The provided iterator exceeds the maximum age allowed.");
    // The next one has its own 15 minutes.
    assert_eq!(db.show_page(&next, None), ".");
    // One from the future, since the clock was set back, works.
    db.test.clock.set(EpochMillis(db.test.env.clock.now().0 - 3_600_000));
    assert_eq!(db.show_page(&next, None), ".");
}

/// What a fault that holds records back returns: an iterator of its own age, at the same place.
#[test]
fn an_iterator_can_be_renewed_where_it_is() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.write_all(&["a", "b"]);
    let next = db.streams.get_records(&iterator, Some(1)).unwrap().next_shard_iterator.unwrap();
    db.advance(ITERATOR_LIFE);
    let renewed = db.streams.renew_iterator(&next, None).unwrap();
    db.advance(MILLISECOND);
    assert!(matches!(db.streams.get_records(&next, None), Err(StreamsError::ExpiredIterator)));
    assert!(matches!(db.streams.renew_iterator(&next, None), Err(StreamsError::ExpiredIterator)));
    assert_eq!(db.show_page(&renewed, None), "b .");
    assert!(matches!(db.streams.renew_iterator(&renewed, Some(1_001)), Err(StreamsError::Validation(_))));
    assert!(matches!(db.streams.renew_iterator("x", None), Err(StreamsError::Validation(_))));
}

#[test]
fn an_iterator_can_be_set_to_a_record() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    let numbers = db.write_all(&["a", "b", "c"]);
    let at = db.streams.iterator_at(&iterator, numbers[1]).unwrap();
    assert_eq!(db.show_page(&at, None), "b c .");
    // It is there already, so a consumer that repeats a page does not go round in circles.
    assert_eq!(db.streams.iterator_at(&at, numbers[1]), None);
    let last = db.streams.iterator_at(&at, numbers[2]).unwrap();
    assert_eq!(db.show_page(&last, None), "c .");
    assert_eq!(db.streams.iterator_at(&horizon(&Db::new()).1, numbers[1]), None);
}

#[test]
fn iterators_work_on_any_process_with_the_database() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    db.write("a");
    let other = StreamManager::new(db.store(), db.test.env.clone(), StreamOptions::default()).unwrap();
    assert_eq!(other.get_records(&iterator, None).unwrap().records.len(), 1);
}

#[test]
fn what_is_no_iterator_of_ours_is_refused() {
    let db = Db::new();
    let (_, iterator) = horizon(&db);
    let foreign = horizon(&Db::new()).1;
    let mut tampered = iterator.clone();
    tampered.replace_range(iterator.len() - 6..iterator.len() - 5, "-");
    for bad in
        ["x", "", &tampered, &iterator[..iterator.len() - 1], &foreign, &iterator.replace("orders", "others")]
    {
        let error = db.streams.get_records(bad, None).unwrap_err();
        assert!(matches!(error, StreamsError::Validation(_)), "{bad}");
        assert_eq!(error.to_string(), "Invalid ShardIterator");
    }
}

#[test]
fn what_an_iterator_points_to_may_be_gone() {
    let db = Db::new();
    let (arn, iterator) = horizon(&db);
    let elsewhere: ShardId = "shardId-00000000000000000001-00000000".parse().unwrap();
    let gone = changed(&db, &iterator, |iterator| iterator.shard_id = elsewhere);
    let error = db.streams.get_records(&gone, None).unwrap_err();
    assert!(matches!(error, StreamsError::IteratorShardNotFound));
    assert_eq!(error.to_string(), "Invalid ShardId in ShardIterator");
    db.disable();
    assert_eq!(db.show_page(&iterator, None), "");
    db.advance(24 * HOUR);
    let fresh = changed(&db, &iterator, |iterator| iterator.issued = db.test.env.clock.now());
    let text = format!("Requested resource not found: Stream: {arn} not found");
    assert_eq!(db.show_page(&fresh, None), text);
    // Age comes before existence.
    assert_eq!(db.show_page(&iterator, None), "The provided iterator exceeds the maximum age allowed.");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(32)))]
    /// Pages of any sizes, with writes in between, give each record once and in order.
    #[test]
    fn pages_of_any_size_give_each_record_once(batches in prop::collection::vec((0usize..6, 1u32..4), 1..12)) {
        let db = Db::new();
        let (_, iterator) = horizon(&db);
        let (mut written, mut seen) = (Vec::new(), Vec::new());
        let mut next = Some(iterator);
        for (count, limit) in batches {
            for _ in 0..count {
                written.push(db.write("a"));
            }
            let page = db.streams.get_records(&next.take().unwrap(), Some(limit)).unwrap();
            seen.extend(page.records.iter().map(|record| record.sequence_number));
            next = page.next_shard_iterator;
        }
        let rest = db.streams.get_records(&next.unwrap(), None).unwrap();
        seen.extend(rest.records.iter().map(|record| { key_of(&record.keys); record.sequence_number }));
        prop_assert_eq!(seen, written);
    }
}
