//! What libFuzzer says at the end of a run.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The figures of a run of one target.
pub(super) struct Report {
    /// How many inputs were executed.
    pub(super) executions: u64,
    /// How many inputs that reach something new were found.
    new_inputs: u64,
    /// How many edges of the program's flow were reached, by this run and the inputs it began with.
    edges: u64,
    time: Duration,
    /// The input that failed, if one did.
    pub(super) failure: Option<PathBuf>,
}

impl Report {
    /// Reads what libFuzzer has printed in a run of this length.
    pub(super) fn of(text: &str, time: Duration) -> Self {
        let statistic = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
            line.and_then(|value| value.trim_start_matches(':').trim().parse().ok()).unwrap_or(0)
        };
        let edges = text.lines().rev().find_map(|line| number_behind(line, "cov: "));
        let failure = text
            .lines()
            .find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path.trim().into()));
        Self {
            executions: statistic("number_of_executed_units"),
            new_inputs: statistic("new_units_added"),
            edges: edges.unwrap_or(0),
            time,
            failure,
        }
    }
}

fn number_behind(line: &str, name: &str) -> Option<u64> {
    line.split_once(name)?.1.split_whitespace().next()?.parse().ok()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, new_inputs, edges, time, failure } = self;
        write!(
            f,
            "{executions:>12} executions in {:>5} s, {edges:>6} edges, {new_inputs:>5} new inputs",
            time.as_secs()
        )?;
        match failure {
            Some(path) => write!(f, ", FAILED on {}", path.display()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_failures_are_found() {
        let text = "#2\tINITED cov: 121 ft: 122 corp: 1/1b exec/s: 0 rss: 40Mb\n#4096\tpulse  cov: 137 ft: 200 corp: 4/9b\n\
            artifact_prefix='x'; Test unit written to /w/fuzz/artifacts/number/crash-01\n\
            stat::number_of_executed_units: 5000\nstat::average_exec_per_sec:     500\nstat::new_units_added:          3\n";
        let report = Report::of(text, Duration::from_secs(10));
        assert_eq!((report.executions, report.new_inputs, report.edges), (5_000, 3, 137));
        assert_eq!(report.failure, Some("/w/fuzz/artifacts/number/crash-01".into()));
        assert!(Report::of("Done 7 runs", Duration::ZERO).failure.is_none());
    }
}
