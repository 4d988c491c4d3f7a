//! Shards of a table, and trimming of its records.

use maud::{Markup, html};
use pretender::time::EpochMillis;
use serde_json::{Value, json};

use super::action::Action;
use super::{View, confirmation, list, table_choice, value};
use crate::shown::format_time;

/// How many shards are listed, the newest.
const MAX_SHARDS: usize = 200;
/// What stands for all streams in the choice of a table.
const ALL: &str = "all streams";

impl View<'_> {
    pub(super) fn shards(&self) -> Markup {
        if self.tables.is_empty() && self.query.get("table").is_empty() {
            return html! { p.empty { "There is no table, and so no stream. Shards appear here when a table has one." } };
        }
        let table = self.chosen_table();
        let body = if table.is_empty() { json!({ "all": true }) } else { json!({ "table": table }) };
        let listed = self.show("shards/list", Some(&body));
        html! {
            form method="get" action="instrument#shards" {
                @if let Some(region) = self.context.region() { input type="hidden" name="region" value=(region); }
                div.fields {
                    label { "Table" (table_choice(&self.tables, table, ALL)) }
                    button type="submit" { "Show" }
                }
            }
            @match &listed {
                Err(text) => p.notice { (text) },
                Ok(answer) => { (self.streams(table, list(answer, "shards"))) }
            }
        }
    }

    /// Returns the table in the address; without one, the first table.
    fn chosen_table(&self) -> &str {
        let first = self.tables.first().map(String::as_str).unwrap_or_default();
        self.query.find("table").unwrap_or(first)
    }

    fn streams(&self, table: &str, shards: &[Value]) -> Markup {
        let what = if table.is_empty() { "all streams" } else { table };
        html! {
            @if shards.is_empty() {
                p.empty { "No shards: no stream was enabled yet." }
            } @else {
                (self.shard_table(table, &shards[shards.len().saturating_sub(MAX_SHARDS)..]))
                @if shards.len() > MAX_SHARDS { p.hint { "Only the newest " (MAX_SHARDS) " of " (shards.len()) " shards are shown." } }
            }
            div.row {
                (self.form(Action::RotateShards, html! {
                    input type="hidden" name="table" value=(table);
                    button type="submit" { "Rotate all open shards of " (what) }
                }))
                (self.form(Action::SplitShards, html! {
                    input type="hidden" name="table" value=(table);
                    button type="submit" { "Split all open shards of " (what) }
                }))
            }
            h3 { "Trim " (what) }
            (self.form(Action::Trim, self.trim_fields(table)))
        }
    }

    fn trim_fields(&self, table: &str) -> Markup {
        let is_before = self.entered(Action::Trim, "extent") == "before";
        html! {
            input type="hidden" name="table" value=(table);
            div.fields {
                label.check { input type="radio" name="extent" value="all" checked[!is_before]; span { "all records" } }
                @if !table.is_empty() {
                    label.check { input type="radio" name="extent" value="before" checked[is_before]; span { "records before" } }
                    label { "Sequence number"
                        input.mono type="text" name="before" inputmode="numeric" size="24" value=(self.entered(Action::Trim, "before"));
                    }
                }
                (confirmation("remove these stream records"))
                button.danger type="submit" { "Trim" }
            }
        }
    }

    fn shard_table(&self, table: &str, shards: &[Value]) -> Markup {
        let time = |shard: &Value, name: &str| {
            shard[name].as_i64().map(|millis| format_time(EpochMillis(millis))).unwrap_or_default()
        };
        html! {
            div.scroll {
                table.shards {
                    thead {
                        tr {
                            @if table.is_empty() { th scope="col" { "Table" } }
                            th scope="col" { "Shard" }
                            th scope="col" { "State" }
                            th scope="col" { "Opened and closed" }
                            th scope="col" { "Sequence numbers" }
                            th scope="col" { "Actions" }
                        }
                    }
                    tbody {
                        @for shard in shards {
                            tr {
                                @if table.is_empty() { td { (table_of(shard)) } }
                                th.mono scope="row" {
                                    (value(shard, "shard_id"))
                                    @if shard["parent_shard_id"].is_string() { div.hint { "child of " (value(shard, "parent_shard_id")) } }
                                }
                                td { @if is_open(shard) { span.insert { "open" } } @else { "closed" } }
                                td.mono { (time(shard, "opened_epoch_millis")) div { (time(shard, "closed_epoch_millis")) } }
                                td.mono { (value(shard, "starting_sequence_number")) div { (value(shard, "ending_sequence_number")) } }
                                td { @if is_open(shard) && !table.is_empty() { (self.shard_actions(table, shard)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn shard_actions(&self, table: &str, shard: &Value) -> Markup {
        let shard_id = value(shard, "shard_id");
        let button = |action: Action, text: &str| {
            self.form(
                action,
                html! {
                    input type="hidden" name="table" value=(table);
                    input type="hidden" name="shard_id" value=(shard_id);
                    button type="submit" aria-label={ (text) " " (shard_id) } { (text) }
                },
            )
        };
        html! { div.row { (button(Action::RotateShards, "Rotate")) (button(Action::SplitShards, "Split")) } }
    }
}

fn is_open(shard: &Value) -> bool {
    shard["open"] == true
}

/// Returns the table in the ARN of a shard's stream.
fn table_of(shard: &Value) -> &str {
    let arn = shard["stream_arn"].as_str().unwrap_or_default();
    let resource = arn.split_once(":table/").map(|(_, resource)| resource).unwrap_or(arn);
    resource.split('/').next().unwrap_or_default()
}
