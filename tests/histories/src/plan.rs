//! Which operation a client calls next.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::history::{Condition, Item, KEYS, MAIN_KEYS, Part, Update};
use crate::random::Random;

/// What the answer to a write shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    None,
    /// The old item.
    AllOld,
    /// The old values of what was updated.
    UpdatedOld,
    /// The new item.
    AllNew,
    /// The new values of what was updated.
    UpdatedNew,
}

/// An operation on a group of items.
#[derive(Clone, Debug)]
pub enum Call {
    /// `GetItem`.
    Get {
        /// The item.
        key: usize,
        /// `ConsistentRead`. Without it, pretender promises the same.
        consistent: bool,
    },
    /// `Query` of a range of sort keys.
    Query {
        /// The first key.
        from: usize,
        /// The last key.
        to: usize,
        /// `ConsistentRead`.
        consistent: bool,
        /// `ScanIndexForward`.
        forward: bool,
    },
    /// `Scan` of one of the tables.
    Scan {
        /// Whether it is the table with the sort key.
        main: bool,
        /// `ConsistentRead`.
        consistent: bool,
    },
    /// `Query` of a global secondary index.
    Index {
        /// Whether it is the index that is created and deleted while clients work.
        late: bool,
        /// The value of the key.
        bucket: u8,
    },
    /// `TransactGetItems`.
    TransactGet {
        /// The items.
        keys: Vec<usize>,
    },
    /// `BatchGetItem`.
    BatchGet {
        /// The items.
        keys: Vec<usize>,
        /// `ConsistentRead`.
        consistent: bool,
    },
    /// `PutItem`, `UpdateItem` or `DeleteItem`.
    Write {
        /// What it does.
        part: Part,
        /// What its answer shows.
        returns: Returns,
        /// Whether a failed condition shows the item.
        shows_failed: bool,
    },
    /// `BatchWriteItem`.
    BatchWrite {
        /// What it does.
        parts: Vec<Part>,
    },
    /// `TransactWriteItems`.
    Transact {
        /// What it does.
        parts: Vec<Part>,
        /// Its `ClientRequestToken`, if it is not 0.
        token: usize,
        /// Whether failed conditions show the items.
        shows_failed: bool,
    },
}

/// What all clients of a history share.
#[derive(Debug, Default)]
pub struct Shared {
    values: AtomicU32,
    tokens: AtomicU32,
    groups: Vec<Mutex<Group>>,
}

/// What clients know of a group. It may be old: it only makes conditions hold more often.
#[derive(Debug, Default)]
struct Group {
    items: [Option<Item>; KEYS],
    /// The last transactions with tokens.
    transactions: Vec<Call>,
}

/// How many transactions are kept for repetitions.
const KEPT: usize = 6;

impl Shared {
    /// Creates what the clients of so many groups share.
    #[must_use]
    pub fn new(groups: usize) -> Self {
        Self { groups: (0..groups).map(|_| Mutex::default()).collect(), ..Self::default() }
    }

    /// Notes what an item was.
    pub fn note(&self, group: usize, key: usize, item: Option<Item>) {
        self.with(group, |group| group.items[key] = item);
    }

