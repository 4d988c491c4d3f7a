//! Times and sizes that are counted from the first scrape on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Histogram, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use pdb_wire::Operation;

use super::exposition::{describe, key};
use super::names;

const METADATA: Metadata<'static> = Metadata::new("pretender", Level::INFO, None);

/// The bounds of times, in seconds: a read by key takes some 50 microseconds, and a batch of 16 MB a tenth of a second.
const SECONDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 5.0,
];
/// The bounds of the number of writes in a group.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// After how many values the exporter sorts them into their buckets; until then it keeps each of them. Also a server that nobody scrapes
/// any more stays small so.
const UPKEEP_EVERY: u64 = 8_192;

/// The histograms.
pub(super) struct Histograms {
    recorder: PrometheusRecorder,
    exporter: PrometheusHandle,
    /// By the number of the operation, for those that were called.
    requests: Vec<OnceLock<Histogram>>,
    commits: Histogram,
    commit_sizes: Histogram,
    reader_waits: Histogram,
    log_copies: Histogram,
    recorded: AtomicU64,
}

impl Default for Histograms {
    fn default() -> Self {
        let sizes = Matcher::Full(names::COMMIT_SIZE.name.to_owned());
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(&SECONDS).expect("there are buckets");
        let builder = builder.set_buckets_for_metric(sizes, &SIZES).expect("there are buckets");
        let recorder = builder.build_recorder();
        for metric in names::ALL.iter().filter(|metric| metric.kind == names::Kind::Histogram) {
            describe(&recorder, *metric);
        }
        let of = |metric| recorder.register_histogram(&key(metric, &[]), &METADATA);
        Self {
            requests: Operation::ALL.iter().map(|_| OnceLock::new()).collect(),
            commits: of(names::COMMIT_SECONDS),
            commit_sizes: of(names::COMMIT_SIZE),
            reader_waits: of(names::READER_WAIT_SECONDS),
            log_copies: of(names::LOG_COPY_SECONDS),
            exporter: recorder.handle(),
            recorder,
            recorded: AtomicU64::new(0),
        }
    }
}

impl Histograms {
    pub(super) fn record_request(&self, operation: Operation, took: Duration) {
        if let Some(histogram) = self.requests.get(operation as usize) {
            let histogram = histogram.get_or_init(|| {
                let key = key(names::REQUEST_SECONDS, &[("operation", operation.name())]);
                self.recorder.register_histogram(&key, &METADATA)
            });
            self.record(histogram, took.as_secs_f64());
        }
    }

    pub(super) fn record_commit(&self, jobs: u64, took: Duration) {
        self.record(&self.commits, took.as_secs_f64());
        self.record(&self.commit_sizes, jobs as f64);
    }

    pub(super) fn record_reader_wait(&self, waited: Duration) {
        self.record(&self.reader_waits, waited.as_secs_f64());
    }

    pub(super) fn record_log_copy(&self, took: Duration) {
        self.record(&self.log_copies, took.as_secs_f64());
    }

    fn record(&self, histogram: &Histogram, value: f64) {
        histogram.record(value);
        if self.recorded.fetch_add(1, Ordering::Relaxed) % UPKEEP_EVERY == UPKEEP_EVERY - 1 {
            self.exporter.run_upkeep();
        }
    }

    /// Appends the text of the histograms that have values.
    pub(super) fn render_into(&self, text: &mut String) {
        text.push_str(&self.exporter.render());
    }
}

impl std::fmt::Debug for Histograms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Histograms").field("recorded", &self.recorded).finish_non_exhaustive()
    }
}
