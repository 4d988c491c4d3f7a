//! `pretender ping`.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use pdb_server::Span;
use pretender::streams::source::WakeHandle;

use crate::client::{Connection, Probe, pause, rest};

/// Ask a server whether it is ready.
///
/// Prints one line. The exit code is 0 if the server and its database answer, and 1 otherwise. Needs neither the
/// control API nor its token.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ping {
    #[command(flatten)]
    connection: Connection,

    /// Keep trying for this long, such as 30s, until the server is ready
    #[arg(long, short, value_name = "TIME", default_value = "off", hide_default_value = true)]
    wait: Span,
}

const EXAMPLES: &str = "\
Examples:
  pretender ping && npm test
  pretender ping --wait 30s                wait for a server that is starting
  pretender ping --endpoint db:8000        in another container";

impl Ping {
    /// Asks the server.
    pub(crate) fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let probe: Probe = self.connection.probe()?;
        let until = self.wait.0.map(|wait| Instant::now() + wait);
        let mut tries = 0;
        let said = loop {
            let failure = match probe.ask() {
                Ok(said) => break said,
                Err(failure) => failure,
            };
            tries += 1;
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match left.filter(|left| !left.is_zero() && failure.is_transient()) {
                // Retry soon: a script that waits for the server is usually blocked until then.
                Some(left) => rest(&WakeHandle::default(), pause(tries.min(3)).min(left)),
                None => return Err(failure.into()),
            };
        };
        writeln!(std::io::stdout(), "{said}")?;
        Ok(ExitCode::SUCCESS)
    }
}
