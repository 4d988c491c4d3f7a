//! Iterators: each type on each kind of shard, their records, their expiry, and malformed ones.

mod closed;
mod forged;
mod trimmed;

use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Group, Needs};
use crate::context::{Context, Field};
use crate::control::Control;
use crate::expect::Text;
use crate::lane::{Lane, item, numbers};
use crate::outcome::Outcome;
use crate::{Client, Credentials, Record, Server, Stop, check, check_eq, fail, moment};

pub(super) fn group() -> Group {
    let mut group = Group::new("iterators");
    empty_shards(&mut group);
    filled_shards(&mut group);
    closed::add(&mut group);
    trimmed::add(&mut group);
    latest(&mut group);
    lives(&mut group);
    forged::add(&mut group);
    group
}

fn empty_shards(group: &mut Group) {
    for kind in ["TRIM_HORIZON", "LATEST"] {
        group.case(format!("empty-shard/{kind}"), &[9, 15], move |cx| {
            let lane = Lane::new(cx, 0)?;
            let iterator = lane.iterator(cx, kind)?;
            empty_and_open(cx, &iterator)
        });
    }
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        group.case(format!("empty-shard/{kind}"), &[9, 10], move |cx| {
            let lane = Lane::new(cx, 0)?;
            let iterator = lane.iterator_at(cx, kind, lane.shard(cx)?.start())?;
            empty_and_open(cx, &iterator)
        });
    }
    group.case("empty-shard-shows-the-first-record-later", &[9, 15], |cx| {
        let lane = Lane::new(cx, 0)?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        let (_, next) = cx.page(&iterator, None)?;
        lane.put(cx, 0..1)?;
        let open = cx.shards(lane.arn())?.len();
        if open > 1 {
            return Err(Stop::Skipped(format!(
                "the stream has {open} shards, and the record may be in another"
            )));
        }
        let records = cx.read_from(&next.unwrap_or_default(), 1)?;
        check_eq!(records.len(), 1, "records");
        check_eq!(records[0].new_image(), Some(&item(0)), "NewImage");
        Ok(())
    });
}

fn empty_and_open(cx: &Context<'_>, iterator: &str) -> Outcome {
    let (records, next) = cx.page(iterator, None)?;
    check_eq!(records.len(), 0, "records of an empty shard");
    let Some(next) = next else { fail!("no NextShardIterator on an open shard") };
    let (_, next) = cx.page(&next, None)?;
    check!(next.is_some(), "no NextShardIterator on an open shard, the second time");
    Ok(())
}

fn filled_shards(group: &mut Group) {
    group.case("filled-shard/TRIM_HORIZON", &[9], |cx| {
        let lane = Lane::new(cx, 5)?;
        lane.check_yields(cx, &lane.iterator(cx, "TRIM_HORIZON")?, &lane.records, "from the horizon")
    });
    group.case("filled-shard/LATEST", &[9, 12], |cx| {
        let lane = Lane::new(cx, 5)?;
        cx.settle();
        let (_, next) = cx.page(&lane.iterator(cx, "LATEST")?, None)?;
        check!(next.is_some(), "no NextShardIterator on an open shard");
        Ok(())
    });
    group.case("filled-shard/AT_SEQUENCE_NUMBER", &[9, 10], |cx| {
        let lane = Lane::new(cx, 5)?;
        lane.check_at(cx, 0..5)
    });
    group.case("filled-shard/AFTER_SEQUENCE_NUMBER", &[9, 10], |cx| {
        let lane = Lane::new(cx, 5)?;
        lane.check_after(cx, 0..5)
    });
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
        group.case(format!("start-of-the-shard/{kind}"), &[10], move |cx| {
            let lane = Lane::new(cx, 4)?;
            let start = lane.shard(cx)?.start().to_owned();
            let first_is_start = lane.number(0) == start && kind == "AFTER_SEQUENCE_NUMBER";
            let iterator = lane.iterator_at(cx, kind, &start)?;
            lane.check_yields(
                cx,
                &iterator,
                &lane.records[usize::from(first_is_start)..],
                "from the shard's start",
            )
        });
    }
    group
        .case("number-between-two-records", &[10], |cx| {
            let lane = Lane::new(cx, 3)?;
            let between = successor(lane.number(0));
            if between == lane.number(1) {
                return Err(Stop::Skipped("there is no number between the first two records".into()));
            }
            for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] {
                let iterator = lane.iterator_at(cx, kind, &between)?;
                lane.check_yields(
                    cx,
                    &iterator,
                    &lane.records[1..],
                    &format!("from {kind} between the first two"),
                )?;
            }
            Ok(())
        })
        .inferred();
    group.case("numbers-lie-in-the-shards-range-and-grow", &[10], |cx| {
        let lane = Lane::new(cx, 12)?;
        let start = lane.shard(cx)?.start().to_owned();
        let mut before = start.clone();
        for number in numbers(&lane.records) {
            let order = crate::record::compare_numbers(&before, &number);
            check!(order.is_lt() || (before == start && order.is_eq()), "{number} comes after {before}");
            let digits = number.bytes().all(|b| b.is_ascii_digit());
            check!(digits && (21..=40).contains(&number.len()), "a sequence number `{number}`");
            before = number;
        }
        Ok(())
    });
    group.case("two-calls-give-two-iterators", &[13], |cx| {
        let lane = Lane::new(cx, 2)?;
        let (first, second) = (lane.iterator(cx, "TRIM_HORIZON")?, lane.iterator(cx, "TRIM_HORIZON")?);
        lane.check_yields(cx, &first, &lane.records, "from the first")?;
        lane.check_yields(cx, &second, &lane.records, "from the second")
    });
    group.case("iterator-has-the-documented-form", &[13], |cx| {
        let lane = Lane::new(cx, 1)?;
        let first = lane.iterator(cx, "TRIM_HORIZON")?;
        let (_, next) = cx.page(&first, None)?;
        for iterator in [first, next.unwrap_or_default()] {
            let parts: Vec<&str> = iterator.splitn(3, '|').collect();
            let fits = parts.len() == 3
                && parts[0] == lane.arn()
                && parts[1].len() == 1
                && parts[1].bytes().all(|b| b.is_ascii_digit())
                && !parts[2].is_empty();
            check!(fits && iterator.len() <= 2048, "an iterator `{iterator}`");
        }
        Ok(())
    });
}

