//! Formatting a record as a line for people: time, event, key, and changes.

mod difference;

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use pretender::streams::StreamLabel;
use pretender::time::EpochMillis;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::terminal::visible;

/// The most characters of a value to show where lines are cut.
const MAX_VALUE: usize = 60;
/// The widths of a table's columns.
const TIME_WIDTH: usize = "2026-03-01T09:15:42Z".len();
const SHORT_TIME_WIDTH: usize = "09:15:42".len();
const EVENT_WIDTH: usize = 6;
const TABLE_WIDTH: usize = 16;
const KEY_WIDTH: usize = 24;

const PLAIN: Style = Style::new();
const DIM: Style = Style::new().dimmed();
const KEY: Style = Style::new().bold();
const TABLE: Style = AnsiColor::Cyan.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// The parts of a formatted record.
#[derive(Debug)]
pub(super) struct RecordLine {
    /// The day, if it is not part of the time.
    date: Option<String>,
    time: Line,
    event: Line,
    table: Line,
    key: Line,
    changes: Line,
}

/// Pieces of text with their styles. Control characters are escaped.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<(Style, String)>);

impl RecordLine {
    /// Formats a record. `stream_arn` gives the table's name if several tables are read. If `are_cut`, values are cut,
    /// and the day is left out.
    pub(super) fn of(record: &Value, stream_arn: Option<&str>, are_cut: bool) -> Self {
        let change = &record["dynamodb"];
        let most = if are_cut { Some(MAX_VALUE) } else { None };
        let event = record["eventName"].as_str().unwrap_or_default();
        let style = match event {
            "INSERT" => ADDED,
            "REMOVE" => REMOVED,
            _ => CHANGED,
        };
        let table = stream_arn.and_then(|arn| arn.split('/').nth(1)).unwrap_or_default();
        let keys = change["Keys"].as_object();
        let mut key = Line::default();
        for (name, value) in keys.into_iter().flatten() {
            key.word(KEY, name);
            key.push(PLAIN, "=");
            key.push(PLAIN, &difference::short(value, most));
        }
        let is_key = |name: &str| keys.is_some_and(|keys| keys.contains_key(name));
        let mut changes = Line::default();
        let images = (change["OldImage"].as_object(), change["NewImage"].as_object());
        difference::show(&mut changes, images, is_key, most);
        if record["userIdentity"]["Type"] == "Service" {
            changes.word(DIM, "(expired)");
        }
        let time = time(&change["ApproximateCreationDateTime"]);
        let short = time.split_once('T').filter(|_| are_cut);
        Self {
            date: short.map(|(date, _)| date.to_owned()),
            time: Line::of(DIM, short.map_or(&*time, |(_, time)| time.trim_end_matches('Z'))),
            event: Line::of(style, event),
            table: Line::of(TABLE, table),
            key,
            changes,
        }
    }

    /// Returns the day, if it is not part of the time.
    pub(super) fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Returns the record as one line.
    pub(super) fn line(self) -> Line {
        let mut line = self.time;
        for (part, width) in [(self.event, EVENT_WIDTH), (self.table, 0), (self.key, 0), (self.changes, 0)] {
            if !part.0.is_empty() {
                line.push(PLAIN, " ");
                line.append_padded(part, width);
            }
        }
        line.trimmed()
    }

    /// Returns the record as a row of a table.
    pub(super) fn row(self, with_table: bool) -> Line {
        let mut row = Line::default();
        row.append_padded(self.time, if self.date.is_some() { SHORT_TIME_WIDTH } else { TIME_WIDTH });
        row.push(PLAIN, "  ");
        row.append_padded(self.event, EVENT_WIDTH);
        if with_table {
            row.push(PLAIN, "  ");
            row.append_padded(self.table, TABLE_WIDTH);
        }
        row.push(PLAIN, "  ");
        row.append_padded(self.key, KEY_WIDTH);
        row.push(PLAIN, "  ");
        row.append_padded(self.changes, 0);
        row.trimmed()
    }
}

/// Returns the line above the records of a day.
pub(super) fn day(date: &str) -> Line {
    Line::of(DIM, &format!("{date} (UTC)"))
}

/// Returns the heading of rows such as this one.
pub(super) fn heading(shown: &RecordLine, with_table: bool) -> Line {
    let of = |text: &str| Line::of(KEY, text);
    RecordLine {
        date: shown.date.clone(),
        time: of("TIME"),
        event: of("EVENT"),
        table: of("TABLE"),
        key: of("KEY"),
        changes: of("CHANGES"),
    }
    .row(with_table)
}

impl Line {
    fn of(style: Style, text: &str) -> Self {
        let mut line = Self::default();
        line.push(style, text);
        line
    }

    fn push(&mut self, style: Style, text: &str) {
        if !text.is_empty() {
            self.0.push((style, visible(text).into_owned()));
        }
    }

    /// Appends a piece after a space.
    fn word(&mut self, style: Style, text: &str) {
        if !self.0.is_empty() {
            self.0.push((PLAIN, " ".to_owned()));
        }
        self.push(style, text);
    }

    /// Appends another line, and spaces up to a width.
    fn append_padded(&mut self, other: Self, width: usize) {
        let missing = width.saturating_sub(other.width());
        self.0.extend(other.0);
        self.push(PLAIN, &" ".repeat(missing));
    }

    fn trimmed(mut self) -> Self {
        while self.0.last().is_some_and(|(_, text)| text.trim().is_empty()) {
            self.0.pop();
        }
        self
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Writes the line, cut to a width if there is one. The writer may drop the styles.
    pub(super) fn write(mut self, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
        if let Some(width) = width.filter(|width| self.width() > *width) {
            self.cut(width);
        }
        let mut line = String::new();
        for (style, text) in &self.0 {
            // Writing to a String cannot fail.
            let _ = write!(line, "{style}{text}{style:#}");
        }
        writeln!(out, "{line}")
    }

    /// Cuts the line to what fits before an ellipsis.
    fn cut(&mut self, width: usize) {
        let mut left = width.saturating_sub(1);
        for (n, (_, text)) in self.0.iter_mut().enumerate() {
            let mut fits = 0;
            for character in text.chars() {
                let Some(rest) = left.checked_sub(character.width().unwrap_or(0)) else {
                    text.truncate(fits);
                    self.0.truncate(n + 1);
                    self.0.push((DIM, "…".to_owned()));
                    return;
                };
                left = rest;
                fits += character.len_utf8();
            }
        }
    }
}

/// Formats seconds since 1970, in any form of a JSON number, as a UTC time.
fn time(seconds: &Value) -> String {
    let seconds = seconds.as_f64().unwrap_or_default();
    let label = StreamLabel::at(EpochMillis(seconds as i64 * 1000)).to_string();
    format!("{}Z", label.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
