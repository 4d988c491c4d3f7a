//! `pretender top`.

mod columns;
#[cfg(test)]
mod examples;
mod grid;
mod live;
mod meter;
mod metrics;
mod numbers;
mod plain;
mod rates;
mod report;
mod screen;
mod sections;
mod snapshot;
mod view;

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use pdb_server::{ControlToken, Span};
use pretender::streams::source::WakeHandle;
use pretender::time::{Clock, SystemClock};

use super::token::TokenParser;
use crate::client::{Connection, Endpoint, MetricsClient, MetricsFailure, rest};
use crate::terminal;
use columns::{Order, Sort};
use live::Live;
use meter::Meter;
use screen::{Problem, Screen};
use snapshot::{Snapshot, SnapshotError};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3600);

/// Watch a running server: tables, streams, readers, faults and operations.
///
/// Shows a live table with the rates of each table and stream, and how far their readers are behind. Needs a pretender
/// server, but not its control API. Press ? for the keys, q to quit. If standard output is not a terminal, prints one
/// text instead, as --once does. With --region, shows the tables of that region only.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Top {
    #[command(flatten)]
    connection: Connection,

    /// The server's control token, if it needs one to show its metrics
    #[arg(long, env = "PRETENDER_CONTROL_TOKEN", value_name = "TOKEN", value_parser = TokenParser, hide_env_values = true)]
    token: Option<ControlToken>,

    /// How often to ask the server, and the time that rates are means of: from 100ms to 1h
    #[arg(long, short, value_name = "TIME", default_value = "1s", value_parser = parse_interval)]
    interval: Duration,

    /// The column to sort the tables by: names from a, numbers from the greatest
    #[arg(long, short, value_enum, value_name = "COLUMN", default_value_t = Sort::Name)]
    sort: Sort,

    /// Reverse the order
    #[arg(long, short)]
    reverse: bool,

    /// Print the state after one interval as text, and end
    #[arg(long)]
    once: bool,

    /// Print the state after one interval as one line of JSON, and end
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  pretender top                                   the server on this machine
  pretender top --endpoint db:8000 --sort behind  who is furthest behind
  pretender top --once --interval 10s             means of ten seconds, as text
  pretender top --json | jq .requests             for scripts";

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
enum NothingToShow {
    #[error("AWS does not show metrics in this way: name a pretender server with --endpoint")]
    Aws,
    #[error(transparent)]
    Failed(#[from] MetricsFailure),
    #[error("{endpoint} has no metrics to show")]
    Other { endpoint: Endpoint, source: SnapshotError },
}

impl Top {
    /// Shows the server until the user quits.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let client = self.connection.metrics(self.token.clone())?.ok_or(NothingToShow::Aws)?;
        let mut meter = Meter::default();
        // An error here is printed on a terminal that is not changed yet.
        let first = snapshot(&client, MetricsClient::read_first)?;
        let at = Instant::now();
        let report = meter.take(at, first);
        let is_live = !self.once && !self.json && io::stdout().is_terminal();
        if is_live {
            let endpoint = client.endpoint().to_string();
            let screen = Screen::new(endpoint, report, self.order(), self.interval);
            let live = Live { screen, meter, last: (at, SystemClock.now()) };
            return live::run(live, move || snapshot(&client, MetricsClient::read).map_err(problem));
        }
        rest(&WakeHandle::default(), self.interval);
        let second = snapshot(&client, MetricsClient::read)?;
        let report = meter.take(Instant::now(), second);
        match self.print(&mut io::stdout().lock(), &report, client.endpoint()) {
            // The reader has closed the pipe, which is not an error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            printed => Ok(printed?),
        }
    }

    fn print(&self, out: &mut dyn Write, report: &report::Report, endpoint: &Endpoint) -> io::Result<()> {
        let endpoint = endpoint.to_string();
        if self.json {
            plain::print_json(out, report, &endpoint)
        } else {
            plain::print(out, report, &endpoint, self.order(), terminal::width())
        }
    }

    fn order(&self) -> Order {
        Order { sort: self.sort, is_reversed: self.reverse }
    }
}

/// Asks the server once.
fn snapshot(
    client: &MetricsClient,
    read: fn(&MetricsClient) -> Result<String, MetricsFailure>,
) -> Result<Snapshot, NothingToShow> {
    let text = read(client)?;
    Snapshot::parse(&text, client.region())
        .map_err(|source| NothingToShow::Other { endpoint: client.endpoint().clone(), source })
}

fn problem(error: NothingToShow) -> Problem {
    let is_answered = !matches!(error, NothingToShow::Failed(MetricsFailure::Unanswered(_)));
    Problem { is_answered, text: crate::one_line(&error) }
}

/// Reads the value of `--interval`.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|error: pdb_server::NotASpan| error.to_string())?;
    span.0
        .filter(|interval| (SHORTEST..=LONGEST).contains(interval))
        .ok_or_else(|| "not an interval: expected 100ms to 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_limits() {
        assert_eq!(parse_interval("100ms"), Ok(SHORTEST));
        assert_eq!(parse_interval("1h"), Ok(LONGEST));
        for bad in ["0s", "99ms", "2h", "off", "1", ""] {
            assert!(parse_interval(bad).is_err(), "{bad}");
        }
    }
}
