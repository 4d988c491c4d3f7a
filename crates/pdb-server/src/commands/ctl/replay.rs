//! `pretender ctl stream`.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Show;
use super::lines;
use crate::client::Control;

/// The most records, and bytes of records, in one request. The server accepts 16 MB.
const MAX_RECORDS: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum StreamCommand {
    /// Apply the records of a file to a table, in order; `pretender tail TABLE --export FILE` writes such files
    Replay {
        /// File with one record per line, in the format of GetRecords or of Lambda
        file: PathBuf,
        /// Table to replay into, which must exist and have the same key
        #[arg(long)]
        table: String,
    },
}

impl StreamCommand {
    pub(super) fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        let Self::Replay { file, table } = self;
        let unreadable = |error: std::io::Error| format!("`{}` cannot be read: {error}", file.display());
        let mut lines =
            (1_u64..).zip(BufReader::new(File::open(&file).map_err(unreadable)?).lines()).peekable();
        let (mut puts, mut deletes) = (0, 0);
        while let Some((first_line, _)) = lines.peek() {
            let (first_line, mut records, mut bytes) = (*first_line, Vec::new(), 0);
            while records.len() < MAX_RECORDS && bytes < MAX_BYTES {
                let Some((line, text)) = lines.next() else { break };
                let text = text.map_err(unreadable)?;
                bytes += text.len();
                records.push(match text.trim() {
                    "" => Value::Null,
                    text => serde_json::from_str(text).map_err(|error| {
                        format!("line {line} is not a stream record: it is not JSON: {error}")
                    })?,
                });
            }
            let body = json!({ "table": table, "records": records, "first_line": first_line });
            let answer = client.post("replay", &body)?;
            puts += answer["puts"].as_u64().unwrap_or_default();
            deletes += answer["deletes"].as_u64().unwrap_or_default();
        }
        Ok((json!({ "table": table, "puts": puts, "deletes": deletes }), lines::replayed))
    }
}
