//! Iterators at a point in time.

use std::time::Duration;

use serde_json::{Value, json};

use super::iterators::with_restart;
use crate::case::Group;
use crate::context::{Context, Keys};
use crate::control::HeldClock;
use crate::expect::Text;
use crate::lane::{Lane, key, numbers};
use crate::outcome::{Outcome, Stop};
use crate::record::View;
use crate::{Record, check, check_eq, fail};

const KIND: &str = "AT_TIMESTAMP";
/// An id of a legal length that no shard has.
const NO_SHARD: &str = "shardId-00000000000000000001-00000000";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn group() -> Group {
    let mut group = Group::new("at-timestamp");
    positions(&mut group);
    ends(&mut group);
    lineage(&mut group);
    clocks(&mut group);
    any_server(&mut group);
    members(&mut group);
    forms(&mut group);
    group
}

/// Four records at 0, 250, 250 and 2000 milliseconds after a whole second, ten seconds ago by a clock that stands.
struct Timed<'a> {
    lane: Lane,
    clock: HeldClock<'a>,
    /// That second, in milliseconds.
    base: i64,
}

impl<'a> Timed<'a> {
    fn new(cx: &Context<'a>) -> Outcome<Self> {
        let clock = cx.control()?.hold()?;
        let lane = Lane::new(cx, 0)?;
        let base = (clock.now()? / 1000 + 1) * 1000;
        let mut timed = Self { lane, clock, base };
        for (number, millis) in [0, 250, 250, 2000].into_iter().enumerate() {
            timed.clock.set(base + millis)?;
            timed.lane.put(cx, number..number + 1)?;
        }
        timed.lane.shard_id = cx.shard_of(timed.lane.arn(), &key(0))?;
        timed.lane.records = cx.read_from(&timed.lane.iterator(cx, "TRIM_HORIZON")?, 4)?;
        check_eq!(timed.lane.records.len(), 4, "records in the one shard");
        timed.clock.set(base + 10_000)?;
        Ok(timed)
    }

    /// Returns an iterator at so many milliseconds after the first record.
    fn iterator(&self, cx: &Context<'_>, millis: i64) -> Outcome<String> {
        iterator(cx, self.lane.arn(), &self.lane.shard_id, seconds(self.base + millis))
    }

    /// Fails unless the iterator there begins with this record.
    fn check(&self, cx: &Context<'_>, millis: i64, first: usize) -> Outcome {
        let what = format!("from {millis} milliseconds after the first record");
        self.lane.check_yields(cx, &self.iterator(cx, millis)?, &self.lane.records[first..], &what)
    }
}

/// A number of seconds, as a client sends it.
fn seconds(millis: i64) -> Value {
    if millis % 1000 == 0 { json!(millis / 1000) } else { json!(millis as f64 / 1000.0) }
}

fn request(arn: &str, shard_id: &str, time: &Value) -> Value {
    json!({"StreamArn": arn, "ShardId": shard_id, "ShardIteratorType": KIND, "Timestamp": time})
}

fn iterator(cx: &Context<'_>, arn: &str, shard_id: &str, time: Value) -> Outcome<String> {
    let answer = cx.streams("GetShardIterator", request(arn, shard_id, &time))?;
    match answer["ShardIterator"].as_str() {
        Some(iterator) => Ok(iterator.to_owned()),
        None => fail!("no ShardIterator in the answer"),
    }
}

