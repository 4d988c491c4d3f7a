//! `pretender tail`.

mod export;
mod from;
mod line;
mod printer;

use std::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pretender::archive::{ArchiveOptions, ArchivedStreams};
use pretender::streams::source::{SourceError, StreamSource, WakeHandle};
use pretender::streams::{Event, EventPattern, StartPosition, Subscription, TailError};
use pretender::time::{Clock, SystemClock};
use serde_json::json;

use super::archive_reader::reader_of;
use super::object_settings::ObjectSettings;
use super::server_clock::{ClockError, ServerClock};
use super::stop::StopOnSignal;
use super::wait::{NotStarted, Wait, WaitTime, parse_time};
use crate::client::{Api, Connection, RemoteRecord, RemoteStreams, Service};
use crate::terminal::warn;
use export::Export;
use from::From;
use printer::{Color, Format, Printer};

/// Heading of the output options in the help.
const OUTPUT: &str = "Output";
/// An open shard counts as read after this many pages without a record, because AWS may return empty pages before
/// records.
const EMPTY_PAGES: u32 = 3;
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The API's error code for a stream that does not exist.
const NOT_FOUND: &str = "ResourceNotFoundException";
/// How long a request in progress may delay the end.
const EXIT_GRACE: Duration = Duration::from_millis(500);

/// Print the changes of tables from any DynamoDB Streams endpoint.
///
/// Reads a stream as a consumer should: parents before children, through rotations and splits, each record once. Ends
/// when it has read all records, unless --follow is given. Ctrl-C ends it at any time.
#[derive(Args, Debug)]
pub(crate) struct Tail {
    /// Tables, or ARNs of tables or streams; for a table, the latest stream is read
    #[arg(required_unless_present = "wait", value_name = "TABLE|ARN")]
    targets: Vec<String>,

    #[command(flatten)]
    connection: Connection,

    /// Where to start: trim-horizon (at the oldest record, with --archive that of the archive), latest (after the newest), a time (2026-03-01T09:15Z, or seconds or milliseconds
    /// since 1970), or a time ago (15m). An age is counted from the server's time
    #[arg(long, value_name = "TIME|AGE", default_value_t = From::TrimHorizon, allow_hyphen_values = true)]
    from: From,

    /// Read what this archive of `pretender serve --archive` has first, then the stream
    #[arg(long, value_name = "BUCKET[/PREFIX]")]
    archive: Option<ArchiveOptions>,

    #[command(flatten)]
    objects: ObjectSettings,

    /// Print only records that match this pattern, in the syntax of Lambda's event filters; if repeated, one match is enough
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<EventPattern>,

    /// Wait for more changes instead of ending, and continue with a table's next stream. Also waits for a server, table
    /// or stream that does not exist yet
    #[arg(long, short)]
    follow: bool,

    /// Wait for a server, table or stream that does not exist yet: for this long (30s), or without a limit if no time is given
    #[arg(long, value_name = "TIME", num_args = 0..=1, value_parser = parse_time)]
    wait: Option<Option<WaitTime>>,

    /// How to print a record
    #[arg(help_heading = OUTPUT, long, value_enum, value_name = "FORMAT", default_value_t = Format::Line)]
    format: Format,

    /// Print each record as one line of JSON, as --format json does
    #[arg(help_heading = OUTPUT, long, conflicts_with = "format")]
    json: bool,

    /// When to use colours; auto: on a terminal that supports them, unless NO_COLOR is set
    #[arg(help_heading = OUTPUT, long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,

    /// Write the records to this file instead, one line of JSON each, in Lambda's format; `pretender ctl stream replay` reads such files
    #[arg(help_heading = OUTPUT, long, value_name = "FILE", conflicts_with_all = ["format", "json"])]
    export: Option<PathBuf>,
}

/// What the records are read from.
type Source = Box<dyn StreamSource<Record = RemoteRecord>>;

/// Where events are written to.
trait Output {
    /// Writes an event, unbuffered: the process may end at any time.
    fn event(&mut self, event: &Event<RemoteRecord>) -> std::io::Result<()>;

    /// Prints a warning.
    fn warn(&self, text: &str) {
        warn(text);
    }
}

impl Output for Printer {
    fn event(&mut self, event: &Event<RemoteRecord>) -> std::io::Result<()> {
        self.print(event)
    }
}

impl Tail {
    /// Prints until the end.
    pub(crate) fn run(mut self) -> Result<(), Box<dyn Error>> {
        // clap reads `tail --wait orders` as if `orders` were the time.
        if let Some(Some(WaitTime::Other(target))) = &mut self.wait {
            self.targets.insert(0, std::mem::take(target));
        }
        if self.targets.is_empty() {
            return Err("no table: expected the name or ARN of a table, or the ARN of a stream".into());
        }
        if let Some(path) = self.export.take() {
            return match self.for_each_event(|| Export::create(path))? {
                Some(export) => export.finish(),
                None => Ok(()),
            };
        }
        match self.print() {
            // The reader has closed the pipe, which is not an error.
            Err(error) if is_broken_pipe(error.as_ref()) => Ok(()),
            result => result,
        }
    }

    fn print(self) -> Result<(), Box<dyn Error>> {
        let format = if self.json { Format::Json } else { self.format };
        let printer = Printer::new(format, self.color, self.targets.len() > 1);
        self.for_each_event(|| Ok(printer)).map(drop)
    }

