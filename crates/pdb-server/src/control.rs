//! The control API: commands for tests, as JSON over HTTP.
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_pretender/clock` | | shows the time, and whether the clock is held or how fast it runs |
//! | `POST /_pretender/clock/hold` | | stops the clock where it is |
//! | `POST /_pretender/clock/run` | `speed`? | lets the clock continue from its current time, at the machine's speed or `speed` times as fast |
//! | `POST /_pretender/clock/set` | `epoch_millis` or `time` | moves the clock to a time |
//! | `POST /_pretender/clock/advance` | `millis` or `duration` | moves the clock forward |
//! | `POST /_pretender/shards/list` | stream, `shard_id`? | lists the shards |
//! | `POST /_pretender/shards/rotate` | stream, `shard_id`? | closes the open shards, or one of them, and opens one child each |
//! | `POST /_pretender/shards/split` | stream, `shard_id`? | closes the open shards, or one of them, and opens two children each |
//! | `POST /_pretender/trim` | stream, `before`? | removes the records before a sequence number, or all |
//! | `GET /_pretender/faults` | | lists the faults, and the log of injections |
//! | `POST /_pretender/faults/add` | `kind`, `operations`?, `table`?, `probability`?, `times`?, `skip`?, `seed`?, `delay`?, `items`? | adds a fault |
//! | `POST /_pretender/faults/remove` | `id` | removes a fault |
//! | `POST /_pretender/faults/clear` | | removes all faults, and clears the log |
//! | `GET /_pretender/snapshots` | | lists the named snapshots |
//! | `GET /_pretender/progress` | | lists long work in progress: snapshots being saved or restored, indexes being filled |
//! | `POST /_pretender/snapshots/save` | `name` or `file` | saves the database |
//! | `POST /_pretender/snapshots/restore` | `name` or `file`, `clock`? | replaces the database with a snapshot |
//! | `POST /_pretender/snapshots/delete` | `name` | deletes a snapshot |
//! | `POST /_pretender/replay` | `table`, `records`, `first_line`? | applies stream records to a table |
//! | `POST /_pretender/compact` | | frees the space of deleted data |
//! | `POST /_pretender/reset` | `table`? | removes everything, or the items and stream records of a table |
//!
//! A stream is given as one of `stream_arn`, `table` (a name or ARN, for the table's latest stream) and `all`, which is
//! `true` for all streams.
//!
//! `POST /_pretender/backup`, which does not always need `--control`, is in `http/backup.rs`, and
//! `/_pretender/databases`, for named databases, in `http/named.rs`.
//! `GET /_pretender/health`, `ready` and `version` are not commands: see `http/status.rs`.
//!
//! On a server with separate regions, a command applies to the region in its query (`?region=eu-west-1`) or in its ARN.
//! Without either, the clock and `reset` apply to all regions that were used; all other commands apply to the region in
//! `?usual_region=`, which `ctl` takes from its variables, or else to the server's own. A region that was not used
//! since the start is refused, except by `snapshots/restore`.
//!
//! Clock commands answer with the clock, after all work that is due has been done. Shard commands answer with shards,
//! and `trim` with counts. `file` is the name of a file in the server's snapshot folder. A command that fails answers
//! `{"error": text}`. `http/guard.rs` decides beforehand who may send commands.

mod body;
mod clock;
mod compact;
mod faults;
mod files;
mod progress;
mod replay;
mod snapshots;
mod streams;

use std::str::FromStr;
use std::sync::{Arc, Mutex};

use hyper::{Method, StatusCode};
use pretender::Pretender;
use pretender::testing::ControlError;
use pretender::time::ManualClock;
use serde_json::{Value, json};

use crate::regions::{RegionError, Regions};
use body::parse;
pub(crate) use files::SnapshotFolder;

/// The path of the commands.
pub(crate) const PATH: &str = "/_pretender/";

/// A command: its method, its path after [`PATH`], and what executes it with the body of the request.
type Command = (Method, &'static str, fn(&CommandContext<'_>, &[u8]) -> Result<Value, Refusal>);

/// All commands.
const COMMANDS: [Command; 21] = [
    (Method::GET, "clock", |context, _| Ok(context.show_clock())),
    (Method::GET, "snapshots", |context, _| context.list_snapshots()),
    (Method::GET, "faults", |context, _| Ok(context.show_faults())),
    (Method::GET, "progress", |context, _| Ok(context.show_progress())),
    (Method::POST, "clock/hold", |context, body| context.hold_clock(parse(body)?)),
    (Method::POST, "clock/run", |context, body| context.run_clock(parse(body)?)),
    (Method::POST, "clock/set", |context, body| context.set_clock(parse(body)?)),
    (Method::POST, "clock/advance", |context, body| context.advance_clock(parse(body)?)),
    (Method::POST, "shards/list", |context, body| context.list_shards(parse(body)?)),
    (Method::POST, "shards/rotate", |context, body| context.rotate_shards(parse(body)?)),
    (Method::POST, "shards/split", |context, body| context.split_shards(parse(body)?)),
    (Method::POST, "trim", |context, body| context.trim(parse(body)?)),
    (Method::POST, "snapshots/save", |context, body| context.save_snapshot(parse(body)?)),
    (Method::POST, "snapshots/restore", |context, body| context.restore_snapshot(parse(body)?)),
    (Method::POST, "snapshots/delete", |context, body| context.delete_snapshot(parse(body)?)),
    (Method::POST, "reset", |context, body| context.reset(parse(body)?)),
    (Method::POST, "compact", |context, body| context.compact(parse(body)?)),
    (Method::POST, "replay", |context, body| context.replay(parse(body)?)),
    (Method::POST, "faults/add", |context, body| context.add_fault(parse(body)?)),
    (Method::POST, "faults/remove", |context, body| context.remove_fault(parse(body)?)),
    (Method::POST, "faults/clear", |context, body| context.clear_faults(parse(body)?)),
];

/// Returns whether there is a command with this method.
pub(crate) fn is_command(method: &Method, command: &str) -> bool {
    COMMANDS.iter().any(|(known, path, _)| known == method && *path == command)
}

/// Returns the paths of the commands with a method, for people.
fn paths(method: &Method) -> String {
    let paths = COMMANDS.iter().filter(|(known, ..)| known == method).map(|(_, path, _)| *path);
    paths.collect::<Vec<_>>().join(", ")
}

/// Returns whether a path belongs to the commands, even if there is no such command.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix("/_pretender").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The region in the query of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegionInQuery {
    /// The region that the command applies to: `?region=eu-west-1`.
    named: Option<String>,
    /// The default region on a server with separate regions: `?usual_region=eu-west-1`.
    usual: Option<String>,
}

impl RegionInQuery {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let find = |name: &str| {
            let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Self { named: find("region"), usual: find("usual_region") }
    }

    /// Names the home region if no region is named, on a server with separate regions.
    pub(crate) fn or_home(mut self, control: &Control) -> Self {
        if control.regions.are_separate() {
            self.named.get_or_insert_with(|| control.regions.home_region().to_owned());
        }
        self
    }

    /// Returns the region for a command that applies to one database. The default region counts only if regions are
    /// separate.
    pub(crate) fn one(&self, are_separate: bool) -> Option<&str> {
        self.named.as_deref().or(self.usual.as_deref().filter(|_| are_separate))
    }
}

/// Returns whether a command without a region applies to all regions.
fn is_for_all(command: &str, body: &[u8]) -> bool {
    let names_table = || serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("table").is_some());
    command.starts_with("clock") || (command == "reset" && !names_table())
}

/// Returns the body of an answer that reports an error.
pub(crate) fn error(text: &str) -> Value {
    json!({ "error": text })
}

/// Executes commands on the databases of a server.
#[derive(Debug)]
pub(crate) struct Control {
    regions: Regions,
    clock: Arc<ManualClock>,
    /// The folder for snapshot files; without it, such files are refused.
    folder: Option<SnapshotFolder>,
    /// Locked while the clock is moved, so that an answer shows the time that its command has set.
    moving: Mutex<()>,
    /// The address at which clients reach this server.
    endpoint: String,
}

/// The execution of one command.
struct CommandContext<'a> {
    /// The database that the command applies to, unless an ARN names another region, or it applies to all regions.
    pretender: Pretender,
    /// Whether the query names the region.
    names_region: bool,
    control: &'a Control,
}

/// Why a command failed; the texts are for people.
#[derive(Debug)]
enum Refusal {
    /// The command is invalid.
    Bad(String),
    /// The command, stream or shard does not exist.
    NotFound(String),
    /// The failure is not the caller's fault.
    Failed(String),
}

impl Control {
    /// `endpoint` is the address at which clients reach this server.
    pub(crate) fn new(
        regions: Regions,
        clock: Arc<ManualClock>,
        folder: Option<SnapshotFolder>,
        endpoint: String,
    ) -> Self {
        Self { regions, clock, folder, moving: Mutex::new(()), endpoint }
    }

    /// Executes one command, which is named by the path after [`PATH`]. Returns when it is done.
    pub(crate) fn execute(
        &self,
        method: &Method,
        command: &str,
        region: &RegionInQuery,
        body: &[u8],
    ) -> (StatusCode, Value) {
        let names_region = region.named.is_some();
        let usual =
            region.usual.as_ref().filter(|_| self.regions.are_separate() && !is_for_all(command, body));
        let region = region.named.as_ref().or(usual).map(String::as_str);
        let context = self.database(region, command == "snapshots/restore").map(|pretender| CommandContext {
            pretender,
            names_region,
            control: self,
        });
        let (status, text) = match context.and_then(|context| context.run(method, command, body)) {
            Ok(answer) => return (StatusCode::OK, answer),
            Err(Refusal::Bad(text)) => (StatusCode::BAD_REQUEST, text),
            Err(Refusal::NotFound(text)) => (StatusCode::NOT_FOUND, text),
            Err(Refusal::Failed(text)) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        };
        (status, error(&text))
    }

    /// Finds the database of a region, or the database that all regions share. Restoring a snapshot `opens` a region
    /// that was not used before; all other commands have nothing to do there.
    fn database(&self, region: Option<&str>, opens: bool) -> Result<Pretender, Refusal> {
        let region = region.map(|region| self.regions.name_of(region));
        let Some(region) = region.filter(|region| region != self.regions.home_region()) else {
            return Ok(self.regions.home().clone());
        };
        if !self.regions.are_separate() {
            let text = format!(
                "this server has only one region, which is not `{region}`: start it with `--separate-regions`"
            );
            return Err(Refusal::Bad(text));
        }
        self.regions.check_name(&region)?;
        let wire = match self.regions.find(&region) {
            Some(wire) => wire,
            None if opens => self.regions.open(&region, &self.endpoint)?,
            None => {
                let text = format!("the region `{region}` was not used since the server was started");
                return Err(Refusal::NotFound(text));
            }
        };
        Ok(wire.pretender().clone())
    }
}

impl CommandContext<'_> {
    fn run(&self, method: &Method, command: &str, body: &[u8]) -> Result<Value, Refusal> {
        match COMMANDS.iter().find(|(known, path, _)| known == method && *path == command) {
            Some((.., execute)) => execute(self, body),
            None => Err(Refusal::NotFound(format!(
                "there is no command {method} {PATH}{command}; the commands are GET {}, and POST {}",
                paths(&Method::GET),
                paths(&Method::POST)
            ))),
        }
    }
}

/// Reads a value of a command: a name, an ARN, a number.
fn parse_value<T: FromStr>(what: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::Bad(format!("`{text}` is not a valid {what}")))
}

impl From<RegionError> for Refusal {
    fn from(error: RegionError) -> Self {
        match &error {
            RegionError::Unknown(_) | RegionError::TooMany(_) => Self::Bad(error.to_string()),
            RegionError::Closed => Self::Failed(error.to_string()),
            RegionError::Open(source) => {
                tracing::error!(error = source as &dyn std::error::Error, "{error}");
                Self::Failed(format!("{error}: {source}"))
            }
        }
    }
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound(text) => Self::NotFound(text),
            ControlError::NotPossible(text) => Self::Bad(text),
            ControlError::Store(_) | ControlError::Cleanup(_) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(error) = cause {
                    text.push_str(&format!(": {error}"));
                    cause = error.source();
                }
                tracing::error!(error = %text, "a command failed");
                Self::Failed(text)
            }
        }
    }
}
