//! Iterators into closed shards.

use crate::case::Group;
use crate::context::Context;
use crate::lane::{Lane, numbers};
use crate::outcome::Outcome;
use crate::{check, check_eq, fail};

pub(super) fn add(group: &mut Group) {
    group.case("closed-shard/TRIM_HORIZON", &[9, 15], |cx| {
        let lane = closed(cx, 5)?;
        lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records, "from the horizon")
    });
    group.case("closed-shard/LATEST", &[9, 15], |cx| {
        let lane = closed(cx, 5)?;
        ended(cx, &lane.iterator(cx, "LATEST")?)
    });
    group.case("closed-shard/AT_SEQUENCE_NUMBER", &[9, 10], |cx| {
        let lane = closed(cx, 4)?;
        lane.check_at(cx, 0..4)
    });
    group.case("closed-shard/AFTER_SEQUENCE_NUMBER", &[9, 10], |cx| {
        let lane = closed(cx, 4)?;
        lane.check_after(cx, 0..4)?;
        ended(cx, &lane.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", lane.number(3))?)
    });
    group.case("end-of-the-shard/AFTER_SEQUENCE_NUMBER", &[9, 10, 15], |cx| {
        let lane = closed(cx, 3)?;
        let shard = lane.shard(cx)?;
        ended(cx, &lane.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", shard.end().unwrap_or_default())?)
    });
    group.case("end-of-the-shard/AT_SEQUENCE_NUMBER", &[9, 10], |cx| {
        let lane = closed(cx, 3)?;
        let end = lane.shard(cx)?.end().unwrap_or_default().to_owned();
        let rest = if end == lane.number(2) { &lane.records[2..] } else { &[] };
        lane.check_yields(
            cx,
            &lane.iterator_at(cx, "AT_SEQUENCE_NUMBER", &end)?,
            rest,
            "from the shard's end",
        )
    });
    group.case("last-page-of-a-closed-shard-has-no-next-iterator", &[15], |cx| {
        let lane = closed(cx, 3)?;
        let mut next = Some(lane.iterator(cx, "TRIM_HORIZON")?);
        let mut seen = 0;
        cx.wait("the end of the shard", || {
            let Some(iterator) = next.take() else { return Ok(Some(())) };
            let (records, then) = cx.page(&iterator, None)?;
            seen += records.len();
            check!(
                then.is_none() || seen < 3 || records.is_empty(),
                "a NextShardIterator on the page with the last record of a closed shard"
            );
            next = then;
            Ok(None)
        })?;
        check_eq!(seen, 3, "records");
        Ok(())
    });
    group.case("closed-shard-paged-one-by-one", &[15, 11], |cx| {
        let lane = closed(cx, 3)?;
        let mut next = Some(lane.iterator(cx, "TRIM_HORIZON")?);
        let mut seen = Vec::new();
        cx.wait("the end of the shard", || {
            let Some(iterator) = next.take() else { return Ok(Some(())) };
            let (records, then) = cx.page(&iterator, Some(1))?;
            seen.extend(records);
            next = then;
            Ok(None)
        })?;
        check_eq!(numbers(&seen), numbers(&lane.records), "sequence numbers");
        Ok(())
    });
    group.case("closed-shard-without-records", &[15, 9], |cx| {
        let lane = closed(cx, 0)?;
        for kind in ["TRIM_HORIZON", "LATEST"] {
            ended(cx, &lane.iterator(cx, kind)?)?;
        }
        Ok(())
    });
    group.case("shard-closed-under-a-reader", &[15], |cx| {
        let lane = Lane::new(cx, 2)?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        let (_, next) = cx.page(&iterator, None)?;
        let Some(next) = next else { fail!("no NextShardIterator on an open shard") };
        lane.close(cx)?;
        let rest = cx.read_from(&next, 2)?;
        check!(rest.len() <= 2, "{} records behind the first page", rest.len());
        ended(cx, &lane.iterator(cx, "LATEST")?)
    });
}

fn closed(cx: &Context<'_>, count: usize) -> Outcome<Lane> {
    let lane = Lane::new(cx, count)?;
    lane.close(cx)?;
    Ok(lane)
}

/// Fails unless an iterator yields nothing and ends; the service may hand out an empty page or two before.
fn ended(cx: &Context<'_>, iterator: &str) -> Outcome {
    let mut next = Some(iterator.to_owned());
    cx.wait("the end of the shard", || {
        let Some(iterator) = next.take() else { return Ok(Some(())) };
        let (records, then) = cx.page(&iterator, None)?;
        check_eq!(records.len(), 0, "records at the end of a closed shard");
        next = then;
        Ok(None)
    })
}
