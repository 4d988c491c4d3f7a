//! `pretender trigger`.

mod http;
mod mapping_args;

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use pdb_server::ControlToken;
use pdb_trigger::{Notice, Trigger as Running, TriggerError};
use pretender::streams::source::{SourceError, StreamSource, WakeHandle};
use pretender::time::{Clock, SystemClock};

use super::server_clock::ServerClock;
use super::stop::StopOnSignal;
use super::token::TokenParser;
use super::wait::{NotStarted, Wait, WaitTime, parse_only_time};
use crate::client::{Api, Connection, RemoteStreams, Server, parse_server};
use crate::terminal::warn;

pub(super) use http::FunctionUrl;
pub(super) use mapping_args::MappingArgs;

/// How long an invocation in progress may delay the end; later results do not count.
pub(super) const EXIT_GRACE: Duration = Duration::from_secs(3);

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

    #[command(flatten)]
    mapping: MappingArgs,
}

impl Trigger {
    /// Runs the trigger until it is stopped.
    pub(crate) fn run(mut self) -> Result<(), Box<dyn Error>> {
        let url = self.take_function()?;
        self.mapping.check()?;
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
        let builder = Running::over(RemoteStreams::new(api.clone()), &self.table)
            .clock(clock)
            .wake_handle(wake.clone())
            .observe(show);
        let builder = self.mapping.apply(builder).map_err(NotStarted::permanent)?;
        builder.start(self.mapping.function(url)).map_err(|error| explained(api, error))
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

    fn check_position(&self, api: &Api) -> Result<(), NotStarted> {
        let arn = || {
            let streams = RemoteStreams::new(api.clone()).streams(&self.table).unwrap_or_default();
            streams.into_iter().next().unwrap_or_else(|| self.table.clone())
        };
        self.mapping.check_position(arn).map_err(NotStarted::permanent)
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
