//! Rotation, splits and lineage.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys, Table};
use crate::lane::{Lane, item, key, numbers};
use crate::outcome::Outcome;
use crate::record::{Record, Shard, View, compare_numbers, n, s};
use crate::{Reader, Stop, check, check_eq, fail, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("shards");
    group.case("shard-id-has-the-documented-form", &[26], shard_ids);
    group.case("shard-id-carries-the-creation-time", &[26], shard_id_time);
    group.case("open-shard-has-a-start-and-no-end", &[26, 33], open_shard);
    group.control("rotate-closes-and-continues-in-one-child", &[26], rotate_once);
    group.control("rotate-under-load", &[26], rotate_under_load);
    group.control("rotate-an-empty-shard", &[26], rotate_empty);
    group.control("chain-of-rotations", &[26], chain);
    group.control("child-has-a-later-id-and-greater-numbers", &[26], child_is_greater);
    group.control("records-before-the-rotation-stay-in-the-parent", &[26], boundary);
    group.control("reader-of-the-parent-comes-to-its-end", &[26, 15], parent_ends);
    group.control("latest-on-the-parent-ends-without-records", &[26, 15, 12], latest_on_parent);
    group.control("no-moment-without-an-open-shard", &[26, 27], never_without_open_shard);
    group.control("split-makes-two-children", &[27], split_once);
    group.control("split-keeps-every-key-in-one-child", &[27], split_keys);
    group.control("split-uses-both-children", &[27], split_uses_both);
    group.control("split-of-one-named-shard", &[27], split_named);
    group.control("split-under-load", &[27, 26], split_under_load);
    group.control("children-of-a-leaf", &[28], |cx| children_after(cx, |_, _| Ok(()), 0));
    group.control("children-after-a-rotation", &[28], |cx| {
        children_after(cx, |cx, table| cx.control()?.rotate(&table.stream_arn, None), 1)
    });
    group.control("children-after-a-split", &[28], |cx| {
        children_after(cx, |cx, table| cx.control()?.split(&table.stream_arn, None), 2)
    });
    group.control("grandchildren-are-no-children", &[28], grandchildren);
    group
        .case("children-of-an-unknown-shard", &[28], |cx| {
            let table = cx.table(View::Keys, Keys::Hash)?;
            let unknown = "shardId-00000001414576573621-f55eea83";
            check_eq!(children(cx, &table, unknown)?.len(), 0, "children of a shard that does not exist");
            Ok(())
        })
        .inferred();
    group.case("child-filter-keeps-the-other-members", &[28], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let plain = cx.describe_stream(&table.stream_arn)?;
        let shard = plain["Shards"][0]["ShardId"].clone();
        let filter = json!({"Type": "CHILD_SHARDS", "ShardId": shard});
        let request = json!({"StreamArn": table.stream_arn, "ShardFilter": filter});
        let filtered = &cx.streams("DescribeStream", request)?["StreamDescription"];
        for member in ["StreamArn", "StreamLabel", "StreamStatus", "StreamViewType", "TableName", "KeySchema"]
        {
            check_eq!(filtered[member], plain[member], "{member}");
        }
        check_eq!(filtered["Shards"], json!([]), "Shards");
        Ok(())
    });
    group.control("child-filter-with-limit-and-cursor", &[28, 8], filter_and_page).inferred();
    group.control("disable-after-a-split-ends-all", &[27, 4], disable_after_split);
    group.clock("shards-rotate-every-four-hours", &[26], rotate_by_age);
    group.clock("rotation-by-age-keeps-order-and-records", &[26], rotate_by_age_keeps);
    group
}

fn shard_ids(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    for shard in cx.shards(&table.stream_arn)? {
        let parts: Vec<&str> = shard.id().split('-').collect();
        let fits = parts.len() == 3
            && parts[0] == "shardId"
            && parts[1].len() == 20
            && parts[1].bytes().all(|b| b.is_ascii_digit())
            && (1..=36).contains(&parts[2].len())
            && parts[2].bytes().all(|b| b.is_ascii_alphanumeric());
        check!(fits, "a shard id `{}`", shard.id());
    }
    Ok(())
}

