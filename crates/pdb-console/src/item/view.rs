//! The views of an item, and its deletion.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::format::Format;
use super::{Place, edit};
use crate::copy_as::copy_as;
use crate::layout;
use crate::placeholders::Placeholders;
use crate::request::Parameters;
use crate::values::{plain_json, tree};
use crate::{Answer, Context, call};

/// The longest JSON that a page shows, in bytes.
const MAX_SHOWN: usize = 64 * 1024;

/// Returns what the page shows of an item.
pub(super) fn view(context: &Context<'_>, place: &Place, item: &Value, query: &Parameters<'_>) -> Markup {
    match query.get("view") {
        "edit" => edit::form(context, place, item, Format::of(query.get("format"))),
        "code" => code(context, place, item),
        name @ ("plain" | "dynamodb") => json_text(context, place, item, Format::of(name)),
        _ => html! {
            (item_tree(context, place, item))
            p.ways { a href=(duplicate(context, place)) { "Create an item like this" } }
            (delete_form(context, place))
        },
    }
}

fn duplicate(context: &Context<'_>, place: &Place) -> String {
    context.link("new-item", &[("table", &place.schema.table), ("from", &place.key.to_string())])
}

fn item_tree(context: &Context<'_>, place: &Place, item: &Value) -> Markup {
    let (tree, left_out) = tree(item, &place.key);
    html! {
        (tree)
        @if left_out > 0 {
            p.notice {
                (left_out) " more values are not shown. "
                a href=(place.link(context, &[("download", "plain")])) { "Download the whole item" }
            }
        }
    }
}

fn json_text(context: &Context<'_>, place: &Place, item: &Value, format: Format) -> Markup {
    let mut text = format.write(item);
    let is_cut = text.len() > MAX_SHOWN;
    if is_cut {
        let end = (0..=MAX_SHOWN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    html! {
        p.ways {
            @if !is_cut { button type="button" data-copy="#json" { "Copy" } }
            a href=(place.link(context, &[("download", format.name())])) { "Download" }
            a href=(place.link(context, &[("view", "edit"), ("format", format.name())])) { "Edit" }
        }
        @if is_cut { p.notice { "This is only the beginning. The download has the whole item." } }
        pre #json tabindex="0" { (text) }
    }
}

fn code(context: &Context<'_>, place: &Place, item: &Value) -> Markup {
    let key = json!({ "TableName": place.schema.table, "Key": place.key });
    html! {
        (copy_as(context, "get", "GetItem", &key))
        (copy_as(context, "put", "PutItem", &json!({ "TableName": place.schema.table, "Item": item })))
        (copy_as(context, "delete", "DeleteItem", &key))
    }
}

/// Returns the item as a file.
pub(super) fn download(place: &Place, item: &Value, format: &str) -> Answer {
    let format = Format::of(format);
    let text = match format {
        Format::Plain => plain_json(item),
        Format::DynamoDb => item.to_string(),
    };
    Answer::Download {
        file_name: format!("{}-item.{}.json", place.schema.table, format.name()),
        content_type: "application/json",
        bytes: (text + "\n").into_bytes(),
    }
}

fn delete_form(context: &Context<'_>, place: &Place) -> Markup {
    let key = place.key.to_string();
    let fields = html! {
        input type="hidden" name="action" value="delete";
        div.fields {
            label.check { input type="checkbox" name="confirm" value="yes" required; "Yes, delete this item" }
            button.danger { "Delete" }
        }
    };
    html! {
        details {
            summary { "Delete" }
            (layout::form(context, "item", &[("table", &place.schema.table), ("key", &key)], fields))
        }
    }
}

/// Deletes the item, if the form says that this is meant.
pub(super) fn delete(context: &Context<'_>, place: &Place, form: &Parameters<'_>) -> Answer {
    let refused = |status: u16, text: &str| {
        let content = html! { p.notice.bad role="alert" { (text) } (delete_form(context, place)) };
        place.page(context, status, "delete", None, content)
    };
    if form.get("confirm") != "yes" {
        return refused(400, "Nothing was deleted. Tick the box to confirm.");
    }
    let mut placeholders = Placeholders::default();
    let name =
        place.schema.keys.partition.first().map(|key| placeholders.name(&key.name)).unwrap_or_default();
    let mut input = json!({
        "TableName": place.schema.table, "Key": place.key, "ConditionExpression": format!("attribute_exists({name})"),
    });
    placeholders.add_to(&mut input);
    match call::dynamodb(context.wire(), "DeleteItem", &input) {
        Ok(_) => {
            Answer::SeeOther(context.link("items", &[("table", &place.schema.table), ("done", "deleted")]))
        }
        Err(error) if error.code == "ConditionalCheckFailedException" => {
            refused(409, "Nothing was deleted: the item no longer exists.")
        }
        Err(error) => refused(400, &error.to_string()),
    }
}
