//! How items and other answers are printed.

use std::collections::BTreeSet;
use std::io::{ErrorKind, IsTerminal, Write};

use clap::{Args, ValueEnum};
use pretender::model::{AttributeValue, Item};
use serde_json::Value;

use super::grid::Grid;
use crate::terminal::{self, visible, visible_lines};

/// How to print.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Output {
    /// Output format [default: table on a terminal, json elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns, cut to the width of the terminal
    Table,
    /// Plain JSON, one line each: {"id": "o1", "total": 42}
    Json,
    /// DynamoDB JSON, one line each: {"id": {"S": "o1"}, "total": {"N": "42"}}
    Dynamodb,
}

impl Output {
    pub(super) fn format(self) -> Format {
        match self.format {
            Some(format) => format,
            None if self.json || !std::io::stdout().is_terminal() => Format::Json,
            None => Format::Table,
        }
    }
}

/// Writes to standard output. A reader that has gone away ends the command without an error.
pub(super) fn print(text: &str) -> Result<(), Closed> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(visible_lines(text).as_bytes()).and_then(|()| stdout.flush()).map_err(Closed)
}

/// Nobody reads standard output any more, or it cannot be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Closed(std::io::Error);

impl Closed {
    /// Returns the error, unless it is that the reader has gone away.
    pub(super) fn unless_gone(self) -> Result<(), Box<dyn std::error::Error>> {
        if self.0.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(self.0.into()) }
    }
}

/// Prints items page by page: in a table, the first page decides on the columns.
pub(super) struct ItemPrinter {
    format: Format,
    /// Names of attributes that come first.
    keys: Vec<String>,
    columns: Option<Columns>,
}

struct Columns {
    names: Vec<String>,
    known: BTreeSet<String>,
    grid: Grid,
    /// Attributes that no column shows.
    hidden: BTreeSet<String>,
}

impl ItemPrinter {
    pub(super) fn new(output: Output, keys: Vec<String>) -> Self {
        Self { format: output.format(), keys, columns: None }
    }

    /// Prints a page.
    pub(super) fn page(&mut self, items: &[Item]) -> Result<(), Closed> {
        let mut text = String::new();
        for item in items {
            match self.format {
                Format::Table => break,
                Format::Json => text.push_str(&item.to_plain_json()),
                Format::Dynamodb => text.push_str(&item.to_string()),
            }
            text.push('\n');
        }
        if self.format == Format::Table && !items.is_empty() {
            self.push_rows(items, &mut text);
        }
        print(&text)
    }

    fn push_rows(&mut self, items: &[Item], text: &mut String) {
        let cells = |names: &[String], item: &Item| -> Vec<String> {
            names.iter().map(|name| item.get(name).map(cell).unwrap_or_default()).collect()
        };
        let columns = match &mut self.columns {
            Some(columns) => columns,
            None => {
                let names = names(&self.keys, items);
                let rows: Vec<_> = items.iter().map(|item| cells(&names, item)).collect();
                let grid = Grid::new(&names, &rows, terminal::width());
                text.push_str(&grid.header());
                let hidden = grid.hidden().iter().cloned().collect();
                let known = names.iter().cloned().collect();
                self.columns.insert(Columns { names, known, grid, hidden })
            }
        };
        for item in items {
            text.push_str(&columns.grid.row(&cells(&columns.names, item)));
            let unknown = item.keys().filter(|name| !columns.known.contains(*name));
            columns.hidden.extend(unknown.cloned());
        }
    }

    /// Says what the table did not show, on standard error.
    pub(super) fn end(&self) {
        if self.format == Format::Table && self.columns.is_none() {
            note("No items.");
        }
        let Some(columns) = self.columns.as_ref().filter(|columns| !columns.hidden.is_empty()) else {
            return;
        };
        let names: Vec<&str> = columns.hidden.iter().map(String::as_str).take(10).collect();
        let more = columns.hidden.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        note(&format!("Not shown: {}{more}. `--format json` shows everything.", names.join(", ")));
    }
}

/// Writes a line for people beside the output.
pub(super) fn note(text: &str) {
    // There is nobody else to tell.
    let _ = writeln!(std::io::stderr(), "{}", visible(text));
}

/// The names of all attributes: keys first, then by name.
fn names(keys: &[String], items: &[Item]) -> Vec<String> {
    let others: BTreeSet<&String> =
        items.iter().flat_map(|item| item.keys()).filter(|name| !keys.contains(name)).collect();
    keys.iter().chain(others).cloned().collect()
}

/// A value in a table: texts without quotes, everything else as plain JSON.
fn cell(value: &AttributeValue) -> String {
    if let AttributeValue::S(text) = value {
        return text.clone();
    }
    let mut out = String::new();
    value.write_plain_json(&mut out);
    out
}

/// Reads the items of an answer.
pub(super) fn items_of(answer: &Value) -> Result<Vec<Item>, pretender::model::ParseError> {
    let items = answer["Items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| Item::from_json(&item.to_string())).collect()
}
