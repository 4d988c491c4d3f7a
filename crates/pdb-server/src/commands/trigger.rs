//! `pretender trigger`.

mod http;

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pdb_server::ControlToken;
use pdb_trigger::{Destination, FileDestination, Notice, Settings, Trigger as Running, TriggerError};
use pretender::streams::source::{SourceError, StreamSource, WakeHandle};
use pretender::streams::{EventPattern, StartPosition};
use pretender::time::{Clock, SystemClock};

use super::server_clock::ServerClock;
use super::stop::StopOnSignal;
use super::token::TokenParser;
use super::wait::{NotStarted, Wait, WaitTime, parse_only_time};
use crate::client::{Api, Connection, RemoteStreams, Server, parse_server};
use crate::terminal::warn;
use http::{FunctionUrl, HttpDestination, HttpFunction};

/// Heading of the settings that AWS has as well.
const MAPPING: &str = "Event source mapping";

/// How long an invocation in progress may delay the end; later results do not count.
const EXIT_GRACE: Duration = Duration::from_secs(3);

/// Invoke a function with the changes of a table, as Lambda's event source mapping does.
///
/// The function can be anything that answers Lambda's Invoke call over HTTP: a container with Lambda's runtime
/// interface emulator, or a server of your own. Settings have AWS's names, ranges and defaults; docs/triggers.md
/// explains each. Runs until Ctrl-C.
#[derive(Args, Debug)]
pub(crate) struct Trigger {
    /// Table, or ARN of a table or stream; for a table, the latest stream is read, and then those that replace it
    #[arg(long, value_name = "TABLE|ARN")]
    table: String,

    /// Address of the function: http://127.0.0.1:9000, 127.0.0.1:9000, or the complete URL of its Invoke call
    #[arg(long, value_name = "URL", required_unless_present = "endpoint")]
    function: Option<FunctionUrl>,

    #[command(flatten)]
    connection: Connection,

    /// Deprecated name of `--endpoint`, from when `--endpoint` was the function.
    #[arg(long, value_name = "URL", value_parser = parse_server, hide = true)]
    url: Option<Server>,

    /// The server's control token, if it has one; the trigger needs it to follow the server's clock
    #[arg(long, env = "PRETENDER_CONTROL_TOKEN", value_name = "TOKEN", value_parser = TokenParser, hide_env_values = true)]
    token: Option<ControlToken>,

    /// Wait for a server, table or stream that does not exist yet: for this long (30s), or without a limit if no time is given
    #[arg(long, value_name = "TIME", num_args = 0..=1, value_parser = parse_only_time)]
    wait: Option<Option<WaitTime>>,

    /// File to store the progress of the trigger in, created if it does not exist; without it, every start begins at the starting position
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Where to start if there is no checkpoint
    #[arg(help_heading = MAPPING, long, value_enum, default_value_t = From::TrimHorizon)]
    starting_position: From,

    /// Maximum number of records per invocation: 1 to 10000
    #[arg(help_heading = MAPPING, long, value_name = "N", default_value_t = 100)]
    batch_size: u32,

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

impl Trigger {
    /// Runs the trigger until it is stopped.
    pub(crate) fn run(mut self) -> Result<(), Box<dyn Error>> {
        let url = self.take_function()?;
        self.settings().check()?;
        let wake = WakeHandle::default();
        let api = self.connection.api_with(std::slice::from_ref(&self.table), wake.clone())?;
        let _stop = StopOnSignal::start(wake.clone(), EXIT_GRACE)?;
        let start = || self.start(&api, &wake, &url);
        let Some(running) = Wait::given(self.wait.as_ref()).until_started(&wake, start)? else {
            return Ok(());
        };
        // The trigger retries by itself, and has other batches to process meanwhile.
        api.disable_retries();
        show_line(&mut std::io::stdout(), &format!("{} -> {url}", running.state().stream_arn));
        running.join();
        Ok(())
    }

