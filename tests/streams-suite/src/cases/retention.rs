//! Records are kept for 24 hours, and closed shards are removed after their last record.

use std::time::Duration;

use serde_json::json;

use crate::case::Group;
use crate::context::Context;
use crate::expect::Text;
use crate::lane::{Lane, item, numbers};
use crate::outcome::Outcome;
use crate::{Reader, Record, check, check_eq};

const HOUR: Duration = Duration::from_secs(3600);
const TRIMMED: &str = "The data you are trying to access has been trimmed";

pub(super) fn group() -> Group {
    let mut group = Group::new("retention");
    group.clock("nothing-goes-before-24-hours", &[29], |cx| {
        let lane = Lane::new(cx, 3)?;
        let clock = cx.control()?.hold()?;
        clock.advance(HOUR * 24 - Duration::from_secs(60))?;
        lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records, "after almost 24 hours")
    });
    group.clock("records-go-after-24-hours", &[29], |cx| {
        let lane = Lane::new(cx, 3)?;
        let clock = cx.control()?.hold()?;
        clock.advance(HOUR * 25)?;
        let mut reader = Reader::new(lane.arn());
        reader.poll(cx)?;
        check_eq!(reader.records().len(), 0, "records after 25 hours");
        Ok(())
    });
    group.clock("only-the-old-ones-go", &[29], only_the_old);
    group.clock("iterator-at-a-trimmed-record", &[29, 17], iterator_at_trimmed);
    group.clock("reader-overtaken-by-the-day", &[29, 17], overtaken);
    group.clock("old-closed-shard-vanishes", &[29], vanishes);
    group.clock("iterator-of-a-vanished-shard", &[29, 17], iterator_of_vanished);
    group.clock("reader-of-a-vanished-shard", &[29, 17], reader_of_vanished).inferred();
    group.clock("lineage-reader-accepts-a-vanished-parent", &[29, 30], vanished_parent);
    group.clock("open-shard-never-vanishes", &[29], open_stays);
    group.clock("closed-shard-stays-while-it-has-records", &[29], stays_with_records);
    group.clock("disabled-streams-records-go-after-24-hours", &[29, 7], |cx| {
        let lane = Lane::new(cx, 2)?;
        let clock = cx.control()?.hold()?;
        clock.advance(HOUR * 12)?;
        let off = json!({"TableName": lane.table.name, "StreamSpecification": {"StreamEnabled": false}});
        cx.db("UpdateTable", off)?;
        // Should closing take time here, it would not pass while the clock is held.
        clock.advance(Duration::from_secs(60))?;
        cx.wait_stream_status(lane.arn(), "DISABLED")?;
        // The stream lives on until hour 36, its records do not.
        clock.advance(HOUR * 13)?;
        let mut reader = Reader::new(lane.arn());
        reader.poll(cx)?;
        check_eq!(reader.records().len(), 0, "records after 25 hours");
        check_eq!(
            cx.describe_stream(lane.arn())?["StreamStatus"],
            serde_json::Value::from("DISABLED"),
            "StreamStatus"
        );
        Ok(())
    });
    group
        .clock("get-records-of-a-purged-stream", &[29, 7, 17], |cx| {
            let lane = Lane::new(cx, 1)?;
            lane.close(cx)?;
            let clock = cx.control()?.hold()?;
            clock.advance(HOUR * 24 - Duration::from_secs(300))?;
            let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
            clock.advance(Duration::from_secs(600))?;
            let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": iterator}))?;
            refused.check("ResourceNotFoundException", Text::Any)
        })
        .inferred();
    group
}

/// Makes a shard with three old records and two of twelve hours later, 25 hours after the first.
fn half_old(cx: &Context<'_>, lane: &Lane, clock: &crate::control::HeldClock<'_>) -> Outcome {
    clock.advance(HOUR * 3)?;
    lane.put(cx, 3..5)?;
    clock.advance(HOUR * 22)
}

fn images(records: &[Record]) -> Vec<serde_json::Value> {
    records.iter().filter_map(Record::new_image).cloned().collect()
}

