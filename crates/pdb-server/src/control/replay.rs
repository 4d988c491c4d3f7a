//! The command that applies stream records to a table.

use pretender::testing::{Change, ImportError, ReplayError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CommandContext, Refusal, parse_value};

/// The body of `replay`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    table: String,
    /// Records in the form of `GetRecords` or of Lambda; `null` is skipped.
    records: Vec<Value>,
    /// The line number of the first record, for error messages.
    #[serde(default = "one")]
    first_line: u64,
}

fn one() -> u64 {
    1
}

impl CommandContext<'_> {
    pub(super) fn replay(&self, body: Replay) -> Result<Value, Refusal> {
        let table = body.table;
        let table_name = parse_value("table name", &table)?;
        let lines = (body.first_line..).zip(&body.records).filter(|(_, record)| !record.is_null());
        let changes = lines.map(|(line, record)| match Change::parse(&record.to_string()) {
            Ok(change) => Ok((line, change)),
            Err(source) => Err(ImportError::Record { line, source }),
        });
        match self.pretender.replay_changes(&table_name, changes) {
            Ok(report) => Ok(json!({ "table": table, "puts": report.puts, "deletes": report.deletes })),
            Err(error @ (ReplayError::Import(_) | ReplayError::NoImage(_) | ReplayError::Refused { .. })) => {
                Err(Refusal::Bad(error.to_string()))
            }
        }
    }
}