fn positions(group: &mut Group) {
    group.clock("at-the-time-of-a-record", &[35], |cx| Timed::new(cx)?.check(cx, 0, 0));
    group.clock("a-millisecond-before-the-first-record", &[35], |cx| Timed::new(cx)?.check(cx, -1, 0));
    group.clock("between-two-records", &[35], |cx| Timed::new(cx)?.check(cx, 1, 1)).inferred();
    group.clock("at-the-time-of-two-records", &[35], |cx| Timed::new(cx)?.check(cx, 250, 1)).inferred();
    group.clock("a-millisecond-after-two-records", &[35], |cx| Timed::new(cx)?.check(cx, 251, 3)).inferred();
    group.clock("at-the-time-of-the-last-record", &[35], |cx| Timed::new(cx)?.check(cx, 2000, 3));
    group.clock("a-whole-second-between-records", &[35], |cx| Timed::new(cx)?.check(cx, 1000, 3));
    group.clock("long-before-the-shard", &[35], |cx| Timed::new(cx)?.check(cx, -3_600_000, 0)).inferred();
    group
        .clock("milliseconds-count-that-records-do-not-show", &[35], |cx| {
            let clock = cx.control()?.hold()?;
            let base = (clock.now()? / 1000 + 1) * 1000;
            clock.set(base + 700)?;
            let lane = Lane::new(cx, 1)?;
            clock.set(base + 9_000)?;
            let shown = &lane.records[0].inner()["ApproximateCreationDateTime"];
            check_eq!(shown.as_f64(), Some((base / 1000) as f64), "ApproximateCreationDateTime");
            for (millis, first) in [(0, 0), (300, 0), (700, 0), (701, 1)] {
                let iterator = iterator(cx, lane.arn(), &lane.shard_id, seconds(base + millis))?;
                lane.check_yields(cx, &iterator, &lane.records[first..], &format!("from {millis} ms"))?;
            }
            Ok(())
        })
        .inferred();
}

fn ends(group: &mut Group) {
    group
        .clock("behind-the-last-record", &[35, 15], |cx| {
            let timed = Timed::new(cx)?;
            let (records, next) = cx.page(&timed.iterator(cx, 2001)?, None)?;
            check_eq!(records.len(), 0, "records behind the last one");
            check!(next.is_some(), "no NextShardIterator on an open shard");
            Ok(())
        })
        .inferred();
    group
        .clock("behind-the-last-record-is-a-fixed-position", &[35, 13], |cx| {
            let timed = Timed::new(cx)?;
            let end = timed.iterator(cx, 2001)?;
            timed.clock.set(timed.base + 11_000)?;
            timed.lane.put(cx, 4..6)?;
            for time in ["first", "second"] {
                let records = cx.read_from(&end, 2)?;
                check_eq!(records.len(), 2, "records at the {time} use");
            }
            Ok(())
        })
        .inferred();
    group
        .clock("now-is-not-the-future", &[35], |cx| {
            let timed = Timed::new(cx)?;
            let (records, next) = cx.page(&timed.iterator(cx, 10_000)?, None)?;
            check!(records.is_empty() && next.is_some(), "not the end of an open shard");
            Ok(())
        })
        .inferred();
    group.clock("the-future-is-refused", &[35, 17], |cx| {
        let timed = Timed::new(cx)?;
        for millis in [60_000, 3_600_000, 100 * 365 * 86_400_000] {
            let time = seconds(timed.base + 10_000 + millis);
            let request = request(timed.lane.arn(), &timed.lane.shard_id, &time);
            cx.streams_refused("GetShardIterator", request)?.check_validation(Text::Any)?;
        }
        Ok(())
    });
    group
        .clock("the-future-becomes-the-present", &[35], |cx| {
            let timed = Timed::new(cx)?;
            let later = request(timed.lane.arn(), &timed.lane.shard_id, &seconds(timed.base + 70_000));
            cx.streams_refused("GetShardIterator", later)?.check_validation(Text::Any)?;
            timed.clock.set(timed.base + 70_000)?;
            timed.lane.put(cx, 4..5)?;
            let records = cx.read_from(&timed.iterator(cx, 70_000)?, 1)?;
            check_eq!(records.len(), 1, "records from that time on");
            Ok(())
        })
        .inferred();
    group
        .clock("empty-open-shard", &[35, 9], |cx| {
            let clock = cx.control()?.hold()?;
            let lane = Lane::new(cx, 0)?;
            let now = clock.now()?;
            clock.advance(Duration::from_secs(10))?;
            for time in [now - 60_000, now + 1000, now + 10_000] {
                let (records, next) =
                    cx.page(&iterator(cx, lane.arn(), &lane.shard_id, seconds(time))?, None)?;
                check!(records.is_empty() && next.is_some(), "not the end of an open shard");
            }
            Ok(())
        })
        .inferred();
    group
        .clock("closed-shard-behind-its-last-record", &[35, 9, 15], |cx| {
            let timed = Timed::new(cx)?;
            cx.control()?.rotate(timed.lane.arn(), None)?;
            let (records, next) = cx.page(&timed.iterator(cx, 5000)?, None)?;
            check!(records.is_empty() && next.is_none(), "not the end of a closed shard");
            Ok(())
        })
        .inferred();
    group
        .clock("closed-shard-in-its-middle", &[35, 9, 15], |cx| {
            let timed = Timed::new(cx)?;
            cx.control()?.rotate(timed.lane.arn(), None)?;
            let (records, next) = cx.page(&timed.iterator(cx, 1)?, None)?;
            check_eq!(numbers(&records), numbers(&timed.lane.records[1..]), "sequence numbers");
            check!(next.is_none(), "a NextShardIterator at the end of a closed shard");
            Ok(())
        })
        .inferred();
}

