//! Items as a table: one attribute a column, keys first.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value;

use crate::Context;
use crate::schema::{Index, Schema};
use crate::values::{short, typed};

/// The most columns besides those of keys.
const MAX_COLUMNS: usize = 12;
/// The most characters of a value.
const MAX_CELL: usize = 48;

/// Shows items, each with a link to its own page if their table is known.
pub(crate) fn item_table(
    context: &Context<'_>,
    schema: Option<&Schema>,
    index: Option<&Index>,
    items: &[&Value],
) -> Markup {
    let (columns, left_out) = columns(schema, index, items);
    html! {
        div.scroll { table.sortable.items {
            thead { tr { @for column in &columns { th scope="col" { (column) " " (types(column, items)) } } } }
            tbody { @for item in items { tr {
                @let address = schema.and_then(|schema| address(context, schema, item));
                @for (number, column) in columns.iter().enumerate() {
                    @let value = item.get(column);
                    @match &address {
                        Some(address) if number == 0 => th scope="row" { a href=(address) { (cell(value)) } },
                        _ => td.number[value.is_some_and(|value| typed(value).0 == "N")] { (cell(value)) },
                    }
                }
            } } }
        } }
        @if left_out > 0 { p.hint { (left_out) " more attributes are not shown; open an item to see all." } }
    }
}

fn address(context: &Context<'_>, schema: &Schema, item: &Value) -> Option<String> {
    let key = schema.key_of(item)?.to_string();
    Some(context.link("item", &[("table", &schema.table), ("key", &key)]))
}

/// Returns the names of the columns: keys of the table, keys of the index, then what most items have. Also returns how many
/// attributes are left out.
fn columns(schema: Option<&Schema>, index: Option<&Index>, items: &[&Value]) -> (Vec<String>, usize) {
    let keys = schema.into_iter().flat_map(|schema| schema.keys.all());
    let index_keys = index.into_iter().flat_map(|index| index.keys.all());
    let mut columns: Vec<String> = Vec::new();
    for key in keys.chain(index_keys) {
        if !columns.contains(&key.name) {
            columns.push(key.name.clone());
        }
    }
    let mut numbers: BTreeMap<&String, usize> = BTreeMap::new();
    for name in items.iter().filter_map(|item| item.as_object()).flat_map(|item| item.keys()) {
        *numbers.entry(name).or_default() += 1;
    }
    let mut others: Vec<_> = numbers.into_iter().filter(|(name, _)| !columns.contains(name)).collect();
    others.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let left_out = others.len().saturating_sub(MAX_COLUMNS);
    columns.extend(others.into_iter().take(MAX_COLUMNS).map(|(name, _)| name.clone()));
    (columns, left_out)
}

/// Shows the types that an attribute has in some items.
fn types(column: &str, items: &[&Value]) -> Markup {
    let types: BTreeSet<&str> = items.iter().filter_map(|item| Some(typed(item.get(column)?).0)).collect();
    let types: Vec<_> = types.into_iter().collect();
    html! { span.type { (types.join(", ")) } }
}

fn cell(value: Option<&Value>) -> Markup {
    match value.map(|value| (value, short(value, MAX_CELL))) {
        None => html! {},
        Some((_, text)) if text.is_empty() => html! { span.hint { "(empty)" } },
        Some((_, text)) => html! { span.value { (text) } },
    }
}
