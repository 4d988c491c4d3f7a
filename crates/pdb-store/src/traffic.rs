//! What is done with tables and their streams, counted since the store was opened.
//!
//! A table in hand has its counters with it, so that counting needs neither a lock nor a search.

use std::{
    collections::HashMap,
    ops::AddAssign,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use pdb_model::TableName;
use smallvec::SmallVec;

/// When there are more names than this, those of tables that are gone are forgotten.
const MAX_NAMES: usize = 1_000;

/// What was read and written of one table and its streams since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableTraffic {
    /// Stream records that were captured.
    pub captured_records: u64,
    /// Their size, as DynamoDB counts it.
    pub captured_bytes: u64,
    /// Stream records that readers got; a record that two readers got counts twice.
    pub delivered_records: u64,
    /// Their size.
    pub delivered_bytes: u64,
    /// Stream records that were trimmed.
    pub trimmed_records: u64,
    /// Read capacity that was consumed, in halves of a unit.
    pub read_half_units: u64,
    /// Write capacity that was consumed, in halves of a unit.
    pub write_half_units: u64,
}

impl TableTraffic {
    /// Calls `each` with each count and its counter.
    fn each(&self, counters: &TrafficCounters, mut each: impl FnMut(u64, &AtomicU64)) {
        each(self.captured_records, &counters.captured_records);
        each(self.captured_bytes, &counters.captured_bytes);
        each(self.delivered_records, &counters.delivered_records);
        each(self.delivered_bytes, &counters.delivered_bytes);
        each(self.trimmed_records, &counters.trimmed_records);
        each(self.read_half_units, &counters.read_half_units);
        each(self.write_half_units, &counters.write_half_units);
    }
}

impl AddAssign for TableTraffic {
    fn add_assign(&mut self, other: Self) {
        self.captured_records += other.captured_records;
        self.captured_bytes += other.captured_bytes;
        self.delivered_records += other.delivered_records;
        self.delivered_bytes += other.delivered_bytes;
        self.trimmed_records += other.trimmed_records;
        self.read_half_units += other.read_half_units;
        self.write_half_units += other.write_half_units;
    }
}

/// The counters of all tables of one name.
#[derive(Debug, Default)]
pub(crate) struct TrafficCounters {
    captured_records: AtomicU64,
    captured_bytes: AtomicU64,
    delivered_records: AtomicU64,
    delivered_bytes: AtomicU64,
    trimmed_records: AtomicU64,
    read_half_units: AtomicU64,
    write_half_units: AtomicU64,
}

impl TrafficCounters {
    pub(crate) fn add(&self, traffic: TableTraffic) {
        traffic.each(self, |count, counter| {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        });
    }

    fn read(&self) -> TableTraffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TableTraffic {
            captured_records: read(&self.captured_records),
            captured_bytes: read(&self.captured_bytes),
            delivered_records: read(&self.delivered_records),
            delivered_bytes: read(&self.delivered_bytes),
            trimmed_records: read(&self.trimmed_records),
            read_half_units: read(&self.read_half_units),
            write_half_units: read(&self.write_half_units),
        }
    }
}

/// The counters of each table, by its name.
#[derive(Debug, Default)]
pub(crate) struct TrafficRegistry(Mutex<HashMap<TableName, Arc<TrafficCounters>>>);

impl TrafficRegistry {
    /// Returns the counters of the tables of a name.
    pub(crate) fn of(&self, table: &TableName) -> Arc<TrafficCounters> {
        let mut known = self.lock();
        if let Some(counters) = known.get(table) {
            return counters.clone();
        }
        if known.len() >= MAX_NAMES {
            // Each table, and each transaction that counts, has a reference.
            known.retain(|_, counters| Arc::strong_count(counters) > 1);
        }
        known.entry(table.clone()).or_default().clone()
    }

    /// Returns the traffic of all tables that had any, ordered by name.
    pub(crate) fn read(&self) -> Vec<(TableName, TableTraffic)> {
        let mut list: Vec<_> = self
            .lock()
            .iter()
            .map(|(table, counters)| (table.clone(), counters.read()))
            .filter(|(_, traffic)| *traffic != TableTraffic::default())
            .collect();
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        list
    }

    /// Entries are changed in single steps.
    fn lock(&self) -> MutexGuard<'_, HashMap<TableName, Arc<TrafficCounters>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a transaction did with tables, until it is committed. Most concern one table.
#[derive(Debug, Default)]
pub(crate) struct TrafficList(SmallVec<[(Arc<TrafficCounters>, TableTraffic); 1]>);

impl TrafficList {
    /// Notes traffic of a table.
    pub(crate) fn add(&mut self, counters: &Arc<TrafficCounters>, traffic: TableTraffic) {
        match self.0.iter_mut().find(|(known, _)| Arc::ptr_eq(known, counters)) {
            Some((_, known)) => *known += traffic,
            None => self.0.push((counters.clone(), traffic)),
        }
    }

    /// Counts all, and forgets it.
    pub(crate) fn count(&mut self) {
        self.drain().for_each(|(counters, traffic)| counters.add(traffic));
    }

    /// Takes all that was noted.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Arc<TrafficCounters>, TableTraffic)> {
        self.0.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(captured_records: u64) -> TableTraffic {
        TableTraffic { captured_records, ..TableTraffic::default() }
    }

    #[test]
    fn what_is_noted_counts_once() {
        let registry = TrafficRegistry::default();
        let (a, b): (TableName, TableName) = ("Aaa".parse().unwrap(), "Bbb".parse().unwrap());
        let mut list = TrafficList::default();
        list.add(&registry.of(&b), captured(1));
        list.add(&registry.of(&a), captured(2));
        list.add(&registry.of(&b), captured(3));
        assert_eq!(registry.read(), []);
        list.count();
        list.count();
        let read = TableTraffic { read_half_units: 1, ..TableTraffic::default() };
        list.add(&registry.of(&a), read);
        list.count();
        let of_a = TableTraffic { read_half_units: 1, ..captured(2) };
        assert_eq!(registry.read(), [(a, of_a), (b, captured(4))]);
    }

    #[test]
    fn names_of_tables_that_are_gone_do_not_take_memory_for_ever() {
        let registry = TrafficRegistry::default();
        let live = registry.of(&"live".parse().unwrap());
        live.add(captured(7));
        for number in 0..3 * MAX_NAMES {
            registry.of(&format!("gone-{number}").parse().unwrap()).add(captured(1));
        }
        let traffic = registry.read();
        assert!(traffic.len() <= MAX_NAMES);
        assert!(traffic.iter().any(|(table, traffic)| table.as_str() == "live" && *traffic == captured(7)));
    }
}
