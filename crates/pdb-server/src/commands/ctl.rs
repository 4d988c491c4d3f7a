//! `pretender ctl`.

mod database;
mod fault;
mod lines;
mod replay;
mod snapshot;
mod watch;

use std::error::Error;
use std::io::{ErrorKind, Write};

use clap::{Args, Subcommand};
use pdb_server::{ControlToken, Span};
use serde_json::{Value, json};

use super::token::TokenParser;
use crate::client::{Connection, Control, ControlFailure};
use database::DatabaseCommand;
use fault::FaultCommand;
use replay::StreamCommand;
use snapshot::SnapshotCommand;

/// Control a running server: its clock, shards, faults and snapshots.
///
/// What takes hours on AWS takes one command here: iterators expire, shards rotate or split, records are trimmed.
/// Faults that are rare there happen here on demand. Start the server with `pretender serve --control`.
///
/// On a server with --separate-regions, a command applies to the region that --region or an ARN names. Without either,
/// `clock` and `reset` apply to all regions; other commands apply to the region of AWS_REGION, AWS_DEFAULT_REGION or
/// the profile, or else to the server's own.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ctl {
    #[command(flatten)]
    connection: Connection,

    /// The server's control token, if it has one; prefer the environment variable, because other users can see command lines
    #[arg(
        long,
        env = "PRETENDER_CONTROL_TOKEN",
        value_name = "TOKEN",
        value_parser = TokenParser,
        hide_env_values = true,
        global = true
    )]
    token: Option<ControlToken>,

    /// Print the answer as one line of JSON
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: CtlCommand,
}

const EXAMPLES: &str = "\
Examples:
  pretender ctl clock advance 16m                  iterators expire
  pretender ctl fault add throttling --times 1     the next call is throttled
  pretender ctl snapshot save seeded               the whole database, by name
  pretender ctl snapshot restore seeded            as it was then

`pretender help streams`, `help faults` and `help clock` explain more.";

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Show, hold, set or advance the clock, or let it run fast
    ///
    /// When the command returns, all background work that was due has been done.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// List, rotate or split the shards of a stream
    #[command(subcommand)]
    Shards(ShardsCommand),
    /// Remove the records of a stream now, regardless of their age
    Trim {
        #[command(flatten)]
        stream: Stream,
        /// Keep this record and those after it
        #[arg(long, value_name = "SEQUENCE_NUMBER", conflicts_with = "all")]
        before: Option<String>,
    },
    /// Inject faults: throttling, errors, latency, lost answers and more
    #[command(subcommand)]
    Fault(FaultCommand),
    /// Save, restore, list or delete snapshots of the whole database
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// List or drop the named databases of a server with --databases
    ///
    /// For other commands, name a database in the endpoint: http://127.0.0.1:8000/db/NAME.
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Replay a stream from a file into a table
    #[command(subcommand)]
    Stream(StreamCommand),
    /// Rewrite the database to free the space of deleted data; writes wait until it is done
    Compact,
    /// Remove all tables, items, streams and backups; the clock, faults and snapshots stay
    Reset {
        /// Remove only the items and stream records of this table; the table stays, and its stream keeps its ARN
        #[arg(long)]
        table: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Show the time, and whether the clock is held
    Show,
    /// Stop the clock where it is
    Hold,
    /// Let the clock continue from its current time
    Run {
        /// Speed relative to the machine's clock, 0.001 to 100000; background work keeps up
        #[arg(long, value_name = "TIMES")]
        speed: Option<f64>,
    },
    /// Move the clock to a time; a held clock stays held, a running one continues from there
    Set {
        /// ISO 8601 (2026-03-01T09:15:42.017Z; UTC unless it has an offset), or the time since 1970: in seconds if it
        /// has up to 11 digits, in milliseconds if it has more
        time: String,
    },
    /// Move the clock forward
    Advance {
        /// A whole number with a unit: 1500ms, 90s, 16m, 24h or 1d
        #[arg(value_parser = parse_length)]
        duration: String,
    },
}

