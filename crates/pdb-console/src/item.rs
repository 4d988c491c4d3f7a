//! The pages of one item: it is shown, edited, deleted, created and downloaded.

mod conflict;
mod create;
mod edit;
mod format;
mod save;
mod update;
mod view;

use maud::{Markup, html};
use pdb_model::Item;
use serde_json::{Map, Value, json};

pub(crate) use create::{create, skeleton};

use crate::call::{self, CallError};
use crate::layout::Section;
use crate::schema::Schema;
use crate::shown::{format_bytes, plural};
use crate::values::short;
use crate::{Answer, Context, Request, table};

/// An item that an address names.
struct Place {
    schema: Schema,
    /// The key in DynamoDB JSON.
    key: Value,
}

pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let query = request.query();
    let schema = match Schema::or_answer(context, query.get("table")) {
        Ok(schema) => schema,
        Err(answer) => return answer,
    };
    let key = match serde_json::from_str(query.get("key")) {
        Ok(key @ Value::Object(_)) => key,
        _ => {
            let text = "The key in the address is a JSON object, such as {\"id\":{\"S\":\"o1\"}}.";
            return Answer::failed(context, "Item", text);
        }
    };
    let place = Place { schema, key };
    if request.is_post {
        let form = request.form();
        return match form.get("action") {
            "delete" => view::delete(context, &place, &form),
            _ => edit::save(context, &place, &form),
        };
    }
    let item = match place.read(context) {
        Ok(Some(item)) => item,
        Ok(None) => return missing(context, &place),
        Err(error) => return Answer::failed(context, "Item", &error.to_string()),
    };
    match query.get("download") {
        "" => {}
        format => return view::download(&place, &item, format),
    }
    let done = match query.get("done") {
        "saved" => html! { p.notice.good role="status" { "The item was saved." } },
        "created" => html! { p.notice.good role="status" { "The item was created." } },
        "unchanged" => {
            html! { p.notice role="status" { "Your version is the same as the stored item, so nothing was written." } }
        }
        _ => html! {},
    };
    let content = html! { (done) (view::view(context, &place, &item, &query)) };
    place.page(context, 200, query.get("view"), Some(&item), content)
}

impl Place {
    /// Reads the item.
    fn read(&self, context: &Context<'_>) -> Result<Option<Value>, CallError> {
        let input = json!({ "TableName": self.schema.table, "Key": self.key, "ConsistentRead": true });
        let mut answer = call::dynamodb(context.wire(), "GetItem", &input)?;
        Ok(answer.get_mut("Item").map(Value::take))
    }

    /// Returns the address of the item's page with more parameters.
    fn link(&self, context: &Context<'_>, more: &[(&str, &str)]) -> String {
        let key = self.key.to_string();
        let mut parameters = vec![("table", self.schema.table.as_str()), ("key", key.as_str())];
        parameters.extend(more);
        context.link("item", &parameters)
    }

    /// Returns a page of the item, with the ways to its other pages.
    fn page(
        &self,
        context: &Context<'_>,
        status: u16,
        view: &str,
        item: Option<&Value>,
        content: Markup,
    ) -> Answer {
        let tab = |name: &str, title: &str| {
            html! { a href=(self.link(context, &[("view", name)])) aria-current=[(view == name).then_some("page")] { (title) } }
        };
        let content = html! {
            h1 { a href=(context.link("items", &[("table", &self.schema.table)])) { (self.schema.table) } ": item" }
            (table::ways(context, &self.schema))
            p {
                @for (name, value) in self.key.as_object().into_iter().flatten() {
                    code { (name) " = " (short(value, 200)) } " "
                }
                @if let Some(item) = item { span.hint { (size(item)) } }
            }
            nav.tabs aria-label="Item" {
                (tab("", "Tree"))
                (tab("plain", "Plain JSON"))
                (tab("dynamodb", "DynamoDB JSON"))
                (tab("edit", "Edit"))
                (tab("code", "Copy as"))
            }
            (content)
        };
        Answer::page_with(status, context, Section::Table(&self.schema.table), content)
    }
}

/// Returns the number of attributes and the size that DynamoDB counts.
fn size(item: &Value) -> String {
    let attributes = item.as_object().map_or(0, Map::len) as u64;
    let bytes = Item::from_json(&item.to_string()).map(|item| item.size_bytes()).unwrap_or_default();
    format!("{}, {}", plural(attributes, "attribute"), format_bytes(bytes))
}

fn missing(context: &Context<'_>, place: &Place) -> Answer {
    let key = place.key.to_string();
    let content = html! {
        h1 { "No such item" }
        (table::ways(context, &place.schema))
        p.notice { "The table " code { (place.schema.table) } " has no item with the key " code { (short(&json!({ "M": place.key }), 400)) } "." }
        p { a href=(context.link("new-item", &[("table", &place.schema.table), ("from", &key)])) { "Create it" } }
    };
    Answer::page_with(404, context, Section::Table(&place.schema.table), content)
}

#[cfg(test)]
mod tests;
