//! Creates an item.

use maud::html;
use serde_json::{Map, Value};

use super::Place;
use super::edit::{format_choice, format_hint, text_area};
use super::format::Format;
use super::save::put_if_absent;
use crate::layout::{self, Section};
use crate::schema::{KeyAttribute, Schema};
use crate::{Answer, Context, Request, table};

/// Returns an item with nothing but a key to be filled in.
pub(crate) fn skeleton(schema: &Schema) -> Value {
    let member = |key: &KeyAttribute| {
        let value = if key.scalar_type == "N" { "0" } else { "" };
        (key.name.clone(), key.value(value))
    };
    schema.keys.all().map(member).collect::<Map<_, _>>().into()
}

/// Answers the page that creates an item, and its form.
pub(crate) fn create(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let query = request.query();
    let schema = match Schema::or_answer(context, query.get("table")) {
        Ok(schema) => schema,
        Err(answer) => return answer,
    };
    let model = model(context, schema.clone(), query.get("from"));
    if !request.is_post {
        let format = Format::of(query.get("format"));
        return page(context, &schema, query.get("from"), format, &format.write(&model), None);
    }
    let form = request.form();
    let (format, text) = (Format::of(form.get("format")), form.get("item"));
    let again = |error: Failure| page(context, &schema, query.get("from"), format, text, Some(error));
    let item = match format.read(text, &model) {
        Ok(item) => item,
        Err(error) => return again(Failure::text(format!("This is not an item: {error}"))),
    };
    let place = schema.key_of(&item).map(|key| Place { schema: schema.clone(), key });
    match (put_if_absent(context, &schema, &item), place) {
        (Ok(_), Some(place)) => Answer::SeeOther(place.link(context, &[("done", "created")])),
        (Ok(_), None) => Answer::SeeOther(context.link("items", &[("table", &schema.table)])),
        (Err(error), place) if error.code == "ConditionalCheckFailedException" => {
            let text = "There is an item with this key already. It was not overwritten.".to_owned();
            again(Failure { text, existing: place.map(|place| place.link(context, &[])) })
        }
        (Err(error), _) => again(Failure::text(error.to_string())),
    }
}

/// Returns the item that a new one begins with: the one with a key, or else a skeleton with this key.
fn model(context: &Context<'_>, schema: Schema, from: &str) -> Value {
    let skeleton = skeleton(&schema);
    let Ok(key @ Value::Object(_)) = serde_json::from_str(from) else { return skeleton };
    let place = Place { schema, key };
    match place.read(context) {
        Ok(Some(item)) => item,
        Ok(None) => place.key,
        Err(_) => skeleton,
    }
}

/// Why an item was not created.
struct Failure {
    text: String,
    /// The address of the item that is in the way.
    existing: Option<String>,
}

impl Failure {
    fn text(text: String) -> Self {
        Self { text, existing: None }
    }
}

fn page(
    context: &Context<'_>,
    schema: &Schema,
    from: &str,
    format: Format,
    text: &str,
    failure: Option<Failure>,
) -> Answer {
    let link = |format: Format| {
        context.link("new-item", &[("table", &schema.table), ("from", from), ("format", format.name())])
    };
    let fields = html! {
        input type="hidden" name="format" value=(format.name());
        label { span { "The item as " (format.title()) } (text_area(text)) }
        p.ways {
            button.main { "Create the item" }
            a href=(context.link("items", &[("table", &schema.table)])) { "Discard" }
        }
    };
    let content = html! {
        h1 { (schema.table) ": new item" }
        (table::ways(context, schema))
        @if let Some(failure) = &failure {
            p.notice.bad role="alert" {
                (failure.text)
                @if let Some(existing) = &failure.existing { " " a href=(existing) { "Show it" } }
            }
        }
        (format_choice(format, link))
        (layout::form(context, "new-item", &[("table", &schema.table), ("from", from)], fields))
        (format_hint(format))
    };
    let status = if failure.is_some() { 400 } else { 200 };
    Answer::page_with(status, context, Section::Table(&schema.table), content)
}
