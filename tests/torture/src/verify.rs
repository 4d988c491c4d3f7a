//! What must be true of a database after something went wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::ledger::{Crash, Step, Verdict};
use crate::seen::{Seen, id_of, key_of, number_of, op_of};
use crate::writer::COUNTERS;

/// Checks a table and its stream against what was known before and what writers did since. `is_promised` says which acknowledged
/// steps must be there.
pub(crate) fn verify(
    before: &Seen,
    now: &Seen,
    steps: &[Step],
    is_promised: &dyn Fn(&Step) -> bool,
) -> Result<(), String> {
    verify_over_crashes(before, now, steps, &[], is_promised)
}

/// The same, of writers that went on over crashes, each of which may have lost the last commits before it.
pub(crate) fn verify_over_crashes(
    before: &Seen,
    now: &Seen,
    steps: &[Step],
    crashes: &[Crash],
    is_promised: &dyn Fn(&Step) -> bool,
) -> Result<(), String> {
    numbers_grow(now)?;
    replay(now)?;
    indexed(now)?;
    let known = kept(before, now)?;
    let (applied, ambiguous) = applied(now, &known, steps)?;
    for step in steps {
        let count = applied.get(&step.op).map_or(0, BTreeSet::len);
        let is_partial = count > 0 && count < step.effects.len();
        let is_whole = step.is_atomic || (step.verdict == Verdict::Done && is_promised(step));
        if is_partial && is_whole {
            return Err(format!("half of a step is there: {step:?}, only {:?}", applied.get(&step.op)));
        }
        if step.verdict == Verdict::Refused && count > 0 {
            return Err(format!("a step that was refused has had an effect: {step:?}"));
        }
        if step.verdict == Verdict::Done && count == 0 && is_promised(step) {
            return Err(format!("an acknowledged step is lost: {step:?}"));
        }
    }
    only_the_end_is_lost(steps, crashes, &|step| applied.contains_key(&step.op))?;
    counted(before, now, steps, &applied, ambiguous)
}

/// What ended before something began that is there must be there, too, unless a crash lies between them.
fn only_the_end_is_lost(
    steps: &[Step],
    crashes: &[Crash],
    is_there: &dyn Fn(&Step) -> bool,
) -> Result<(), String> {
    let there: Vec<&Step> = steps.iter().filter(|step| is_there(step)).collect();
    // Nobody knows when a step ended that was not answered.
    let end = |step: &Step| if step.verdict == Verdict::Done { step.ended } else { u64::MAX };
    for lost in steps.iter().filter(|step| step.verdict == Verdict::Done && !is_there(step)) {
        let is_between =
            |later: &Step| crashes.iter().any(|crash| crash.ended >= lost.ended && crash.began <= end(later));
        if let Some(later) = there.iter().find(|later| later.began > lost.ended && !is_between(later)) {
            return Err(format!(
                "a step is lost, though one that began after it is there: {lost:?}, {later:?}"
            ));
        }
    }
    Ok(())
}

fn numbers_grow(now: &Seen) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for shard in &now.shards {
        for pair in shard.records.windows(2) {
            if number_of(&pair[0]) >= number_of(&pair[1]) {
                return Err(format!("numbers of {} that do not grow: {} {}", shard.id, pair[0], pair[1]));
            }
        }
        for record in &shard.records {
            if !ids.insert(id_of(record)) {
                return Err(format!("an event id that is there twice: {record}"));
            }
        }
    }
    Ok(())
}

/// The stream, replayed from the beginning, gives the table.
fn replay(now: &Seen) -> Result<(), String> {
    let mut items: BTreeMap<String, Value> = BTreeMap::new();
    for (_, record) in now.records() {
        let change = &record["dynamodb"];
        let key = key_of(record);
        let before = items.get(key);
        if before != change.get("OldImage") {
            return Err(format!("{key}: the old image is not the item before, {before:?}: {record}"));
        }
        match change.get("NewImage") {
            Some(image) => drop(items.insert(key.to_owned(), image.clone())),
            None => drop(items.remove(key)),
        }
    }
    if items == now.items {
        return Ok(());
    }
    let differ = |key: &&String| items.get(*key) != now.items.get(*key);
    let keys: BTreeSet<&String> = items.keys().chain(now.items.keys()).filter(differ).collect();
    let records: Vec<(&str, usize)> =
        now.shards.iter().map(|shard| (shard.id.as_str(), shard.records.len())).collect();
    Err(format!("the stream, replayed, is not the table: {keys:?}, {records:?}"))
}

fn indexed(now: &Seen) -> Result<(), String> {
    let expected: BTreeMap<_, _> = now.items.iter().filter(|(_, item)| item.get("g").is_some()).collect();
    let found: BTreeMap<_, _> = now.indexed.iter().collect();
    if expected == found { Ok(()) } else { Err("the index is not that of the table".to_owned()) }
}

/// All records from before are there unchanged; returns their ids.
fn kept<'s>(before: &'s Seen, now: &Seen) -> Result<BTreeSet<&'s str>, String> {
    let found: HashMap<&str, (&str, &Value)> =
        now.records().map(|(shard, record)| (id_of(record), (shard.id.as_str(), record))).collect();
    let mut known = BTreeSet::new();
    for (shard, record) in before.records() {
        if found.get(id_of(record)) != Some(&(shard.id.as_str(), record)) {
            return Err(format!("a record from before is lost or another: {record}"));
        }
        known.insert(id_of(record));
    }
    Ok(known)
}