fn millis_of(shard: &Shard) -> Option<i64> {
    shard.id().split('-').nth(1)?.parse().ok()
}

fn shard_id_time(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let created = crate::moment::parse_label(&table.label).unwrap_or_default();
    for shard in cx.shards(&table.stream_arn)? {
        let Some(millis) = millis_of(&shard) else { fail!("no time in the shard id {}", shard.id()) };
        let age = millis - created;
        check!((-60_000..600_000).contains(&age), "{} is {age} ms from the stream's creation", shard.id());
    }
    Ok(())
}

fn open_shard(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    for shard in cx.shards(&table.stream_arn)? {
        let range = &shard.0["SequenceNumberRange"];
        let start = shard.start();
        let digits = start.bytes().all(|b| b.is_ascii_digit());
        check!(digits && (21..=40).contains(&start.len()), "StartingSequenceNumber is `{start}`");
        check!(range.get("EndingSequenceNumber").is_none(), "an open shard with an end: {}", shown(&shard));
        check!(shard.0.get("ParentShardId").is_none(), "a first shard with a parent: {}", shown(&shard));
    }
    Ok(())
}

/// Returns the children of a shard in a listing.
fn children_in<'a>(shards: &'a [Shard], parent: &str) -> Vec<&'a Shard> {
    shards.iter().filter(|shard| shard.parent() == Some(parent)).collect()
}

/// Fails unless every closed shard has so many children that follow it, and open shards have none.
fn check_lineage(shards: &[Shard], expected: &[usize]) -> Outcome {
    for shard in shards {
        let children = children_in(shards, shard.id());
        match shard.end() {
            None => check!(children.is_empty(), "the open shard {} has children", shard.id()),
            Some(end) => {
                check!(expected.contains(&children.len()), "{} has {} children", shard.id(), children.len());
                check!(compare_numbers(shard.start(), end).is_le(), "{} ends before its start", shard.id());
                for child in children {
                    check!(
                        child.id() > shard.id(),
                        "the child {} has an earlier id than {}",
                        child.id(),
                        shard.id()
                    );
                    check!(
                        compare_numbers(child.start(), end).is_gt(),
                        "the child starts at {}, its parent ends at {end}",
                        child.start()
                    );
                }
            }
        }
    }
    Ok(())
}

fn rotate_once(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let before = cx.shards(&table.stream_arn)?;
    cx.control()?.rotate(&table.stream_arn, None)?;
    let after = cx.shards(&table.stream_arn)?;
    check_eq!(after.len(), 2 * before.len(), "shards");
    for shard in &before {
        let now = after.iter().find(|other| other.id() == shard.id());
        check!(now.is_some_and(|now| !now.is_open()), "the rotated shard {} is not closed", shard.id());
    }
    check_lineage(&after, &[1])
}

/// Writes to a few items on two threads while `disturb` runs; returns a reader that has read everything.
fn under_load(cx: &Context<'_>, table: &Table, disturb: impl Fn() -> Outcome + Sync) -> Outcome<Reader> {
    const WRITES: usize = 120;
    let mut reader = Reader::new(&table.stream_arn).with_limit(10);
    let what = format!("{} records", 2 * WRITES);
    let read = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                scope.spawn(move || {
                    (0..WRITES).try_for_each(|number| {
                        let item = json!({"pk": s(format!("{writer}-{}", number % 7)), "n": n(number)});
                        cx.put(&table.name, item)
                    })
                })
            })
            .collect();
        let disturber = scope.spawn(&disturb);
        let read = cx.read_until(&mut reader, &what, |reader| reader.records().len() >= 2 * WRITES);
        for thread in writers.into_iter().chain([disturber]) {
            match thread.join() {
                Ok(done) => done?,
                Err(_) => fail!("a thread panicked"),
            }
        }
        read
    });
    read?;
    cx.settle();
    reader.poll(cx)?;
    check_eq!(reader.records().len(), 2 * WRITES, "records");
    for writer in 0..2 {
        for item in 0..7 {
            let records = reader.records_of(&json!({"pk": s(format!("{writer}-{item}"))}));
            let seen: Vec<String> =
                records.iter().filter_map(|r| r.new_image()?["n"]["N"].as_str().map(str::to_owned)).collect();
            let expected: Vec<String> = (item..WRITES).step_by(7).map(|number| number.to_string()).collect();
            check_eq!(seen, expected, "writes of item {writer}-{item} along its lineage");
        }
    }
    Ok(reader)
}

