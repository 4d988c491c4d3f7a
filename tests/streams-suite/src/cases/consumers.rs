//! Typical consumers, from their first call to a rotation while they read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::case::Group;
use crate::context::{Context, Keys, Table};
use crate::outcome::Outcome;
use crate::record::{Record, Shard, View, compare_numbers, n, s};
use crate::{check, check_eq, fail};

pub(super) fn group() -> Group {
    let mut group = Group::new("consumers");
    group.case("from-describe-table-to-the-last-record", &[30], |cx| consume_all(cx, 30, |_, _| Ok(())));
    group.case("resumes-from-its-checkpoint", &[30, 10], resumes);
    group.case("resumes-an-idle-shard-from-its-start", &[30, 10], resumes_idle);
    group.case("drains-a-stream-that-is-disabled", &[30, 4, 15], drains);
    group.control("through-a-rotation", &[30, 26], |cx| {
        consume_all(cx, 60, |cx, table| cx.control()?.rotate(&table.stream_arn, None))
    });
    group.control("through-a-split", &[30, 27], |cx| {
        consume_all(cx, 60, |cx, table| cx.control()?.split(&table.stream_arn, None))
    });
    group.control("finds-children-by-filter-at-the-shards-end", &[30, 28], by_filter);
    group.control("resumes-in-a-closed-parent", &[30, 26, 10], resumes_in_parent);
    group
}

/// Where a consumer is in each shard; a finished shard has no entry here, but one in `finished`.
#[derive(Debug, Default)]
struct Consumer {
    checkpoints: BTreeMap<String, String>,
    finished: BTreeSet<String>,
    seen: Vec<Record>,
}

impl Consumer {
    /// Processes what there is, with fresh iterators from the checkpoints, as a worker does that has just started.
    fn run(&mut self, cx: &Context<'_>, arn: &str) -> Outcome {
        loop {
            let shards = cx.shards(arn)?;
            let listed: BTreeSet<&str> = shards.iter().map(Shard::id).collect();
            let ready = |shard: &&Shard| {
                let parent_done =
                    shard.parent().is_none_or(|id| !listed.contains(id) || self.finished.contains(id));
                !self.finished.contains(shard.id()) && parent_done
            };
            let ready: Vec<Shard> = shards.iter().filter(ready).cloned().collect();
            let before = self.finished.len();
            for shard in ready {
                self.work_on(cx, arn, shard.id())?;
            }
            if self.finished.len() == before {
                return Ok(());
            }
        }
    }

    fn work_on(&mut self, cx: &Context<'_>, arn: &str, shard: &str) -> Outcome {
        let mut next = Some(match self.checkpoints.get(shard) {
            Some(number) => cx.iterator_at(arn, shard, "AFTER_SEQUENCE_NUMBER", number)?,
            None => cx.iterator(arn, shard, "TRIM_HORIZON")?,
        });
        while let Some(iterator) = next {
            let (records, then) = cx.page(&iterator, Some(5))?;
            if let Some(last) = records.last() {
                self.checkpoints.insert(shard.to_owned(), last.number().to_owned());
            }
            let empty = records.is_empty();
            self.seen.extend(records);
            if then.is_none() {
                self.finished.insert(shard.to_owned());
            }
            next = then.filter(|_| !empty);
        }
        Ok(())
    }

    fn run_until(&mut self, cx: &Context<'_>, arn: &str, count: usize) -> Outcome {
        cx.wait(&format!("{count} records at the consumer"), || {
            self.run(cx, arn)?;
            Ok((self.seen.len() >= count).then_some(()))
        })
    }

    /// Fails unless it has seen these many writes of each of five items, in order, and nothing twice.
    fn check(&self, writes: usize) -> Outcome {
        check_eq!(self.seen.len(), writes, "records seen");
        for item in 0..5 {
            let key = json!({"pk": s(format!("{item}"))});
            let of_item = self.seen.iter().filter(|record| record.keys() == &key);
            let values: Vec<String> =
                of_item.filter_map(|r| r.new_image()?["n"]["N"].as_str().map(str::to_owned)).collect();
            let expected: Vec<String> = (item..writes).step_by(5).map(|number| number.to_string()).collect();
            check_eq!(values, expected, "writes of item {item} as seen");
        }
        Ok(())
    }
}

