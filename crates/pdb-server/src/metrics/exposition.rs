//! The values of one scrape, given to the exporter.

use std::collections::HashSet;
use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use pretender::Pretender;
use pretender::observe::{ReaderReport, StreamReport};
use pretender::tables::ListTablesInput;

use super::names::{self, Kind, Metric};

const METADATA: Metadata<'static> = Metadata::new("pretender", Level::INFO, None);

/// The most tables that a scrape shows.
const MAX_TABLES: usize = 1_000;

/// The values of one scrape. A recorder of its own, so that tables and shards that are gone are not shown any more.
pub(super) struct Exposition {
    recorder: PrometheusRecorder,
    described: HashSet<&'static str>,
}

/// The labels of everything that belongs to one database.
#[derive(Clone, Debug, Default)]
pub(super) struct DatabaseLabels(Vec<(&'static str, String)>);

impl DatabaseLabels {
    pub(super) fn new(name: Option<&str>, region: Option<&str>) -> Self {
        let labels = [("database", name), ("region", region)];
        Self(labels.into_iter().filter_map(|(key, value)| Some((key, value?.to_owned()))).collect())
    }

    /// Returns these labels, and others.
    pub(super) fn and<'l>(&'l self, others: &[(&'static str, &'l str)]) -> Vec<(&'static str, &'l str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str())).chain(others.iter().copied()).collect()
    }
}

/// Tells the exporter what a metric is.
pub(super) fn describe(recorder: &PrometheusRecorder, metric: Metric) {
    let (name, help) = (KeyName::from_const_str(metric.name), metric.help.into());
    match metric.kind {
        Kind::Counter => recorder.describe_counter(name, None, help),
        Kind::Gauge => recorder.describe_gauge(name, None, help),
        Kind::Histogram => recorder.describe_histogram(name, None, help),
    }
}