fn check_numbers_grow(reader: &Reader) -> Outcome {
    let mut all = BTreeSet::new();
    for (shard, records) in reader.by_shard() {
        for two in records.windows(2) {
            let (a, b) = (two[0].number(), two[1].number());
            check!(compare_numbers(a, b).is_lt(), "{b} comes after {a} in {shard}");
        }
        for record in records {
            check!(all.insert(record.event_id().to_owned()), "eventID {} appears twice", record.event_id());
        }
    }
    Ok(())
}

fn rotate_under_load(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let control = cx.control()?;
    let reader = under_load(cx, &table, || (0..4).try_for_each(|_| control.rotate(&table.stream_arn, None)))?;
    check_numbers_grow(&reader)?;
    check_lineage(&cx.shards(&table.stream_arn)?, &[1])
}

fn split_under_load(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let control = cx.control()?;
    let reader = under_load(cx, &table, || (0..2).try_for_each(|_| control.split(&table.stream_arn, None)))?;
    check_numbers_grow(&reader)?;
    check_lineage(&cx.shards(&table.stream_arn)?, &[2])
}

fn rotate_empty(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 0)?;
    cx.control()?.rotate(lane.arn(), None)?;
    let shard = lane.shard(cx)?;
    check!(!shard.is_open(), "the rotated shard is open: {}", shown(&shard));
    let (records, next) = cx.page(&lane.iterator(cx, "TRIM_HORIZON")?, None)?;
    check_eq!(records.len(), 0, "records of the empty shard");
    check!(next.is_none(), "a NextShardIterator at the end of a closed shard");
    Ok(())
}

fn chain(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 1)?;
    for number in 1..6 {
        cx.control()?.rotate(lane.arn(), None)?;
        lane.put(cx, number..number + 1)?;
    }
    let shards = cx.shards(lane.arn())?;
    check_lineage(&shards, &[1])?;
    let mut at = lane.shard_id.clone();
    let mut images = Vec::new();
    for _ in 0..6 {
        let horizon = cx.iterator(lane.arn(), &at, "TRIM_HORIZON")?;
        images.extend(cx.read_from(&horizon, 1)?.iter().filter_map(Record::new_image).cloned());
        at = children_in(&shards, &at).first().map(|child| child.id().to_owned()).unwrap_or_default();
    }
    check_eq!(images, (0..6).map(item).collect::<Vec<_>>(), "one record a generation");
    Ok(())
}

fn child_is_greater(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 3)?;
    cx.control()?.rotate(lane.arn(), None)?;
    lane.put(cx, 3..6)?;
    let shards = cx.shards(lane.arn())?;
    let children = children_in(&shards, &lane.shard_id);
    check_eq!(children.len(), 1, "children");
    let horizon = cx.iterator(lane.arn(), children[0].id(), "TRIM_HORIZON")?;
    let records = cx.read_from(&horizon, 3)?;
    for number in numbers(&records) {
        check!(
            compare_numbers(&number, lane.number(2)).is_gt(),
            "{number} in the child, {} before",
            lane.number(2)
        );
        check!(compare_numbers(&number, children[0].start()).is_ge(), "{number} is before the child's start");
    }
    let parent = lane.shard(cx)?;
    check!(millis_of(&parent) < millis_of(children[0]), "the child's time is not after its parent's");
    let end = parent.end().unwrap_or_default();
    check!(compare_numbers(end, lane.number(2)).is_ge(), "the parent ends at {end}, before its last record");
    Ok(())
}

fn boundary(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 3)?;
    cx.control()?.rotate(lane.arn(), None)?;
    lane.put(cx, 3..5)?;
    lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records, "of the parent")
}

