//! Pages of GetRecords: with every page size, all records come once and in order.

use serde_json::json;

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::lane::{Lane, item, numbers};
use crate::outcome::Outcome;
use crate::random::Random;
use crate::record::{View, s};
use crate::{Reader, Record, check, check_eq, fail};

pub(super) fn group() -> Group {
    let mut group = Group::new("paging");
    for limit in [1, 2, 7, 1000] {
        group.case(format!("limit-{limit}"), &[11], move |cx| {
            let lane = Lane::new(cx, 20)?;
            let pages = pages(cx, &lane, |_| limit, 20)?;
            check_eq!(numbers(&pages.concat()), numbers(&lane.records), "sequence numbers over all pages");
            Ok(())
        });
    }
    for seed in 0..4 {
        group.case(format!("random-limits/{seed}"), &[11], move |cx| {
            let lane = Lane::new(cx, 40)?;
            let mut random = Random::new(seed);
            let pages = pages(cx, &lane, |_| 1 + random.below(9), 40)?;
            check_eq!(numbers(&pages.concat()), numbers(&lane.records), "sequence numbers over all pages");
            Ok(())
        });
    }
    group.case("random-limits-while-writers-run", &[11], while_writing);
    group.case("more-than-a-thousand-records", &[11], more_than_a_thousand);
    group.case("page-ends-at-about-a-megabyte", &[11, 20], megabyte).inferred();
    group.case("records-larger-than-half-a-page", &[11, 20], large_records);
    group.case("records-is-there-when-empty", &[33, 15], |cx| {
        let lane = Lane::new(cx, 0)?;
        let page = cx.streams("GetRecords", json!({"ShardIterator": lane.iterator(cx, "LATEST")?}))?;
        check_eq!(page["Records"], json!([]), "Records");
        Ok(())
    });
    group.case("each-next-iterator-is-another-text", &[15], |cx| {
        let lane = Lane::new(cx, 1)?;
        let first = lane.iterator(cx, "TRIM_HORIZON")?;
        let (_, second) = cx.page(&first, None)?;
        let (_, third) = cx.page(second.as_deref().unwrap_or_default(), None)?;
        check!(second.as_ref() != Some(&first) && third != second, "an iterator is handed out twice");
        Ok(())
    });
    group
}

/// Reads the lane's shard from its horizon, until so many records have come.
fn pages(
    cx: &Context<'_>,
    lane: &Lane,
    mut limit: impl FnMut(usize) -> u32,
    count: usize,
) -> Outcome<Vec<Vec<Record>>> {
    let mut pages: Vec<Vec<Record>> = Vec::new();
    let mut iterator = lane.iterator(cx, "TRIM_HORIZON")?;
    cx.wait(&format!("{count} records"), || {
        loop {
            let limit = limit(pages.len());
            let (page, next) = cx.page(&iterator, Some(limit))?;
            check!(page.len() <= limit as usize, "a page of {} with Limit {limit}", page.len());
            let Some(next) = next else { fail!("no NextShardIterator on an open shard") };
            iterator = next;
            let empty = page.is_empty();
            pages.push(page);
            if pages.iter().map(Vec::len).sum::<usize>() >= count {
                return Ok(Some(()));
            }
            if empty {
                return Ok(None);
            }
        }
    })?;
    Ok(pages)
}

fn while_writing(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    let mut random = Random::new(7);
    let pages = std::thread::scope(|scope| {
        let writer = scope.spawn(|| lane.put(cx, 1..120));
        let pages = pages(cx, &lane, |_| 1 + random.below(6), 120);
        match writer.join() {
            Ok(written) => written.and(pages),
            Err(_) => fail!("the writer panicked"),
        }
    })?;
    let images: Vec<_> = pages.concat().iter().filter_map(Record::new_image).cloned().collect();
    let expected: Vec<_> = (0..120).map(item).collect();
    check_eq!(images, expected, "new images over all pages");
    Ok(())
}

fn more_than_a_thousand(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::HashAndRange)?;
    let put =
        |number: usize| json!({"PutRequest": {"Item": {"pk": s("p"), "sk": s(format!("{number:05}"))}}});
    for start in (0..1100).step_by(25) {
        let mut left = json!({&table.name: (start..start + 25).map(put).collect::<Vec<_>>()});
        cx.wait("the batch to be written", || {
            let answer = cx.db("BatchWriteItem", json!({"RequestItems": left}))?;
            left = answer["UnprocessedItems"].clone();
            Ok(left.as_object().is_none_or(|left| left.is_empty()).then_some(()))
        })?;
    }
    let mut reader = Reader::new(&table.stream_arn).with_limit(1000);
    cx.read_until(&mut reader, "1100 records", |reader| reader.records().len() >= 1100)?;
    let mut keys: Vec<String> = reader.records().iter().map(Record::summary).collect();
    keys.sort();
    keys.dedup();
    check_eq!(keys.len(), 1100, "different items");
    check_eq!(reader.records().len(), 1100, "records");
    Ok(())
}

fn large_puts(cx: &Context<'_>, count: usize, size: usize) -> Outcome<Lane> {
    let lane = Lane::new(cx, 1)?;
    for number in 0..count {
        let item = json!({
            "pk": s("lane"), "sk": s(format!("large-{number:02}")), "v": s("x".repeat(size)),
        });
        cx.put(&lane.table.name, item)?;
    }
    Ok(lane)
}

fn megabyte(cx: &Context<'_>) -> Outcome {
    let lane = large_puts(cx, 8, 200_000)?;
    let pages = pages(cx, &lane, |_| 1000, 9)?;
    check_eq!(pages.concat().len(), 9, "records");
    for page in pages {
        let size: u64 = page.iter().filter_map(Record::size_bytes).sum();
        check!(page.len() <= 1 || size <= 1_048_576, "a page of {} records with {size} bytes", page.len());
    }
    Ok(())
}

fn large_records(cx: &Context<'_>) -> Outcome {
    let lane = large_puts(cx, 4, 390_000)?;
    // Each of these records carries two images.
    for number in 0..4 {
        let item = json!({
            "pk": s("lane"), "sk": s(format!("large-{number:02}")), "v": s("y".repeat(390_000)),
        });
        cx.put(&lane.table.name, item)?;
    }
    let records = pages(cx, &lane, |_| 1000, 9)?.concat();
    check_eq!(records.len(), 9, "records");
    let large =
        records.iter().filter(|record| record.size_bytes().is_some_and(|size| size > 780_000)).count();
    check_eq!(large, 4, "records with two large images");
    Ok(())
}
