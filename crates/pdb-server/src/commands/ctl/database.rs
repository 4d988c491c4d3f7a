//! `pretender ctl database`.

use std::error::Error;
use std::fmt::Write;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Show;
use crate::client::Control;

#[derive(Debug, Subcommand)]
pub(super) enum DatabaseCommand {
    /// List the named databases that are open, and how long they have not been used
    List,
    /// Close a named database and forget what is in it
    Drop {
        /// Name of the database
        name: String,
    },
}

impl DatabaseCommand {
    pub(super) fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        Ok(match self {
            Self::List => (client.get("databases")?, listed),
            Self::Drop { name } => (client.post("databases/drop", &json!({ "name": name }))?, dropped),
        })
    }
}

/// Formats one database per line.
fn listed(answer: &Value) -> String {
    let mut lines = String::new();
    for database in answer["databases"].as_array().into_iter().flatten() {
        let name = database["name"].as_str().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name}  idle for {} s", database["idle_seconds"]);
    }
    if lines.is_empty() { "No named database is open\n".to_owned() } else { lines }
}

fn dropped(answer: &Value) -> String {
    if answer["dropped"] == true { "Dropped\n".to_owned() } else { "There was no such database\n".to_owned() }
}