fn lineage(group: &mut Group) {
    group
        .clock("a-rotated-stream-is-asked-shard-by-shard", &[35, 26], |cx| {
            let timed = Timed::new(cx)?;
            cx.control()?.rotate(timed.lane.arn(), None)?;
            timed.clock.set(timed.base + 20_000)?;
            timed.lane.put(cx, 4..6)?;
            for (millis, expected) in [(251, 3), (2001, 2), (20_000, 2), (20_001, 0)] {
                check_eq!(count_since(cx, &timed, millis)?, expected, "records from {millis} ms");
            }
            Ok(())
        })
        .inferred();
    group
        .clock("a-split-stream-is-asked-shard-by-shard", &[35, 27], |cx| {
            let timed = Timed::new(cx)?;
            cx.control()?.split(timed.lane.arn(), None)?;
            timed.clock.set(timed.base + 20_000)?;
            for number in 0..8 {
                cx.put(&timed.lane.table.name, json!({"pk": {"S": format!("k{number}")}, "sk": {"S": "s"}}))?;
            }
            for (millis, expected) in [(250, 11), (5000, 8), (20_001, 0)] {
                check_eq!(count_since(cx, &timed, millis)?, expected, "records from {millis} ms");
            }
            Ok(())
        })
        .inferred();
    group
        .clock("a-disabled-stream-is-read-from-a-time", &[35, 4], |cx| {
            let timed = Timed::new(cx)?;
            cx.db(
                "UpdateTable",
                json!({
                    "TableName": timed.lane.table.name, "StreamSpecification": {"StreamEnabled": false},
                }),
            )?;
            timed.clock.advance(Duration::from_secs(60))?;
            cx.wait_stream_status(timed.lane.arn(), "DISABLED")?;
            timed.check(cx, 251, 3)
        })
        .inferred();
    group.clock("older-than-the-trim-horizon", &[35, 29], |cx| {
        let timed = Timed::new(cx)?;
        // The first three records are older than a day, the last is not.
        timed.clock.set(timed.base + 1000)?;
        timed.clock.advance(DAY)?;
        for millis in [-3_600_000, 0, 250, 1000] {
            timed.check(cx, millis, 3)?;
        }
        Ok(())
    });
    group.control("trimmed-records-are-passed-over", &[35, 29], |cx| {
        let lane = Lane::new(cx, 4)?;
        cx.control()?.trim(lane.arn(), Some(lane.number(2)))?;
        let iterator = iterator(cx, lane.arn(), &lane.shard_id, json!(0))?;
        lane.check_yields(cx, &iterator, &lane.records[2..], "from 1970")
    });
    group
        .control("a-shard-without-records-left", &[35, 29], |cx| {
            let lane = Lane::new(cx, 2)?;
            cx.control()?.trim(lane.arn(), None)?;
            let (records, next) = cx.page(&iterator(cx, lane.arn(), &lane.shard_id, json!(0))?, None)?;
            check!(records.is_empty() && next.is_some(), "not the end of an open shard");
            Ok(())
        })
        .inferred();
}

/// How many records all shards of the stream have from a time on.
fn count_since(cx: &Context<'_>, timed: &Timed<'_>, millis: i64) -> Outcome<usize> {
    let mut count = 0;
    for shard in cx.shards(timed.lane.arn())? {
        let at = iterator(cx, timed.lane.arn(), shard.id(), seconds(timed.base + millis))?;
        count += cx.page(&at, None)?.0.len();
    }
    Ok(count)
}

