//! The scenarios of a user's first day, each through the library and over HTTP.

use std::time::Duration;

use pretender::streams::StreamViewType;
use serde_json::{Value, json};

use crate::driver::{Driver, Failure, Record, START, World};
use crate::http::Http;
use crate::library::Library;

const BOTH: Option<StreamViewType> = Some(StreamViewType::NewAndOldImages);

/// Plays a scenario in a world of its own for each way to the database.
fn play(scenario: impl Fn(&World, &dyn Driver)) {
    let world = World::new();
    scenario(&world, &Library(world.db.clone()));
    let world = World::new();
    scenario(&world, &Http::new(world.db.clone()));
}

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}})
}

fn item(pk: &str, n: i64) -> Value {
    json!({"pk": {"S": pk}, "n": {"N": n.to_string()}})
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.event_name.as_str()).collect()
}

#[test]
fn insert_modify_and_remove_are_captured() {
    play(|world, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("a", 1)).unwrap();
        world.clock.advance(Duration::from_millis(1_500));
        db.update("Orders", &key("a"), "SET n = n + :one", &json!({":one": {"N": "1.0"}})).unwrap();
        db.delete("Orders", &key("a")).unwrap();
        let records = db.all_records(&arn, None);
        assert_eq!(names(&records), ["INSERT", "MODIFY", "REMOVE"]);
        let images: Vec<_> = records.iter().map(|r| (r.old_image.clone(), r.new_image.clone())).collect();
        assert_eq!(
            images,
            [
                (None, Some(item("a", 1))),
                (Some(item("a", 1)), Some(item("a", 2))),
                (Some(item("a", 2)), None)
            ]
        );
        assert!(records.iter().all(|record| record.keys == key("a")));
        // pk and its value are 3 bytes, n and its value 3.
        assert_eq!(records.iter().map(|record| record.size_bytes).collect::<Vec<_>>(), [9, 15, 9]);
        let seconds = START.seconds();
        let created: Vec<_> = records.iter().map(|record| record.created_seconds - seconds).collect();
        assert_eq!(created, [0, 1, 1]);
    });
}

#[test]
fn what_changes_nothing_is_not_captured() {
    play(|_, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("a", 1)).unwrap();
        db.put("Orders", &json!({"n": {"N": "1.00"}, "pk": {"S": "a"}})).unwrap();
        db.update("Orders", &key("a"), "SET n = :n", &json!({":n": {"N": "1"}})).unwrap();
        db.delete("Orders", &key("b")).unwrap();
        assert_eq!(names(&db.all_records(&arn, None)), ["INSERT"]);
    });
}

#[test]
fn the_view_type_chooses_the_images() {
    // Whether a record has the old and the new image, for insert, modify and remove.
    for (view_type, images) in [
        (StreamViewType::KeysOnly, "-- -- --"),
        (StreamViewType::NewImage, "-n -n --"),
        (StreamViewType::OldImage, "-- o- o-"),
        (StreamViewType::NewAndOldImages, "-n on o-"),
    ] {
        play(|_, db| {
            let arn = db.create_table("Orders", Some(view_type)).unwrap().unwrap();
            db.put("Orders", &item("a", 1)).unwrap();
            db.put("Orders", &item("a", 2)).unwrap();
            db.delete("Orders", &key("a")).unwrap();
            let records = db.all_records(&arn, None);
            let shown: Vec<String> = records
                .iter()
                .map(|record| {
                    let old = record.old_image.as_ref().map_or("-", |_| "o");
                    let new = record.new_image.as_ref().map_or("-", |_| "n");
                    format!("{old}{new}")
                })
                .collect();
            assert_eq!(shown.join(" "), images, "{view_type}");
            assert!(records.iter().all(|record| record.keys == key("a")), "{view_type}");
        });
    }
}

#[test]
fn pages_of_any_size_give_the_same_records() {
    play(|_, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        for n in 0..25 {
            db.put("Orders", &item(&format!("item-{n}"), n)).unwrap();
        }
        let all = db.all_records(&arn, None);
        assert_eq!(all.len(), 25);
        for limit in [1, 2, 7, 24, 25, 26, 1_000] {
            assert_eq!(db.all_records(&arn, Some(limit)), all, "{limit}");
        }
        let shard = db.describe(&arn).unwrap().1.remove(0);
        let behind_tenth =
            db.iterator(&arn, &shard, "AFTER_SEQUENCE_NUMBER", Some(&all[9].sequence_number)).unwrap();
        assert_eq!(db.records(&behind_tenth, Some(5)).unwrap().records, all[10..15]);
        let at_tenth =
            db.iterator(&arn, &shard, "AT_SEQUENCE_NUMBER", Some(&all[9].sequence_number)).unwrap();
        assert_eq!(db.records(&at_tenth, Some(5)).unwrap().records, all[9..14]);
        let latest = db.iterator(&arn, &shard, "LATEST", None).unwrap();
        db.put("Orders", &item("late", 1)).unwrap();
        let page = db.records(&latest, None).unwrap();
        assert_eq!((page.records.len(), page.next.is_some()), (1, true));
        for limit in [0, 1_001] {
            let refused = db.records(&latest, Some(limit)).err().unwrap();
            assert_eq!(refused.code, "ValidationException", "{limit}");
        }
    });
}

