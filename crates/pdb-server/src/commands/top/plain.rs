//! The output without a screen: one text, or one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::columns::Order;
use super::grid::{Cell, Grid, flow, text};
use super::rates::Quantile;
use super::report::{Clock, FaultRow, OperationRow, ReaderRow, Report, TableRow};
use super::sections;
use crate::terminal::visible;

/// Prints a report as text without escape codes. Lines are cut to a width, if there is one.
pub(super) fn print(
    out: &mut dyn Write,
    report: &Report,
    endpoint: &str,
    order: Order,
    width: Option<usize>,
) -> io::Result<()> {
    for pieces in sections::header(report, endpoint) {
        print_pieces(out, &pieces, width)?;
    }
    let mut tables = report.tables.clone();
    order.sort(&mut tables);
    writeln!(out)?;
    if tables.is_empty() {
        writeln!(out, "{}", sections::NO_TABLES)?;
    } else {
        print_grid(out, &order.grid(&tables), width)?;
    }
    for (title, grid) in sections::all(report) {
        if !grid.rows.is_empty() {
            writeln!(out, "\n{title}:")?;
            print_grid(out, &grid, width)?;
        }
    }
    out.flush()
}

fn print_pieces(out: &mut dyn Write, pieces: &[Cell], width: Option<usize>) -> io::Result<()> {
    flow(pieces, width).iter().try_for_each(|line| writeln!(out, "{}", text(line)))
}

fn print_grid(out: &mut dyn Write, grid: &Grid, width: Option<usize>) -> io::Result<()> {
    let (heading, rows) = grid.lines(width, 0..grid.rows.len());
    std::iter::once(&heading).chain(&rows).try_for_each(|line| writeln!(out, "{}", text(line)))
}

/// Prints a report as one line of JSON. Numbers that are not known are `null`, rates are per second.
pub(super) fn print_json(out: &mut dyn Write, report: &Report, endpoint: &str) -> io::Result<()> {
    // Control characters in strings stay escaped, those that JSON allows too.
    writeln!(out, "{}", visible(&object(report, endpoint).to_string()))?;
    out.flush()
}