fn latest(group: &mut Group) {
    group.case("latest-shows-what-is-written-before-its-first-use", &[12], |cx| {
        let lane = Lane::new(cx, 2)?;
        cx.settle();
        let latest = lane.iterator(cx, "LATEST")?;
        lane.put(cx, 2..5)?;
        new_ones(cx, &latest, 2..5, false)
    });
    group
        .case("latest-is-exact", &[12], |cx| {
            let lane = Lane::new(cx, 2)?;
            let latest = lane.iterator(cx, "LATEST")?;
            lane.put(cx, 2..5)?;
            new_ones(cx, &latest, 2..5, true)
        })
        .inferred();
    group.case("latest-goes-on-through-its-pages", &[12], |cx| {
        let lane = Lane::new(cx, 1)?;
        cx.settle();
        let (_, next) = cx.page(&lane.iterator(cx, "LATEST")?, None)?;
        lane.put(cx, 1..4)?;
        new_ones(cx, &next.unwrap_or_default(), 1..4, false)
    });
    group.case("latest-used-twice-shows-the-same", &[12, 13], |cx| {
        let lane = Lane::new(cx, 1)?;
        cx.settle();
        let latest = lane.iterator(cx, "LATEST")?;
        lane.put(cx, 1..3)?;
        new_ones(cx, &latest, 1..3, false)?;
        lane.put(cx, 3..4)?;
        new_ones(cx, &latest, 1..4, false)
    });
}

/// Fails unless an iterator yields the items of these numbers. The service's LATEST has slack: it may show a few that
/// are a little older.
fn new_ones(cx: &Context<'_>, iterator: &str, new: std::ops::Range<usize>, exact: bool) -> Outcome {
    let expected: Vec<Value> = new.clone().map(item).collect();
    let mut seen = Vec::new();
    cx.wait("the new records", || {
        seen.clear();
        let mut next = Some(iterator.to_owned());
        while let Some(iterator) = next {
            let (records, then) = cx.page(&iterator, None)?;
            next = if records.is_empty() { None } else { then };
            seen.extend(records.iter().filter_map(Record::new_image).cloned());
        }
        Ok(seen.contains(&item(new.end - 1)).then_some(()))
    })?;
    if !exact {
        seen.retain(|image| !(0..new.start).any(|older| *image == item(older)));
    }
    check_eq!(seen, expected, "new images behind LATEST");
    Ok(())
}