#[test]
fn a_disabled_stream_captures_nothing_and_stays_readable_for_a_day() {
    play(|world, db| {
        let first = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("a", 1)).unwrap();
        assert_eq!(db.update_stream("Orders", None).unwrap().as_ref(), Some(&first));
        db.put("Orders", &item("a", 2)).unwrap();
        assert_eq!(db.describe(&first).unwrap().0, "DISABLED");
        assert_eq!(names(&db.all_records(&first, None)), ["INSERT"]);

        let second = db.update_stream("Orders", Some(StreamViewType::KeysOnly)).unwrap().unwrap();
        assert_ne!(second, first);
        db.put("Orders", &item("a", 3)).unwrap();
        assert_eq!(names(&db.all_records(&second, None)), ["MODIFY"]);
        assert_eq!(names(&db.all_records(&first, None)), ["INSERT"]);
        assert_eq!(db.streams("Orders").unwrap(), [second.clone(), first.clone()]);

        world.pass(Duration::from_secs(24 * 3600));
        assert_eq!(db.streams("Orders").unwrap(), [second]);
        let gone = db.describe(&first).unwrap_err();
        let message = format!("Requested resource not found: Stream: {first} not found");
        assert_eq!(gone, Failure { code: "ResourceNotFoundException".to_owned(), message });
    });
}

#[test]
fn the_stream_of_a_deleted_table_stays_readable_for_a_day() {
    play(|world, db| {
        let first = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("a", 1)).unwrap();
        db.delete_table("Orders").unwrap();
        assert_eq!(names(&db.all_records(&first, None)), ["INSERT"]);
        let second = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("b", 1)).unwrap();
        assert_eq!(db.streams("Orders").unwrap(), [second.clone(), first.clone()]);
        assert_eq!(db.all_records(&first, None)[0].keys, key("a"));
        assert_eq!(db.all_records(&second, None)[0].keys, key("b"));
        world.pass(Duration::from_secs(24 * 3600));
        assert_eq!(db.streams("Orders").unwrap(), [second]);
    });
}

#[test]
fn numbers_ascend_however_many_write() {
    let world = World::new();
    let db = Library(world.db.clone());
    let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let db = Library(world.db.clone());
            scope.spawn(move || {
                for n in 0..50 {
                    db.put("Orders", &item(&format!("writer-{writer}"), n)).unwrap();
                }
            });
        }
    });
    let records = db.all_records(&arn, Some(7));
    assert_eq!(records.len(), 200);
    let number =
        |record: &Record| record.sequence_number.parse::<pretender::streams::SequenceNumber>().unwrap();
    assert!(records.is_sorted_by(|a, b| number(a) < number(b)));
    for writer in 0..4 {
        let own = records.iter().filter(|record| record.keys == key(&format!("writer-{writer}")));
        let values: Vec<_> = own.map(|record| record.new_image.as_ref().unwrap()["n"]["N"].clone()).collect();
        assert_eq!(values, (0..50).map(|n| json!(n.to_string())).collect::<Vec<_>>());
    }
}

#[test]
fn records_go_after_a_day() {
    play(|world, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        db.put("Orders", &item("a", 1)).unwrap();
        let shard = db.describe(&arn).unwrap().1.remove(0);
        let first = db.all_records(&arn, None).remove(0).sequence_number;
        world.pass(Duration::from_secs(24 * 3600 - 1));
        db.put("Orders", &item("a", 2)).unwrap();
        assert_eq!(names(&db.all_records(&arn, None)), ["INSERT", "MODIFY"]);
        world.pass(Duration::from_secs(1));
        assert_eq!(names(&db.all_records(&arn, None)), ["MODIFY"]);
        let trimmed = db.iterator(&arn, &shard, "AT_SEQUENCE_NUMBER", Some(&first));
        // The first shard is closed by age and empty by now: gone, or trimmed, by the hour.
        let code = trimmed.err().unwrap().code;
        assert!(
            ["TrimmedDataAccessException", "ResourceNotFoundException"].contains(&code.as_str()),
            "{code}"
        );
    });
}

#[test]
fn iterators_live_a_quarter_of_an_hour() {
    play(|world, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        let shard = db.describe(&arn).unwrap().1.remove(0);
        let iterator = db.iterator(&arn, &shard, "TRIM_HORIZON", None).unwrap();
        world.clock.advance(Duration::from_millis(900_000));
        let renewed = db.records(&iterator, None).unwrap().next.unwrap();
        world.clock.advance(Duration::from_millis(1));
        let expired = db.records(&iterator, None).err().unwrap();
        let message = "The provided iterator exceeds the maximum age allowed.".to_owned();
        assert_eq!(expired, Failure { code: "ExpiredIteratorException".to_owned(), message });
        db.records(&renewed, None).unwrap();
    });
}

/// Three inserts, two updates, one delete: six records, read in small pages.
#[test]
fn the_whole_workflow() {
    play(|_, db| {
        let arn = db.create_table("Orders", BOTH).unwrap().unwrap();
        for pk in ["a", "b", "c"] {
            db.put("Orders", &item(pk, 1)).unwrap();
        }
        for pk in ["a", "b"] {
            db.update("Orders", &key(pk), "SET n = :n", &json!({":n": {"N": "2"}})).unwrap();
        }
        db.delete("Orders", &key("c")).unwrap();
        let records = db.all_records(&arn, Some(2));
        assert_eq!(names(&records), ["INSERT", "INSERT", "INSERT", "MODIFY", "MODIFY", "REMOVE"]);
        let keys: Vec<_> = records.iter().map(|record| record.keys["pk"]["S"].as_str().unwrap()).collect();
        assert_eq!(keys, ["a", "b", "c", "a", "b", "c"]);
        assert_eq!(db.get("Orders", &key("a")).unwrap(), Some(item("a", 2)));
        assert_eq!(db.get("Orders", &key("c")).unwrap(), None);
    });
}
