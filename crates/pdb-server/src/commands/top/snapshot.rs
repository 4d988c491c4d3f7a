//! What the metrics of a server say at one moment.
//!
//! Series that belong to the same thing are added up here: the shards of a table, the results of an operation, the
//! databases and regions of a server. Metrics with unknown names are ignored.

use std::collections::{BTreeMap, BTreeSet};

use super::metrics::{self, ParseMetricsError, Sample};

/// The prefix of all metrics of pretender.
const PREFIX: &str = "pretender_";
/// The result of a request that succeeded.
const OK: &str = "ok";

/// The metrics of a server at one moment. A value that the server does not show is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) version: Option<String>,
    /// The start of the process in seconds since 1970. It changes with a restart.
    pub(super) started: Option<f64>,
    /// Every database of a server has its clock.
    pub(super) clocks: BTreeMap<Place, ClockGauges>,
    pub(super) memory_bytes: Option<f64>,
    pub(super) log_bytes: Option<f64>,
    pub(super) commits: Option<f64>,
    pub(super) commit_jobs: Option<f64>,
    pub(super) commit_seconds: Option<f64>,
    pub(super) operations: BTreeMap<String, OperationTotals>,
    pub(super) tables: BTreeMap<TableKey, TableGauges>,
    pub(super) readers: BTreeMap<ReaderKey, ReaderGauges>,
    pub(super) faults: BTreeSet<FaultKey>,
    /// Injections by kind of fault.
    pub(super) injected: BTreeMap<String, f64>,
}

/// A database and a region of it. Both are empty on a server that has only one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) database: String,
    pub(super) region: String,
}

/// A table of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableKey {
    pub(super) place: Place,
    pub(super) table: String,
}

/// A reader of the streams of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReaderKey {
    pub(super) table: TableKey,
    pub(super) reader: String,
    /// Iterator, subscription or trigger.
    pub(super) kind: String,
}

/// A fault in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FaultKey {
    pub(super) place: Place,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) target: String,
}

/// A clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClockGauges {
    /// Seconds since 1970.
    pub(super) seconds: Option<f64>,
    /// Seconds for each second; 0 if it is held.
    pub(super) speed: Option<f64>,
}

/// What an operation has done since the start of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OperationTotals {
    pub(super) requests: f64,
    pub(super) errors: f64,
    pub(super) buckets: Buckets,
}

/// The buckets of a histogram: upper bounds in ascending order, each with the count of all values up to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets(pub(super) Vec<(f64, f64)>);

/// A table with its streams. The counters count since the start of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TableGauges {
    pub(super) items: Option<f64>,
    pub(super) bytes: Option<f64>,
    pub(super) read_units: Option<f64>,
    pub(super) write_units: Option<f64>,
    pub(super) captured: Option<f64>,
    pub(super) delivered: Option<f64>,
    pub(super) trimmed: Option<f64>,
    /// Shards of all its streams.
    pub(super) shards: u64,
    pub(super) open_shards: u64,
    pub(super) records: Option<f64>,
    /// The age of the oldest record in seconds.
    pub(super) oldest: Option<f64>,
}

/// How far a reader is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReaderGauges {
    /// Of the shard where it is the oldest, in seconds.
    pub(super) iterator_age: Option<f64>,
    /// In all shards.
    pub(super) behind: Option<f64>,
}

/// Why a text shows no metrics of pretender.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("the answer is not in the format of Prometheus")]
    NotMetrics(#[from] ParseMetricsError),
    #[error("the answer has no metric of pretender")]
    NotOurs,
}

impl Snapshot {
    /// Reads the metrics of a server, or only those of one region.
    ///
    /// # Errors
    ///
    /// If the text is not in the format of Prometheus, or has no metric of pretender.
    pub(super) fn parse(text: &str, region: Option<&str>) -> Result<Self, SnapshotError> {
        let mut snapshot = Self::default();
        let mut is_ours = false;
        for sample in metrics::parse(text)? {
            is_ours |= sample.name.starts_with(PREFIX);
            let of_region = sample.label("region");
            if region.is_none_or(|region| of_region.is_empty() || of_region == region) {
                snapshot.add(&sample);
            }
        }
        if is_ours { Ok(snapshot) } else { Err(SnapshotError::NotOurs) }
    }

