//! `pretender ctl snapshot` and `pretender ctl reset`.

use std::error::Error;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Show;
use super::{lines, watch};
use crate::client::Control;

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotCommand {
    /// Save the whole database, in the place of the snapshot that has the name
    Save(Which),
    /// Put a snapshot in the place of the whole database, in one step
    Restore {
        #[command(flatten)]
        which: Which,
        /// Set the clock, too, to when the snapshot was saved
        #[arg(long)]
        clock: bool,
    },
    /// List the named snapshots
    List,
    /// Delete a snapshot
    Delete {
        /// Its name
        name: String,
    },
}

/// Either a name or a file.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// The snapshot's name: 1 to 200 characters of a-z A-Z 0-9 _ . -
    name: Option<String>,
    /// A database file instead: its name, which ends in .db, in the folder that the server was given with --snapshot-dir
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
