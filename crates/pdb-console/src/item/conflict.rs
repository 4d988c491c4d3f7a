//! What a person sees if an item changed while they edited it.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::Place;
use super::edit::{MAX_FORM_BYTES, filled_form, form_size, save_form};
use super::format::Format;
use crate::Context;
use crate::difference::{Change, difference};
use crate::values::{short, tag};

/// The most differences that are shown.
const MAX_CHANGES: usize = 200;
/// The most characters of a value.
const MAX_VALUE: usize = 200;
/// The longest item that is shown beside its differences, in bytes.
const MAX_ITEM: usize = 32 * 1024;

/// An edit that was not saved.
pub(super) struct Edit<'e> {
    /// The item as it was when the edit began.
    pub(super) original: &'e Value,
    pub(super) edited: &'e Value,
    pub(super) format: Format,
    /// The edit, as it was typed.
    pub(super) text: &'e str,
}

/// Returns the page: what changed meanwhile, what the edit would change now, and a form that saves it over the item as it is now. If
/// that changes again, saving it shows the next conflict.
pub(super) fn content(
    context: &Context<'_>,
    place: &Place,
    current: Option<&Value>,
    edit: &Edit<'_>,
) -> Markup {
    let none = json!({});
    let now = current.unwrap_or(&none);
    let existed = edit.original.as_object().is_some_and(|members| !members.is_empty());
    let buttons = html! {
        button.danger { @if current.is_some() { "Overwrite with my version" } @else { "Create the item again" } }
    };
    html! {
        p.notice.bad role="alert" {
            strong {
                @match (current.is_some(), existed) {
                    (true, true) => "The item has changed since you loaded it.",
                    (true, false) => "The item was created while you were editing it.",
                    (false, _) => "The item was deleted while you were editing it.",
                }
            }
            " Nothing was saved. Save your version over it, or discard your version."
        }
        @if current.is_some() {
            h2 { "What changed meanwhile" }
            (changes(&difference(edit.original, now), "As you loaded it", "Now"))
            h2 { "What your version would change" }
            (changes(&difference(now, edit.edited), "Now", "Your version"))
            h2 { "The item now" }
            (item_now(edit.format, now))
        }
        (merged_form(context, place, now, edit))
        h2 { "Your version" }
        (own_form(context, place, now, edit, buttons))
    }
}

/// Returns the form that saves the person's version over the item as it is now.
fn own_form(context: &Context<'_>, place: &Place, now: &Value, edit: &Edit<'_>, buttons: Markup) -> Markup {
    // Plain JSON takes the types of sets and bytes from the item that the form carries. If that has them no longer, the text would
    // mean another item than the one that was typed.
    if edit.format.read(edit.text, now).is_ok_and(|item| difference(&item, edit.edited).is_empty()) {
        return filled_form(context, place, now, edit.format, edit.text, buttons);
    }
    let text = Format::DynamoDb.write(edit.edited);
    filled_form(context, place, now, Format::DynamoDb, &text, buttons)
}

/// Returns a form that saves the changes of both, if they are of different attributes.
fn merged_form(context: &Context<'_>, place: &Place, now: &Value, edit: &Edit<'_>) -> Markup {
    let Some(merged) = merged(edit.original, now, edit.edited) else { return html! {} };
    let text = merged.to_string();
    if form_size(now, &text) > MAX_FORM_BYTES {
        return html! {};
    }
    let content = html! {
        input type="hidden" name="item" value=(text);
        p { "Your changes and the other changes affect different attributes. " button { "Save both" } }
    };
    save_form(context, place, now, Format::DynamoDb, content)
}

/// Returns an item with the changes of both sides, unless both changed an attribute, or one side deleted the item.
fn merged(original: &Value, now: &Value, edited: &Value) -> Option<Value> {
    let (original, now, edited) = (original.as_object()?, now.as_object()?, edited.as_object()?);
    if original.is_empty() || now.is_empty() {
        return None;
    }
    let mut merged = now.clone();
    for name in original.keys().chain(edited.keys()) {
        let (before, after) = (original.get(name), edited.get(name));
        if is_same(before, after) {
            continue;
        }
        if !is_same(before, now.get(name)) {
            return None;
        }
        match after {
            Some(after) => merged.insert(name.clone(), after.clone()),
            None => merged.remove(name),
        };
    }
    Some(merged.into())
}

fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => difference(&json!({ "": one }), &json!({ "": other })).is_empty(),
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn item_now(format: Format, item: &Value) -> Markup {
    let text = format.write(item);
    html! {
        @if text.len() <= MAX_ITEM { pre tabindex="0" { (text) } }
        @else { p.hint { "It is too large to show here." } }
    }
}

fn changes(changes: &[Change], old: &str, new: &str) -> Markup {
    html! {
        @if changes.is_empty() { p.hint { "Nothing." } }
        @else {
            div.scroll { table.changes {
                thead { tr { th scope="col" {} th scope="col" { "Attribute" } th scope="col" { (old) } th scope="col" { (new) } } }
                tbody { @for change in changes.iter().take(MAX_CHANGES) { (change_row(change)) } }
            } }
        }
        @if changes.len() > MAX_CHANGES { p.hint { (changes.len() - MAX_CHANGES) " more differences are not shown." } }
    }
}

fn change_row(change: &Change) -> Markup {
    let (kind, class) = match (&change.old, &change.new) {
        (None, _) => ("added", "insert"),
        (_, None) => ("removed", "remove"),
        _ => ("changed", "modify"),
    };
    html! {
        tr {
            td class=(class) { (kind) }
            th scope="row" { code { (change.path) } }
            @for value in [&change.old, &change.new] {
                td { @if let Some(value) = value { span.value { (short(value, MAX_VALUE)) } " " (tag(value)) } }
            }
        }
    }
}