    /// Adds a metric that programs of all kinds have.
    fn add_process(&mut self, sample: &Sample<'_>, value: f64) {
        match sample.name {
            "process_start_time_seconds" => self.started = Some(value),
            "process_resident_memory_bytes" => sum(&mut self.memory_bytes, value),
            _ => {}
        }
    }

    fn add(&mut self, sample: &Sample<'_>) {
        let value = sample.value;
        // Only the bound of a histogram's last bucket is infinite, and that is a label.
        if !value.is_finite() {
            return;
        }
        let Some(name) = sample.name.strip_prefix(PREFIX) else { return self.add_process(sample, value) };
        match name {
            "build_info" => self.version = Some(sample.label("version").to_owned()),
            "clock_seconds" => self.clock(sample).seconds = Some(value),
            "clock_speed" => self.clock(sample).speed = Some(value),
            "log_bytes" => sum(&mut self.log_bytes, value),
            "commits_total" => sum(&mut self.commits, value),
            "commit_jobs_total" => sum(&mut self.commit_jobs, value),
            "commit_seconds_sum" => sum(&mut self.commit_seconds, value),
            "requests_total" => {
                let operation = self.operation(sample);
                operation.requests += value;
                if sample.label("result") != OK {
                    operation.errors += value;
                }
            }
            "request_seconds_bucket" => {
                let bound = sample.label("le").parse::<f64>().ok().filter(|bound| !bound.is_nan());
                if let Some(bound) = bound {
                    self.operation(sample).buckets.add(bound, value);
                }
            }
            "fault" if value > 0.0 => {
                self.faults.insert(FaultKey {
                    place: Place::of(sample),
                    id: sample.label("id").to_owned(),
                    kind: sample.label("kind").to_owned(),
                    target: sample.label("target").to_owned(),
                });
            }
            "faults_injected_total" => {
                *self.injected.entry(sample.label("kind").to_owned()).or_default() += value;
            }
            "reader_iterator_age_seconds" => greatest(&mut self.reader(sample).iterator_age, value),
            "reader_records_behind" => sum(&mut self.reader(sample).behind, value),
            _ => self.add_of_table(name, sample),
        }
    }

    fn add_of_table(&mut self, name: &str, sample: &Sample<'_>) {
        let value = sample.value;
        match name {
            "table_items" => sum(&mut self.table(sample).items, value),
            "table_bytes" => sum(&mut self.table(sample).bytes, value),
            "consumed_capacity_units_total" => match sample.label("kind") {
                "read" => sum(&mut self.table(sample).read_units, value),
                "write" => sum(&mut self.table(sample).write_units, value),
                _ => {}
            },
            "stream_records_captured_total" => sum(&mut self.table(sample).captured, value),
            "stream_records_delivered_total" => sum(&mut self.table(sample).delivered, value),
            "stream_records_trimmed_total" => sum(&mut self.table(sample).trimmed, value),
            "shard_records" => sum(&mut self.table(sample).records, value),
            "shard_oldest_record_age_seconds" => greatest(&mut self.table(sample).oldest, value),
            "shard_open" => {
                let table = self.table(sample);
                table.shards += 1;
                table.open_shards += u64::from(value > 0.0);
            }
            _ => {}
        }
    }

    fn clock(&mut self, sample: &Sample<'_>) -> &mut ClockGauges {
        self.clocks.entry(Place::of(sample)).or_default()
    }

    fn operation(&mut self, sample: &Sample<'_>) -> &mut OperationTotals {
        self.operations.entry(sample.label("operation").to_owned()).or_default()
    }

    fn table(&mut self, sample: &Sample<'_>) -> &mut TableGauges {
        self.tables.entry(TableKey::of(sample)).or_default()
    }

    fn reader(&mut self, sample: &Sample<'_>) -> &mut ReaderGauges {
        let (reader, kind) = (sample.label("reader").to_owned(), sample.label("kind").to_owned());
        self.readers.entry(ReaderKey { table: TableKey::of(sample), reader, kind }).or_default()
    }
}

impl Place {
    fn of(sample: &Sample<'_>) -> Self {
        Self { database: sample.label("database").to_owned(), region: sample.label("region").to_owned() }
    }
}