fn write(cx: &Context<'_>, table: &Table, numbers: std::ops::Range<usize>) -> Outcome {
    numbers.into_iter().try_for_each(|number| {
        cx.put(&table.name, json!({"pk": s(format!("{}", number % 5)), "n": n(number)}))
    })
}

fn consume_all(
    cx: &Context<'_>,
    writes: usize,
    between: impl Fn(&Context<'_>, &Table) -> Outcome,
) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let arn = cx.describe_table(&table.name)?["LatestStreamArn"].as_str().unwrap_or_default().to_owned();
    let mut consumer = Consumer::default();
    write(cx, &table, 0..writes / 2)?;
    consumer.run(cx, &arn)?;
    between(cx, &table)?;
    write(cx, &table, writes / 2..writes)?;
    consumer.run_until(cx, &arn, writes)?;
    consumer.check(writes)
}

fn resumes(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let mut consumer = Consumer::default();
    for round in 0..4 {
        write(cx, &table, round * 10..(round + 1) * 10)?;
        consumer.run_until(cx, &table.stream_arn, (round + 1) * 10)?;
    }
    consumer.check(40)
}

fn resumes_idle(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let mut consumer = Consumer::default();
    // Nothing has been written, so the only number there is to remember is the shard's start.
    for shard in cx.shards(&table.stream_arn)? {
        consumer.checkpoints.insert(shard.id().to_owned(), shard.start().to_owned());
    }
    write(cx, &table, 0..10)?;
    consumer.run_until(cx, &table.stream_arn, 10)?;
    consumer.check(10)
}

fn drains(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let mut consumer = Consumer::default();
    write(cx, &table, 0..20)?;
    consumer.run(cx, &table.stream_arn)?;
    cx.disable(&table)?;
    let shards = cx.shards(&table.stream_arn)?.len();
    cx.wait("all shards to be finished", || {
        consumer.run(cx, &table.stream_arn)?;
        Ok((consumer.finished.len() == shards).then_some(()))
    })?;
    consumer.check(20)
}

fn by_filter(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let roots: Vec<String> =
        cx.shards(&table.stream_arn)?.iter().map(|shard| shard.id().to_owned()).collect();
    write(cx, &table, 0..20)?;
    cx.control()?.split(&table.stream_arn, None)?;
    write(cx, &table, 20..60)?;
    let mut consumer = Consumer::default();
    let mut to_do = roots;
    while let Some(shard) = to_do.pop() {
        consumer.work_on(cx, &table.stream_arn, &shard)?;
        if consumer.finished.contains(&shard) {
            let filter = json!({"Type": "CHILD_SHARDS", "ShardId": shard});
            let request = json!({"StreamArn": table.stream_arn, "ShardFilter": filter});
            let answer = cx.streams("DescribeStream", request)?;
            let Some(children) = answer["StreamDescription"]["Shards"].as_array() else { fail!("no Shards") };
            check_eq!(children.len(), 2, "children at the end of {shard}");
            to_do.extend(
                children.iter().map(|child| child["ShardId"].as_str().unwrap_or_default().to_owned()),
            );
        }
    }
    consumer.check(60)
}

fn resumes_in_parent(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    write(cx, &table, 0..20)?;
    let mut consumer = Consumer::default();
    // It stops after the first page of each shard.
    for shard in cx.shards(&table.stream_arn)? {
        let iterator = cx.iterator(&table.stream_arn, shard.id(), "TRIM_HORIZON")?;
        let (records, _) = cx.page(&iterator, Some(3))?;
        if let Some(last) = records.last() {
            consumer.checkpoints.insert(shard.id().to_owned(), last.number().to_owned());
        }
        consumer.seen.extend(records);
    }
    cx.control()?.rotate(&table.stream_arn, None)?;
    write(cx, &table, 20..40)?;
    consumer.run_until(cx, &table.stream_arn, 40)?;
    for two in consumer.seen.windows(2) {
        if two[0].keys() == two[1].keys() {
            let grows = compare_numbers(two[0].number(), two[1].number()).is_lt();
            check!(grows, "{} comes after {}", two[1].number(), two[0].number());
        }
    }
    consumer.check(40)
}
