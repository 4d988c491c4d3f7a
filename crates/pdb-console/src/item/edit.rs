//! The form that edits an item, and what becomes of it.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::format::Format;
use super::save::{Saved, save as save_edit};
use super::{Place, conflict};
use crate::request::Parameters;
use crate::shown::format_bytes;
use crate::{Answer, Context, layout};

/// The largest form: it carries the item twice, as it was and as it is edited.
pub(super) const MAX_FORM_BYTES: usize = 2_500_000;

/// Returns the form that edits an item, unless it would be too large.
pub(super) fn form(context: &Context<'_>, place: &Place, item: &Value, format: Format) -> Markup {
    let text = format.write(item);
    let size = form_size(item, &text);
    html! {
        (format_choice(format, |format| place.link(context, &[("view", "edit"), ("format", format.name())])))
        @if size <= MAX_FORM_BYTES {
            (filled_form(context, place, item, format, &text, html! { button.main { "Save" } }))
        } @else {
            p.notice {
                "This item is too large to edit here: the form would have " (format_bytes(size as u64)) ". "
                a href=(place.link(context, &[("download", format.name())])) { "Download it" }
                ", edit the file, and write it back with a client."
            }
        }
    }
}

/// Returns the form with a text. What was typed is never left out, however long it is.
pub(super) fn filled_form(
    context: &Context<'_>,
    place: &Place,
    original: &Value,
    format: Format,
    text: &str,
    buttons: Markup,
) -> Markup {
    let content = html! {
        label { span { "The item as " (format.title()) } (text_area(text)) }
        p.ways { (buttons) a href=(place.link(context, &[])) { "Discard" } }
    };
    html! { (save_form(context, place, original, format, content)) (format_hint(format)) }
}

/// Returns the form that saves an item, with the original in a hidden field.
pub(super) fn save_form(
    context: &Context<'_>,
    place: &Place,
    original: &Value,
    format: Format,
    content: Markup,
) -> Markup {
    let key = place.key.to_string();
    let fields = html! {
        input type="hidden" name="original" value=(original);
        input type="hidden" name="format" value=(format.name());
        (content)
    };
    layout::form(context, "item", &[("table", &place.schema.table), ("key", &key)], fields)
}

pub(super) fn text_area(text: &str) -> Markup {
    let lines = text.lines().count().clamp(8, 40) + 1;
    html! { textarea name="item" rows=(lines) spellcheck="false" autocapitalize="off" required { (text) } }
}

/// Links to the forms of both formats.
pub(super) fn format_choice(current: Format, link: impl Fn(Format) -> String) -> Markup {
    html! {
        nav.tabs aria-label="Format" {
            @for format in [Format::Plain, Format::DynamoDb] {
                a href=(link(format)) aria-current=[(format == current).then_some("true")] { "as " (format.title()) }
            }
        }
    }
}

pub(super) fn format_hint(format: Format) -> Markup {
    html! {
        p.hint {
            @match format {
                Format::Plain => "Numbers keep all their digits. Sets and binary values keep their types; to add new ones, use DynamoDB JSON.",
                Format::DynamoDb => "Each value has its type: {\"S\": \"text\"}, {\"N\": \"1.5\"}, {\"SS\": [\"a\", \"b\"]}.",
            }
        }
    }
}

/// Returns the size of a form, whose texts are escaped for HTML.
pub(super) fn form_size(original: &Value, text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' => 6,
        b'&' => 5,
        b'<' | b'>' => 4,
        _ => 1,
    };
    original.to_string().bytes().chain(text.bytes()).map(escaped).sum()
}

/// Saves what the form has, or shows it again with the reason.
pub(super) fn save(context: &Context<'_>, place: &Place, form: &Parameters<'_>) -> Answer {
    let (format, text) = (Format::of(form.get("format")), form.get("item"));
    let original = serde_json::from_str(form.get("original")).unwrap_or_else(|_| json!({}));
    let again = |error: &str| {
        let buttons = html! { button.main { "Save" } };
        let content = html! {
            p.notice.bad role="alert" { (error) }
            (filled_form(context, place, &original, format, text, buttons))
        };
        place.page(context, 400, "edit", None, content)
    };
    let edited = match format.read(text, &original) {
        Ok(edited) => edited,
        Err(error) => return again(&format!("This is not an item: {error}")),
    };
    match save_edit(context, place, &original, &edited) {
        Saved::Written => Answer::SeeOther(place.link(context, &[("done", "saved")])),
        Saved::Unchanged => Answer::SeeOther(place.link(context, &[("done", "unchanged")])),
        Saved::Refused(error) => again(&error),
        Saved::Conflict(current) => {
            let edit = conflict::Edit { original: &original, edited: &edited, format, text };
            place.page(context, 409, "edit", None, conflict::content(context, place, current.as_ref(), &edit))
        }
    }
}
