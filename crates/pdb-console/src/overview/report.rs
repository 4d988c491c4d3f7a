//! What the overview shows, gathered.

use std::collections::BTreeMap;

use pretender::observe::{ReaderReport, StoreMetrics, StreamReport, TableTraffic};
use pretender::streams::StreamStatus;
use pretender::tables::ListTablesInput;
use pretender::time::EpochMillis;

use crate::Context;

/// The most tables that are shown.
const MAX_TABLES: usize = 200;

/// What the overview shows.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) tables: Vec<TableRow>,
    /// Tables beyond those.
    pub(super) hidden_tables: u64,
    /// Those that are furthest behind first.
    pub(super) readers: Vec<ReaderReport>,
    pub(super) store: StoreMetrics,
    /// The kinds of the faults that may be injected.
    pub(super) faults: Vec<String>,
    /// What could not be read.
    pub(super) problems: Vec<String>,
}

/// A table.
#[derive(Debug)]
pub(super) struct TableRow {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) items: u64,
    pub(super) bytes: u64,
    pub(super) traffic: TableTraffic,
    pub(super) stream: Option<StreamSum>,
}

/// The latest stream of a table, all shards together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamSum {
    pub(super) label: String,
    pub(super) view_type: &'static str,
    pub(super) is_enabled: bool,
    pub(super) open_shards: u64,
    pub(super) records: u64,
    /// The age of the oldest record.
    pub(super) oldest_millis: Option<u64>,
    /// The greatest iterator age; none if nobody reads.
    pub(super) worst_reader_millis: Option<u64>,
}

impl StreamSum {
    /// Returns what the column says about the stream.
    pub(super) fn shown(&self) -> &'static str {
        if self.is_enabled { self.view_type } else { "disabled" }
    }

    fn of(stream: &StreamReport, readers: &[ReaderReport], now: EpochMillis) -> Self {
        let oldest = stream.shards.iter().filter_map(|shard| shard.backlog.oldest).min();
        let ages = readers.iter().filter(|reader| reader.stream_arn == stream.stream_arn);
        Self {
            label: stream.stream_arn.label.to_string(),
            view_type: stream.view_type.as_str(),
            is_enabled: stream.status == StreamStatus::Enabled,
            open_shards: stream.shards.iter().filter(|shard| shard.closed.is_none()).count() as u64,
            records: stream.shards.iter().map(|shard| shard.backlog.records).sum(),
            oldest_millis: oldest.map(|oldest| millis(now.since(oldest))),
            worst_reader_millis: ages.map(|reader| millis(reader.iterator_age)).max(),
        }
    }
}

impl Report {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let (database, mut report) = (context.pretender(), Self::default());
        report.store = database.store_metrics();
        report.faults = faults(context);
        report.readers = database.readers().unwrap_or_else(|error| {
            report.problems.push(error.to_string());
            Vec::new()
        });
        let streams = database.stream_reports().unwrap_or_else(|error| {
            report.problems.push(error.to_string());
            Vec::new()
        });
        let now = database.env().clock.now();
        // Of several streams of a table, the one with the latest label comes last.
        let latest: BTreeMap<&str, StreamSum> = streams
            .iter()
            .map(|stream| {
                (stream.stream_arn.table.name.as_str(), StreamSum::of(stream, &report.readers, now))
            })
            .collect();
        let traffic: BTreeMap<String, TableTraffic> =
            database.traffic().into_iter().map(|(table, traffic)| (table.to_string(), traffic)).collect();
        for name in table_names(context) {
            if report.tables.len() == MAX_TABLES {
                report.hidden_tables += 1;
                continue;
            }
            // A table may be deleted meanwhile.
            let Ok(table) = database.describe_table(&name) else { continue };
            report.tables.push(TableRow {
                status: table.table_status.as_str().to_owned(),
                items: table.item_count,
                bytes: table.table_size_bytes,
                traffic: traffic.get(name.as_str()).copied().unwrap_or_default(),
                stream: latest.get(name.as_str()).cloned(),
                name: name.to_string(),
            });
        }
        report.readers.sort_by_key(|reader| std::cmp::Reverse(reader.iterator_age));
        report
    }
}

fn faults(context: &Context<'_>) -> Vec<String> {
    let report = context.pretender().faults().report();
    let in_force = report.faults.iter().filter(|state| !state.is_over);
    in_force.map(|state| state.fault.kind.name().to_owned()).collect()
}

fn table_names(context: &Context<'_>) -> Vec<pretender::model::TableName> {
    let (mut names, mut input) = (Vec::new(), ListTablesInput::default());
    while let Ok(page) = context.pretender().list_tables(&input) {
        names.extend(page.table_names);
        match page.last_evaluated_table_name {
            Some(last) => input.exclusive_start_table_name = Some(last.to_string()),
            None => break,
        }
    }
    names
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
