//! `pretender ctl snapshot` and `pretender ctl reset`.

use std::error::Error;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Show;
use super::{lines, watch};
use crate::client::Control;

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotCommand {
    /// Save the whole database; replaces a snapshot of the same name
    Save(Which),
    /// Replace the whole database with a snapshot, in one step
    Restore {
        #[command(flatten)]
        which: Which,
        /// Also set the clock back to when the snapshot was saved
        #[arg(long)]
        clock: bool,
    },
    /// List the named snapshots
    List,
    /// Delete a snapshot
    Delete {
        /// Name of the snapshot
        name: String,
    },
}

/// A snapshot: its name, or its file.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// Name of the snapshot: 1 to 200 characters of a-z A-Z 0-9 _ . -
    name: Option<String>,
    /// A database file instead of a named snapshot: a name that ends in .db, in the server's --snapshot-dir
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
}

impl SnapshotCommand {
    pub(super) fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        Ok(match self {
            Self::Save(which) => (watch::post(client, "snapshots/save", &which.body())?, lines::snapshot),
            Self::Restore { which, clock } => {
                let mut body = which.body();
                body["clock"] = clock.into();
                (watch::post(client, "snapshots/restore", &body)?, lines::snapshot)
            }
            Self::List => (client.get("snapshots")?, lines::snapshots),
            Self::Delete { name } => {
                (client.post("snapshots/delete", &json!({ "name": name }))?, lines::deleted)
            }
        })
    }
}

impl Which {
    fn body(self) -> Value {
        match self.file {
            None => json!({ "name": self.name }),
            Some(file) => json!({ "file": file }),
        }
    }
}
