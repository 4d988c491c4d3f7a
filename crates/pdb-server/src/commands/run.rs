//! `pretender run`: a server for the length of one command.

mod child;
mod environment;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::Args;

use super::MEMORY;
use super::object_settings::DATA;
use super::security_settings::NETWORK;
use super::server_settings::{Listen, ServerSettings};
use crate::terminal::visible;
use child::Ended;
use environment::{Environment, UserVariables};

/// Exit code if the program fails before the command runs, as for `env` and `timeout`.
pub(crate) const NOT_RUN: u8 = 125;

/// Run a command with a server of its own.
///
/// Starts an in-memory server on a free port, runs the command with AWS_ENDPOINT_URL, made-up credentials and a region
/// in its environment, and stops the server when the command ends. `pretender run -- pytest` thus tests against an
/// empty database, and so does a test suite in any language whose AWS SDK reads these variables. The exit code is that
/// of the command.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    /// Port to listen on [default: a free one]
    #[arg(long, short, default_value_t = 0, hide_default_value = true, help_heading = NETWORK)]
    port: u16,

    /// Database to use: a file, ":memory:", or the URL of a PostgreSQL database
    #[arg(long, short = 'd', default_value = MEMORY, value_name = "FILE|URL", help_heading = DATA)]
    db: String,

    #[command(flatten)]
    settings: ServerSettings,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  pretender run -- pytest                  against an empty database
  pretender run -- npm test
  pretender run -c -- cargo test           with the control API
  pretender run --schema template.yml --seed items/ -- go test ./...
  pretender run -- sh -c 'aws dynamodb list-tables'

Exit code: that of the command; 128 + N if signal N ended it; 127 if the command
is not found, 126 if it cannot be executed, 125 if the server cannot start.";

/// Why the command was not run.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NotRun(Box<dyn Error>);

impl Run {
    /// Runs the command; returns the exit code.
    pub(crate) fn run(mut self) -> Result<ExitCode, Box<dyn Error>> {
        self.run_command().map_err(|error| NotRun(error).into())
    }

    fn run_command(&mut self) -> Result<ExitCode, Box<dyn Error>> {
        let given = UserVariables::read();
        if self.settings.region.is_none() {
            self.settings.region = given.region()?;
        }
        let listen = Listen { host: Ipv4Addr::LOCALHOST.into(), port: self.port };
        let started = self.settings.start(listen, &self.db, &|| Ok(()))?;
        let credentials = started.credentials.clone();
        for line in &started.startup_notes {
            tracing::info!("{line}");
        }
        let environment = Environment {
            url: started.server.url(),
            region: self.settings.region().to_owned(),
            has_control: self.settings.control,
            control_token: self.settings.control_token.clone(),
            ca_file: started.ca_file.clone(),
            key: credentials.as_ref().map(|credentials| {
                let (id, secret, token) = credentials.first();
                (id.to_owned(), secret.to_owned(), token.map(str::to_owned))
            }),
        };
        let ended = started.server.block_on(child::run(&self.command, environment.changes(&given)));
        started.stop();
        let ended = ended?;
        if let Ended::NotStarted(error) = &ended {
            let command = self.command.first().map(|command| command.to_string_lossy());
            let line = format!("cannot run `{}`: {error}", command.unwrap_or_default());
            // If standard error is closed, there is no other place to report the error.
            let _ = writeln!(std::io::stderr(), "pretender: {}", visible(&line));
        }
        Ok(ended.exit_code())
    }
}
