//! The parts of the output besides the table of tables: the header, readers, faults and operations.

use super::columns::{cell, notable};
use super::grid::{Cell, Column, Grid, Mark};
use super::numbers::{self, UNKNOWN};
use super::rates::Quantile;
use super::report::{Clock, FaultRow, OperationRow, ReaderRow, Report};

/// What is shown in the place of tables.
pub(super) const NO_TABLES: &str = "no tables yet";

/// Returns the pieces of the header: who the server is and how it is, and what it does.
pub(super) fn header(report: &Report, endpoint: &str) -> [Vec<Cell>; 2] {
    let name = match &report.version {
        Some(version) => format!("pretender {version}"),
        None => "pretender".to_owned(),
    };
    let mut server = vec![Cell::new(&name, Mark::Heading), Cell::plain(endpoint)];
    server.extend(clock(&report.clock));
    let amount =
        |name: &str, bytes: Option<f64>| Some(Cell::plain(&format!("{name} {}", numbers::bytes(bytes?))));
    server.extend(amount("memory", report.memory_bytes));
    server.extend(amount("log", report.log_bytes));

    let totals = &report.totals;
    let rate = |name: &str, number: Option<f64>| {
        format!("{name} {}/s", number.map_or_else(|| UNKNOWN.to_owned(), numbers::rate))
    };
    let bad =
        |number: Option<f64>| if number.is_some_and(|rate| rate > 0.0) { Mark::Bad } else { Mark::None };
    let mut work = vec![
        Cell::plain(&rate("requests", totals.requests)),
        Cell::new(&rate("errors", totals.errors), bad(totals.errors)),
        Cell::plain(&rate("commits", totals.commits)),
    ];
    if let Some((jobs, seconds)) = totals.jobs_per_commit.zip(totals.seconds_per_commit) {
        work.push(Cell::plain(&format!(
            "each {} jobs in {}",
            numbers::rate(jobs),
            numbers::latency(seconds)
        )));
    }
    if totals.injected.is_some_and(|rate| rate > 0.0) {
        work.push(Cell::new(&rate("faults injected", totals.injected), Mark::Bad));
    }
    [server, work]
}

fn clock(clock: &Clock) -> Option<Cell> {
    Some(match clock {
        Clock::Unknown => return None,
        Clock::Several(databases) => Cell::plain(&format!("clocks of {databases} databases differ")),
        Clock::At { seconds, speed } => {
            let time = numbers::moment(*seconds);
            match speed {
                Some(held) if *held <= 0.0 => Cell::new(&format!("clock {time} (held)"), Mark::Notable),
                Some(speed) if (speed - 1.0).abs() > 1e-9 => Cell::new(
                    &format!("clock {time} ({} times as fast)", numbers::rate(*speed)),
                    Mark::Notable,
                ),
                _ => Cell::plain(&format!("clock {time}")),
            }
        }
    })
}

