//! Making a report of each snapshot, with the rates since the one before.

use std::time::{Duration, Instant};

use super::rates::Baseline;
use super::report::Report;
use super::snapshot::Snapshot;

/// Two start times that differ by less are the same: a server may compute it for each answer.
const SAME_START: f64 = 0.5;
/// Samples that are closer give no rates: a counter of whole units would jump.
const LEAST_TIME: Duration = Duration::from_millis(10);

/// Makes a report of each snapshot, with rates since the snapshot before.
#[derive(Debug, Default)]
pub(super) struct Meter {
    before: Option<(Instant, Snapshot)>,
}

impl Meter {
    /// Returns the report on a snapshot. The first one has no rates.
    pub(super) fn take(&mut self, at: Instant, snapshot: Snapshot) -> Report {
        let empty = Snapshot::default();
        let baseline = self.before.as_ref().and_then(|(earlier, before)| {
            let passed = at.saturating_duration_since(*earlier);
            let snapshot = if is_restarted(before, &snapshot) { &empty } else { before };
            (passed >= LEAST_TIME).then_some(Baseline { snapshot, seconds: passed.as_secs_f64() })
        });
        let report = Report::new(baseline, &snapshot);
        self.before = Some((at, snapshot));
        report
    }
}

/// Returns whether the process was restarted between two snapshots. If it does not say when it started, only counters
/// that went back show it.
fn is_restarted(before: &Snapshot, after: &Snapshot) -> bool {
    before.started.zip(after.started).is_some_and(|(before, after)| (before - after).abs() >= SAME_START)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(started: f64, commits: u32) -> Snapshot {
        let text = format!("process_start_time_seconds {started}\npretender_commits_total {commits}\n");
        Snapshot::parse(&text, None).unwrap()
    }

    #[test]
    fn rates_are_differences_over_time() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        let mut take = |millis, started, commits| {
            meter.take(start + Duration::from_millis(millis), snapshot(started, commits)).totals.commits
        };
        // Nothing is known about the time before the first snapshot.
        assert_eq!(take(0, 5.0, 100), None);
        assert_eq!(take(2000, 5.0, 300), Some(100.0));
        assert_eq!(take(2500, 5.0, 300), Some(0.0));
        // The clock of the machine is not asked, and the same moment gives no rate.
        assert_eq!(take(2500, 5.0, 400), None);
        // A server that did not answer for a while.
        assert_eq!(take(12_500, 5.0, 500), Some(10.0));
    }

    #[test]
    fn a_restart_counts_from_zero() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        let mut take = |second, started, commits| {
            meter.take(start + Duration::from_secs(second), snapshot(started, commits)).totals.commits
        };
        take(0, 5.0, 100);
        // The counter went back.
        assert_eq!(take(1, 5.0, 30), Some(30.0));
        // It did not go back, but the process is another one.
        assert_eq!(take(2, 1000.0, 90), Some(90.0));
        // A start time that is computed for each answer is not exact.
        assert_eq!(take(3, 1000.004, 100), Some(10.0));
    }
}
