//! Tests of reports.

use super::super::examples::{BUSY, LATER, QUIET, report};
use super::*;

#[test]
fn a_report_has_rates() {
    let report = report(&[BUSY, LATER]);
    assert_eq!(report.seconds, Some(2.0));
    assert_eq!(report.clock, Clock::At { seconds: 1_795_946_531.0, speed: Some(0.0) });
    let totals = &report.totals;
    assert_eq!((totals.requests, totals.errors, totals.injected), (Some(1210.0), Some(12.0), Some(12.0)));
    assert_eq!(totals.commits, Some(210.0));
    assert_eq!(totals.jobs_per_commit.map(|jobs| (jobs * 100.0).round()), Some(571.0));
    assert_eq!(totals.seconds_per_commit.map(|seconds| (seconds * 1e6).round()), Some(400.0));

    let names: Vec<_> = report.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["carts", "orders", "users"]);
    let orders = &report.tables[1];
    assert_eq!((orders.read_units, orders.write_units), (Some(4.5), Some(1200.0)));
    assert_eq!((orders.captured, orders.delivered, orders.trimmed), (Some(1188.0), Some(800.0), Some(0.0)));
    assert_eq!((orders.shards, orders.records, orders.oldest), (Some((2, 3)), Some(3876.0), Some(7200.5)));
    assert_eq!((orders.readers, orders.iterator_age, orders.behind), (2, Some(95.0), Some(830.0)));
    let users = &report.tables[2];
    assert_eq!((users.captured, users.shards, users.readers, users.behind), (None, None, 0, None));
    // A kind that was never consumed has no rate.
    assert_eq!((users.read_units, users.write_units), (Some(0.0), None));

    let readers: Vec<_> = report.readers.iter().filter(|reader| reader.is_behind()).collect();
    assert_eq!((readers.len(), readers[0].reader.as_str(), readers[0].behind), (1, "billing", Some(830.0)));
    let operations: Vec<_> = report.operations.iter().map(|row| row.operation.as_str()).collect();
    assert_eq!(operations, ["PutItem", "GetRecords", "DescribeTable"]);
    let put = &report.operations[0];
    assert_eq!((put.requests, put.errors), (Some(1200.0), Some(12.0)));
    let millis =
        |quantile: Option<Quantile>| quantile.map(|quantile| (quantile.seconds * 1e5).round() / 100.0);
    assert_eq!((millis(put.median), millis(put.p99)), (Some(0.57), Some(4.83)));
    assert_eq!(report.operations[2].median, None);
    assert_eq!(report.faults[0].target, "PutItem on orders");
}

#[test]
fn the_first_report_has_no_rates() {
    let report = report(&[BUSY]);
    assert_eq!((report.seconds, &report.totals), (None, &Totals::default()));
    assert_eq!((report.tables[1].write_units, report.tables[1].items), (None, Some(1042.0)));
    assert_eq!(report.operations[0].requests, None);
}

#[test]
fn what_is_new_has_counted_from_zero() {
    let report = report(&[QUIET, LATER]);
    assert_eq!(report.tables[1].write_units, Some(2260.0));
    assert_eq!(report.totals.commits, Some(500.0));
}

#[test]
fn a_restarted_server_has_no_negative_rates() {
    let report = report(&[LATER, BUSY]);
    let rates = report.tables.iter().flat_map(|table| [table.write_units, table.captured, table.delivered]);
    assert!(rates.flatten().all(|rate| rate >= 0.0));
    assert_eq!(report.tables[1].write_units, Some(1060.0));
    assert_eq!(report.operations[0].requests, Some(1065.0));
    assert!(report.operations[0].median.is_some());
}

#[test]
fn databases_and_regions_are_named_if_there_are_several() {
    let items = |places: &[(&str, &str)]| {
        let lines = places.iter().map(|(database, region)| {
            format!("pretender_table_items{{table=\"t\",database=\"{database}\",region=\"{region}\"}} 1\n")
        });
        report(&[&lines.collect::<String>()]).tables.into_iter().map(|table| table.name).collect::<Vec<_>>()
    };
    assert_eq!(items(&[("", "")]), ["t"]);
    assert_eq!(items(&[("d", "r")]), ["t"]);
    assert_eq!(items(&[("", ""), ("d", "r"), ("e", "r")]), ["t", "d/t", "e/t"]);
    assert_eq!(items(&[("d", "r"), ("d", "s")]), ["r/t", "s/t"]);
    assert_eq!(items(&[("d", "r"), ("e", "s")]), ["d/r/t", "e/s/t"]);
}

#[test]
fn clocks_of_databases_may_differ() {
    let clock = |times: &[(&str, f64, u32)]| {
        let lines = times.iter().map(|(database, time, speed)| {
            format!(
                "pretender_clock_seconds{{database=\"{database}\"}} {time}\n\
                 pretender_clock_speed{{database=\"{database}\"}} {speed}\n"
            )
        });
        report(&[&(lines.collect::<String>() + "pretender_commits_total 1\n")]).clock
    };
    assert_eq!(clock(&[]), Clock::Unknown);
    let same = Clock::At { seconds: 100.0, speed: Some(1.0) };
    assert_eq!(clock(&[("a", 100.0, 1), ("b", 100.5, 1)]), same);
    assert_eq!(clock(&[("a", 100.0, 1), ("b", 100.0, 0)]), Clock::Several(2));
    assert_eq!(clock(&[("a", 100.0, 0), ("b", 200.0, 0), ("c", 100.0, 0)]), Clock::Several(3));
}

#[test]
fn a_reader_without_a_table_has_a_row() {
    let text = "pretender_reader_records_behind{table=\"b\",reader=\"r\",kind=\"iterator\"} 2\n\
                pretender_table_items{table=\"a\"} 1\npretender_table_items{table=\"c\"} 1\n";
    let tables = report(&[text]).tables;
    let shown: Vec<_> =
        tables.iter().map(|table| (table.name.as_str(), table.readers, table.behind)).collect();
    assert_eq!(shown, [("a", 0, None), ("b", 1, Some(2.0)), ("c", 0, None)]);
}
