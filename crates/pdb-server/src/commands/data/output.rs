//! Printing of items and other answers.

use std::collections::BTreeSet;
use std::io::{ErrorKind, IsTerminal, Write};

use clap::{Args, ValueEnum};
use pretender::model::{AttributeValue, Item};
use serde_json::Value;

use super::grid::Grid;
use crate::terminal::{self, visible, visible_lines};

/// The options for output.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Output {
    /// Output format [default: table on a terminal, json elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// An output format.
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

/// Prints to standard output.
pub(super) fn print(text: &str) -> Result<(), Closed> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(visible_lines(text).as_bytes()).and_then(|()| stdout.flush()).map_err(Closed)
}

/// Standard output was closed by its reader, or cannot be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Closed(std::io::Error);

impl Closed {
    /// Returns the error, unless the reader has closed the pipe.
    pub(super) fn unless_gone(self) -> Result<(), Box<dyn std::error::Error>> {
        if self.0.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(self.0.into()) }
    }
}

/// Prints items page by page. In a table, the first page determines the columns.
pub(super) struct ItemPrinter {
    format: Format,
    /// Names of the attributes that come first.
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

    /// Notes on standard error what the table does not show.
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

/// How many items to print.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Limit {
    /// Print at most this many items
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// Print all items, without a limit
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// Prints items page by page, up to a limit.
pub(super) struct LimitedPrinter {
    printer: ItemPrinter,
    limit: Limit,
    printed: u64,
}

impl LimitedPrinter {
    pub(super) fn new(output: Output, limit: Limit, keys: Vec<String>) -> Self {
        Self { printer: ItemPrinter::new(output, keys), limit, printed: 0 }
    }

    /// Returns how many items may still be printed; `None` if there is no limit.
    pub(super) fn left(&self) -> Option<u64> {
        (!self.limit.all).then(|| u64::from(self.limit.limit).saturating_sub(self.printed))
    }

    /// Returns whether any item was printed.
    pub(super) fn has_printed(&self) -> bool {
        self.printed > 0
    }

    /// Prints a page. Returns whether to read the next page, which exists if `has_next`. Notes on standard error if the output
    /// is cut.
    pub(super) fn page(&mut self, mut items: Vec<Item>, has_next: bool) -> Result<bool, Closed> {
        let left = self.left().unwrap_or(u64::MAX);
        let is_cut = items.len() as u64 > left;
        items.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.printed += items.len() as u64;
        self.printer.page(&items)?;
        let is_full = self.left() == Some(0);
        let limit = self.limit.limit;
        if is_full && is_cut {
            note(&format!("Only the first {limit} items are shown; --all shows all."));
        } else if is_full && has_next {
            note(&format!("Only the first {limit} items are shown; there may be more. --all shows all."));
        }
        Ok(has_next && !is_full)
    }

    /// Notes on standard error what the output does not show.
    pub(super) fn end(&self) {
        self.printer.end();
    }
}

/// Prints a note for people on standard error.
pub(in crate::commands) fn note(text: &str) {
    // If standard error is closed, there is no other place for the note.
    let _ = writeln!(std::io::stderr(), "{}", visible(text));
}

/// Returns the names of all attributes: the keys first, then the others by name.
fn names(keys: &[String], items: &[Item]) -> Vec<String> {
    let others: BTreeSet<&String> =
        items.iter().flat_map(|item| item.keys()).filter(|name| !keys.contains(name)).collect();
    keys.iter().chain(others).cloned().collect()
}

/// Formats a value for a table: strings without quotes, everything else as plain JSON.
fn cell(value: &AttributeValue) -> String {
    if let AttributeValue::S(text) = value {
        return text.clone();
    }
    let mut out = String::new();
    value.write_plain_json(&mut out);
    out
}

/// Reads the items in an answer.
pub(in crate::commands) fn items_of(answer: &Value) -> Result<Vec<Item>, pretender::model::ParseError> {
    let items = answer["Items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| Item::from_json(&item.to_string())).collect()
}
