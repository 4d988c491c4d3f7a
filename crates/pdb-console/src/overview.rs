//! The first page: tables and streams with what happens in them, who reads them, and what is special about this server now.

mod report;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use pretender::observe::ReaderReport;

use crate::layout::{self, Section};
use crate::shown::{format_bytes, format_span, plural};
use crate::{Answer, Context, Request};
use report::{Report, StreamSum, TableRow};

/// The most readers that are listed.
const MAX_READERS: usize = 50;

pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let report = Report::of(context);
    if request.wants_part() {
        return Answer::Page { status: 200, html: part(context, &report).into_string() };
    }
    let content = html! {
        h1 { "Overview" }
        (layout::refreshed(part(context, &report)))
    };
    Answer::page(context, Section::Overview, content)
}

fn part(context: &Context<'_>, report: &Report) -> Markup {
    html! {
        @for problem in &report.problems { p.notice.bad role="alert" { (problem) } }
        (special(context, report))
        @if report.tables.is_empty() { (nothing(context)) } @else { (tables(context, &report.tables)) }
        @if report.hidden_tables > 0 { p.hint { "and " (plural(report.hidden_tables, "more table")) } }
        @if report.tables.iter().any(|table| table.stream.is_some()) { (readers(context, &report.readers)) }
    }
}

/// What a reader of the page should know before they wonder.
fn special(context: &Context<'_>, report: &Report) -> Markup {
    html! {
        dl.counts {
            div { dt { "Writes" } dd data-rate="jobs" data-total=(report.store.jobs) { (report.store.jobs) } }
            div { dt { "Commits" } dd data-rate="commits" data-total=(report.store.commits) { (report.store.commits) } }
            @if let Some(bytes) = report.store.log_bytes { div { dt { "Log" } dd { (format_bytes(bytes)) } } }
            div {
                dt { "Faults in force" }
                dd {
                    @if report.faults.is_empty() { "none" } @else {
                        a href=(format!("{}#faults", context.link("instrument", &[]))) { (report.faults.join(", ")) }
                    }
                }
            }
            @if !context.triggers().is_empty() {
                div { dt { "Triggers" } dd { a href=(context.link("triggers", &[])) { (context.triggers().len()) } } }
            }
        }
    }
}

fn nothing(context: &Context<'_>) -> Markup {
    html! {
        div.empty {
            p { "There is no table yet. This makes one with a stream:" }
            pre {
                "aws dynamodb create-table --endpoint-url " (context.endpoint_url()) " --table-name orders \\\n  \
                 --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \\\n  \
                 --billing-mode PAY_PER_REQUEST --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
            }
        }
    }
}

fn tables(context: &Context<'_>, tables: &[TableRow]) -> Markup {
    html! {
        h2 { "Tables" }
        div.scroll {
            table.sortable {
                thead {
                    tr {
                        th scope="col" { "Table" }
                        th.number scope="col" { "Items" }
                        th.number scope="col" { "Size" }
                        th.number scope="col" title="consumed read capacity units" { "Reads" }
                        th.number scope="col" title="consumed write capacity units" { "Writes" }
                        th scope="col" { "Stream" }
                        th.number scope="col" { "Captured" }
                        th.number scope="col" { "Delivered" }
                        th.number scope="col" title="open shards" { "Shards" }
                        th.number scope="col" title="records that can be read" { "Records" }
                        th.number scope="col" title="age of the oldest record" { "Oldest" }
                        th.number scope="col" title="how far the slowest reader is behind" { "Readers" }
                    }
                }
                tbody { @for table in tables { (row(context, table)) } }
            }
        }
    }
}

fn row(context: &Context<'_>, table: &TableRow) -> Markup {
    let name = table.name.as_str();
    let link = [("name", name)];
    let total = |what: &str, total: u64| {
        html! { td.number data-rate={ (what) " " (name) } data-total=(total) data-value=(total) { (total) } }
    };
    html! {
        tr {
            th scope="row" {
                a href=(context.link("table", &link)) { (name) }
                @if table.status != "ACTIVE" { " " span.hint { (table.status) } }
            }
            td.number { (table.items) }
            td.number data-value=(table.bytes) { (format_bytes(table.bytes)) }
            (total("read", table.traffic.read_half_units / 2))
            (total("write", table.traffic.write_half_units / 2))
            @match &table.stream {
                None => { td { span.hint { "off" } } td {} td {} td {} td {} td {} td {} }
                Some(stream) => {
                    td.view { a href=(context.link("stream", &[("table", name)])) { (stream.shown()) } }
                    (total("captured", table.traffic.captured_records))
                    (total("delivered", table.traffic.delivered_records))
                    (sum(stream))
                }
            }
        }
    }
}

fn sum(stream: &StreamSum) -> Markup {
    html! {
        td.number { (stream.open_shards) }
        td.number { (stream.records) }
        td.number data-value=(stream.oldest_millis.unwrap_or(0)) { @if let Some(age) = stream.oldest_millis { (format_span(age)) } }
        td.number data-value=(stream.worst_reader_millis.unwrap_or(0)) {
            @match stream.worst_reader_millis {
                None => span.hint { "nobody reads" },
                Some(0) => "has read all",
                Some(age) => { (format_span(age)) " behind" },
            }
        }
    }
}

fn readers(context: &Context<'_>, readers: &[ReaderReport]) -> Markup {
    html! {
        h2 { "Readers" }
        @if readers.is_empty() {
            p.hint { "Nobody has read a stream in the last 15 minutes." }
        } @else {
            div.scroll {
                table.sortable {
                    thead {
                        tr {
                            th scope="col" { "Table" }
                            th scope="col" { "Reader" }
                            th scope="col" { "Shard" }
                            th.number scope="col" { "Not read" }
                            th.number scope="col" { "Iterator age" }
                        }
                    }
                    tbody {
                        @for reader in readers.iter().take(MAX_READERS) {
                            @let table = reader.stream_arn.table.name.as_str();
                            @let age = u64::try_from(reader.iterator_age.as_millis()).unwrap_or(u64::MAX);
                            tr {
                                th scope="row" { a href=(context.link("stream", &[("arn", &reader.stream_arn.to_string())])) { (table) } }
                                td { (reader.kind.as_str()) " " span.mono { (format!("{:04x}", reader.reader)) } }
                                td.mono { (reader.shard_id) }
                                td.number { (reader.backlog.records) }
                                td.number data-value=(age) { @if age > 0 { (format_span(age)) } @else { "0" } }
                            }
                        }
                    }
                }
            }
            @if readers.len() > MAX_READERS { p.hint { "and " (plural((readers.len() - MAX_READERS) as u64, "more reader")) } }
        }
    }
}
