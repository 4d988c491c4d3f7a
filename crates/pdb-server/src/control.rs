//! The control interface: commands to the test instrument, as JSON over HTTP.
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_pretender/clock` | | tells the time, and whether it stands still or how fast it runs |
//! | `POST /_pretender/clock/hold` | | stops the clock where it is |
//! | `POST /_pretender/clock/run` | `speed`? | lets it run on from where it is, as fast as the machine's or `speed` times as fast |
//! | `POST /_pretender/clock/set` | `epoch_millis` or `time` | moves it to a time |
//! | `POST /_pretender/clock/advance` | `millis` or `duration` | moves it forward |
//! | `POST /_pretender/shards/list` | stream, `shard_id`? | lists the shards |
//! | `POST /_pretender/shards/rotate` | stream, `shard_id`? | continues the open shards, or the one, in one child each |
//! | `POST /_pretender/shards/split` | stream, `shard_id`? | continues the open shards, or the one, in two children each |
//! | `POST /_pretender/trim` | stream, `before`? | removes the records before a sequence number, or all |
//! | `GET /_pretender/faults` | | lists the faults, and what was injected where |
//! | `POST /_pretender/faults/add` | `kind`, `operations`?, `table`?, `probability`?, `times`?, `skip`?, `seed`?, `delay`?, `items`? | adds a fault |
//! | `POST /_pretender/faults/remove` | `id` | removes a fault |
//! | `POST /_pretender/faults/clear` | | removes all faults, and the list of what was injected |
//! | `GET /_pretender/snapshots` | | lists the named snapshots |
//! | `GET /_pretender/progress` | | lists the long work that is going on: snapshots that are saved or restored, indexes that are filled |
//! | `POST /_pretender/snapshots/save` | `name` or `file` | saves the database |
//! | `POST /_pretender/snapshots/restore` | `name` or `file`, `clock`? | puts a snapshot in the database's place |
//! | `POST /_pretender/snapshots/delete` | `name` | deletes a snapshot |
//! | `POST /_pretender/replay` | `table`, `records`, `first_line`? | applies stream records to a table |
//! | `POST /_pretender/compact` | | gives the space of what was deleted back |
//! | `POST /_pretender/reset` | `table`? | removes everything, or all items of a table and its streams' past |
//!
//! A stream is one of `stream_arn`, `table` (name or ARN of a table, whose latest stream it is) and `all`, which is `true` for all streams.
//!
//! `POST /_pretender/backup`, which does not always need `--control`, is in `http/backup.rs`.
//! `GET /_pretender/health`, `ready` and `version` are not commands: see `http/status.rs`.
//!
//! Where regions are kept apart, a command is for the region in its query (`?region=eu-west-1`), or of its ARN; without either the clock
//! and `reset` are for all regions that were used, all other commands for that in `?usual_region=`, where `ctl` has what its variables
//! say, or for the server's own. A region that was not used since the start is refused, except by `snapshots/restore`.
//!
//! Commands to the clock answer the clock, once the work that is then due has been done; commands to shards answer shards, `trim` counts.
//! `file` is the name of a file below the folder that the server was given for them. What fails answers `{"error": text}`.
//! Who may command is decided before, in `http/guard.rs`.

mod body;
mod clock;
mod compact;
mod faults;
mod files;
mod moment;
mod progress;
mod replay;
mod snapshots;
mod streams;

use std::sync::{Arc, Mutex};

use hyper::{Method, StatusCode};
use pretender::Pretender;
use pretender::testing::ControlError;
use pretender::time::ManualClock;
use serde_json::{Value, json};

use crate::regions::{RegionError, Regions};
use body::parse;
pub(crate) use files::SnapshotFolder;

/// Where the commands lie.
pub(crate) const PATH: &str = "/_pretender/";

/// Whether a path belongs to the commands, also if there is no such command.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix("/_pretender").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The region in the query of a command.
#[derive(Debug, Default)]
pub(crate) struct RegionInQuery {
    /// That which the command is for: `?region=eu-west-1`.
    named: Option<String>,
    /// That which it is for unless something else says it, on a server that keeps regions apart: `?usual_region=eu-west-1`.
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

    /// The region that a command is for that looks at one database; the usual one only where regions are kept apart.
    pub(crate) fn one(&self, are_separate: bool) -> Option<&str> {
        self.named.as_deref().or(self.usual.as_deref().filter(|_| are_separate))
    }
}

/// Whether a command without a region is for all of them.
fn is_for_all(command: &str, body: &[u8]) -> bool {
    let names_table = || serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("table").is_some());
    command.starts_with("clock") || (command == "reset" && !names_table())
}

/// The body of an answer that says what was wrong.
pub(crate) fn error(text: &str) -> Value {
    json!({ "error": text })
}

/// Carries out commands to the databases of a server.
#[derive(Debug)]
pub(crate) struct Control {
    regions: Regions,
    clock: Arc<ManualClock>,
    /// Where snapshots in files may lie; without it there are none.
    folder: Option<SnapshotFolder>,
    /// Held by whoever moves the clock, so that the time answered is the time that the command made.
    moving: Mutex<()>,
    /// Where clients reach this server.
    endpoint: String,
}

/// Carries out one command.
struct Commanded<'a> {
    /// The database that it is for, unless its ARNs or its nature say otherwise.
    pretender: Pretender,
    /// It names the region.
    names_region: bool,
    control: &'a Control,
}

/// Why a command was not obeyed; the texts are for people.
#[derive(Debug)]
enum Refusal {
    /// The command says what cannot be.
    Bad(String),
    /// There is no such command, stream or shard.
    NotFound(String),
    /// It is not the caller's fault.
    Failed(String),
}

impl Control {
    /// `endpoint` is where clients reach this server.
    pub(crate) fn new(
        regions: Regions,
        clock: Arc<ManualClock>,
        folder: Option<SnapshotFolder>,
        endpoint: String,
    ) -> Self {
        Self { regions, clock, folder, moving: Mutex::new(()), endpoint }
    }

    /// Carries out one command, which is named by the path behind [`PATH`], for this region if one is given; returns when it is done.
    pub(crate) fn obey(
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
        let commanded = self.database(region, command == "snapshots/restore").map(|pretender| Commanded {
            pretender,
            names_region,
            control: self,
        });
        let (status, text) = match commanded.and_then(|commanded| commanded.run(method, command, body)) {
            Ok(answer) => return (StatusCode::OK, answer),
            Err(Refusal::Bad(text)) => (StatusCode::BAD_REQUEST, text),
            Err(Refusal::NotFound(text)) => (StatusCode::NOT_FOUND, text),
            Err(Refusal::Failed(text)) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        };
        (status, error(&text))
    }

    /// Finds the database of a region, or that which all regions share. What is restored there may be the first of its region, so that
    /// `opens` it; nothing else has anything to do in a region that was not used.
    fn database(&self, region: Option<&str>, opens: bool) -> Result<Pretender, Refusal> {
        let region = region.map(|region| self.regions.name_of(region));
        let Some(region) = region.filter(|region| region != self.regions.home_region()) else {
            return Ok(self.regions.home().clone());
        };
        if !self.regions.are_separate() {
            let text = format!(
                "this server keeps no regions apart, and `{region}` is not its own: start it with `--separate-regions`"
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

impl Commanded<'_> {
    fn run(&self, method: &Method, command: &str, body: &[u8]) -> Result<Value, Refusal> {
        let asked = match command {
            "clock" | "faults" | "snapshots" | "progress" => Method::GET,
            _ => Method::POST,
        };
        let right_method = *method == asked;
        match command {
            "clock" if right_method => Ok(self.show_clock()),
            "clock/hold" if right_method => self.hold_clock(parse(body)?),
            "clock/run" if right_method => self.run_clock(parse(body)?),
            "clock/set" if right_method => self.set_clock(parse(body)?),
            "clock/advance" if right_method => self.advance_clock(parse(body)?),
            "shards/list" if right_method => self.list_shards(parse(body)?),
            "shards/rotate" if right_method => self.rotate_shards(parse(body)?),
            "shards/split" if right_method => self.split_shards(parse(body)?),
            "trim" if right_method => self.trim(parse(body)?),
            "progress" if right_method => Ok(self.show_progress()),
            "snapshots" if right_method => self.list_snapshots(),
            "snapshots/save" if right_method => self.save_snapshot(parse(body)?),
            "snapshots/restore" if right_method => self.restore_snapshot(parse(body)?),
            "snapshots/delete" if right_method => self.delete_snapshot(parse(body)?),
            "reset" if right_method => self.reset(parse(body)?),
            "compact" if right_method => self.compact(parse(body)?),
            "replay" if right_method => self.replay(parse(body)?),
            "faults" if right_method => Ok(self.show_faults()),
            "faults/add" if right_method => self.add_fault(parse(body)?),
            "faults/remove" if right_method => self.remove_fault(parse(body)?),
            "faults/clear" if right_method => self.clear_faults(parse(body)?),
            _ => Err(Refusal::NotFound(format!(
                "no command is {method} {PATH}{command}; there are GET clock, snapshots, faults, progress, and POST clock/hold, \
                 clock/run, clock/set, clock/advance, shards/list, shards/rotate, shards/split, trim, snapshots/save, \
                 snapshots/restore, snapshots/delete, reset, compact, replay, faults/add, faults/remove, faults/clear"
            ))),
        }
    }
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
