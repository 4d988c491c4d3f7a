//! What all pages share: head, navigation, forms.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use crate::shown::format_time;
use crate::{Context, Request, call};

/// Which part of the console a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section<'a> {
    Overview,
    /// A table, by its name.
    Table(&'a str),
    /// A stream of a table, by the table's name.
    Stream(&'a str),
    Instrument,
    Triggers,
    PartiQl,
    /// Any other page, with its title.
    Other(&'a str),
}

impl Section<'_> {
    fn title(self) -> String {
        match self {
            Self::Overview => "Overview".to_owned(),
            Self::Table(name) => name.to_owned(),
            Self::Stream(name) => format!("{name}: stream"),
            Self::Instrument => "Instrument".to_owned(),
            Self::Triggers => "Triggers".to_owned(),
            Self::PartiQl => "PartiQL".to_owned(),
            Self::Other(title) => title.to_owned(),
        }
    }

    fn table(self) -> Option<String> {
        match self {
            Self::Table(name) | Self::Stream(name) => Some(name.to_owned()),
            _ => None,
        }
    }
}

/// Returns a whole page.
pub(crate) fn page(context: &Context<'_>, section: Section<'_>, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (section.title()) " - pretender" }
                link rel="icon" type="image/svg+xml" href="console.svg";
                link rel="stylesheet" href="console.css";
                script src="console.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    a.brand href=(context.link("", &[])) { "pretender" }
                    span.location { (context.database().unwrap_or(context.location())) }
                    (clock(context))
                }
                div.columns {
                    (navigation(context, section))
                    main #content tabindex="-1" { (content) }
                }
            }
        }
    }
}

/// Shows the time of the database, and whether it stands.
fn clock(context: &Context<'_>) -> Markup {
    let now = context.pretender().env().clock.now();
    let state = context.commands().and_then(|commands| commands.execute("clock", None).ok());
    let state = state.unwrap_or_default();
    let speed = state.get("speed").and_then(Value::as_f64).unwrap_or(1.0);
    let is_held = state.get("held").and_then(Value::as_bool).unwrap_or(false);
    html! {
        span.clock {
            "clock "
            time datetime=(format_time(now)) data-clock=(now.0) data-speed=(if is_held { 0.0 } else { speed }) { (format_time(now)) }
            @if is_held { " (held)" } @else if (speed - 1.0).abs() > f64::EPSILON { " (" (speed) "×)" }
        }
    }
}

fn navigation(context: &Context<'_>, section: Section<'_>) -> Markup {
    let entry = |page: &str, name: &str, is_current: bool| {
        html! { li { a href=(context.link(page, &[])) aria-current=[is_current.then_some("page")] { (name) } } }
    };
    let tables = table_names(context);
    html! {
        nav aria-label="Console" {
            ul {
                (entry("", "Overview", section == Section::Overview))
                (entry("partiql", "PartiQL", section == Section::PartiQl))
                (entry("instrument", "Instrument", section == Section::Instrument))
                (entry("triggers", "Triggers", section == Section::Triggers))
            }
            h2 { "Tables" }
            @if tables.is_empty() { p.hint { "none" } }
            ul.tables {
                @for name in &tables {
                    li {
                        a href=(context.link("table", &[("name", name)]))
                            aria-current=[(section.table().as_deref() == Some(name)).then_some("true")] { (name) }
                    }
                }
            }
        }
    }
}

/// The most tables that pages list.
pub(crate) const MAX_TABLES: usize = 500;

/// Returns the names of the tables, in order.
pub(crate) fn table_names(context: &Context<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut input = serde_json::json!({});
    while names.len() < MAX_TABLES {
        let Ok(page) = call::dynamodb(context.wire(), "ListTables", &input) else { break };
        let listed = page.get("TableNames").and_then(Value::as_array).into_iter().flatten();
        names.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        match page.get("LastEvaluatedTableName") {
            Some(last) => input = serde_json::json!({ "ExclusiveStartTableName": last }),
            None => break,
        }
    }
    names
}

/// Returns a part of a page that its script keeps up to date, see [`Request::wants_part`].
pub(crate) fn refreshed(part: Markup) -> Markup {
    html! {
        p.hint #live-hint { "Load the page again to see what has changed." }
        div #refreshed { (part) }
        script src="refresh.js" defer {}
    }
}

/// Returns a form that changes something: it is sent to a page, with the token.
pub(crate) fn form(context: &Context<'_>, page: &str, parameters: &[(&str, &str)], fields: Markup) -> Markup {
    form_to(context, &context.link(page, parameters), fields)
}

/// Returns a form that changes something: it is sent to an address, which may name a part of a page, with the token.
pub(crate) fn form_to(context: &Context<'_>, address: &str, fields: Markup) -> Markup {
    html! {
        form method="post" action=(address) {
            input type="hidden" name=(Request::TOKEN) value=(context.form_token());
            (fields)
        }
    }
}