fn clocks(group: &mut Group) {
    group
        .clock("records-behind-the-position-may-be-older", &[35], |cx| {
            let timed = Timed::new(cx)?;
            // The clock goes back an hour, and on.
            timed.clock.set(timed.base - 3_600_000)?;
            timed.lane.put(cx, 4..5)?;
            timed.clock.set(timed.base + 30_000)?;
            timed.lane.put(cx, 5..6)?;
            for (millis, expected) in
                [(-3_600_000, 6), (-1000, 6), (2000, 3), (2001, 1), (30_000, 1), (30_001, 0)]
            {
                let mut records: Vec<Record> = Vec::new();
                let mut next = Some(timed.iterator(cx, millis)?);
                while let Some(at) = next {
                    let (page, then) = cx.page(&at, None)?;
                    next = if page.is_empty() { None } else { then };
                    records.extend(page);
                }
                check_eq!(records.len(), expected, "records from {millis} ms");
            }
            Ok(())
        })
        .inferred();
    group.clock("lives-for-fifteen-minutes", &[35, 14], |cx| {
        let timed = Timed::new(cx)?;
        let iterator = timed.iterator(cx, 250)?;
        timed.clock.advance(Duration::from_secs(15 * 60))?;
        timed.lane.check_yields(cx, &iterator, &timed.lane.records[1..], "after exactly 15 minutes")?;
        timed.clock.advance(Duration::from_secs(60))?;
        let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": iterator}))?;
        refused.check("ExpiredIteratorException", Text::Any)
    });
    group.case_that_needs(crate::case::Needs::Server, "works-after-a-restart", &[35, 13], |cx| {
        with_restart(cx, |cx, restart| {
            let lane = Lane::new(cx, 3)?;
            let before = iterator(cx, lane.arn(), &lane.shard_id, json!(0))?;
            restart(&mut |cx| {
                lane.check_yields(cx, &before, &lane.records, "from an iterator of before")?;
                let after = iterator(cx, lane.arn(), &lane.shard_id, json!(0))?;
                lane.check_yields(cx, &after, &lane.records, "from an iterator of after")
            })
        })
    });
}

fn any_server(group: &mut Group) {
    for (name, time) in
        [("1970", json!(0)), ("before-1970", json!(-5)), ("a-day-and-an-hour-ago", Value::Null)]
    {
        group.case(format!("from-{name}"), &[35], move |cx| {
            let lane = Lane::new(cx, 3)?;
            let time = if time.is_null() {
                seconds(crate::moment::now_millis() - 25 * 3_600_000)
            } else {
                time.clone()
            };
            let iterator = iterator(cx, lane.arn(), &lane.shard_id, time)?;
            lane.check_yields(cx, &iterator, &lane.records, "from a time before the stream")
        });
    }
    group.case("two-calls-give-two-iterators", &[35, 13], |cx| {
        let lane = Lane::new(cx, 2)?;
        let one = iterator(cx, lane.arn(), &lane.shard_id, json!(0))?;
        let two = iterator(cx, lane.arn(), &lane.shard_id, json!(0))?;
        check!(one != two, "the same iterator twice");
        lane.check_yields(cx, &one, &lane.records, "from the first")?;
        lane.check_yields(cx, &two, &lane.records, "from the second")
    });
    group.case("pages-go-on-from-it", &[35, 11], |cx| {
        let lane = Lane::new(cx, 5)?;
        let mut next = Some(iterator(cx, lane.arn(), &lane.shard_id, json!(0))?);
        let mut seen = Vec::new();
        cx.wait("five records", || {
            let Some(at) = next.take() else { fail!("no NextShardIterator on an open shard") };
            let (records, then) = cx.page(&at, Some(2))?;
            seen.extend(records);
            next = then;
            Ok((seen.len() >= 5).then_some(()))
        })?;
        check_eq!(numbers(&seen), numbers(&lane.records), "sequence numbers");
        Ok(())
    });
}