    /// Passes all events to an output, which is opened when there is something to read. Returns the output, or `None`
    /// if the command was stopped before.
    fn for_each_event<O: Output>(
        self,
        open: impl FnOnce() -> Result<O, Box<dyn Error>>,
    ) -> Result<Option<O>, Box<dyn Error>> {
        let follow = self.follow;
        let wake = WakeHandle::default();
        let api = self.connection.api_with(&self.targets, wake.clone())?;
        let _stop = StopOnSignal::start(wake.clone(), EXIT_GRACE)?;
        let wait =
            if follow && self.wait.is_none() { Wait::Forever } else { Wait::given(self.wait.as_ref()) };
        // The first attempt that finds a server says when that was: a stream that is waited for is not younger for it.
        let mut start = None;
        let subscribe = || {
            let from = match start {
                Some(from) => from,
                None => *start.insert(self.start_position(&api, &wake)?),
            };
            self.subscribe(&api, &wake, from).map_err(|error| self.explained(&api, error))
        };
        let Some(events) = wait.until_started(&wake, subscribe)? else { return Ok(None) };
        let mut output = open()?;
        if follow {
            // The subscription retries by itself.
            api.disable_retries();
        }
        for event in events {
            match event {
                Ok(event) => output.event(&event)?,
                Err(error @ TailError::Trimmed { .. }) => output.warn(&crate::one_line(&error)),
                Err(TailError::Source(SourceError::NotFound | SourceError::Throttled)) if follow => {}
                Err(error) => return Err(failure(error)),
            }
        }
        Ok(Some(output))
    }

    /// Returns where to start. An age is counted from the server's time, if that is known: its clock may have been moved.
    fn start_position(&self, api: &Api, wake: &WakeHandle) -> Result<StartPosition, NotStarted> {
        Ok(match self.from {
            From::TrimHorizon => StartPosition::TrimHorizon,
            From::Latest => StartPosition::Latest,
            From::Time(time) => StartPosition::AtTimestamp(time),
            From::Age(age) => {
                let now = match ServerClock::of(api, wake, None) {
                    Ok(Some(clock)) => clock.now(),
                    Ok(None) | Err(ClockError::NeedsToken(_)) => SystemClock.now(),
                    Err(error) => return Err(error.into()),
                };
                StartPosition::AtTimestamp(now.minus(age))
            }
        })
    }

    /// Returns the streams of the endpoint, with their archive if one is given.
    fn source(&self, api: &Api) -> Result<Source, TailError> {
        let live = RemoteStreams::new(api.clone());
        let Some(archive) = &self.archive else { return Ok(Box::new(live)) };
        match reader_of(archive, &self.objects) {
            Ok(archive) => Ok(Box::new(ArchivedStreams::new(live, archive))),
            Err(error) => Err(TailError::Source(SourceError::Failed(error.to_string().into()))),
        }
    }

    fn subscribe(
        &self,
        api: &Api,
        wake: &WakeHandle,
        from: StartPosition,
    ) -> Result<Subscription<Source>, TailError> {
        let mut builder = Subscription::builder(self.source(api)?)
            .wake_handle(wake.clone())
            .from(from)
            .follow(self.follow)
            .poll_interval(POLL_INTERVAL)
            .caught_up_after(EMPTY_PAGES);
        for target in &self.targets {
            builder = match table_of(target) {
                Some(table_name) => builder.table(table_name),
                None => builder.stream(target),
            };
        }
        for pattern in &self.filter {
            builder = builder.pattern(pattern.clone());
        }
        builder.start()
    }

    /// Returns why reading cannot start, naming what does not exist.
    fn explained(&self, api: &Api, error: TailError) -> NotStarted {
        let absent = match &error {
            TailError::NoStream(table) => Some(api.why_no_stream(table)),
            // The error does not say which stream is missing, and it may exist by now.
            TailError::Source(SourceError::NotFound) => self.targets.iter().find_map(|target| {
                let is_there = api.call(Service::Streams, "DescribeStream", &json!({ "StreamArn": target }));
                let is_missing = is_there.is_err_and(|failure| failure.code() == Some(NOT_FOUND));
                match table_of(target) {
                    Some(table) => Some(api.why_no_stream(table)),
                    None => is_missing.then(|| api.no_such_stream(target)),
                }
            }),
            _ => None,
        };
        match absent {
            Some(absent) => NotStarted::absent(absent),
            None => NotStarted::failed(failure(error)),
        }
    }
}

/// Returns the server's own error, or that of the archive, without the layers around it.
fn failure(error: TailError) -> Box<dyn Error> {
    match error {
        TailError::Source(SourceError::Failed(failure)) => failure,
        error => error.into(),
    }
}

/// Returns the name or ARN of the table, if the target is a table.
fn table_of(target: &str) -> Option<&str> {
    if !target.starts_with("arn:") {
        return Some(target);
    }
    let (_, table_name) = target.split_once(":table/")?;
    (!table_name.contains('/')).then_some(table_name)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_names_and_arns() {
        let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
        assert_eq!(table_of("Orders"), Some("Orders"));
        assert_eq!(table_of(arn), Some("Orders"));
        assert_eq!(table_of(&format!("{arn}/stream/2026-03-01T09:15:42.017")), None);
        assert_eq!(table_of("arn:nonsense"), None);
    }
}