/// The steps that can have made a record: none for one of a counter. An error if nobody asked for it.
pub(crate) fn steps_of<'s>(record: &Value, steps: &'s [Step]) -> Result<Vec<&'s Step>, String> {
    let key = key_of(record);
    if COUNTERS.contains(&key) {
        return Ok(Vec::new());
    }
    let change = &record["dynamodb"];
    let has = |step: &Step, removes: Option<u64>| {
        step.effects.iter().any(|effect| effect.key == key && effect.removes == removes)
    };
    // What nobody knew the end of may have been carried out after its writer had looked at its keys.
    let is_late = |old: u64| {
        steps.iter().any(|step| step.op == old && matches!(step.verdict, Verdict::Unknown | Verdict::Open))
    };
    let found: Vec<&Step> = match change.get("NewImage") {
        Some(image) => {
            let first = steps.first().map_or(0, |step| step.op);
            let at = op_of(image).and_then(|op| op.checked_sub(first)).unwrap_or(u64::MAX);
            let step = steps.get(usize::try_from(at).unwrap_or(usize::MAX));
            step.filter(|step| has(step, None)).into_iter().collect()
        }
        // If a deletion failed and was asked for again, it may have been either.
        None => {
            let old = op_of(&change["OldImage"]);
            let found: Vec<&Step> = steps.iter().filter(|step| old.is_some() && has(step, old)).collect();
            match old.filter(|old| found.is_empty() && is_late(*old)) {
                Some(old) => steps
                    .iter()
                    .filter(|step| step.op > old)
                    .filter(|step| step.effects.iter().any(|it| it.key == key && it.removes.is_some()))
                    .collect(),
                None => found,
            }
        }
    };
    if found.is_empty() { Err(format!("a record that nobody asked for: {record}")) } else { Ok(found) }
}

/// The keys for which each step has had its effect; and how many deletions there are of which nobody can tell whether they were part of a
/// transaction, as one failed before.
fn applied<'n>(
    now: &'n Seen,
    known: &BTreeSet<&str>,
    steps: &[Step],
) -> Result<(BTreeMap<u64, BTreeSet<&'n str>>, u64), String> {
    let (mut applied, mut ambiguous) = (BTreeMap::<u64, BTreeSet<&str>>::new(), 0);
    let records = || now.records().map(|(_, record)| record).filter(|record| !known.contains(id_of(record)));
    let is_put = |record: &&Value| record["dynamodb"].get("NewImage").is_some();
    let removed: BTreeSet<(&str, u64)> = records()
        .filter(|record| !is_put(record))
        .filter_map(|record| Some((key_of(record), op_of(&record["dynamodb"]["OldImage"])?)))
        .collect();
    // What a step has put tells what else it may have done.
    for record in records().filter(is_put).chain(records().filter(|record| !is_put(record))) {
        let candidates = steps_of(record, steps)?;
        let counting = candidates.iter().filter(|step| step.counts).count();
        ambiguous += u64::from(counting > 0 && counting < candidates.len());
        // The one of which everything else is there, too.
        let is_whole = |step: &&&Step| {
            step.effects.iter().all(|it| match it.removes {
                Some(old) => removed.contains(&(it.key.as_str(), old)),
                None => applied.get(&step.op).is_some_and(|keys| keys.contains(it.key.as_str())),
            })
        };
        let is_done = |step: &&&Step| step.verdict == Verdict::Done;
        let step = candidates
            .iter()
            .find(|step| is_whole(step) && applied.contains_key(&step.op))
            .or_else(|| candidates.iter().find(|step| is_whole(step) && is_done(step)))
            .or_else(|| candidates.iter().find(|step| is_whole(step) && step.is_atomic))
            .or_else(|| candidates.iter().find(is_whole))
            .or_else(|| candidates.iter().find(is_done))
            .or(candidates.first());
        let Some(step) = step else { continue };
        if !applied.entry(step.op).or_default().insert(key_of(record)) {
            return Err(format!("a step has had its effect twice: {step:?}, {record}"));
        }
    }
    Ok((applied, ambiguous))
}

/// Both counters grew by the number of transactions that are there.
fn counted(
    before: &Seen,
    now: &Seen,
    steps: &[Step],
    applied: &BTreeMap<u64, BTreeSet<&str>>,
    ambiguous: u64,
) -> Result<(), String> {
    let transactions =
        steps.iter().filter(|step| step.counts && applied.contains_key(&step.op)).count() as u64;
    let mut both = BTreeSet::new();
    for counter in COUNTERS {
        let value = |seen: &Seen| {
            let number = seen.items.get(counter).and_then(|item| item["n"]["N"].as_str());
            number.map_or(0, |number| number.parse::<u64>().unwrap_or(0))
        };
        let grown = value(now).wrapping_sub(value(before));
        if grown.abs_diff(transactions) > ambiguous {
            return Err(format!("{counter} grew by {grown}, and {transactions} transactions are there"));
        }
        both.insert(grown);
    }
    if both.len() == 1 { Ok(()) } else { Err(format!("the counters grew apart: {both:?}")) }
}