#[derive(Debug, Subcommand)]
enum ShardsCommand {
    /// List the shards
    List(Shards),
    /// Close each open shard and open one child, as AWS does every four hours; prints the children
    Rotate(Shards),
    /// Close each open shard and open two children with half of its keys each; prints the children
    Split(Shards),
}

#[derive(Args, Debug)]
struct Shards {
    #[command(flatten)]
    stream: Stream,
    /// Only this shard
    #[arg(conflicts_with = "all")]
    shard_id: Option<String>,
}

/// Which streams a command applies to.
#[derive(Args, Debug)]
struct Stream {
    /// A table, by name or ARN, for its latest stream; or the ARN of a stream
    #[arg(value_name = "TABLE|ARN", required_unless_present = "all")]
    stream: Option<String>,

    /// All streams; `rotate` and `split` skip those that are disabled. If a stream is named: all of that stream, as without this option
    #[arg(long)]
    all: bool,
}

impl Stream {
    /// Returns the body of a command for these streams, with one more member if it has a value.
    fn body(self, (name, value): (&str, Option<String>)) -> Value {
        let mut body = match self.stream {
            Some(stream) if stream.contains("/stream/") => json!({ "stream_arn": stream }),
            Some(table) => json!({ "table": table }),
            None => json!({ "all": true }),
        };
        if let Some(value) = value {
            body[name] = value.into();
        }
        body
    }
}

impl Ctl {
    /// Sends the command and prints the answer.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let client = self.connection.control(self.token)?;
        let (answer, show) = self.command.send(&client)?;
        let text = if self.json { format!("{answer}\n") } else { show(&answer) };
        let text = crate::terminal::visible_lines(&text);
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // The reader has closed the pipe, which is not an error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

/// Formats an answer for people.
type Show = fn(&Value) -> String;

impl CtlCommand {
    fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        let (answer, show): (_, Show) = match self {
            Self::Clock(command) => (command.send(client), lines::clock),
            Self::Shards(command) => (command.send(client), lines::shards),
            Self::Trim { stream, before } => {
                (client.post("trim", &stream.body(("before", before))), lines::trimmed)
            }
            Self::Fault(command) => return command.send(client),
            Self::Snapshot(command) => return command.send(client),
            Self::Database(command) => return command.send(client),
            Self::Stream(command) => return command.send(client),
            Self::Compact => (client.post("compact", &json!({})), lines::compacted),
            Self::Reset { table } => (client.post("reset", &given([("table", table)])), lines::reset),
        };
        Ok((answer?, show))
    }
}

impl ClockCommand {
    fn send(self, client: &Control) -> Result<Value, ControlFailure> {
        match self {
            Self::Show => client.get("clock"),
            Self::Hold => client.post("clock/hold", &json!({})),
            Self::Run { speed: None } => client.post("clock/run", &json!({})),
            Self::Run { speed: Some(speed) } => client.post("clock/run", &json!({ "speed": speed })),
            Self::Set { time } => client.post("clock/set", &json!({ "time": time })),
            Self::Advance { duration } => client.post("clock/advance", &json!({ "duration": duration })),
        }
    }
}

impl ShardsCommand {
    fn send(self, client: &Control) -> Result<Value, ControlFailure> {
        let (path, Shards { stream, shard_id }) = match self {
            Self::List(shards) => ("shards/list", shards),
            Self::Rotate(shards) => ("shards/rotate", shards),
            Self::Split(shards) => ("shards/split", shards),
        };
        client.post(path, &stream.body(("shard_id", shard_id)))
    }
}

/// Checks a duration before the command is sent.
fn parse_length(text: &str) -> Result<String, &'static str> {
    match text.parse() {
        Ok(Span(Some(_))) => Ok(text.to_owned()),
        _ => Err("not a duration: expected a whole number followed by ms, s, m, h or d, such as 15m"),
    }
}

/// Returns a JSON object with those members that have a value.
fn given<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
