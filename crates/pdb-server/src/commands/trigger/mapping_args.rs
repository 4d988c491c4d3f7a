//! The settings of an event source mapping, as options.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pdb_trigger::{Destination, FileDestination, Settings, SettingsError, ToEventRecord, TriggerBuilder};
use pretender::streams::source::StreamSource;
use pretender::streams::{EventPattern, StartPosition};

use super::http::{FunctionUrl, HttpDestination, HttpFunction};

/// Heading of the settings that AWS has as well.
const MAPPING: &str = "Event source mapping";

/// The settings of an event source mapping, and what belongs to its function.
#[derive(Args, Clone, Debug)]
pub(in crate::commands) struct MappingArgs {
    /// File to store the progress of the trigger in, created if it does not exist; without it, every start begins at the starting position
    #[arg(long, value_name = "FILE")]
    pub(in crate::commands) checkpoint: Option<PathBuf>,

    /// Where to start if there is no checkpoint
    #[arg(help_heading = MAPPING, long, value_enum, default_value_t = From::TrimHorizon)]
    starting_position: From,

    /// Maximum number of records per invocation: 1 to 10000
    #[arg(help_heading = MAPPING, long, value_name = "N", default_value_t = 100)]
    pub(in crate::commands) batch_size: u32,

    /// How long to gather records before invoking the function with a smaller batch: 0 to 300
    #[arg(help_heading = MAPPING, long, value_name = "SECONDS", default_value_t = 0)]
    maximum_batching_window_in_seconds: u32,

    /// How many batches of one shard to process at once: 1 to 10
    #[arg(help_heading = MAPPING, long, value_name = "N", default_value_t = 1)]
    parallelization_factor: u32,

    /// How often to retry a batch when the function fails: 0 to 10000, or -1 until its records expire
    #[arg(help_heading = MAPPING, long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    maximum_retry_attempts: i32,

    /// Maximum age of a record before it is discarded: 60 to 604800, or -1 until it expires
    #[arg(help_heading = MAPPING, long, value_name = "SECONDS", default_value_t = -1, allow_negative_numbers = true)]
    maximum_record_age_in_seconds: i32,

    /// Split a batch in two when the function fails
    #[arg(help_heading = MAPPING, long)]
    bisect_batch_on_function_error: bool,

    /// What the function can report in its answer
    #[arg(help_heading = MAPPING, long, value_enum, value_name = "TYPE")]
    function_response_types: Vec<ResponseType>,

    /// Length of a tumbling window: 1 to 900, or 0 for none
    #[arg(help_heading = MAPPING, long, value_name = "SECONDS", default_value_t = 0)]
    tumbling_window_in_seconds: u32,

    /// Deliver only records that match this pattern, in the syntax of Lambda's event filters; can be repeated up to five times, and one match is enough
    #[arg(help_heading = MAPPING, long, value_name = "PATTERN")]
    filter: Vec<EventPattern>,

    /// Where to report discarded batches: a file, to which a line of JSON is appended, or a URL, to which it is posted
    #[arg(help_heading = MAPPING, long, value_name = "FILE|URL")]
    on_failure: Option<String>,

    /// Timeout of an invocation, in seconds: 1 to 900
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=900))]
    timeout: u64,

    /// Name to use in the function's ARN, in reports of discarded batches
    #[arg(long, value_name = "NAME", default_value = "function")]
    function_name: String,
}

/// Where to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    #[value(name = "TRIM_HORIZON", alias = "trim-horizon")]
    TrimHorizon,
    #[value(name = "LATEST", alias = "latest")]
    Latest,
    /// Lambda has it for streams of other services.
    #[value(name = "AT_TIMESTAMP", alias = "at-timestamp", hide = true)]
    AtTimestamp,
}

/// What the function can report in its answer, with AWS's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ResponseType {
    /// The records that failed
    #[value(name = "ReportBatchItemFailures")]
    ReportBatchItemFailures,
}

impl MappingArgs {
    /// Checks every setting against AWS's range.
    ///
    /// # Errors
    ///
    /// The first setting that is out of its range.
    pub(in crate::commands) fn check(&self) -> Result<(), SettingsError> {
        self.settings().check()
    }

    /// Refuses a position that Lambda does not have for streams of DynamoDB, with its text (`lambda-esm-api.md` 6).
    /// `arn` returns the ARN of the stream.
    ///
    /// # Errors
    ///
    /// Lambda's text.
    pub(in crate::commands) fn check_position(&self, arn: impl FnOnce() -> String) -> Result<(), String> {
        match self.starting_position {
            From::TrimHorizon | From::Latest => Ok(()),
            From::AtTimestamp => Err(format!("Unsupported starting position for arn type: {}", arn())),
        }
    }

    /// Gives a trigger these settings.
    ///
    /// # Errors
    ///
    /// A message for people, if the on-failure destination cannot be used.
    pub(in crate::commands) fn apply<S>(
        &self,
        builder: TriggerBuilder<S>,
    ) -> Result<TriggerBuilder<S>, Box<dyn Error>>
    where
        S: StreamSource + Send + 'static,
        S::Record: ToEventRecord,
    {
        let mut builder = builder.settings(self.settings()).function_name(&self.function_name);
        if let Some(path) = &self.checkpoint {
            builder = builder.checkpoint(path);
        }
        if let Some(place) = &self.on_failure {
            builder = builder.on_failure(destination(place)?);
        }
        Ok(builder)
    }

    /// Returns the function at a URL.
    pub(in crate::commands) fn function(&self, url: &FunctionUrl) -> HttpFunction {
        HttpFunction::new(url.clone(), Duration::from_secs(self.timeout))
    }

    fn settings(&self) -> Settings {
        Settings {
            starting_position: match self.starting_position {
                From::TrimHorizon | From::AtTimestamp => StartPosition::TrimHorizon,
                From::Latest => StartPosition::Latest,
            },
            batch_size: self.batch_size,
            maximum_batching_window_in_seconds: self.maximum_batching_window_in_seconds,
            parallelization_factor: self.parallelization_factor,
            maximum_retry_attempts: self.maximum_retry_attempts,
            maximum_record_age_in_seconds: self.maximum_record_age_in_seconds,
            bisect_batch_on_function_error: self.bisect_batch_on_function_error,
            report_batch_item_failures: !self.function_response_types.is_empty(),
            tumbling_window_in_seconds: self.tumbling_window_in_seconds,
            filters: self.filter.clone(),
        }
    }
}

/// Returns the destination for reports of discarded batches.
fn destination(place: &str) -> Result<Box<dyn Destination>, Box<dyn Error>> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return Ok(Box::new(HttpDestination::new(place.parse()?)));
    }
    let file = FileDestination::open(place).map_err(|error| format!("{place}: {error}"))?;
    Ok(Box::new(file))
}