fn only_the_old(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 3)?;
    let clock = cx.control()?.hold()?;
    half_old(cx, &lane, &clock)?;
    let mut reader = Reader::new(lane.arn());
    reader.poll(cx)?;
    check_eq!(images(&reader.records()), [item(3), item(4)], "new images after 25 hours");
    Ok(())
}

fn iterator_at_trimmed(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 3)?;
    let clock = cx.control()?.hold()?;
    half_old(cx, &lane, &clock)?;
    for (kind, index) in [("AT_SEQUENCE_NUMBER", 0), ("AT_SEQUENCE_NUMBER", 2), ("AFTER_SEQUENCE_NUMBER", 0)]
    {
        let request = json!({
            "StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": kind,
            "SequenceNumber": lane.number(index),
        });
        let refused = cx.streams_refused("GetShardIterator", request)?;
        refused.check("TrimmedDataAccessException", Text::exact(TRIMMED))?;
    }
    Ok(())
}

fn overtaken(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 3)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 3)?;
    lane.put(cx, 3..5)?;
    clock.advance(HOUR * 21 - Duration::from_secs(300))?;
    let (first, next) = cx.page(&lane.iterator(cx, "TRIM_HORIZON")?, Some(1))?;
    check_eq!(numbers(&first), numbers(&lane.records[..1]), "the first page");
    clock.advance(Duration::from_secs(600))?;
    let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": next}))?;
    refused.check("TrimmedDataAccessException", Text::exact(TRIMMED))?;
    // A consumer goes on at the horizon then.
    let records = cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 2)?;
    check_eq!(images(&records), [item(3), item(4)], "new images from the horizon");
    Ok(())
}

fn vanishes(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    cx.control()?.rotate(lane.arn(), None)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 23)?;
    check!(lane.shard(cx).is_ok(), "the closed shard has gone after 23 hours");
    clock.advance(HOUR * 2)?;
    let listed = cx.shards(lane.arn())?;
    check!(
        listed.iter().all(|shard| shard.id() != lane.shard_id),
        "the closed shard is listed after 25 hours"
    );
    check!(listed.iter().any(crate::Shard::is_open), "no open shard is listed");
    Ok(())
}

fn iterator_of_vanished(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    cx.control()?.rotate(lane.arn(), None)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 26)?;
    let request =
        json!({"StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": "TRIM_HORIZON"});
    let refused = cx.streams_refused("GetShardIterator", request)?;
    refused
        .check("ResourceNotFoundException", Text::exact("Requested resource not found: Shard does not exist"))
}

fn reader_of_vanished(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    cx.control()?.rotate(lane.arn(), None)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 24 - Duration::from_secs(300))?;
    let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
    clock.advance(Duration::from_secs(840))?;
    let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": iterator}))?;
    refused.check("ResourceNotFoundException", Text::Any)
}

fn vanished_parent(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    cx.control()?.rotate(lane.arn(), None)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 3)?;
    lane.put(cx, 2..4)?;
    clock.advance(HOUR * 22)?;
    let listed = cx.shards(lane.arn())?;
    let child = listed.iter().find(|shard| shard.parent() == Some(&lane.shard_id));
    check!(child.is_some(), "no child names the vanished parent: {listed:?}");
    let mut reader = Reader::new(lane.arn());
    cx.read_until(&mut reader, "the child's records", |reader| reader.records().len() >= 2)?;
    check_eq!(images(&reader.records()), [item(2), item(3)], "new images");
    Ok(())
}

fn open_stays(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    let clock = cx.control()?.hold()?;
    for _ in 0..6 {
        clock.advance(HOUR * 12)?;
        check!(cx.shards(lane.arn())?.iter().any(crate::Shard::is_open), "no open shard is listed");
    }
    Ok(())
}

fn stays_with_records(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    let clock = cx.control()?.hold()?;
    clock.advance(HOUR * 3)?;
    lane.put(cx, 1..2)?;
    cx.control()?.rotate(lane.arn(), None)?;
    clock.advance(HOUR * 23)?;
    lane.shard(cx)?;
    let records = cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 1)?;
    check_eq!(images(&records), [item(1)], "new images of the closed shard after 26 hours");
    Ok(())
}
