//! Metrics for the tests, written by hand in the form in which a server shows them.

use std::time::{Duration, Instant};

use super::meter::Meter;
use super::report::Report;
use super::snapshot::Snapshot;

/// A server without tables.
pub(super) const QUIET: &str = "\
# TYPE pretender_build_info gauge
pretender_build_info{version=\"0.1.0\"} 1
process_start_time_seconds 1795942931.25
pretender_clock_seconds 1795946531.017
pretender_clock_speed 1
process_resident_memory_bytes 18874368
pretender_log_bytes 0
pretender_commits_total 0
";
/// A server with work to do.
pub(super) const BUSY: &str = include_str!("examples/busy.txt");
/// The same server two seconds later.
pub(super) const LATER: &str = include_str!("examples/later.txt");
/// A server with hostile labels and values.
pub(super) const HOSTILE: &str = "\
pretender_build_info{version=\"0.1.0\u{1b}[31m\"} 1
pretender_clock_seconds 1e300
pretender_clock_speed -7
process_resident_memory_bytes -1
pretender_log_bytes 1e308
pretender_commits_total -5
pretender_requests_total{operation=\"Put\u{1b}]0;x\u{7}Item\",result=\"ok\"} 12
pretender_request_seconds_bucket{operation=\"Put\u{1b}]0;x\u{7}Item\",le=\"nonsense\"} 12
pretender_request_seconds_bucket{operation=\"Put\u{1b}]0;x\u{7}Item\",le=\"NaN\"} 12
pretender_request_seconds_bucket{operation=\"Put\u{1b}]0;x\u{7}Item\",le=\"+Inf\"} 12
pretender_table_items{table=\"\u{1b}[2J\\n\\\"a\\\\b\u{202e}\u{9b}\u{200b}c\"} 99999999999999999999999
pretender_table_bytes{table=\"\u{1b}[2J\\n\\\"a\\\\b\u{202e}\u{9b}\u{200b}c\"} -3
pretender_table_items{table=\"漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\",database=\"\u{1b}[31m\",region=\"\\n\"} 1
pretender_table_items{table=\"\"} 1
pretender_shard_oldest_record_age_seconds{table=\"\",shard=\"\r\"} -1e9
pretender_reader_records_behind{table=\"\r\",reader=\"\u{1b}[2J\",kind=\"\u{7f}\"} 1e18
pretender_reader_iterator_age_seconds{table=\"\r\",reader=\"\u{1b}[2J\",kind=\"\u{7f}\"} 1e300
pretender_fault{id=\"\u{1b}[1\",kind=\"\u{2028}\",target=\"\0\"} 1
pretender_faults_injected_total{kind=\"\u{1b}\"} 1
";

/// The endpoint of the examples.
pub(super) const ENDPOINT: &str = "http://127.0.0.1:8000";

/// Returns the report on texts that are two seconds apart.
pub(super) fn report(texts: &[&str]) -> Report {
    let (mut meter, start) = (Meter::default(), Instant::now());
    let mut report = None;
    for (at, text) in texts.iter().enumerate() {
        let snapshot = Snapshot::parse(text, None).unwrap();
        report = Some(meter.take(start + Duration::from_secs(2 * at as u64), snapshot));
    }
    report.unwrap()
}