/// Returns the parts with their titles, in their order.
pub(super) fn all(report: &Report) -> [(&'static str, Grid); 3] {
    [
        ("Readers behind", readers(report)),
        ("Faults in force", faults(report)),
        ("Operations", operations(report)),
    ]
}

/// Returns the readers that have records to read, furthest behind first.
fn readers(report: &Report) -> Grid {
    let columns = vec![
        Column::name("table", 1),
        Column::name("reader", 0),
        Column::name("kind", 4),
        Column::number("iterator age", 12, 3),
        Column::number("behind", 7, 2),
    ];
    let row = |reader: &ReaderRow| {
        vec![
            Cell::plain(&reader.table),
            Cell::plain(&reader.reader),
            Cell::plain(&reader.kind),
            notable(cell(reader.iterator_age, numbers::age)),
            notable(cell(reader.behind, numbers::count)),
        ]
    };
    Grid { columns, rows: report.readers.iter().filter(|reader| reader.is_behind()).map(row).collect() }
}

/// Returns the faults in force.
fn faults(report: &Report) -> Grid {
    let mut columns = vec![Column::name("fault", 0), Column::name("kind", 1), Column::name("target", 2)];
    let has_places = report.faults.iter().any(|fault| !fault.place.is_empty());
    if has_places {
        columns.push(Column::name("database", 3));
    }
    let row = |fault: &FaultRow| {
        let mut row =
            vec![Cell::plain(&fault.id), Cell::new(&fault.kind, Mark::Bad), Cell::plain(&fault.target)];
        row.extend(has_places.then(|| Cell::plain(&fault.place)));
        row
    };
    Grid { columns, rows: report.faults.iter().map(row).collect() }
}

/// Returns the operations, most frequent first.
fn operations(report: &Report) -> Grid {
    let columns = vec![
        Column::name("operation", 0),
        Column::number("requests/s", 10, 1),
        Column::number("p50", 6, 3),
        Column::number("p99", 6, 2),
        Column::number("errors/s", 8, 4),
    ];
    let row = |operation: &OperationRow| {
        let errors = cell(operation.errors, numbers::rate);
        let mark = if errors.mark == Mark::None { Mark::Bad } else { errors.mark };
        vec![
            Cell::plain(&operation.operation),
            cell(operation.requests, numbers::rate),
            latency(operation.median),
            latency(operation.p99),
            Cell { mark, ..errors },
        ]
    };
    Grid { columns, rows: report.operations.iter().map(row).collect() }
}

fn latency(quantile: Option<Quantile>) -> Cell {
    match quantile {
        Some(Quantile { seconds, is_beyond }) => {
            Cell::plain(&format!("{}{}", if is_beyond { ">" } else { "" }, numbers::latency(seconds)))
        }
        None => Cell::new(UNKNOWN, Mark::Faint),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{BUSY, ENDPOINT, LATER, QUIET, report};
    use super::super::grid::{flow, text};
    use super::*;

    fn lines(grid: &Grid, width: usize) -> Vec<String> {
        let (heading, rows) = grid.lines(Some(width), 0..usize::MAX);
        std::iter::once(&heading).chain(&rows).map(text).collect()
    }

    #[test]
    fn the_header_says_how_the_server_is() {
        let header =
            |texts: &[&str]| header(&report(texts), ENDPOINT).map(|pieces| text(&flow(&pieces, None)[0]));
        assert_eq!(
            header(&[BUSY, LATER]),
            [
                "pretender 0.1.0  http://127.0.0.1:8000  clock 2026-11-29 10:02:11 UTC (held)  memory 24.1 MB  \
                 log 3.3 MB",
                "requests 1,210/s  errors 12/s  commits 210/s  each 5.7 jobs in 0.4ms  faults injected 12/s",
            ]
        );
        assert_eq!(header(&[QUIET])[1], "requests -/s  errors -/s  commits -/s");
        assert!(header(&[QUIET])[0].contains("clock 2026-11-29 10:02:11 UTC  memory"));
        let fast = header(&["pretender_clock_seconds 1795946531\npretender_clock_speed 60\n"]);
        assert_eq!(
            fast[0],
            "pretender  http://127.0.0.1:8000  clock 2026-11-29 10:02:11 UTC (60 times as fast)"
        );
    }

    #[test]
    fn parts_are_columns() {
        let report = report(&[BUSY, LATER]);
        assert_eq!(
            lines(&readers(&report), 80),
            [
                "table   reader   kind     iterator age   behind",
                "orders  billing  trigger         1m35s      830"
            ]
        );
        assert_eq!(
            lines(&faults(&report), 80),
            ["fault  kind        target", "1      throttling  PutItem on orders"]
        );
        assert_eq!(
            lines(&operations(&report), 80),
            [
                "operation      requests/s     p50     p99  errors/s",
                "PutItem             1,200   0.6ms   4.8ms        12",
                "GetRecords             10   1.0ms   4.9ms         0",
                "DescribeTable           0       -       -         0",
            ]
        );
        assert_eq!(lines(&readers(&report), 30)[1], "orders  billing      830");
    }

    #[test]
    fn faults_of_several_databases_say_which() {
        let text = "pretender_fault{id=\"1\",kind=\"k\",target=\"t\",database=\"a\"} 1\n\
                    pretender_fault{id=\"1\",kind=\"k\",target=\"t\",database=\"b\"} 1\n\
                    pretender_fault{id=\"2\",kind=\"k\",target=\"t\",database=\"b\"} 0\n";
        let shown = lines(&faults(&report(&[text])), 80);
        assert_eq!(
            shown,
            ["fault  kind  target  database", "1      k     t       a", "1      k     t       b"]
        );
    }
}