fn parent_ends(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 4)?;
    let (first, next) = cx.page(&lane.iterator(cx, "TRIM_HORIZON")?, Some(2))?;
    check_eq!(first.len(), 2, "records of the first page");
    cx.control()?.rotate(lane.arn(), None)?;
    lane.put(cx, 4..6)?;
    let (rest, end) = cx.page(&next.unwrap_or_default(), None)?;
    check_eq!(numbers(&rest), numbers(&lane.records[2..]), "sequence numbers of the rest");
    check!(end.is_none(), "a NextShardIterator on the last page of a closed shard");
    Ok(())
}

fn latest_on_parent(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    let latest = lane.iterator(cx, "LATEST")?;
    cx.control()?.rotate(lane.arn(), None)?;
    lane.put(cx, 2..4)?;
    let (records, end) = cx.page(&latest, None)?;
    check_eq!(records.len(), 0, "records behind LATEST in the parent");
    check!(end.is_none(), "a NextShardIterator at the end of a closed shard");
    Ok(())
}

fn never_without_open_shard(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let control = cx.control()?;
    std::thread::scope(|scope| {
        let rotations = scope.spawn(|| {
            (0..6).try_for_each(|_| control.rotate(&table.stream_arn, None))?;
            control.split(&table.stream_arn, None)
        });
        loop {
            let done = rotations.is_finished();
            // A listing over several pages is no one moment, but no rotation here makes so many shards.
            check_lineage(&cx.shards(&table.stream_arn)?, &[1, 2])?;
            if done {
                break;
            }
        }
        match rotations.join() {
            Ok(rotated) => rotated,
            Err(_) => fail!("the rotations panicked"),
        }
    })
}

fn split_once(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let before = cx.shards(&table.stream_arn)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let after = cx.shards(&table.stream_arn)?;
    check_eq!(after.len(), 3 * before.len(), "shards");
    check_lineage(&after, &[2])
}

/// Puts many items, each three times; returns for each key the shards that have its records.
fn shards_by_key(cx: &Context<'_>, table: &Table) -> Outcome<BTreeMap<String, BTreeSet<String>>> {
    for round in 0..3 {
        for number in 0..40 {
            cx.put(&table.name, json!({"pk": s(format!("{number}")), "n": n(round)}))?;
        }
    }
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "120 records", |reader| reader.records().len() >= 120)?;
    let mut by_key: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (shard, records) in reader.by_shard() {
        for record in records {
            by_key.entry(record.keys().to_string()).or_default().insert(shard.clone());
        }
    }
    Ok(by_key)
}

fn split_keys(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let by_key = shards_by_key(cx, &table)?;
    check_eq!(by_key.len(), 40, "keys");
    for (key, shards) in by_key {
        check_eq!(shards.len(), 1, "shards with records of {key}");
    }
    Ok(())
}

fn split_uses_both(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let used: BTreeSet<String> = shards_by_key(cx, &table)?.into_values().flatten().collect();
    check!(used.len() > 1, "all forty keys are in one child, {used:?}");
    Ok(())
}

fn split_named(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let shards = cx.shards(&table.stream_arn)?;
    let Some(leaf) = shards.iter().find(|shard| shard.is_open()) else { fail!("no open shard") };
    cx.control()?.split(&table.stream_arn, Some(leaf.id()))?;
    let after = cx.shards(&table.stream_arn)?;
    check_eq!(after.len(), shards.len() + 2, "shards");
    check_eq!(children_in(&after, leaf.id()).len(), 2, "children of the named shard");
    check_lineage(&after, &[2])
}

/// Returns the ids that the CHILD_SHARDS filter gives.
fn children(cx: &Context<'_>, table: &Table, parent: &str) -> Outcome<Vec<String>> {
    let filter = json!({"Type": "CHILD_SHARDS", "ShardId": parent});
    let request = json!({"StreamArn": table.stream_arn, "ShardFilter": filter});
    let answer = cx.streams("DescribeStream", request)?;
    let Some(shards) = answer["StreamDescription"]["Shards"].as_array() else {
        fail!("no Shards: {}", shown(&answer))
    };
    check!(
        shards.iter().all(|shard| shard["ParentShardId"] == parent),
        "shards that are no children of {parent}: {}",
        shown(shards)
    );
    Ok(shards.iter().map(|shard| shard["ShardId"].as_str().unwrap_or_default().to_owned()).collect())
}

