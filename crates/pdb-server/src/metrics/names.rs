//! The names of all metrics. `docs/metrics.md` explains each.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows, and begins at 0 with the server.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by their size.
    Histogram,
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, help }
}

pub(super) const BUILD_INFO: Metric = gauge("pretender_build_info", "The version of the program; always 1.");
pub(super) const START_TIME: Metric = gauge(
    "process_start_time_seconds",
    "When the server of this process was started, in seconds since 1970.",
);
pub(super) const MEMORY: Metric =
    gauge("process_resident_memory_bytes", "Memory of the process that is resident.");
pub(super) const OPEN_FILES: Metric = gauge("process_open_fds", "Open files of the process.");

pub(super) const REQUESTS: Metric = counter(
    "pretender_requests_total",
    "Requests by operation and result: ok, the code of an error, or dropped.",
);
pub(super) const REQUEST_SECONDS: Metric = histogram(
    "pretender_request_seconds",
    "Time from a request to its answer, without sending it, from the first scrape on.",
);

pub(super) const CLOCK: Metric =
    gauge("pretender_clock_seconds", "The time of the database, in seconds since 1970.");
pub(super) const CLOCK_SPEED: Metric =
    gauge("pretender_clock_speed", "How fast that time runs: 0 if it is held, 1 as the machine's.");

pub(super) const TABLE_ITEMS: Metric = gauge("pretender_table_items", "Items of a table.");
pub(super) const TABLE_BYTES: Metric = gauge("pretender_table_bytes", "Size of a table's items.");
pub(super) const CAPACITY: Metric = counter(
    "pretender_consumed_capacity_units_total",
    "Consumed capacity units of a table and its indexes, by kind: read or write.",
);

pub(super) const CAPTURED_RECORDS: Metric =
    counter("pretender_stream_records_captured_total", "Stream records of a table that were captured.");
pub(super) const CAPTURED_BYTES: Metric =
    counter("pretender_stream_bytes_captured_total", "Size of these records.");
pub(super) const DELIVERED_RECORDS: Metric =
    counter("pretender_stream_records_delivered_total", "Stream records of a table that readers got.");
pub(super) const DELIVERED_BYTES: Metric =
    counter("pretender_stream_bytes_delivered_total", "Size of these records.");
pub(super) const TRIMMED_RECORDS: Metric =
    counter("pretender_stream_records_trimmed_total", "Stream records of a table that were trimmed.");

pub(super) const SHARD_OPEN: Metric =
    gauge("pretender_shard_open", "Whether a shard takes records: 1, or 0 if it is closed.");
pub(super) const SHARD_RECORDS: Metric =
    gauge("pretender_shard_records", "Records of a shard that can be read; counting ends at 10,000.");
pub(super) const SHARD_AGE: Metric =
    gauge("pretender_shard_oldest_record_age_seconds", "Age of the oldest of these records; 0 without any.");

pub(super) const ARCHIVED_OBJECTS: Metric = counter(
    "pretender_archive_objects_total",
    "Objects with stream records that were written to the archive.",
);
pub(super) const ARCHIVED_RECORDS: Metric =
    counter("pretender_archive_records_total", "Stream records in these objects.");
pub(super) const ARCHIVE_FAILURES: Metric =
    counter("pretender_archive_failures_total", "Attempts to archive what was due of a stream that failed.");
pub(super) const ARCHIVE_DELAY: Metric = gauge(
    "pretender_archive_delay_seconds",
    "Age of the oldest record that should be in the archive and is not, because the last attempt failed; 0 without any.",
);
pub(super) const ARCHIVE_LOST: Metric = counter(
    "pretender_archive_lost_records_total",
    "Stream records that were trimmed without being in the archive, because it was broken for too long.",
);

pub(super) const READER_AGE: Metric = gauge(
    "pretender_reader_iterator_age_seconds",
    "Age of the oldest record that a reader has not read; 0 if it has read all.",
);
pub(super) const READER_BEHIND: Metric =
    gauge("pretender_reader_records_behind", "Records that a reader has not read; counting ends at 10,000.");