    fn with<T>(&self, group: usize, act: impl FnOnce(&mut Group) -> T) -> T {
        act(&mut self.groups[group].lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn value(&self) -> u32 {
        self.values.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Chooses an operation on a group.
    pub fn next(&self, random: &mut Random, group: usize) -> Call {
        match random.below(100) {
            0..12 => Call::Get { key: random.below(KEYS), consistent: random.percent(70) },
            12..20 => {
                let [from, to] = [random.below(MAIN_KEYS), random.below(MAIN_KEYS)];
                // Mostly all of them.
                let (from, to) =
                    if random.percent(70) { (0, MAIN_KEYS - 1) } else { (from.min(to), from.max(to)) };
                Call::Query { from, to, consistent: random.percent(70), forward: random.percent(50) }
            }
            20..25 => Call::Scan { main: random.percent(50), consistent: random.percent(70) },
            25..31 => Call::Index { late: random.percent(40), bucket: bucket(random) },
            31..38 => Call::TransactGet { keys: keys(random) },
            38..42 => Call::BatchGet { keys: keys(random), consistent: random.percent(70) },
            42..74 => {
                let part = self.part(random, group, None, false);
                let returns = match (part.update.is_some(), random.below(4)) {
                    (_, 0) => Returns::None,
                    (true, 1) => Returns::AllNew,
                    (true, 2) => random.of(&[Returns::UpdatedNew, Returns::UpdatedOld]),
                    _ => Returns::AllOld,
                };
                Call::Write { part, returns, shows_failed: random.percent(60) }
            }
            74..78 => {
                let parts = keys(random).into_iter().map(|key| {
                    let v = self.value();
                    let deletes = random.percent(25);
                    let put = (!deletes).then(|| new_item(random, v));
                    Part { key, put, delete: deletes, ..Part::default() }
                });
                Call::BatchWrite { parts: parts.collect() }
            }
            78..82 => self.repeated(random, group),
            _ => self.transaction(random, group),
        }
    }

    fn transaction(&self, random: &mut Random, group: usize) -> Call {
        let parts = keys(random).into_iter().map(|key| self.part(random, group, Some(key), true));
        let parts = parts.collect();
        let has_token = random.percent(40);
        let token = if has_token { self.tokens.fetch_add(1, Ordering::Relaxed) as usize + 1 } else { 0 };
        let call = Call::Transact { parts, token, shows_failed: random.percent(60) };
        if has_token {
            self.with(group, |group| {
                if group.transactions.len() == KEPT {
                    group.transactions.remove(0);
                }
                group.transactions.push(call.clone());
            });
        }
        call
    }

    /// Repeats a transaction of any client.
    fn repeated(&self, random: &mut Random, group: usize) -> Call {
        let call = self.with(group, |group| {
            let kept = group.transactions.len();
            (kept > 0).then(|| group.transactions[random.below(kept)].clone())
        });
        call.unwrap_or_else(|| self.transaction(random, group))
    }

    /// Chooses what is done to an item. Only an action of a transaction may do nothing but check.
    fn part(&self, random: &mut Random, group: usize, key: Option<usize>, in_transaction: bool) -> Part {
        let key = key.unwrap_or_else(|| random.below(KEYS));
        let known = self.with(group, |group| group.items[key]);
        let checks = in_transaction && random.percent(25);
        let condition = (checks || random.percent(40)).then(|| condition(random, known));
        let part = Part { key, condition, ..Part::default() };
        if checks {
            return part;
        }
        match random.below(10) {
            0..4 => Part { put: Some(new_item(random, self.value())), ..part },
            4..8 => {
                let b = random.percent(30).then(|| bucket(random));
                Part { update: Some(Update { v: self.value(), b, add: 1 + random.below(3) as i64 }), ..part }
            }
            _ => Part { delete: true, ..part },
        }
    }
}

fn new_item(random: &mut Random, v: u32) -> Item {
    Item { v, n: random.below(5) as i64, b: bucket(random) }
}

fn bucket(random: &mut Random) -> u8 {
    random.of(&[1, 2])
}

/// Returns two to five keys, of both tables.
fn keys(random: &mut Random) -> Vec<usize> {
    let count = 2 + random.below(KEYS - 1);
    random.distinct(count, KEYS)
}

/// Chooses a condition that holds if the item is as it is known.
fn condition(random: &mut Random, known: Option<Item>) -> Condition {
    // Now and then the other way round.
    let expected = if random.percent(85) { known } else { None };
    match (expected, random.below(3)) {
        (None, _) => Condition { absent: true, ..Condition::default() },
        (Some(_), 0) => Condition { exists: true, ..Condition::default() },
        (Some(item), 1) => Condition { v: Some(item.v), ..Condition::default() },
        (Some(item), _) => Condition { below: Some(item.n + 1), ..Condition::default() },
    }
}
