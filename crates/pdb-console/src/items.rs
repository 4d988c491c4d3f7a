//! The page of a table's items: a search with `Query` or `Scan`, and what it finds, page by page.

mod form;
mod input;
mod results;
mod search;

use maud::{Markup, html};
use serde_json::{Value, json};

pub(crate) use results::item_table;

use crate::copy_as::copy_as;
use crate::item::skeleton;
use crate::layout::Section;
use crate::schema::{Schema, elements};
use crate::shown::plural;
use crate::{Answer, Context, Request, call, table};
use input::Read;
use search::Search;

pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let query = request.query();
    let schema = match Schema::or_answer(context, query.get("table")) {
        Ok(schema) => schema,
        Err(answer) => return answer,
    };
    let search = Search::of(&query);
    let read = Read::of(&search, &schema);
    let found = read.as_ref().map_err(Clone::clone).and_then(|read| {
        let mut input = read.input.clone();
        input["ReturnConsumedCapacity"] = "TOTAL".into();
        call::dynamodb(context.wire(), read.operation, &input).map_err(|error| error.to_string())
    });
    let content = html! {
        h1 { (schema.table) ": items" }
        (table::ways(context, &schema))
        @if query.get("done") == "deleted" { p.notice.good role="status" { "The item was deleted." } }
        (form::form(context, &schema, &search))
        @match &found {
            Ok(found) => (page_of_items(context, &schema, &search, found)),
            Err(error) => p.notice.bad role="alert" { (error) },
        }
        @if let Ok(read) = &read { (copy_as(context, "copy", read.operation, &read.input)) }
    };
    let status = if found.is_ok() { 200 } else { 400 };
    Answer::page_with(status, context, Section::Table(&schema.table), content)
}

fn page_of_items(context: &Context<'_>, schema: &Schema, search: &Search, found: &Value) -> Markup {
    let items: Vec<&Value> = elements(&found["Items"]).collect();
    let last = found.get("LastEvaluatedKey").map(Value::to_string);
    html! {
        (summary(schema, search, found, last.is_some()))
        @if items.is_empty() { (nothing(context, schema, search, last.is_some())) }
        @else { (item_table(context, Some(schema), schema.index(&search.index), &items)) }
        p.ways {
            @if !search.start.is_empty() {
                a href=(context.link("items", &search.parameters(&schema.table, ""))) { "First page" }
            }
            @if let Some(last) = &last {
                a rel="next" href=(context.link("items", &search.parameters(&schema.table, last))) { "Next page" }
            }
        }
    }
}

fn summary(schema: &Schema, search: &Search, found: &Value, has_more: bool) -> Markup {
    let count = found["Count"].as_u64().unwrap_or(0);
    let scanned = found["ScannedCount"].as_u64().unwrap_or(0);
    let units = found["ConsumedCapacity"]["CapacityUnits"].as_f64().unwrap_or(0.0);
    let place = if search.index.is_empty() { &schema.table } else { &search.index };
    html! {
        p role="status" {
            strong { (plural(count, "item")) }
            @if search.has_filter() { " of " (scanned) " read" }
            span.hint {
                " · " @if search.is_query() { "Query" } @else { "Scan" } " of " (place)
                " · scanned count " (scanned) " · " (plural_units(units))
                @if has_more { " · more items follow" }
            }
        }
    }
}

fn plural_units(units: f64) -> String {
    if (units - 1.0).abs() < f64::EPSILON {
        "1 capacity unit".to_owned()
    } else {
        format!("{units} capacity units")
    }
}

/// Says why there is nothing, and what to do.
fn nothing(context: &Context<'_>, schema: &Schema, search: &Search, has_more: bool) -> Markup {
    let text = if has_more {
        "No item on this page passes the filter. DynamoDB filters a page after it has read it, so the next pages may have matches."
    } else if search.has_filter() || search.is_query() || !search.start.is_empty() {
        "No item matches."
    } else if !search.index.is_empty() {
        "No item has the keys of this index."
    } else {
        return empty_table(context, schema);
    };
    html! { p.empty { (text) } }
}

fn empty_table(context: &Context<'_>, schema: &Schema) -> Markup {
    let input = json!({ "TableName": schema.table, "Item": skeleton(schema) });
    html! {
        div.empty {
            p {
                "The table has no items. "
                a href=(context.link("new-item", &[("table", &schema.table)])) { "Create one here" }
                ", or write one with a client:"
            }
            (copy_as(context, "example", "PutItem", &input))
        }
    }
}

#[cfg(test)]
mod tests;