fn object(report: &Report, endpoint: &str) -> Value {
    let Report { totals, .. } = report;
    let (clock, speed) = match report.clock {
        Clock::At { seconds, speed } => (Some(seconds), speed),
        Clock::Unknown | Clock::Several(_) => (None, None),
    };
    json!({
        "endpoint": endpoint,
        "version": report.version,
        "seconds": report.seconds,
        "clock_seconds": clock,
        "clock_speed": speed,
        "memory_bytes": report.memory_bytes,
        "log_bytes": report.log_bytes,
        "requests": totals.requests,
        "errors": totals.errors,
        "faults_injected": totals.injected,
        "commits": totals.commits,
        "jobs_per_commit": totals.jobs_per_commit,
        "seconds_per_commit": totals.seconds_per_commit,
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "readers": report.readers.iter().map(reader).collect::<Vec<_>>(),
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
        "operations": report.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

fn table(row: &TableRow) -> Value {
    json!({
        "table": row.name,
        "items": row.items,
        "bytes": row.bytes,
        "read_units": row.read_units,
        "write_units": row.write_units,
        "captured": row.captured,
        "delivered": row.delivered,
        "trimmed": row.trimmed,
        "open_shards": row.shards.map(|(open, _)| open),
        "shards": row.shards.map(|(_, all)| all),
        "records": row.records,
        "oldest_record_age_seconds": row.oldest,
        "readers": row.readers,
        "iterator_age_seconds": row.iterator_age,
        "records_behind": row.behind,
    })
}

fn reader(row: &ReaderRow) -> Value {
    json!({
        "table": row.table,
        "reader": row.reader,
        "kind": row.kind,
        "iterator_age_seconds": row.iterator_age,
        "records_behind": row.behind,
    })
}

fn fault(row: &FaultRow) -> Value {
    let place = (!row.place.is_empty()).then_some(&row.place);
    json!({ "id": row.id, "kind": row.kind, "target": row.target, "database": place })
}

fn operation(row: &OperationRow) -> Value {
    let seconds = |quantile: Option<Quantile>| quantile.map(|quantile| quantile.seconds);
    json!({
        "operation": row.operation,
        "requests": row.requests,
        "errors": row.errors,
        "p50_seconds": seconds(row.median),
        "p99_seconds": seconds(row.p99),
    })
}

#[cfg(test)]
mod tests {
    use super::super::columns::Sort;
    use super::super::examples::{BUSY, ENDPOINT, HOSTILE, LATER, QUIET, report};
    use super::*;

    fn printed(texts: &[&str], sort: Sort, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let order = Order { sort, is_reversed: false };
        print(&mut out, &report(texts), ENDPOINT, order, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_busy_server_fits_a_terminal() {
        let expected = "\
pretender 0.1.0  http://127.0.0.1:8000  clock 2026-11-29 10:02:11 UTC (held)
memory 24.1 MB  log 3.3 MB
requests 1,210/s  errors 12/s  commits 210/s  each 5.7 jobs in 0.4ms
faults injected 12/s

table   read/s  write/s  captured/s  delivered/s  records  iterator age   behind
orders     4.5    1,200       1,188          800    3,876         1m35s      830
carts        0        0           0            0       14            0s        0
users        0        -           -            -        -             -        -

Readers behind:
table   reader   kind     iterator age   behind
orders  billing  trigger         1m35s      830

Faults in force:
fault  kind        target
1      throttling  PutItem on orders

Operations:
operation      requests/s     p50     p99  errors/s
PutItem             1,200   0.6ms   4.8ms        12
GetRecords             10   1.0ms   4.9ms         0
DescribeTable           0       -       -         0
";
        assert_eq!(printed(&[BUSY, LATER], Sort::Write, Some(80)), expected);
    }

    #[test]
    fn a_server_without_tables_has_a_header() {
        let expected = "\
pretender 0.1.0  http://127.0.0.1:8000  clock 2026-11-29 10:02:11 UTC  memory 18.9 MB  log 0 B
requests 0/s  errors 0/s  commits 0/s

no tables yet
";
        assert_eq!(printed(&[QUIET, QUIET], Sort::Name, None), expected);
    }

    #[test]
    fn nothing_unprintable_is_printed() {
        for width in [None, Some(1), Some(40), Some(80), Some(200)] {
            let text = printed(&[HOSTILE, HOSTILE], Sort::Name, width);
            assert_eq!(crate::terminal::visible_lines(&text), text);
        }
        let mut out = Vec::new();
        print_json(&mut out, &report(&[HOSTILE]), ENDPOINT).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(crate::terminal::visible_lines(&line), line);
        // JSON says what the name really is.
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["tables"][2]["table"], "\u{1b}[2J\n\"a\\b\u{202e}\u{9b}\u{200b}c");
    }

    #[test]
    fn json_has_all_numbers() {
        let object = object(&report(&[BUSY, LATER]), ENDPOINT);
        assert_eq!((&object["seconds"], &object["requests"]), (&json!(2.0), &json!(1210.0)));
        assert_eq!(
            (&object["clock_seconds"], &object["clock_speed"]),
            (&json!(1_795_946_531.0), &json!(0.0))
        );
        let orders = &object["tables"][1];
        assert_eq!(
            (&orders["table"], &orders["open_shards"], &orders["shards"]),
            (&json!("orders"), &json!(2), &json!(3))
        );
        assert_eq!((&orders["trimmed"], &orders["records_behind"]), (&json!(0.0), &json!(830.0)));
        assert_eq!(object["tables"][2]["captured"], Value::Null);
        // All readers, also those that have read everything.
        assert_eq!(object["readers"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            object["faults"][0],
            json!({ "id": "1", "kind": "throttling", "target": "PutItem on orders", "database": null })
        );
        assert_eq!(object["operations"][2]["p50_seconds"], Value::Null);
    }
}