pub(super) const TRIGGER_RUNNING: Metric =
    gauge("pretender_trigger_running", "Whether a trigger of this process runs: 1, or 0.");
pub(super) const TRIGGER_AGE: Metric = gauge(
    "pretender_trigger_iterator_age_seconds",
    "Age of the oldest record that a trigger has read and its function has not processed; 0 without any.",
);
pub(super) const TRIGGER_WAITING: Metric =
    gauge("pretender_trigger_records_waiting", "Records that were read and are not processed yet.");
pub(super) const TRIGGER_RETRIES: Metric =
    counter("pretender_trigger_retries_total", "Tries with records that were in an earlier try that failed.");
pub(super) const TRIGGER_INVOCATIONS: Metric =
    counter("pretender_trigger_invocations_total", "Invocations of a function, by result: ok or failed.");
pub(super) const TRIGGER_RECORDS: Metric = counter(
    "pretender_trigger_records_total",
    "Records that a trigger is done with, by result: processed, filtered or discarded.",
);

pub(super) const COMMITS: Metric =
    counter("pretender_commits_total", "Groups of writes, each with one commit.");
pub(super) const COMMIT_JOBS: Metric = counter("pretender_commit_jobs_total", "Writes in these groups.");
pub(super) const COMMIT_SECONDS: Metric = histogram(
    "pretender_commit_seconds",
    "Time from the first write of a group to the end of its commit, from the first scrape on.",
);
pub(super) const COMMIT_SIZE: Metric =
    histogram("pretender_commit_size", "Writes in a group, from the first scrape on.");
pub(super) const LOG_BYTES: Metric =
    gauge("pretender_log_bytes", "Size of the write-ahead log of a database file.");
pub(super) const LOG_COPIES: Metric =
    counter("pretender_log_copies_total", "How often the log was copied back into the file (checkpoints).");
pub(super) const LOG_COPY_SECONDS: Metric = histogram(
    "pretender_log_copy_seconds",
    "How long that took, beside the writer, from the first scrape on.",
);
pub(super) const READER_WAITS: Metric =
    counter("pretender_connection_waits_total", "How often a read had to wait for a connection of the pool.");
pub(super) const READER_WAIT_SECONDS: Metric =
    histogram("pretender_connection_wait_seconds", "How long it waited, from the first scrape on.");

pub(super) const FAULT: Metric =
    gauge("pretender_fault", "A fault that may be injected, by id, kind and target; always 1.");
pub(super) const FAULTS_INJECTED: Metric =
    counter("pretender_faults_injected_total", "Faults that were injected, by kind.");

/// All metrics.
pub(super) const ALL: &[Metric] = &[
    BUILD_INFO,
    START_TIME,
    MEMORY,
    OPEN_FILES,
    REQUESTS,
    REQUEST_SECONDS,
    CLOCK,
    CLOCK_SPEED,
    TABLE_ITEMS,
    TABLE_BYTES,
    CAPACITY,
    CAPTURED_RECORDS,
    CAPTURED_BYTES,
    DELIVERED_RECORDS,
    DELIVERED_BYTES,
    TRIMMED_RECORDS,
    SHARD_OPEN,
    SHARD_RECORDS,
    SHARD_AGE,
    ARCHIVED_OBJECTS,
    ARCHIVED_RECORDS,
    ARCHIVE_FAILURES,
    ARCHIVE_DELAY,
    ARCHIVE_LOST,
    READER_AGE,
    READER_BEHIND,
    TRIGGER_RUNNING,
    TRIGGER_AGE,
    TRIGGER_WAITING,
    TRIGGER_RETRIES,
    TRIGGER_INVOCATIONS,
    TRIGGER_RECORDS,
    COMMITS,
    COMMIT_JOBS,
    COMMIT_SECONDS,
    COMMIT_SIZE,
    LOG_BYTES,
    LOG_COPIES,
    LOG_COPY_SECONDS,
    READER_WAITS,
    READER_WAIT_SECONDS,
    FAULT,
    FAULTS_INJECTED,
];