/// Returns the key of a metric with labels.
pub(super) fn key(metric: Metric, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(key, value)| Label::new(*key, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

impl Exposition {
    pub(super) fn new() -> Self {
        Self { recorder: PrometheusBuilder::new().build_recorder(), described: HashSet::new() }
    }

    pub(super) fn counter(&mut self, metric: Metric, labels: &[(&'static str, &str)], value: u64) {
        self.describe(metric);
        self.recorder.register_counter(&key(metric, labels), &METADATA).absolute(value);
    }

    pub(super) fn gauge(&mut self, metric: Metric, labels: &[(&'static str, &str)], value: f64) {
        self.describe(metric);
        self.recorder.register_gauge(&key(metric, labels), &METADATA).set(value);
    }

    pub(super) fn render(self) -> String {
        self.recorder.handle().render()
    }

    fn describe(&mut self, metric: Metric) {
        if self.described.insert(metric.name) {
            describe(&self.recorder, metric);
        }
    }

    /// Adds the values of a database. What cannot be read is left out, and the reason logged.
    pub(super) fn add_database(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        let quiet = database.without_faults();
        self.add_clock(labels, database);
        self.add_store(labels, database);
        self.add_faults(labels, database);
        self.add_traffic(labels, database);
        self.add_tables(labels, &quiet);
        match database.stream_reports() {
            Ok(streams) => streams.iter().for_each(|stream| self.add_stream(labels, database, stream)),
            Err(error) => tracing::warn!(%error, "metrics lack the streams"),
        }
        match database.readers() {
            Ok(readers) => readers.iter().for_each(|reader| self.add_reader(labels, reader)),
            Err(error) => tracing::warn!(%error, "metrics lack the readers of streams"),
        }
    }

    fn add_clock(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        let speed = database.manual_clock().map_or(1.0, pretender::time::ManualClock::speed);
        let now = database.env().clock.now().0 as f64 / 1_000.0;
        self.gauge(names::CLOCK, &labels.and(&[]), now);
        self.gauge(names::CLOCK_SPEED, &labels.and(&[]), speed);
    }

    fn add_store(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        let (store, labels) = (database.store_metrics(), labels.and(&[]));
        self.counter(names::COMMITS, &labels, store.commits);
        self.counter(names::COMMIT_JOBS, &labels, store.jobs);
        self.counter(names::READER_WAITS, &labels, store.reader_waits);
        self.counter(names::LOG_COPIES, &labels, store.log_copies);
        if let Some(bytes) = store.log_bytes {
            self.gauge(names::LOG_BYTES, &labels, bytes as f64);
        }
    }

    fn add_faults(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        for state in database.faults().report().faults.iter().filter(|state| !state.is_over) {
            let mut target: Vec<String> =
                state.fault.targets.iter().map(|target| target.to_string()).collect();
            target.extend(state.fault.table.iter().map(ToString::to_string));
            let (id, target) = (state.id.to_string(), target.join(","));
            let of_fault = [("id", id.as_str()), ("kind", state.fault.kind.name()), ("target", &target)];
            self.gauge(names::FAULT, &labels.and(&of_fault), 1.0);
        }
        for (kind, count) in database.faults().injection_counts() {
            self.counter(names::FAULTS_INJECTED, &labels.and(&[("kind", kind)]), count);
        }
    }

    fn add_traffic(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        for (table, traffic) in database.traffic().iter().take(MAX_TABLES) {
            let of_table = labels.and(&[("table", table.as_str())]);
            for (metric, value) in [
                (names::CAPTURED_RECORDS, traffic.captured_records),
                (names::CAPTURED_BYTES, traffic.captured_bytes),
                (names::DELIVERED_RECORDS, traffic.delivered_records),
                (names::DELIVERED_BYTES, traffic.delivered_bytes),
                (names::TRIMMED_RECORDS, traffic.trimmed_records),
            ] {
                self.counter(metric, &of_table, value);
            }
            for (kind, halves) in [("read", traffic.read_half_units), ("write", traffic.write_half_units)] {
                // Counters of the facade are whole; the half of a unit is counted once there is another.
                let of_kind = labels.and(&[("table", table.as_str()), ("kind", kind)]);
                self.counter(names::CAPACITY, &of_kind, halves / 2);
            }
        }
    }

    fn add_tables(&mut self, labels: &DatabaseLabels, database: &Pretender) {
        let mut input = ListTablesInput::default();
        let mut shown = 0;
        while shown < MAX_TABLES {
            let Ok(page) = database.list_tables(&input) else { return };
            for table in &page.table_names {
                let Ok(described) = database.describe_table(table) else { continue };
                let of_table = labels.and(&[("table", table.as_str())]);
                self.gauge(names::TABLE_ITEMS, &of_table, described.item_count as f64);
                self.gauge(names::TABLE_BYTES, &of_table, described.table_size_bytes as f64);
            }
            shown += page.table_names.len();
            match page.last_evaluated_table_name {
                Some(last) => input.exclusive_start_table_name = Some(last.to_string()),
                None => return,
            }
        }
    }

    fn add_stream(&mut self, labels: &DatabaseLabels, database: &Pretender, stream: &StreamReport) {
        let now = database.env().clock.now();
        let (table, label) = (stream.stream_arn.table.name.as_str(), stream.stream_arn.label.as_str());
        for shard in &stream.shards {
            let of_shard =
                labels.and(&[("table", table), ("stream", label), ("shard", shard.shard_id.as_str())]);
            let age = shard.backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
            self.gauge(names::SHARD_OPEN, &of_shard, if shard.closed.is_none() { 1.0 } else { 0.0 });
            self.gauge(names::SHARD_RECORDS, &of_shard, shard.backlog.records as f64);
            self.gauge(names::SHARD_AGE, &of_shard, age.as_secs_f64());
        }
    }

    fn add_reader(&mut self, labels: &DatabaseLabels, reader: &ReaderReport) {
        let number = format!("{:04x}", reader.reader);
        let of_reader = labels.and(&[
            ("table", reader.stream_arn.table.name.as_str()),
            ("stream", reader.stream_arn.label.as_str()),
            ("shard", reader.shard_id.as_str()),
            ("reader", &number),
            ("kind", reader.kind.as_str()),
        ]);
        self.gauge(names::READER_AGE, &of_reader, reader.iterator_age.as_secs_f64());
        self.gauge(names::READER_BEHIND, &of_reader, reader.backlog.records as f64);
    }
}
