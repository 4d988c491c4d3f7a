//! `pretender ctl`.

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
use fault::FaultCommand;
use replay::StreamCommand;
use snapshot::SnapshotCommand;

/// Control a running server: its clock, shards, faults, and the whole database.
///
/// What takes hours on AWS takes one command here: iterators expire, shards rotate or split, records are trimmed. What happens there by
/// accident happens here on demand. Start the server with `pretender serve --control`.
///
/// On a server that keeps regions apart, a command is for the region that --region names, or that of an ARN; without either the clock and
/// `reset` are for all regions, and other commands for that of AWS_REGION, AWS_DEFAULT_REGION or the profile, or the server's own.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ctl {
    #[command(flatten)]
    connection: Connection,

    /// The server's token, if it was started with one; better given in the environment, where other users do not see it
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

`pretender help streams`, `faults` and `clock` say more.";

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// The clock: hold, set or advance it, let it run fast
    ///
    /// When the command ends, the background work that was due has been done.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// The shards of a stream: list, rotate, split them
    #[command(subcommand)]
    Shards(ShardsCommand),
    /// Remove the records of a stream now, however young they are
    Trim {
        #[command(flatten)]
        stream: Stream,
        /// Keep this record and those after it
        #[arg(long, value_name = "SEQUENCE_NUMBER", conflicts_with = "all")]
        before: Option<String>,
    },
    /// Faults: throttling, errors, latency, lost answers and more, when, where and as often as you say
    #[command(subcommand)]
    Fault(FaultCommand),
    /// Snapshots of the whole database: save, restore, list, delete them
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Streams in files: replay one into a table
    #[command(subcommand)]
    Stream(StreamCommand),
    /// Rewrite the database without the space of what was deleted; writes wait until it is done
    Compact,
    /// Remove everything: tables, items, streams, backups; clock, faults and snapshots stay
    Reset {
        /// Only the items of this table and the past of its streams; the table stays, and its stream with its ARN
        #[arg(long)]
        table: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Show the time, and whether it stands still
    Show,
    /// Stop the clock where it is
    Hold,
    /// Let the clock run on from where it is
    Run {
        /// How many times as fast as the machine's clock, 0.001 to 100000; the background's work keeps up
        #[arg(long, value_name = "TIMES")]
        speed: Option<f64>,
    },
    /// Move the clock to a time; held it stays held, running it runs on from there
    Set {
        /// ISO 8601 (2026-03-01T09:15:42.017Z; UTC unless it has an offset), or a number since 1970: of seconds if it has up to 11 digits,
        /// of milliseconds if it has more
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
    /// Close the open shards and continue each in one child, as AWS does every four hours; prints the children
    Rotate(Shards),
    /// Close the open shards and continue each in two children that own half of its keys; prints the children
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

/// Which streams.
#[derive(Args, Debug)]
struct Stream {
    /// The stream: a table, by name or ARN, of which it is the latest; or the ARN of a stream
    #[arg(value_name = "TABLE|ARN", required_unless_present = "all")]
    stream: Option<String>,

    /// All streams; those that are disabled are passed over where something would be changed. Behind a stream: all of it, as without
    #[arg(long)]
    all: bool,
}

impl Stream {
    /// The body of a command to these streams, with another member if it is given.
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
            // The reader has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

/// Writes an answer for a person.
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

/// Checks a length of time before anybody is asked to do something with it.
fn parse_length(text: &str) -> Result<String, &'static str> {
    match text.parse() {
        Ok(Span(Some(_))) => Ok(text.to_owned()),
        _ => Err("not a length of time: write a whole number with ms, s, m, h or d behind it, as in 15m"),
    }
}

/// An object of what was given.
fn given<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
