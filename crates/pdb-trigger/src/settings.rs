//! The settings of an event source mapping, with AWS's names, defaults and ranges.

use pretender::streams::{EventPattern, StartPosition};

/// How many filters a mapping may have.
pub const MAX_FILTERS: usize = 5;
/// How many bytes of JSON an invocation may carry: 6 MB.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// How many bytes of JSON the state of a window may have: 1 MB.
pub const MAX_STATE_BYTES: usize = 1024 * 1024;

/// The settings of an event source mapping: AWS's names in snake case, AWS's defaults.
///
/// # Examples
///
/// ```
/// use pdb_trigger::Settings;
///
/// let settings = Settings { batch_size: 10, bisect_batch_on_function_error: true, ..Settings::default() };
/// assert!(settings.check().is_ok());
/// let error = Settings { batch_size: 0, ..settings }.check().unwrap_err();
/// assert_eq!(error.to_string(), "BatchSize is 0; it may be 1 to 10000");
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where a mapping without a checkpoint begins; `TRIM_HORIZON` by default. AWS has no default, and does not offer a time for
    /// streams of DynamoDB.
    pub starting_position: StartPosition,
    /// The maximum number of records of one invocation: 1 to 10000; 100 by default.
    pub batch_size: u32,
    /// How long to wait for a full batch before an invocation with fewer records: 0 to 300 seconds; 0 by default.
    pub maximum_batching_window_in_seconds: u32,
    /// The maximum number of concurrent batches of one shard, each with other keys: 1 to 10; 1 by default.
    pub parallelization_factor: u32,
    /// How often a batch is tried again when the function fails: 0 to 10000; -1, the default, until its records expire.
    pub maximum_retry_attempts: i32,
    /// How old a record may get before it is discarded: 60 to 604800 seconds; -1, the default, until it expires.
    pub maximum_record_age_in_seconds: i32,
    /// Whether a batch is split in two when the function fails; off by default. A split does not use up a retry.
    pub bisect_batch_on_function_error: bool,
    /// Whether what the function returns may name the records that failed (`FunctionResponseTypes` holds
    /// `ReportBatchItemFailures`); off by default.
    pub report_batch_item_failures: bool,
    /// The length of a tumbling window: 0 to 900 seconds; 0, the default, is none.
    pub tumbling_window_in_seconds: u32,
    /// Filters, at most five. Only records that match one of them are delivered; without filters, all are.
    pub filters: Vec<EventPattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            starting_position: StartPosition::TrimHorizon,
            batch_size: 100,
            maximum_batching_window_in_seconds: 0,
            parallelization_factor: 1,
            maximum_retry_attempts: -1,
            maximum_record_age_in_seconds: -1,
            bisect_batch_on_function_error: false,
            report_batch_item_failures: false,
            tumbling_window_in_seconds: 0,
            filters: Vec::new(),
        }
    }
}

/// The error of a setting out of its range. The text names the setting, its value and the range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; it may be {allowed}")]
pub struct SettingsError {
    /// AWS's name of the setting.
    pub name: &'static str,
    /// The refused value.
    pub value: i64,
    /// The range.
    pub allowed: &'static str,
}

impl Settings {
    /// Checks every setting against AWS's range.
    ///
    /// # Errors
    ///
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        let settings = [
            ("BatchSize", i64::from(self.batch_size), 1..=10_000, None, "1 to 10000"),
            (
                "MaximumBatchingWindowInSeconds",
                self.maximum_batching_window_in_seconds.into(),
                0..=300,
                None,
                "0 to 300",
            ),
            ("ParallelizationFactor", self.parallelization_factor.into(), 1..=10, None, "1 to 10"),
            (
                "MaximumRetryAttempts",
                self.maximum_retry_attempts.into(),
                0..=10_000,
                Some(-1),
                "-1, or 0 to 10000",
            ),
            (
                "MaximumRecordAgeInSeconds",
                self.maximum_record_age_in_seconds.into(),
                60..=604_800,
                Some(-1),
                "-1, or 60 to 604800",
            ),
            ("TumblingWindowInSeconds", self.tumbling_window_in_seconds.into(), 0..=900, None, "0 to 900"),
        ];
        for (name, value, range, besides, allowed) in settings {
            if !range.contains(&value) && besides != Some(value) {
                return Err(SettingsError { name, value, allowed });
            }
        }
        if self.filters.len() > MAX_FILTERS {
            let value = i64::try_from(self.filters.len()).unwrap_or(i64::MAX);
            return Err(SettingsError { name: "the number of filters", value, allowed: "0 to 5" });
        }
        Ok(())
    }

    /// Returns the number of queues of a shard. With a tumbling window it is one, because its state covers all records of the shard.
    pub(crate) fn queues(&self) -> usize {
        if self.tumbling_window_in_seconds > 0 { 1 } else { self.parallelization_factor.max(1) as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_has_two_ends() {
        type Set = fn(&mut Settings, i32);
        let cases: [(Set, &[i32], &[i32], &str); 6] = [
            (|s, v| s.batch_size = v.unsigned_abs(), &[1, 10_000], &[0, 10_001], "BatchSize"),
            (
                |s, v| s.maximum_batching_window_in_seconds = v.unsigned_abs(),
                &[0, 300],
                &[301],
                "MaximumBatchingWindowInSeconds",
            ),
            (|s, v| s.parallelization_factor = v.unsigned_abs(), &[1, 10], &[0, 11], "ParallelizationFactor"),
            (|s, v| s.maximum_retry_attempts = v, &[-1, 0, 10_000], &[-2, 10_001], "MaximumRetryAttempts"),
            (
                |s, v| s.maximum_record_age_in_seconds = v,
                &[-1, 60, 604_800],
                &[-2, 0, 59, 604_801],
                "MaximumRecordAgeInSeconds",
            ),
            (
                |s, v| s.tumbling_window_in_seconds = v.unsigned_abs(),
                &[0, 900],
                &[901],
                "TumblingWindowInSeconds",
            ),
        ];
        for (set, good, bad, name) in cases {
            for value in good {
                let mut settings = Settings::default();
                set(&mut settings, *value);
                assert_eq!(settings.check(), Ok(()), "{name} {value}");
            }
            for value in bad {
                let mut settings = Settings::default();
                set(&mut settings, *value);
                let error = settings.check().unwrap_err();
                assert_eq!((error.name, error.value), (name, i64::from(*value)));
                assert!(error.to_string().starts_with(&format!("{name} is {value}; it may be ")), "{error}");
            }
        }
    }

    #[test]
    fn five_filters_are_allowed() {
        let filters = |n| vec![r#"{"eventName":["INSERT"]}"#.parse().unwrap(); n];
        assert!(Settings { filters: filters(5), ..Settings::default() }.check().is_ok());
        let error = Settings { filters: filters(6), ..Settings::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "the number of filters is 6; it may be 0 to 5");
    }
}
