//! Iterators into shards of which records are trimmed.

use serde_json::json;

use crate::case::Group;
use crate::context::Context;
use crate::expect::Text;
use crate::lane::{Lane, item};
use crate::outcome::Outcome;
use crate::{Record, check_eq};

pub(super) fn add(group: &mut Group) {
    group.control("trimmed-shard/TRIM_HORIZON", &[9, 29], |cx| {
        let lane = trimmed(cx)?;
        lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records[2..], "from the horizon")
    });
    group.control("trimmed-shard/LATEST", &[9, 29], |cx| {
        let lane = trimmed(cx)?;
        let latest = lane.iterator(cx, "LATEST")?;
        lane.put(cx, 5..6)?;
        let records = cx.read_from(&latest, 1)?;
        check_eq!(records.iter().map(Record::new_image).collect::<Vec<_>>(), [Some(&item(5))], "new images");
        Ok(())
    });
    group.control("trimmed-shard/AT_SEQUENCE_NUMBER", &[9, 10, 29], |cx| {
        let lane = trimmed(cx)?;
        for index in 0..2 {
            refused_as_trimmed(cx, &lane, "AT_SEQUENCE_NUMBER", index)?;
        }
        lane.check_at(cx, 2..5)
    });
    group
        .control("trimmed-shard/AFTER_SEQUENCE_NUMBER", &[9, 10, 29], |cx| {
            let lane = trimmed(cx)?;
            refused_as_trimmed(cx, &lane, "AFTER_SEQUENCE_NUMBER", 0)?;
            // Nothing is missing behind the last trimmed record.
            lane.check_after(cx, 1..5)
        })
        .inferred();
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        group
            .control(format!("start-of-a-trimmed-shard/{kind}"), &[10, 29], move |cx| {
                let lane = trimmed(cx)?;
                let iterator = lane.iterator_at(cx, kind, lane.shard(cx)?.start())?;
                lane.check_yields(cx, &iterator, &lane.records[2..], "from the shard's start")
            })
            .inferred();
    }
    group.control("reader-overtaken-by-the-trim", &[29, 17], |cx| {
        let lane = Lane::new(cx, 5)?;
        let (first, next) = cx.page(&lane.iterator(cx, "TRIM_HORIZON")?, Some(1))?;
        check_eq!(first.len(), 1, "records of the first page");
        let at = lane.iterator_at(cx, "AT_SEQUENCE_NUMBER", lane.number(1))?;
        cx.control()?.trim(lane.arn(), Some(lane.number(3)))?;
        for iterator in [next.unwrap_or_default(), at] {
            let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": iterator}))?;
            refused.check("TrimmedDataAccessException", Text::exact(TRIMMED))?;
        }
        Ok(())
    });
    group
        .control("horizon-iterator-is-never-overtaken", &[29], |cx| {
            let lane = Lane::new(cx, 5)?;
            let horizon = lane.iterator(cx, "TRIM_HORIZON")?;
            cx.control()?.trim(lane.arn(), Some(lane.number(3)))?;
            lane.check_yields(cx, &horizon, &lane.records[3..], "from an older horizon iterator")
        })
        .inferred();
    group
        .control("reader-at-the-end-is-not-overtaken", &[29], |cx| {
            let lane = Lane::new(cx, 3)?;
            let after = lane.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", lane.number(2))?;
            let latest = lane.iterator(cx, "LATEST")?;
            cx.control()?.trim(lane.arn(), None)?;
            lane.put(cx, 3..4)?;
            for iterator in [after, latest] {
                let records = cx.read_from(&iterator, 1)?;
                check_eq!(
                    records.iter().map(Record::new_image).collect::<Vec<_>>(),
                    [Some(&item(3))],
                    "new images"
                );
            }
            Ok(())
        })
        .inferred();
}

const TRIMMED: &str = "The data you are trying to access has been trimmed";

/// Makes a shard with five records, and trims the first two.
fn trimmed(cx: &Context<'_>) -> Outcome<Lane> {
    let lane = Lane::new(cx, 5)?;
    cx.control()?.trim(lane.arn(), Some(lane.number(2)))?;
    Ok(lane)
}

fn refused_as_trimmed(cx: &Context<'_>, lane: &Lane, kind: &str, index: usize) -> Outcome {
    let request = json!({
        "StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": kind,
        "SequenceNumber": lane.number(index),
    });
    let refused = cx.streams_refused("GetShardIterator", request)?;
    refused.check("TrimmedDataAccessException", Text::exact(TRIMMED))
}
