//! Commands to the database as a whole: snapshots, and starting anew.

use std::path::PathBuf;
use std::sync::PoisonError;

use pretender::Pretender;
use pretender::testing::{ControlError, SnapshotSummary};
use pretender::time::{Clock, EpochMillis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::moment::show_moment;
use super::{Commanded, Refusal};

/// The body of `snapshots/save`: one of the two.
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
    /// Whether the clock goes back, too, to when the snapshot was saved.
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

/// Which snapshot a command names.
enum Named {
    Name(String),
    /// A file, and what it was called.
    File(PathBuf, String),
}

impl Commanded<'_> {
    pub(super) fn list_snapshots(&self) -> Result<Value, Refusal> {
        let snapshots: Vec<Value> = self.pretender.snapshots()?.iter().map(shown).collect();
        Ok(json!({ "snapshots": snapshots }))
    }

    pub(super) fn save_snapshot(&self, body: Save) -> Result<Value, Refusal> {
        let named = self.named(body.name, body.file)?;
        let summary = match &named {
            Named::Name(name) => self.pretender.save_snapshot(name)?,
            Named::File(file, _) => self.pretender.save_snapshot_file(file)?,
        };
        Ok(json!({ "snapshot": shown(&named.call(summary)) }))
    }

    pub(super) fn restore_snapshot(&self, body: Restore) -> Result<Value, Refusal> {
        let named = self.named(body.name, body.file)?;
        if !body.clock {
            return Ok(json!({ "snapshot": shown(&self.restore(&named)?) }));
        }
        let described = match &named {
            Named::Name(name) => self.pretender.describe_snapshot(name)?,
            Named::File(file, _) => self.pretender.describe_snapshot_file(file)?,
        };
        let described = named.call(described);
        let Some(taken) = described.taken else {
            let text =
                format!("`{}` does not say when it was saved, so the clock cannot go there", described.name);
            return Err(Refusal::Bad(text));
        };
        // There is nothing behind the lock that could be left half done.
        let _moving = self.control.moving.lock().unwrap_or_else(PoisonError::into_inner);
        // First the clock: nothing of the snapshot is to be trimmed because the time before it was later.
        let before = self.control.clock.now();
        self.control.clock.set(taken);
        let summary = self.restore(&named).inspect_err(|_| self.control.clock.set(before))?;
        let mut answer = self.show_clock();
        answer["snapshot"] = shown(&summary);
        Ok(answer)
    }

    fn restore(&self, named: &Named) -> Result<SnapshotSummary, ControlError> {
        let summary = match named {
            Named::Name(name) => self.pretender.restore_snapshot(name),
            Named::File(file, _) => self.pretender.restore_snapshot_file(file),
        };
        summary.map(|summary| named.call(summary))
    }

    /// Finds what a command names.
    fn named(&self, name: Option<String>, file: Option<String>) -> Result<Named, Refusal> {
        match (name, file) {
            (Some(name), None) => Ok(Named::Name(name)),
            (None, Some(file)) => match &self.control.folder {
                Some(folder) => Ok(Named::File(folder.file(&file)?, file)),
                None => Err(Refusal::Bad(
                    "this server reads and writes no files of snapshots: start it with `--snapshot-dir DIR`"
                        .to_owned(),
                )),
            },
            _ => Err(Refusal::Bad("give one of `name` and `file`".to_owned())),
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
        let table_name =
            table.parse().map_err(|_| Refusal::Bad(format!("`{table}` is no name of a table")))?;
        let report = self.pretender.reset_table(&table_name)?;
        Ok(json!({ "reset": table, "items": report.items, "records": report.records }))
    }
}

impl Named {
    /// Calls a snapshot what the command calls it: where the folder lies is not the caller's affair.
    fn call(&self, summary: SnapshotSummary) -> SnapshotSummary {
        match self {
            Self::Name(_) => summary,
            Self::File(_, called) => SnapshotSummary { name: called.clone(), ..summary },
        }
    }
}

fn shown(snapshot: &SnapshotSummary) -> Value {
    let moment = |taken: EpochMillis| json!({ "epoch_millis": taken.0, "time": show_moment(taken) });
    json!({
        "name": snapshot.name,
        "taken": snapshot.taken.map(moment),
        "tables": snapshot.tables,
        "items": snapshot.items,
        "size_bytes": snapshot.size_bytes,
    })
}
