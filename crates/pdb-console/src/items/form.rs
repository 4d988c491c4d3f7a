//! The form of a search. It is sent by GET, so that a search has an address.

use maud::{Markup, html};

use super::search::{Filter, Search, SortCondition};
use crate::Context;
use crate::schema::{KeyAttribute, Keys, Schema};

/// The conditions on a sort key, with their names.
const SORT_OPERATORS: &[&str] = &["=", "<", "<=", ">", ">=", "between", "begins_with"];
/// The conditions of a filter.
const FILTER_OPERATORS: &[&str] =
    &["=", "<>", "<", "<=", ">", ">=", "contains", "not contains", "begins_with", "exists", "not exists"];
/// The types of a filter's value, with their names.
const TYPES: &[(&str, &str)] = &[
    ("S", "string"),
    ("N", "number"),
    ("BOOL", "true/false"),
    ("NULL", "null"),
    ("B", "binary (Base64)"),
    ("JSON", "JSON"),
];

pub(super) fn form(context: &Context<'_>, schema: &Schema, search: &Search) -> Markup {
    let index = schema.index(&search.index);
    let keys = index.map_or(&schema.keys, |index| &index.keys);
    let is_global = index.is_some_and(|index| index.is_global);
    html! {
        (index_choice(context, schema, search))
        form.search action="items" role="search" aria-label="Items" {
            input type="hidden" name="table" value=(schema.table);
            @if let Some(region) = context.region() { input type="hidden" name="region" value=(region); }
            @if !search.index.is_empty() { input type="hidden" name="index" value=(search.index); }
            div.fields {
                (key_fields(keys, search))
                @if !keys.sort.is_empty() { (order(search)) }
                label { "Items on a page" input type="number" name="limit" min="1" max="1000" value=(search.limit); }
                @if !is_global {
                    label.check { input type="checkbox" name="consistent" value="yes" checked[search.consistent]; "Consistent read" }
                }
            }
            (filters(search))
            p { button.main { "Search" } " " span.hint { "Without a partition key, this is a scan." } }
        }
    }
}

/// Links to the table and its indexes: each has key fields of its own.
fn index_choice(context: &Context<'_>, schema: &Schema, search: &Search) -> Markup {
    if schema.indexes.is_empty() && search.index.is_empty() {
        return html! {};
    }
    let current = |name: &str| (search.index == name).then_some("true");
    let table = schema.table.as_str();
    html! {
        nav.tabs aria-label="Indexes" {
            a href=(context.link("items", &[("table", table)])) aria-current=[current("")] { "Table" }
            @for index in &schema.indexes {
                a href=(context.link("items", &[("table", table), ("index", &index.name)])) aria-current=[current(&index.name)] {
                    (index.name)
                }
            }
        }
    }
}

fn key_fields(keys: &Keys, search: &Search) -> Markup {
    let none = SortCondition::default();
    html! {
        @for (number, key) in keys.partition.iter().enumerate() {
            label {
                span { "Partition key " (key_name(key)) }
                input name="pk" value=(search.partition.get(number).map_or("", String::as_str)) spellcheck="false" autocapitalize="off";
            }
        }
        @for (number, key) in keys.sort.iter().enumerate() {
            (sort_fields(key, search.sort.get(number).unwrap_or(&none)))
        }
    }
}

fn sort_fields(key: &KeyAttribute, condition: &SortCondition) -> Markup {
    html! {
        div.sort-key {
            label {
                span { "Sort key " (key_name(key)) }
                select name="so" {
                    option value="" { "any" }
                    @for operator in SORT_OPERATORS { option value=(operator) selected[condition.operator == *operator] { (operator) } }
                }
            }
            label { span { "Value of " (key.name) } input name="sk" value=(condition.value) spellcheck="false" autocapitalize="off"; }
            label.end { "and" input name="end" value=(condition.end) spellcheck="false" autocapitalize="off"; }
        }
    }
}

fn key_name(key: &KeyAttribute) -> Markup {
    html! { code { (key.name) } " " (key.scalar_type) @if key.scalar_type == "B" { ", in Base64" } }
}

fn order(search: &Search) -> Markup {
    html! {
        label {
            "Order"
            select name="order" {
                option value="asc" { "ascending" }
                option value="desc" selected[search.descending] { "descending" }
            }
        }
    }
}

fn filters(search: &Search) -> Markup {
    let blank = Filter::default();
    html! {
        details open[search.has_filter()] {
            summary { "Filter" }
            @for filter in search.filters.iter().chain([&blank]) { (filter_row(filter)) }
            p.hint {
                "A path such as address.city, lines[0].price or [\"a.b\"]. All conditions must hold; after a search, there is room for one more."
            }
            details open[!search.expression.is_empty()] {
                summary { "Filter expression" }
                label {
                    "Expression"
                    input name="filter" value=(search.expression) placeholder="size(#l) > :n OR attribute_type(note, :t)" spellcheck="false";
                }
                div.fields {
                    label.wide {
                        "Attribute names (JSON)"
                        input name="names" value=(search.names) placeholder="{\"#l\": \"lines\"}" spellcheck="false";
                    }
                    label.wide {
                        "Attribute values (JSON or DynamoDB JSON)"
                        input name="values" value=(search.values) placeholder="{\":n\": 2, \":t\": \"S\"}" spellcheck="false";
                    }
                }
            }
        }
    }
}

fn filter_row(filter: &Filter) -> Markup {
    html! {
        div.fields {
            label { "Attribute" input name="fa" value=(filter.attribute) spellcheck="false" autocapitalize="off"; }
            label {
                "Condition"
                select name="fo" {
                    @for operator in FILTER_OPERATORS { option selected[filter.operator == *operator] { (operator) } }
                }
            }
            label {
                "Type"
                select name="ft" {
                    @for (value, name) in TYPES { option value=(value) selected[filter.value_type == *value] { (name) } }
                }
            }
            label { "Value" input name="fv" value=(filter.value) spellcheck="false" autocapitalize="off"; }
        }
    }
}
