//! What is shown: the state of a server, with its rates.

use std::collections::BTreeSet;

use super::rates::{Baseline, Quantile, increase};
use super::snapshot::{
    Buckets, ClockGauges, FaultKey, OperationTotals, Place, ReaderGauges, ReaderKey, Snapshot, TableGauges,
    TableKey,
};

/// The state of a server, with its rates. Rates are per second, and absent after the first snapshot.
///
/// Names are as the server gives them, and not safe to print.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    /// The time that the rates are means of, in seconds.
    pub(super) seconds: Option<f64>,
    pub(super) version: Option<String>,
    pub(super) clock: Clock,
    pub(super) memory_bytes: Option<f64>,
    pub(super) log_bytes: Option<f64>,
    pub(super) totals: Totals,
    pub(super) tables: Vec<TableRow>,
    pub(super) readers: Vec<ReaderRow>,
    pub(super) faults: Vec<FaultRow>,
    pub(super) operations: Vec<OperationRow>,
}

/// The time at a server.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clock {
    Unknown,
    /// Of the only database, or of all.
    At {
        seconds: f64,
        speed: Option<f64>,
    },
    /// So many databases have different times.
    Several(usize),
}

/// Rates of the whole server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) requests: Option<f64>,
    pub(super) errors: Option<f64>,
    pub(super) injected: Option<f64>,
    pub(super) commits: Option<f64>,
    /// Means of the commits.
    pub(super) jobs_per_commit: Option<f64>,
    pub(super) seconds_per_commit: Option<f64>,
}

/// A table with its streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TableRow {
    pub(super) name: String,
    pub(super) items: Option<f64>,
    pub(super) bytes: Option<f64>,
    pub(super) read_units: Option<f64>,
    pub(super) write_units: Option<f64>,
    pub(super) captured: Option<f64>,
    pub(super) delivered: Option<f64>,
    pub(super) trimmed: Option<f64>,
    /// Open and all; absent without a stream.
    pub(super) shards: Option<(u64, u64)>,
    pub(super) records: Option<f64>,
    pub(super) oldest: Option<f64>,
    pub(super) readers: u64,
    /// Of the reader where it is the oldest.
    pub(super) iterator_age: Option<f64>,
    /// Of the reader that is furthest behind.
    pub(super) behind: Option<f64>,
}

/// A reader of the streams of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReaderRow {
    pub(super) table: String,
    pub(super) reader: String,
    pub(super) kind: String,
    pub(super) iterator_age: Option<f64>,
    pub(super) behind: Option<f64>,
}

/// A fault in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FaultRow {
    /// The database and region, if the server has several.
    pub(super) place: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) target: String,
}

/// An operation of the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OperationRow {
    pub(super) operation: String,
    pub(super) requests: Option<f64>,
    pub(super) errors: Option<f64>,
    pub(super) median: Option<Quantile>,
    pub(super) p99: Option<Quantile>,
}

impl Report {
    /// Makes the report on a snapshot.
    pub(super) fn new(baseline: Option<Baseline<'_>>, now: &Snapshot) -> Self {
        let names = Names::of(now);
        let mut readers: Vec<_> =
            now.readers.iter().map(|(key, gauges)| ReaderRow::new(&names, key, gauges)).collect();
        readers.sort_by(|a, b| {
            let order = |row: &ReaderRow| (row.behind.unwrap_or(0.0), row.iterator_age.unwrap_or(0.0));
            let ((behind, age), (other_behind, other_age)) = (order(a), order(b));
            other_behind.total_cmp(&behind).then(other_age.total_cmp(&age))
        });
        let mut operations: Vec<_> = now
            .operations
            .iter()
            .map(|(name, totals)| OperationRow::new(baseline.as_ref(), name, totals))
            .collect();
        operations.sort_by(|a, b| b.requests.unwrap_or(0.0).total_cmp(&a.requests.unwrap_or(0.0)));
        Self {
            seconds: baseline.as_ref().map(|baseline| baseline.seconds),
            version: now.version.clone(),
            clock: Clock::of(now),
            memory_bytes: now.memory_bytes,
            log_bytes: now.log_bytes,
            totals: baseline.as_ref().map(|baseline| Totals::new(baseline, now)).unwrap_or_default(),
            tables: tables(baseline.as_ref(), &names, now),
            readers,
            faults: now.faults.iter().map(|key| FaultRow::new(&names, key)).collect(),
            operations,
        }
    }
}

impl Clock {
    fn of(now: &Snapshot) -> Self {
        let mut clocks = now
            .clocks
            .values()
            .filter_map(|ClockGauges { seconds, speed }| seconds.map(|seconds| (seconds, *speed)));
        let Some((seconds, speed)) = clocks.next() else { return Self::Unknown };
        // The times are read one after the other.
        let is_same =
            |(other, other_speed): (f64, Option<f64>)| (other - seconds).abs() < 1.0 && other_speed == speed;
        if clocks.all(is_same) { Self::At { seconds, speed } } else { Self::Several(now.clocks.len()) }
    }
}

