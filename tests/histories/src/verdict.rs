//! All checks of a history.

use std::collections::{BTreeMap, BTreeSet};

use crate::Outcome;
use crate::checker::{Answer, Checker, Decision};
use crate::history::{History, KEYS, MAIN_KEYS, Op, Outcome as Ended, ShownChange};
use crate::run::GroupLog;
use crate::stream::{Facts, check, shown_changes};

/// What the checks of a group say.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What is wrong.
    pub wrong: Vec<String>,
    /// Histories for which the checker did not find an answer in time.
    pub undecided: usize,
    /// Histories that the checker accepted.
    pub accepted: usize,
}

/// Checks a group: its streams, its history alone, and its history in the order of its streams.
///
/// # Errors
///
/// If the checker does not work.
pub fn judge(name: &str, group: &GroupLog, checker: &mut Checker) -> Outcome<(Verdict, Vec<History>)> {
    let mut verdict = Verdict::default();
    for (at, whole) in group.streams.iter().enumerate() {
        let in_table = |key: usize| (key < MAIN_KEYS) == (at == 0);
        let facts = Facts::of(&group.ops, in_table);
        let last: Vec<_> = (0..KEYS).map(|key| group.last[key].filter(|_| in_table(key))).collect();
        let reader = group.readers.get(at);
        let chains: Vec<_> = reader.iter().flat_map(|log| &log.chains).collect();
        let listings: Vec<_> = reader.iter().flat_map(|log| &log.listings).collect();
        let found = check(whole, &facts, &last, &chains, &listings);
        verdict.wrong.extend(found.into_iter().map(|why| format!("stream {at}: {why}")));
    }
    let mut histories = vec![History {
        name: format!("{name}-alone"),
        keys: KEYS,
        ops: with_bounds(&group.ops),
        records: None,
    }];
    match shown_changes(&group.streams.iter().collect::<Vec<_>>()) {
        Ok(records) => histories.push(in_stream_order(&format!("{name}-stream"), &histories[0].ops, records)),
        Err(why) => verdict.wrong.push(why),
    }
    let hints = Hints::of_group(group);
    for history in &histories {
        let answer = decide(history, &hints, checker)?;
        match answer.verdict {
            Decision::Ok => verdict.accepted += 1,
            Decision::Undecided => verdict.undecided += 1,
            Decision::Illegal => verdict.wrong.push(explained(&history.name, history.ops.len(), &answer)),
        }
    }
    Ok((verdict, histories))
}

/// Looks for an order of a history.
///
/// An operation without an answer may be carried out at any later time, or never. Each one doubles the orders to be searched, so they are first
/// searched with what the streams say of them: without those that the streams do not show, and the others no later than a reader
/// saw them. An order that is found so is an order of the whole history, since operations that nobody has heard of can follow all others.
/// Only if there is none, nothing is left out.
fn decide(history: &History, hints: &Hints, checker: &mut Checker) -> Outcome<Answer> {
    for deletions in [false, true] {
        let ops = history.ops.iter().filter_map(|op| hints.of(op, deletions)).collect();
        let answer = checker.check(&History { ops, ..history.clone() })?;
        if answer.verdict == Decision::Ok {
            return Ok(answer);
        }
    }
    checker.check(history)
}

/// What streams say of operations without an answer.
struct Hints {
    /// The values of `v` in records.
    shown: BTreeSet<u32>,
    /// When a reader saw them first.
    seen: BTreeMap<u32, i64>,
}

impl Hints {
    fn of_group(group: &GroupLog) -> Self {
        let records = group.streams.iter().flat_map(|whole| &whole.shards).flat_map(|shard| &shard.records);
        let shown = records.filter_map(|record| record.new.map(|new| new.v)).collect();
        let mut seen: BTreeMap<u32, i64> = BTreeMap::new();
        for poll in group.readers.iter().flat_map(|log| &log.chains).flat_map(|chain| &chain.polls) {
            for new in poll.records.iter().filter_map(|record| record.new) {
                seen.entry(new.v)
                    .and_modify(|first| *first = poll.returned.min(*first))
                    .or_insert(poll.returned);
            }
        }
        Self { shown, seen }
    }

    /// Returns an operation as the streams show it, if they do, and a deletion if it is asked for.
    fn of(&self, op: &Op, deletions: bool) -> Option<Op> {
        if op.returned.is_some() || op.token != 0 {
            return Some(op.clone());
        }
        let writes: Vec<u32> = op.writes().collect();
        if writes.is_empty() {
            return deletions.then(|| op.clone());
        }
        if writes.iter().all(|v| !self.shown.contains(v)) {
            return None;
        }
        let first = writes.iter().filter_map(|v| self.seen.get(v)).min().copied();
        Some(Op { returned: first.filter(|first| *first >= op.call), ..op.clone() })
    }
}

/// Gives operations without an answer an end, if an answer to another operation shows what they wrote: they were carried out before that.
fn with_bounds(ops: &[Op]) -> Vec<Op> {
    let mut seen: BTreeMap<u32, i64> = BTreeMap::new();
    for op in ops {
        let Some(returned) = op.returned else { continue };
        let read = op.read.iter().flat_map(|read| &read.found).flatten().map(|item| item.v);
        let shown =
            op.parts.iter().flat_map(|part| [part.before, part.after]).flatten().filter_map(|seen| seen.v);
        for v in read.chain(shown) {
            seen.entry(v).and_modify(|first| *first = returned.min(*first)).or_insert(returned);
        }
    }
    let mut ops = ops.to_vec();
    // Under a token, another operation may have written the same.
    for op in ops.iter_mut().filter(|op| op.returned.is_none() && op.token == 0) {
        let first = op.writes().filter_map(|v| seen.get(&v)).min().copied();
        op.returned = first.filter(|first| *first >= op.call);
    }
    ops
}

fn explained(name: &str, ops: usize, answer: &Answer) -> String {
    format!(
        "{name} is not linearizable: after {} of {ops} operations none of these can follow: {:#?}; see {}",
        answer.placed, answer.stuck, answer.picture
    )
}

/// Returns the history whose writes must take effect in the order of the stream. A write without an answer that is not in the stream has not
/// been carried out.
#[must_use]
pub fn in_stream_order(name: &str, ops: &[Op], records: Vec<Vec<ShownChange>>) -> History {
    let shown: BTreeSet<u32> =
        records.iter().flatten().filter_map(|change| change.item.map(|item| item.v)).collect();
    let happened = |op: &Op| {
        let mut writes = op.writes().peekable();
        op.outcome != Ended::Unknown || writes.peek().is_none() || writes.any(|v| shown.contains(&v))
    };
    let ops = ops.iter().filter(|op| happened(op)).cloned().collect();
    History { name: name.to_owned(), keys: KEYS, ops, records: Some(records) }
}
