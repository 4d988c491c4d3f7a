//! What a store has done since it was opened, for those who watch it.

use std::{
    collections::HashMap,
    ops::AddAssign,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use pdb_model::TableName;

/// Tables whose traffic is counted. Programs that make tables with ever new names begin anew then.
const MAX_TABLES: usize = 10_000;

/// What a store has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Groups of writes, each with one commit.
    pub commits: u64,
    /// Jobs in these groups.
    pub jobs: u64,
    /// How long these groups took, from their first job to the end of the commit.
    pub commit_time: Duration,
    /// Reads that had to wait until a connection was opened, or given back by another; on a server writes too.
    pub reader_waits: u64,
    /// How long they waited.
    pub reader_wait_time: Duration,
    /// The size of the write-ahead log; none in memory and on a server.
    pub log_bytes: Option<u64>,
    /// How often the log was copied back into the file.
    pub log_copies: u64,
    /// How long that took, beside the writer.
    pub log_copy_time: Duration,
}

/// Is told what a store does, as it happens, on the thread that does it. It must be quick, and must not use the store.
pub trait StoreObserver: Send + Sync {
    /// A group of writes was committed: how many jobs, and how long they took from the first to the end of the commit.
    fn committed(&self, jobs: u64, took: Duration);
    /// A read had to wait for a connection.
    fn waited_for_reader(&self, waited: Duration);
    /// The write-ahead log was copied back into the file.
    fn copied_log(&self, took: Duration);
}

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

/// Traffic by table. Few tables have traffic in one group of writes, so a search beats a map.
pub(crate) type TrafficList = Vec<(TableName, TableTraffic)>;

/// Adds the traffic of a table.
pub(crate) fn add_traffic(list: &mut TrafficList, table: &TableName, traffic: TableTraffic) {
    match list.iter_mut().find(|(known, _)| known == table) {
        Some((_, known)) => *known += traffic,
        None => list.push((table.clone(), traffic)),
    }
}

/// Counts what a store does. Counting costs some tens of nanoseconds a group of writes, and as much a read.
#[derive(Default)]
pub(crate) struct Meters {
    observer: OnceLock<Arc<dyn StoreObserver>>,
    commits: AtomicU64,
    jobs: AtomicU64,
    commit_nanos: AtomicU64,
    reader_waits: AtomicU64,
    reader_wait_nanos: AtomicU64,
    log_copies: AtomicU64,
    log_copy_nanos: AtomicU64,
    traffic: Mutex<HashMap<TableName, TableTraffic>>,
}

impl Meters {
    /// Tells an observer from now on. There can be one; returns whether it is this one.
    pub(crate) fn set_observer(&self, observer: Arc<dyn StoreObserver>) -> bool {
        self.observer.set(observer).is_ok()
    }

    /// Counts a group of writes that was committed.
    pub(crate) fn count_commit(
        &self,
        jobs: u64,
        took: Duration,
        traffic: impl Iterator<Item = (TableName, TableTraffic)>,
    ) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(jobs, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos(took), Ordering::Relaxed);
        if let Some(observer) = self.observer.get() {
            observer.committed(jobs, took);
        }
        let mut traffic = traffic.peekable();
        if traffic.peek().is_some() {
            let mut known = self.lock_traffic();
            traffic.for_each(|(table, traffic)| add(&mut known, &table, traffic));
        }
    }

    /// Counts what a read did.
    pub(crate) fn count_read(&self, traffic: TrafficList) {
        if !traffic.is_empty() {
            let mut known = self.lock_traffic();
            traffic.into_iter().for_each(|(table, traffic)| add(&mut known, &table, traffic));
        }
    }

    pub(crate) fn count_reader_wait(&self, waited: Duration) {
        self.reader_waits.fetch_add(1, Ordering::Relaxed);
        self.reader_wait_nanos.fetch_add(nanos(waited), Ordering::Relaxed);
        if let Some(observer) = self.observer.get() {
            observer.waited_for_reader(waited);
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn count_log_copy(&self, took: Duration) {
        self.log_copies.fetch_add(1, Ordering::Relaxed);
        self.log_copy_nanos.fetch_add(nanos(took), Ordering::Relaxed);
        if let Some(observer) = self.observer.get() {
            observer.copied_log(took);
        }
    }

    /// Returns the counts. The size of the log is not one of them.
    pub(crate) fn read(&self) -> StoreMetrics {
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Ordering::Relaxed));
        StoreMetrics {
            commits: self.commits.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            commit_time: time(&self.commit_nanos),
            reader_waits: self.reader_waits.load(Ordering::Relaxed),
            reader_wait_time: time(&self.reader_wait_nanos),
            log_bytes: None,
            log_copies: self.log_copies.load(Ordering::Relaxed),
            log_copy_time: time(&self.log_copy_nanos),
        }
    }

    /// Returns the traffic of all tables, ordered by name.
    pub(crate) fn traffic(&self) -> TrafficList {
        let mut list: TrafficList =
            self.lock_traffic().iter().map(|(table, traffic)| (table.clone(), *traffic)).collect();
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        list
    }

    /// Entries are changed in single steps.
    fn lock_traffic(&self) -> MutexGuard<'_, HashMap<TableName, TableTraffic>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(known: &mut HashMap<TableName, TableTraffic>, table: &TableName, traffic: TableTraffic) {
    match known.get_mut(table) {
        Some(known) => *known += traffic,
        None => {
            if known.len() >= MAX_TABLES {
                known.clear();
            }
            known.insert(table.clone(), traffic);
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(captured_records: u64) -> TableTraffic {
        TableTraffic { captured_records, ..TableTraffic::default() }
    }

    #[test]
    fn commits_add_up() {
        let meters = Meters::default();
        let (a, b): (TableName, TableName) = ("Aaa".parse().unwrap(), "Bbb".parse().unwrap());
        let mut list = TrafficList::new();
        add_traffic(&mut list, &b, captured(1));
        add_traffic(&mut list, &a, captured(2));
        add_traffic(&mut list, &b, captured(3));
        meters.count_commit(3, Duration::from_micros(5), list.into_iter());
        meters.count_commit(1, Duration::from_micros(2), std::iter::empty());
        let read = TableTraffic { read_half_units: 1, ..TableTraffic::default() };
        meters.count_commit(0, Duration::ZERO, [(a.clone(), read)].into_iter());
        assert_eq!(
            meters.traffic(),
            [(a, TableTraffic { read_half_units: 1, ..captured(2) }), (b, captured(4))]
        );
        let metrics = meters.read();
        assert_eq!((metrics.commits, metrics.jobs, metrics.commit_time), (3, 4, Duration::from_micros(7)));
    }

    #[test]
    fn ever_new_names_do_not_take_memory_for_ever() {
        let meters = Meters::default();
        for number in 0..=MAX_TABLES {
            let table = format!("table-{number}").parse().unwrap();
            meters.count_commit(1, Duration::ZERO, [(table, captured(1))].into_iter());
        }
        assert_eq!(meters.traffic().len(), 1);
    }
}
