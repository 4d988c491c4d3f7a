//! Printing of records: for people, on a terminal or not, and for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use pretender::streams::Event;

use super::line::{RecordLine, day, heading};
use crate::client::RemoteRecord;
use crate::terminal::{self, visible};

/// How to print a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line: time, event, key, changes
    Line,
    /// A line of JSON, as the API returns the record
    Json,
    /// A row with columns
    Table,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal that supports them, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// Prints records to standard output.
pub(super) struct Printer {
    out: anstream::AutoStream<io::StdoutLock<'static>>,
    format: Format,
    /// Whether several tables are read.
    are_many: bool,
    is_terminal: bool,
    has_heading: bool,
    /// The day that was printed last, if it is not part of each line.
    day: Option<String>,
}

impl Printer {
    pub(super) fn new(format: Format, color: Color, are_many: bool) -> Self {
        let stdout = io::stdout();
        let choice = match color {
            Color::Auto => anstream::AutoStream::choice(&stdout),
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        let is_terminal = stdout.is_terminal();
        let out = anstream::AutoStream::new(stdout.lock(), choice);
        Self { out, format, are_many, is_terminal, has_heading: false, day: None }
    }

    pub(super) fn print(&mut self, event: &Event<RemoteRecord>) -> io::Result<()> {
        let RemoteRecord(record) = &event.record;
        if self.format == Format::Json {
            writeln!(self.out, "{}", visible(&record.to_string()))?;
            return self.out.flush();
        }
        // The terminal may have been resized since the last line.
        let width = if self.is_terminal { terminal::width() } else { None };
        let stream_arn = self.are_many.then_some(&*event.stream_arn);
        let shown = RecordLine::of(record, stream_arn, width.is_some());
        if let Some(date) = shown.date().filter(|date| self.day.as_deref() != Some(date)) {
            day(date).write(&mut self.out, width)?;
            self.day = Some(date.to_owned());
        }
        let is_table = self.format == Format::Table;
        if is_table && !std::mem::replace(&mut self.has_heading, true) {
            heading(&shown, self.are_many).write(&mut self.out, width)?;
        }
        let line = if is_table { shown.row(self.are_many) } else { shown.line() };
        line.write(&mut self.out, width)?;
        self.out.flush()
    }
}