fn members(group: &mut Group) {
    // Whether AWS refuses or ignores a member that says nothing is not known.
    let refused = |cx: &Context<'_>, more: &dyn Fn(&Lane) -> Value| -> Outcome {
        let lane = Lane::new(cx, 2)?;
        let mut request = json!({"StreamArn": lane.arn(), "ShardId": lane.shard_id});
        request = crate::record::merged(&request, &more(&lane));
        cx.streams_refused("GetShardIterator", request)?.check_validation(Text::Any)
    };
    group
        .case("no-time", &[35, 17], move |cx| refused(cx, &|_| json!({"ShardIteratorType": KIND})))
        .inferred();
    group
        .case("null-is-no-time", &[35, 17], move |cx| {
            refused(cx, &|_| json!({"ShardIteratorType": KIND, "Timestamp": null}))
        })
        .inferred();
    group
        .case("a-time-and-a-number", &[35, 17], move |cx| {
            refused(
                cx,
                &|lane| json!({"ShardIteratorType": KIND, "Timestamp": 0, "SequenceNumber": lane.number(0)}),
            )
        })
        .inferred();
    for kind in ["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        group
            .case(format!("{kind}-with-a-time"), &[35, 17], move |cx| {
                refused(cx, &|lane| {
                    let mut request = json!({"ShardIteratorType": kind, "Timestamp": 0});
                    if kind.ends_with("NUMBER") {
                        request["SequenceNumber"] = lane.number(0).into();
                    }
                    request
                })
            })
            .inferred();
    }
    group.case("the-year-2100-is-the-future", &[35, 17], move |cx| {
        refused(cx, &|_| json!({"ShardIteratorType": KIND, "Timestamp": 4_102_444_800u64}))
    });
    group.case("milliseconds-are-the-future", &[35, 17], move |cx| {
        refused(cx, &|_| json!({"ShardIteratorType": KIND, "Timestamp": 1_791_316_726_480u64}))
    });
    group.case("unknown-shard", &[35, 17], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let refused =
            cx.streams_refused("GetShardIterator", request(&table.stream_arn, NO_SHARD, &json!(100)))?;
        refused.check(
            "ResourceNotFoundException",
            Text::exact("Requested resource not found: Shard does not exist"),
        )
    });
    group.case("unknown-stream", &[35, 17], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let unknown = table.stream_arn.replace(&table.label, "2020-01-01T00:00:00.000");
        let refused = cx.streams_refused("GetShardIterator", request(&unknown, NO_SHARD, &json!(100)))?;
        refused.check("ResourceNotFoundException", Text::has(&["not found", &unknown]))
    });
    group.case("the-type-in-lower-case", &[35, 17], move |cx| {
        let lane = Lane::new(cx, 0)?;
        let request = json!({
            "StreamArn": lane.arn(), "ShardId": lane.shard_id, "ShardIteratorType": "at_timestamp", "Timestamp": 0,
        });
        cx.streams_refused("GetShardIterator", request)?.check_validation(Text::has(&[
            "1 validation error detected: Value 'at_timestamp' at 'shardIteratorType' failed to satisfy constraint: Member \
             must satisfy enum value set: [",
            KIND,
        ]))
    });
}

fn forms(group: &mut Group) {
    for (name, time) in [
        ("a-string", json!("100")),
        ("an-iso-string", json!("2026-10-06T12:18:46.480Z")),
        ("true", json!(true)),
        ("a-list", json!([100])),
        ("a-map", json!({"S": "100"})),
    ] {
        group
            .case(format!("{name}-is-no-time"), &[35, 17], move |cx| {
                let table = cx.table(View::Keys, Keys::Hash)?;
                let request = request(&table.stream_arn, NO_SHARD, &time);
                let refused = cx.streams_refused("GetShardIterator", request)?;
                refused.check("SerializationException", Text::Any)
            })
            .inferred();
    }
    for (name, time) in [
        ("an-exponent", "1.0E2"),
        ("a-fraction", "100.25"),
        ("more-digits-than-milliseconds", "100.2500009"),
        ("a-negative-fraction", "-0.5"),
    ] {
        group
            .case(format!("{name}-is-a-time"), &[35], move |cx| {
                let lane = Lane::new(cx, 2)?;
                let number: Value = serde_json::from_str(time).map_err(|e| Stop::Failed(e.to_string()))?;
                let iterator = iterator(cx, lane.arn(), &lane.shard_id, number)?;
                lane.check_yields(cx, &iterator, &lane.records, &format!("from {time}"))
            })
            .inferred();
    }
}
