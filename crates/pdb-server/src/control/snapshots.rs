//! Commands on the whole database: snapshots and resets.

use std::path::PathBuf;
use std::sync::PoisonError;

use pretender::Pretender;
use pretender::testing::{ControlError, SnapshotSummary};
use pretender::time::{Clock, EpochMillis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CommandContext, Refusal, parse_value};
use crate::time_format::format_time;

/// The body of `snapshots/save`: either a name or a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    name: Option<String>,
    file: Option<String>,
}

/// The body of `snapshots/restore`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    name: Option<String>,
    file: Option<String>,
    /// Whether to set the clock to the time when the snapshot was saved.
    #[serde(default)]
    clock: bool,
}

/// The body of `snapshots/delete`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delete {
    name: String,
}

/// The body of `reset`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    table: Option<String>,
}

/// The snapshot that a command names.
enum NamedSnapshot {
    Name(String),
    /// The path of a file, and the name in the command.
    File(PathBuf, String),
}

impl CommandContext<'_> {
    pub(super) fn list_snapshots(&self) -> Result<Value, Refusal> {
        let snapshots: Vec<Value> = self.pretender.snapshots()?.iter().map(shown).collect();
        Ok(json!({ "snapshots": snapshots }))
    }

    pub(super) fn save_snapshot(&self, body: Save) -> Result<Value, Refusal> {
        let named = self.named(body.name, body.file)?;
        let summary = match &named {
            NamedSnapshot::Name(name) => self.pretender.save_snapshot(name)?,
            NamedSnapshot::File(file, _) => self.pretender.save_snapshot_file(file)?,
        };
        Ok(json!({ "snapshot": shown(&named.rename(summary)) }))
    }

    pub(super) fn restore_snapshot(&self, body: Restore) -> Result<Value, Refusal> {
        let named = self.named(body.name, body.file)?;
        if !body.clock {
            return Ok(json!({ "snapshot": shown(&self.restore(&named)?) }));
        }
        let described = match &named {
            NamedSnapshot::Name(name) => self.pretender.describe_snapshot(name)?,
            NamedSnapshot::File(file, _) => self.pretender.describe_snapshot_file(file)?,
        };
        let described = named.rename(described);
        let Some(taken) = described.taken else {
            let text = format!(
                "`{}` does not contain the time when it was saved, so the clock cannot be set to it",
                described.name
            );
            return Err(Refusal::Bad(text));
        };
        // The lock protects no data, so a panic of another holder does not matter.
        let _moving = self.control.moving.lock().unwrap_or_else(PoisonError::into_inner);
        // Set the clock first. Otherwise, if the current time is later, records of the snapshot could be trimmed.
        let before = self.control.clock.now();
        self.control.clock.set(taken);
        let summary = self.restore(&named).inspect_err(|_| self.control.clock.set(before))?;
        let mut answer = self.show_clock();
        answer["snapshot"] = shown(&summary);
        Ok(answer)
    }

    fn restore(&self, named: &NamedSnapshot) -> Result<SnapshotSummary, ControlError> {
        let summary = match named {
            NamedSnapshot::Name(name) => self.pretender.restore_snapshot(name),
            NamedSnapshot::File(file, _) => self.pretender.restore_snapshot_file(file),
        };
        summary.map(|summary| named.rename(summary))
    }

    /// Returns the snapshot that a command names.
    fn named(&self, name: Option<String>, file: Option<String>) -> Result<NamedSnapshot, Refusal> {
        match (name, file) {
            (Some(name), None) => Ok(NamedSnapshot::Name(name)),
            (None, Some(file)) => match &self.control.folder {
                Some(folder) => Ok(NamedSnapshot::File(folder.file(&file)?, file)),
                None => Err(Refusal::Bad(
                    "this server reads and writes no snapshot files: start it with `--snapshot-dir DIR`"
                        .to_owned(),
                )),
            },
            _ => Err(Refusal::Bad("expected either `name` or `file`".to_owned())),
        }
    }

    pub(super) fn delete_snapshot(&self, Delete { name }: Delete) -> Result<Value, Refusal> {
        self.pretender.delete_snapshot(&name)?;
        Ok(json!({ "deleted": name }))
    }

    pub(super) fn reset(&self, body: Reset) -> Result<Value, Refusal> {
        let Some(table) = body.table else {
            if self.names_region {
                self.pretender.reset()?;
            } else {
                self.control.regions.all().iter().try_for_each(Pretender::reset)?;
            }
            return Ok(json!({ "reset": "all" }));
        };
        let table_name = parse_value("table name", &table)?;
        let report = self.pretender.reset_table(&table_name)?;
        Ok(json!({ "reset": table, "items": report.items, "records": report.records }))
    }
}

impl NamedSnapshot {
    /// Uses the name in the command as the name of the snapshot, so that answers do not reveal the path of the folder.
    fn rename(&self, summary: SnapshotSummary) -> SnapshotSummary {
        match self {
            Self::Name(_) => summary,
            Self::File(_, called) => SnapshotSummary { name: called.clone(), ..summary },
        }
    }
}

fn shown(snapshot: &SnapshotSummary) -> Value {
    let moment = |taken: EpochMillis| json!({ "epoch_millis": taken.0, "time": format_time(taken) });
    json!({
        "name": snapshot.name,
        "taken": snapshot.taken.map(moment),
        "tables": snapshot.tables,
        "items": snapshot.items,
        "size_bytes": snapshot.size_bytes,
    })
}
