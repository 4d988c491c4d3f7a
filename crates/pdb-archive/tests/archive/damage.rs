//! Objects that are not what was written.

use crate::harness::{DAY, Db, HOUR, orders};
use pretender::archive::{ArchiveOptions, FromArchive};
use pretender::objects::ObjectStore;
use pretender::prelude::*;

/// Reads the stream, and returns the error as one line.
fn error_of(db: &Db) -> String {
    let mut events = db.pretender.subscribe().from_archive().table("Orders").start().unwrap();
    let error = events.find_map(Result::err).expect("an error");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[test]
fn a_damaged_object_is_named() {
    let mut db = Db::new();
    db.put("a");
    db.advance(2 * DAY);
    let key = db.manifest().shards[0].objects[0].key.clone();
    let whole = db.objects.objects.get("archive", &key, 1 << 20).unwrap().unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (content, reason) in [
        (&flipped[..], "its checksum is not that of the manifest"),
        (&whole[..whole.len() - 1], "bytes of the manifest"),
    ] {
        db.objects.objects.put("archive", &key, content).unwrap();
        let error = error_of(&db);
        assert!(error.contains(&key) && error.contains(reason), "{error}");
    }
    db.objects.objects.delete("archive", &key).unwrap();
    assert!(error_of(&db).contains("it is missing"));
    db.objects.objects.put("archive", &key, &whole).unwrap();
    assert_eq!(db.read_all().len(), 1);
}

#[test]
fn a_damaged_manifest_is_named_and_stops_the_trim() {
    let mut db = Db::new();
    db.put("a");
    db.advance(HOUR);
    let key = db.objects.keys().into_iter().find(|key| key.ends_with("manifest.json")).unwrap();
    let whole = db.objects.objects.get("archive", &key, 1 << 20).unwrap().unwrap();
    db.objects.objects.put("archive", &key, b"{}").unwrap();
    db.put("b");
    db.advance(2 * DAY);
    let status = db.pretender.archive_status().unwrap();
    assert!(status.last_error.unwrap().contains(&key));
    db.objects.objects.put("archive", &key, &whole).unwrap();
    db.advance(HOUR);
    assert_eq!(db.read_all().len(), 2);
    assert_eq!(db.pretender.archive_status().unwrap().lost_records, 0);
}

/// Two databases under a clock that stands still, with ids that count, have the same streams, shards and numbers.
#[test]
fn an_archive_of_another_database_is_not_taken_for_ones_own() {
    use std::sync::Arc;
    let open = |objects: &crate::objects::FlakyObjects| {
        let db = Pretender::builder()
            .clock(Arc::new(ManualClock::held_at(EpochMillis(1_772_355_600_000))))
            .ids(Arc::new(pretender::model::CountingIds::starting_at(1)))
            .sweep_interval(None)
            .objects(Arc::new(objects.clone()))
            .archive(ArchiveOptions::new("archive"))
            .open()
            .unwrap();
        let input = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
            ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
        };
        db.create_table(input).unwrap();
        db
    };
    let objects = crate::objects::FlakyObjects::new();
    for (round, key) in [(1, "ours"), (2, "theirs"), (3, "ours")] {
        let db = open(&objects);
        db.put_item(PutItemInput::new(orders(), Item::new().with("id", key))).unwrap();
        db.advance(HOUR).unwrap();
        let error = db.archive_status().unwrap().last_error;
        match round {
            2 => assert!(error.unwrap().contains("it belongs to another database")),
            // The same records under the same numbers are as good as the own ones.
            _ => assert_eq!(error, None),
        }
    }
}