impl TableKey {
    fn of(sample: &Sample<'_>) -> Self {
        Self { place: Place::of(sample), table: sample.label("table").to_owned() }
    }
}

impl Buckets {
    fn add(&mut self, bound: f64, count: f64) {
        match self.0.binary_search_by(|(other, _)| other.total_cmp(&bound)) {
            Ok(at) => self.0[at].1 += count,
            Err(at) => self.0.insert(at, (bound, count)),
        }
    }
}

fn sum(total: &mut Option<f64>, value: f64) {
    *total = Some(total.unwrap_or(0.0) + value);
}

fn greatest(most: &mut Option<f64>, value: f64) {
    *most = Some(most.map_or(value, |most| most.max(value)));
}

#[cfg(test)]
mod tests {
    use super::super::examples::{BUSY, QUIET};
    use super::*;

    fn key(table: &str) -> TableKey {
        TableKey { table: table.to_owned(), ..TableKey::default() }
    }

    #[test]
    fn series_of_the_same_thing_are_added_up() {
        let snapshot = Snapshot::parse(BUSY, None).unwrap();
        assert_eq!(snapshot.version.as_deref(), Some("0.1.0"));
        let clock = &snapshot.clocks[&Place::default()];
        assert_eq!((clock.seconds, clock.speed), (Some(1_795_946_531.0), Some(0.0)));
        let orders = &snapshot.tables[&key("orders")];
        assert_eq!((orders.items, orders.bytes), (Some(1042.0), Some(254_000.0)));
        assert_eq!((orders.shards, orders.open_shards), (3, 2));
        assert_eq!((orders.records, orders.oldest), (Some(1500.0), Some(7200.5)));
        assert_eq!((orders.read_units, orders.write_units), (Some(600.0), Some(2120.0)));
        let users = &snapshot.tables[&key("users")];
        assert_eq!((users.items, users.shards, users.records, users.captured), (Some(310.0), 0, None, None));
        let reader =
            ReaderKey { table: key("orders"), reader: "billing".to_owned(), kind: "trigger".to_owned() };
        let billing = &snapshot.readers[&reader];
        assert_eq!((billing.iterator_age, billing.behind), (Some(95.0), Some(130.0)));
        let put = &snapshot.operations["PutItem"];
        assert_eq!((put.requests, put.errors), (2130.0, 30.0));
        assert_eq!(put.buckets.0.last(), Some(&(f64::INFINITY, 2130.0)));
        assert_eq!(snapshot.faults.len(), 1);
        assert_eq!(snapshot.injected["throttling"], 25.0);
    }

    #[test]
    fn absent_metrics_are_absent() {
        let snapshot = Snapshot::parse("pretender_unheard_of 1\npretender_log_bytes NaN\n", None).unwrap();
        assert_eq!(snapshot, Snapshot::default());
        let quiet = Snapshot::parse(QUIET, None).unwrap();
        assert!(quiet.tables.is_empty() && quiet.operations.is_empty() && quiet.memory_bytes.is_some());
    }

    #[test]
    fn a_region_can_be_chosen() {
        let text = "pretender_table_items{table=\"t\",region=\"a\",database=\"d\"} 1\n\
                    pretender_table_items{table=\"t\",region=\"b\"} 2\nprocess_resident_memory_bytes 3\n";
        let all = Snapshot::parse(text, None).unwrap();
        assert_eq!((all.tables.len(), all.memory_bytes), (2, Some(3.0)));
        let chosen = Snapshot::parse(text, Some("a")).unwrap();
        assert_eq!(chosen.tables.len(), 1);
        let place = Place { database: "d".to_owned(), region: "a".to_owned() };
        assert_eq!(chosen.tables.keys().next(), Some(&TableKey { place, table: "t".to_owned() }));
        assert_eq!(chosen.memory_bytes, Some(3.0));
    }

    #[test]
    fn other_texts_are_refused() {
        let error = |text| Snapshot::parse(text, None).unwrap_err();
        assert_eq!(crate::one_line(&error("go_threads 3\n")), "the answer has no metric of pretender");
        let page = crate::one_line(&error("<!doctype html>\n"));
        assert_eq!(
            page,
            "the answer is not in the format of Prometheus: line 1: expected the name of a metric"
        );
        assert!(Snapshot::parse("", None).is_err());
    }
}