    fn start(&self, api: &Api, wake: &WakeHandle, url: &FunctionUrl) -> Result<Running, NotStarted> {
        self.check_position(api)?;
        let clock: Arc<dyn Clock> = match ServerClock::of(api, wake, self.token.as_ref())? {
            Some(clock) => Arc::new(clock),
            None => Arc::new(SystemClock),
        };
        let mut builder = Running::over(RemoteStreams::new(api.clone()), &self.table)
            .settings(self.settings())
            .function_name(&self.function_name)
            .clock(clock)
            .wake_handle(wake.clone())
            .observe(show);
        if let Some(path) = &self.checkpoint {
            builder = builder.checkpoint(path);
        }
        if let Some(place) = &self.on_failure {
            builder = builder.on_failure(destination(place).map_err(NotStarted::permanent)?);
        }
        let function = HttpFunction::new(url.clone(), Duration::from_secs(self.timeout));
        builder.start(function).map_err(|error| explained(api, error))
    }

    /// Takes the function's URL. Also accepts the deprecated combination in which `--endpoint` is the function and
    /// `--url` the server.
    fn take_function(&mut self) -> Result<FunctionUrl, Box<dyn Error>> {
        let url = self.url.take();
        let endpoint = self.connection.take_endpoint();
        match (self.function.take(), endpoint, url) {
            (Some(_), Some(_), Some(_)) => {
                Err("--url is a deprecated name of --endpoint: give only one of them".into())
            }
            (Some(function), None, Some(url)) => {
                warn("--url is deprecated: use --endpoint");
                self.connection.set_endpoint(Some(url));
                Ok(function)
            }
            (Some(function), endpoint, None) => {
                self.connection.set_endpoint(endpoint);
                Ok(function)
            }
            (None, Some(Server::At(function)), Some(url)) => {
                warn(
                    "--endpoint is the server now: give the function as --function, and the server as --endpoint \
                     instead of --url",
                );
                self.connection.set_endpoint(Some(url));
                Ok(FunctionUrl::at(function)?)
            }
            (None, _, _) => Err("no function: give its address with --function URL".into()),
        }
    }

    /// Refuses a position that Lambda does not have for streams of DynamoDB, with its text (`lambda-esm-api.md` 6).
    fn check_position(&self, api: &Api) -> Result<(), NotStarted> {
        if self.starting_position != From::AtTimestamp {
            return Ok(());
        }
        let streams = RemoteStreams::new(api.clone()).streams(&self.table).unwrap_or_default();
        let arn = streams.first().unwrap_or(&self.table);
        Err(NotStarted::permanent(format!("Unsupported starting position for arn type: {arn}")))
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

/// Returns why the trigger cannot start, naming what does not exist.
fn explained(api: &Api, error: TriggerError) -> NotStarted {
    match error {
        TriggerError::NoStream(table) => NotStarted::absent(api.why_no_stream(&table)),
        error @ TriggerError::StreamNotFound(_) => NotStarted::absent(error),
        TriggerError::Source(SourceError::Failed(error)) => NotStarted::failed(error),
        error => NotStarted::permanent(error),
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

/// Prints a notice: a success to standard output, everything else to standard error.
fn show(notice: &Notice) {
    match notice {
        Notice::Processed { .. } => show_line(&mut std::io::stdout(), &notice.to_string()),
        Notice::Failed { .. } | Notice::Discarded { .. } | Notice::Trimmed { .. } | Notice::Problem(_) => {
            show_line(&mut std::io::stderr(), &format!("pretender: {notice}"));
        }
    }
}

/// Prints a line. The trigger continues even if standard output is closed.
fn show_line(out: &mut dyn Write, line: &str) {
    let line = line.replace(['\r', '\n'], " ");
    match writeln!(out, "{}", crate::terminal::visible(&line)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tracing::warn!(%error, "could not print a line")
        }
        _ => {}
    }
}