fn lives(group: &mut Group) {
    group.case("same-iterator-twice", &[13], |cx| {
        let lane = Lane::new(cx, 4)?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        for time in ["first", "second", "third"] {
            lane.check_yields(cx, &iterator, &lane.records, &format!("at the {time} use"))?;
        }
        Ok(())
    });
    group.case("later-use-sees-more", &[13], |cx| {
        let lane = Lane::new(cx, 2)?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        lane.check_yields(cx, &iterator, &lane.records, "at the first use")?;
        lane.put(cx, 2..4)?;
        let records = cx.read_from(&iterator, 4)?;
        check_eq!(numbers(&records)[..2], numbers(&lane.records)[..], "the first two at the second use");
        check_eq!(records.len(), 4, "records at the second use");
        Ok(())
    });
    group.case("rereading-gives-equal-records", &[13, 18], |cx| {
        let lane = Lane::new(cx, 3)?;
        let again = cx.read_from(&lane.iterator(cx, "TRIM_HORIZON")?, 3)?;
        check_eq!(again, lane.records, "the records read again");
        Ok(())
    });
    group.case_that_needs(Needs::Server, "iterator-after-a-restart", &[13], |cx| {
        with_restart(cx, |cx, restart| {
            let lane = Lane::new(cx, 3)?;
            let horizon = lane.iterator(cx, "TRIM_HORIZON")?;
            let after = lane.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", lane.number(0))?;
            let latest = lane.iterator(cx, "LATEST")?;
            restart(&mut |cx| {
                lane.check_yields(cx, &horizon, &lane.records, "from the horizon, after the restart")?;
                lane.check_yields(cx, &after, &lane.records[1..], "from AFTER, after the restart")?;
                lane.put(cx, 3..4)?;
                new_ones(cx, &latest, 3..4, true)
            })
        })
    });
    const LIFE: Duration = Duration::from_secs(15 * 60);
    group.clock("fifteen-minutes-are-not-too-long", &[14], |cx| {
        let lane = Lane::new(cx, 2)?;
        let clock = cx.control()?.hold()?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        clock.advance(LIFE)?;
        lane.check_yields(cx, &iterator, &lane.records, "after exactly 15 minutes")
    });
    group
        .clock("fifteen-minutes-and-a-millisecond-are", &[14, 17], |cx| {
            let lane = Lane::new(cx, 2)?;
            let clock = cx.control()?.hold()?;
            let iterators = [lane.iterator(cx, "TRIM_HORIZON")?, lane.iterator(cx, "LATEST")?];
            clock.advance(LIFE + Duration::from_millis(1))?;
            iterators.iter().try_for_each(|iterator| expired(cx, iterator))
        })
        .inferred();
    group.clock("sixteen-minutes-are-too-long", &[14, 17], |cx| {
        let lane = Lane::new(cx, 2)?;
        let clock = cx.control()?.hold()?;
        let iterator = lane.iterator(cx, "TRIM_HORIZON")?;
        clock.advance(Duration::from_secs(16 * 60))?;
        expired(cx, &iterator)
    });
    group.clock("each-page-brings-fifteen-minutes", &[14], |cx| {
        let lane = Lane::new(cx, 2)?;
        let clock = cx.control()?.hold()?;
        let mut iterator = lane.iterator(cx, "LATEST")?;
        for _ in 0..5 {
            clock.advance(Duration::from_secs(14 * 60))?;
            let (records, next) = cx.page(&iterator, None)?;
            check_eq!(records.len(), 0, "records behind LATEST");
            iterator = next.unwrap_or_default();
        }
        Ok(())
    });
    group.clock("expired-iterator-is-replaced-by-its-number", &[14], |cx| {
        let lane = Lane::new(cx, 4)?;
        let clock = cx.control()?.hold()?;
        let (first, next) = cx.page(&lane.iterator(cx, "TRIM_HORIZON")?, Some(2))?;
        clock.advance(Duration::from_secs(16 * 60))?;
        expired(cx, &next.unwrap_or_default())?;
        let Some(last) = first.last() else { fail!("no records on the first page") };
        let iterator = lane.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", last.number())?;
        lane.check_yields(cx, &iterator, &lane.records[2..], "behind the last record processed")
    });
}

fn expired(cx: &Context<'_>, iterator: &str) -> Outcome {
    let refused = cx.streams_refused("GetRecords", json!({"ShardIterator": iterator}))?;
    // No record of the service's text is known.
    refused.check("ExpiredIteratorException", Text::Any)
}

/// Returns the number behind this one.
fn successor(number: &str) -> String {
    let mut digits: Vec<u8> = number.bytes().collect();
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return String::from_utf8_lossy(&digits).into_owned();
        }
        *digit = b'0';
    }
    format!("1{}", String::from_utf8_lossy(&digits))
}

/// Returns the surroundings of cases on a server of their own, which goes with its tables.
pub(super) fn field_of(server: &Server) -> Field {
    let client = Client::new(server.endpoint(), server.endpoint(), "us-east-1", Credentials::dummy());
    let mut field = Field::new(client);
    field.control = Some(Control::new(server.endpoint()));
    field.keep_tables = true;
    field
}

/// What a case does after the restart, on the new server.
pub(super) type Restart<'a> = dyn Fn(&mut dyn FnMut(&Context<'_>) -> Outcome) -> Outcome + 'a;

/// Runs a case on a server of its own, with a database in a file, and lets it restart that server once.
pub(super) fn with_restart(
    cx: &Context<'_>,
    work: impl FnOnce(&Context<'_>, &Restart<'_>) -> Outcome,
) -> Outcome {
    let Some(program) = &cx.field().server else { return Err(Stop::Skipped("no server binary".into())) };
    let folder = std::env::temp_dir().join(format!("{}-{}", cx.unique("restart"), moment::now_millis()));
    let failed = |e: std::io::Error| Stop::Failed(format!("{}: {e}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let db = folder.join("suite.db").display().to_string();
    let result = (|| {
        let server = std::cell::RefCell::new(Some(Server::start(program, &db, &[])?));
        let field = server.borrow().as_ref().map(field_of);
        let Some(field) = field else { return Ok(()) };
        work(&Context::new(&field), &|then| {
            // Stopped before the new one opens the database.
            drop(server.borrow_mut().take());
            let again = Server::start(program, &db, &[])?;
            let field = field_of(&again);
            then(&Context::new(&field))
        })
    })();
    let _ = std::fs::remove_dir_all(&folder);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_may_have_more_digits() {
        assert_eq!(successor("1299"), "1300");
        assert_eq!(successor("99"), "100");
    }
}