impl Totals {
    fn new(baseline: &Baseline<'_>, now: &Snapshot) -> Self {
        let before = baseline.snapshot;
        let operations = |of: fn(&OperationTotals) -> f64| {
            let rates = now
                .operations
                .iter()
                .map(|(name, totals)| baseline.rate(before.operations.get(name).map(of), of(totals)));
            rates.sum()
        };
        let injected = now
            .injected
            .iter()
            .map(|(kind, count)| baseline.rate(before.injected.get(kind).copied(), *count))
            .sum();
        let commits = now.commits.map(|commits| increase(before.commits.unwrap_or(0.0), commits));
        let per_commit = |before: Option<f64>, after: Option<f64>| {
            let commits = commits.filter(|commits| *commits > 0.0)?;
            Some(increase(before.unwrap_or(0.0), after?) / commits)
        };
        Self {
            requests: Some(operations(|totals| totals.requests)),
            errors: Some(operations(|totals| totals.errors)),
            injected: Some(injected),
            commits: commits.map(|commits| commits / baseline.seconds),
            jobs_per_commit: per_commit(before.commit_jobs, now.commit_jobs),
            seconds_per_commit: per_commit(before.commit_seconds, now.commit_seconds),
        }
    }
}

/// Returns the rows of all tables, by name.
fn tables(baseline: Option<&Baseline<'_>>, names: &Names, now: &Snapshot) -> Vec<TableRow> {
    // A reader may be known of a table that has no other series.
    let keys: BTreeSet<&TableKey> =
        now.tables.keys().chain(now.readers.keys().map(|key| &key.table)).collect();
    let (absent, mut rows) = (TableGauges::default(), Vec::with_capacity(keys.len()));
    let mut readers = now.readers.iter().peekable();
    for key in keys {
        let gauges = now.tables.get(key).unwrap_or(&absent);
        let before = baseline.and_then(|baseline| baseline.snapshot.tables.get(key));
        let rate =
            |of: fn(&TableGauges) -> Option<f64>| Some(baseline?.rate(before.and_then(of), of(gauges)?));
        let mut row = TableRow {
            name: names.table(key),
            items: gauges.items,
            bytes: gauges.bytes,
            read_units: rate(|table| table.read_units),
            write_units: rate(|table| table.write_units),
            captured: rate(|table| table.captured),
            delivered: rate(|table| table.delivered),
            trimmed: rate(|table| table.trimmed),
            shards: (gauges.shards > 0).then_some((gauges.open_shards, gauges.shards)),
            records: gauges.records,
            oldest: gauges.oldest,
            ..TableRow::default()
        };
        // Readers are in the order of their tables.
        while let Some((_, reader)) = readers.next_if(|(reader, _)| reader.table == *key) {
            row.readers += 1;
            row.iterator_age = row.iterator_age.max_of(reader.iterator_age);
            row.behind = row.behind.max_of(reader.behind);
        }
        rows.push(row);
    }
    rows
}

/// The greater of two numbers, one of which may be absent.
trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<f64> {
    fn max_of(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        }
    }
}

impl ReaderRow {
    fn new(names: &Names, key: &ReaderKey, gauges: &ReaderGauges) -> Self {
        Self {
            table: names.table(&key.table),
            reader: key.reader.clone(),
            kind: key.kind.clone(),
            iterator_age: gauges.iterator_age,
            behind: gauges.behind,
        }
    }

    /// Returns whether it has records to read.
    pub(super) fn is_behind(&self) -> bool {
        // A reader that has read everything may still show the age of its last record.
        self.behind.or(self.iterator_age).is_some_and(|behind| behind > 0.0)
    }
}

impl FaultRow {
    fn new(names: &Names, key: &FaultKey) -> Self {
        Self {
            place: names.place(&key.place),
            id: key.id.clone(),
            kind: key.kind.clone(),
            target: key.target.clone(),
        }
    }
}

impl OperationRow {
    fn new(baseline: Option<&Baseline<'_>>, name: &str, totals: &OperationTotals) -> Self {
        let mut row = Self { operation: name.to_owned(), ..Self::default() };
        let Some(baseline) = baseline else { return row };
        let before = baseline.snapshot.operations.get(name);
        row.requests = Some(baseline.rate(before.map(|before| before.requests), totals.requests));
        row.errors = Some(baseline.rate(before.map(|before| before.errors), totals.errors));
        let earlier = before.map_or_else(Buckets::default, |before| before.buckets.clone());
        let buckets = totals.buckets.since(&earlier);
        (row.median, row.p99) = (buckets.quantile(0.5), buckets.quantile(0.99));
        row
    }
}

/// How tables are named: with their database and region if the server has several.
#[derive(Debug)]
struct Names {
    with_database: bool,
    with_region: bool,
}

impl Names {
    fn of(now: &Snapshot) -> Self {
        let places: BTreeSet<&Place> = now
            .tables
            .keys()
            .map(|key| &key.place)
            .chain(now.faults.iter().map(|fault| &fault.place))
            .chain(now.clocks.keys())
            .collect();
        let has_several = |of: fn(&Place) -> &str| {
            let names = places.iter().map(|place| of(place)).filter(|name| !name.is_empty());
            names.collect::<BTreeSet<_>>().len() > 1
        };
        Self {
            with_database: has_several(|place| &place.database),
            with_region: has_several(|place| &place.region),
        }
    }

    fn table(&self, key: &TableKey) -> String {
        match self.place(&key.place) {
            place if place.is_empty() => key.table.clone(),
            place => format!("{place}/{}", key.table),
        }
    }

    fn place(&self, place: &Place) -> String {
        let parts = [(self.with_database, &place.database), (self.with_region, &place.region)];
        let shown = parts.into_iter().filter(|(is_shown, name)| *is_shown && !name.is_empty());
        shown.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests;