fn children_after(
    cx: &Context<'_>,
    change: impl Fn(&Context<'_>, &Table) -> Outcome,
    count: usize,
) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let shards = cx.shards(&table.stream_arn)?;
    change(cx, &table)?;
    let listed = cx.shards(&table.stream_arn)?;
    for shard in &shards {
        let expected: Vec<String> =
            children_in(&listed, shard.id()).iter().map(|child| child.id().to_owned()).collect();
        check_eq!(expected.len(), count, "children in the whole listing");
        check_eq!(children(cx, &table, shard.id())?, expected, "children by the filter");
    }
    Ok(())
}

fn grandchildren(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let first = cx.shards(&table.stream_arn)?;
    cx.control()?.rotate(&table.stream_arn, None)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let of_first = children(cx, &table, first[0].id())?;
    check_eq!(of_first.len(), 1, "children of the first shard");
    check_eq!(children(cx, &table, &of_first[0])?.len(), 2, "children of its child");
    Ok(())
}

fn filter_and_page(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let parent = cx.shards(&table.stream_arn)?[0].id().to_owned();
    cx.control()?.split(&table.stream_arn, None)?;
    let all = children(cx, &table, &parent)?;
    let mut request = json!({
        "StreamArn": table.stream_arn, "Limit": 1, "ShardFilter": {"Type": "CHILD_SHARDS", "ShardId": parent},
    });
    let mut paged = Vec::new();
    loop {
        let answer = cx.streams("DescribeStream", request.clone())?;
        let description = &answer["StreamDescription"];
        let shards = description["Shards"].as_array().cloned().unwrap_or_default();
        paged.extend(shards.iter().map(|shard| shard["ShardId"].as_str().unwrap_or_default().to_owned()));
        match description["LastEvaluatedShardId"].as_str() {
            Some(last) if paged.len() <= all.len() => request["ExclusiveStartShardId"] = last.into(),
            Some(last) => fail!("a cursor {last} behind the last child"),
            None => break,
        }
    }
    check_eq!(paged, all, "children over all pages");
    Ok(())
}

fn disable_after_split(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.control()?.split(&table.stream_arn, None)?;
    let by_key = shards_by_key(cx, &table)?;
    cx.disable(&table)?;
    for shard in cx.shards(&table.stream_arn)? {
        check!(!shard.is_open(), "an open shard in a disabled stream: {}", shown(&shard));
    }
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "the end of the stream", Reader::is_finished)?;
    check_eq!(reader.records().len(), 120, "records of {} keys", by_key.len());
    Ok(())
}

fn rotate_by_age(cx: &Context<'_>) -> Outcome {
    let lane = Lane::new(cx, 2)?;
    let clock = cx.control()?.hold()?;
    clock.advance(Duration::from_secs(3 * 3600))?;
    check!(lane.shard(cx)?.is_open(), "the shard is closed after three hours");
    clock.advance(Duration::from_secs(2 * 3600))?;
    lane.put(cx, 2..3)?;
    if lane.shard(cx)?.is_open() {
        return Err(Stop::Skipped("shards do not rotate by age here".into()));
    }
    check_lineage(&cx.shards(lane.arn())?, &[1])?;
    lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records, "of the first shard")
}

fn rotate_by_age_keeps(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::HashAndRange)?;
    let clock = cx.control()?.hold()?;
    // Twenty hours, so that nothing is trimmed.
    for number in 0..10 {
        cx.put(&table.name, item(number))?;
        cx.update(&table.name, &key(0), "SET at_hour = :h", json!({":h": n(2 * number)}))?;
        clock.advance(Duration::from_secs(2 * 3600))?;
    }
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "20 records", |reader| reader.records().len() >= 20)?;
    check_eq!(reader.records().len(), 20, "records");
    let hours: Vec<Value> = reader
        .records_of(&key(0))
        .iter()
        .filter_map(|record| record.new_image()?.get("at_hour").cloned())
        .collect();
    check_eq!(hours, (0..10).map(|number| n(2 * number)).collect::<Vec<_>>(), "writes of one item");
    check_numbers_grow(&reader)
}
