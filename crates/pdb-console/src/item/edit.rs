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
const MAX_FORM_BYTES: usize = 2_500_000;

/// Returns the form that edits an item.
pub(super) fn form(context: &Context<'_>, place: &Place, item: &Value, format: Format) -> Markup {
    html! {
        (format_choice(format, |format| place.link(context, &[("view", "edit"), ("format", format.name())])))
        (filled_form(context, place, item, format, &format.write(item), html! { button.main { "Save" } }))
    }
}

/// Returns the form with a text that was typed before.
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
    html! {
        @match save_form(context, place, original, format, content) {
            Ok(form) => { (form) (format_hint(format)) }
            Err(size) => p.notice {
                "This item is too large to edit here: the form would have " (format_bytes(size as u64)) ". "
                a href=(place.link(context, &[("download", format.name())])) { "Download it" }
                ", edit the file, and write it back with a client."
            }
        }
    }
}

/// Returns the form that saves an item, with the original in a hidden field.
///
/// # Errors
///
/// The size of the form, if it is too large.
pub(super) fn save_form(
    context: &Context<'_>,
    place: &Place,
    original: &Value,
    format: Format,
    content: Markup,
) -> Result<Markup, usize> {
    let original = original.to_string();
    let size = escaped_len(&original) + content.0.len();
    if size > MAX_FORM_BYTES {
        return Err(size);
    }
    let key = place.key.to_string();
    let fields = html! {
        input type="hidden" name="original" value=(original);
        input type="hidden" name="format" value=(format.name());
        (content)
    };
    Ok(layout::form(context, "item", &[("table", &place.schema.table), ("key", &key)], fields))
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

/// Returns how long a text is after it was escaped for HTML.
fn escaped_len(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' => 6,
        b'&' => 5,
        b'<' | b'>' => 4,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
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
