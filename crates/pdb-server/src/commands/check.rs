//! `pretender check`.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use pretender::Pretender;
use pretender::maintenance::{CheckEvent, CheckProgress, CheckReport, Finding};
use serde_json::json;

use super::database::{WaitNotice, check_exists};
use crate::progress::{self, Step, Unit};
use crate::quantity::counted;

/// Share of the total time that checking rows takes, for the progress bar. The structure of the file is checked first.
const ROWS: (f64, f64) = (0.1, 1.0);
/// Exit code if something was found.
const FOUND: u8 = 1;
/// Exit code if the database cannot be opened.
pub(super) const NOT_CHECKED: u8 = 2;

/// Check a database for damage and inconsistencies.
///
/// Checks the structure of the file, the checksum of each row, items and the keys they are stored under, counts and
/// sizes, indexes, shards and stream records, and replays each stream that still has all changes of its table. Prints
/// one line per finding. Changes nothing. A database file must not be in use; a database on a PostgreSQL server may be.
///
/// The exit code is 0 if nothing is wrong, 1 if something is, and 2 if the database cannot be opened.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// The database: a file, or "postgres://USER:PASSWORD@HOST/DATABASE"
    #[arg(value_name = "DB")]
    db: String,

    /// Print one JSON document with all findings instead of lines
    #[arg(long)]
    json: bool,

    /// Report progress on standard error, one line per finished part and per percent
    #[arg(long)]
    progress: bool,
}

const EXAMPLES: &str = "\
Examples:
  pretender check pretender.db
  pretender check pretender.db --json > findings.json";

/// The database was not checked.
#[derive(Debug, thiserror::Error)]
#[error("the database cannot be checked")]
pub(crate) struct NotChecked(#[source] Box<dyn Error>);

impl Check {
    /// Checks the database.
    pub(crate) fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let not_checked = |error: Box<dyn Error>| -> Box<dyn Error> { Box::new(NotChecked(error)) };
        if self.db == super::MEMORY {
            return Err(not_checked(
                "only its own process can reach a database in memory, so it cannot be checked".into(),
            ));
        }
        let builder = Pretender::builder().try_database(&self.db).map_err(|e| not_checked(e.into()))?;
        if !builder.is_on_server() {
            check_exists(&self.db).map_err(|error| not_checked(error.into()))?;
        }
        let mut waiting = WaitNotice::begin(&builder);
        let mut progress = Progress::new(self.progress);
        let mut stdout = BufWriter::new(std::io::stdout());
        let (mut written, mut findings) = (Ok(()), Vec::new());
        let checked = pretender::maintenance::check(&builder, &mut |event| {
            waiting = None;
            match event {
                CheckEvent::Progress(step) => progress.show(&step),
                CheckEvent::Finding(finding) if self.json => findings.push(finding),
                CheckEvent::Finding(finding) => {
                    if written.is_ok() {
                        let line = printable(&finding.to_string());
                        // Print each finding at once: finding the next may take hours.
                        written =
                            progress.suspend(|| writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
                    }
                }
            }
        });
        drop(progress);
        let report = checked.map_err(|error| not_checked(error.into()))?;
        written?;
        let said = if self.json { in_json(&report, &findings) } else { in_words(&report) };
        writeln!(stdout, "{said}")?;
        stdout.flush()?;
        Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }
}

fn in_words(report: &CheckReport) -> String {
    let mut said = if report.is_sound() {
        "Sound: ".to_owned()
    } else {
        format!("{}: ", counted(report.findings, "finding"))
    };
    said.push_str(&format!(
        "{}, {}, {} checked.",
        counted(report.tables, "table"),
        counted(report.streams, "stream"),
        counted(report.rows, "row")
    ));
    if report.streams_replayed > 0 {
        let replayed = counted(report.streams_replayed, "stream");
        said.push_str(&format!(" {replayed} replayed and compared with the table."));
    }
    if report.rows_without_checksum > 0 {
        let rows = counted(report.rows_without_checksum, "row");
        said.push_str(&format!(" {rows} of an earlier version without a checksum."));
    }
    said
}

fn in_json(report: &CheckReport, findings: &[Finding]) -> String {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({"kind": finding.kind.as_str(), "subject": finding.subject, "detail": finding.detail})
        })
        .collect();
    json!({
        "sound": report.is_sound(),
        "tables": report.tables,
        "streams": report.streams,
        "rows": report.rows,
        "rows_without_checksum": report.rows_without_checksum,
        "streams_replayed": report.streams_replayed,
        "finding_count": report.findings,
        "findings": findings,
    })
    .to_string()
}

/// Replaces control characters, which could change what a terminal shows.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Shows progress on standard error. Errors of writing are ignored.
enum Progress {
    /// A bar on a terminal, otherwise a line from time to time.
    Usual(progress::Progress),
    /// A line for each finished part, and for each further percent.
    Lines { percent: Option<u64> },
}

impl Progress {
    fn new(is_asked_for: bool) -> Self {
        if is_asked_for { Self::Lines { percent: None } } else { Self::Usual(progress::Progress::new()) }
    }

    fn show(&mut self, step: &CheckProgress) {
        match self {
            Self::Usual(progress) => {
                let what = format!("checking {}", step.part);
                let rows = Unit::Things("row");
                progress.show(&Step::new(&what, step.rows, Some(step.rows_at_most), rows).within(ROWS));
            }
            Self::Lines { percent: last_percent } => {
                let percent = percent(step);
                if step.is_part_done || *last_percent != Some(percent) {
                    *last_percent = Some(percent);
                    let line = format!("{percent:>3} % {}: {} rows", printable(&step.part), step.part_rows);
                    let _ = writeln!(std::io::stderr(), "{line}");
                }
            }
        }
    }

    fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match self {
            Self::Usual(progress) => progress.suspend(write),
            Self::Lines { .. } => write(),
        }
    }
}

/// Returns the percentage of rows that are done. The total is an estimate.
fn percent(step: &CheckProgress) -> u64 {
    (step.rows.min(step.rows_at_most) * 100).checked_div(step.rows_at_most).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use pretender::maintenance::FindingKind;

    use super::*;

    #[test]
    fn the_report_is_one_line() {
        let mut report =
            CheckReport { tables: 1, streams: 2, rows: 30, streams_replayed: 1, ..Default::default() };
        let sound =
            "Sound: 1 table, 2 streams, 30 rows checked. 1 stream replayed and compared with the table.";
        assert_eq!(in_words(&report), sound);
        (report.findings, report.rows_without_checksum, report.streams_replayed) = (1, 4, 0);
        let found = "1 finding: 1 table, 2 streams, 30 rows checked. 4 rows of an earlier version without a checksum.";
        assert_eq!(in_words(&report), found);
        let finding =
            Finding { kind: FindingKind::Key, subject: "items of A".to_owned(), detail: "b".to_owned() };
        let said: serde_json::Value = serde_json::from_str(&in_json(&report, &[finding])).unwrap();
        assert_eq!((&said["sound"], &said["findings"][0]["kind"]), (&json!(false), &json!("key")));
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[31m\u{9b}b\nc"), "a\\u{1b}[31m\\u{9b}b\\u{a}c");
    }

    #[test]
    fn percents_have_bounds() {
        let step = |rows, rows_at_most| CheckProgress {
            part: String::new(),
            part_rows: 0,
            is_part_done: false,
            rows,
            rows_at_most,
        };
        let percents = [(0, 8), (4, 8), (9, 8), (0, 0)].map(|(rows, most)| percent(&step(rows, most)));
        assert_eq!(percents, [0, 50, 100, 100]);
    }
}
