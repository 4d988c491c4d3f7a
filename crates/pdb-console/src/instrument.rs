//! The test instrument: clock, shards, faults, snapshots, reset.

mod action;
mod clock;
mod faults;
mod said;
mod shards;
mod snapshots;

use maud::{Markup, html};
use serde_json::Value;

use crate::context::Commands;
use crate::layout::{self, Section};
use crate::{Answer, Context, Parameters, Request};
use action::Action;

/// A part of the page. Its name is the fragment of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    Clock,
    Shards,
    Faults,
    Snapshots,
    Reset,
}

impl Area {
    const ALL: [Self; 5] = [Self::Clock, Self::Shards, Self::Faults, Self::Snapshots, Self::Reset];

    fn id(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Shards => "shards",
            Self::Faults => "faults",
            Self::Snapshots => "snapshots",
            Self::Reset => "reset",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Clock => "Clock",
            Self::Shards => "Shards",
            Self::Faults => "Faults",
            Self::Snapshots => "Snapshots",
            Self::Reset => "Reset",
        }
    }
}

/// A form that was refused: what it had in its fields, and why.
struct Refused<'a> {
    area: Area,
    form: Parameters<'a>,
    text: String,
}

/// What all parts of the page are made from.
struct View<'a> {
    context: &'a Context<'a>,
    commands: &'a dyn Commands,
    query: Parameters<'a>,
    tables: Vec<String>,
    refused: Option<Refused<'a>>,
}

/// Shows the page, or carries out what its forms ask for.
pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let Some(commands) = context.commands() else {
        return Answer::page(context, Section::Instrument, without());
    };
    let (query, form) = (request.query(), request.form());
    let mut refused = None;
    if request.is_post {
        let action = Action::named(form.get("action"));
        let carried_out = match action {
            Some(action) => action.carry_out(context, commands, &form),
            None => Err("the form asks for something that this page does not know".to_owned()),
        };
        let area = action.map_or(Area::Clock, Action::area);
        match carried_out {
            Ok(said) => return Answer::SeeOther(address(context, &query, Some(&said), area)),
            Err(text) => refused = Some(Refused { area, form, text }),
        }
    }
    let status = if refused.is_some() { 400 } else { 200 };
    let view = View { context, commands, query, tables: layout::table_names(context), refused };
    Answer::page_with(status, context, Section::Instrument, view.page())
}

/// Returns the address of a part of the page, with the choices that the present one has.
fn address(context: &Context<'_>, query: &Parameters<'_>, said: Option<&str>, area: Area) -> String {
    let kept = ["table", "log"].into_iter().filter_map(|name| Some((name, query.find(name)?)));
    let parameters: Vec<(&str, &str)> = kept.chain(said.map(|said| ("said", said))).collect();
    format!("{}#{}", context.link("instrument", &parameters), area.id())
}

fn without() -> Markup {
    html! {
        h1 { "Instrument" }
        div.empty {
            p { "Here you move the clock, rotate and split shards, trim streams, inject faults, and save, restore and reset the database. \
                 This server was started without its control API. Start it with:" }
            pre { "pretender serve --control" }
            p { "It is meant for tests: with it, any program that can reach the port can change all of this. Pages of other sites cannot." }
        }
    }
}

impl View<'_> {
    fn page(&self) -> Markup {
        html! {
            h1 { "Instrument" }
            ul.jump aria-label="On this page" {
                @for area in Area::ALL { li { a href={ "#" (area.id()) } { (area.title()) } } }
            }
            (self.section(Area::Clock, self.clock()))
            (self.section(Area::Shards, self.shards()))
            (self.section(Area::Faults, self.faults()))
            (self.section(Area::Snapshots, self.snapshots()))
            (self.section(Area::Reset, self.reset()))
        }
    }

    fn section(&self, area: Area, content: Markup) -> Markup {
        let refused = self.refused.as_ref().filter(|refused| refused.area == area);
        let said =
            said::text(self.query.get("said")).filter(|said| said.area == area && self.refused.is_none());
        html! {
            section.area id=(area.id()) aria-labelledby={ (area.id()) "-title" } {
                h2 id={ (area.id()) "-title" } { (area.title()) }
                @if let Some(refused) = refused { p.notice.bad role="alert" { (refused.text) } }
                @if let Some(said) = said { p.notice.good role="status" { (said.text) } }
                (content)
            }
        }
    }

    /// Returns a form for an action.
    fn form(&self, action: Action, fields: Markup) -> Markup {
        let to = address(self.context, &self.query, None, action.area());
        let fields = html! {
            input type="hidden" name="action" value=(action.name());
            (fields)
        };
        layout::form_to(self.context, &to, fields)
    }

    /// Returns what a field had in a form for an action that was refused, so that nobody types it twice.
    fn entered(&self, action: Action, field: &str) -> &str {
        let refused = self.refused.as_ref().filter(|refused| refused.form.get("action") == action.name());
        refused.map(|refused| refused.form.get(field)).unwrap_or_default()
    }

    /// Executes a command that only shows something.
    fn show(&self, command: &str, body: Option<&Value>) -> Result<Value, String> {
        self.commands.execute(command, body).map_err(|error| error.0)
    }
}

/// Returns the box that has to be ticked before something is destroyed. The server checks that it was.
fn confirmation(text: &str) -> Markup {
    html! { label.check { input type="checkbox" name=(Action::CONFIRMATION) value="yes" required; span { "Yes, " (text) } } }
}

/// Returns a choice of one of the tables, or of none of them.
fn table_choice(tables: &[String], chosen: &str, none: &str) -> Markup {
    html! {
        select name="table" {
            option value="" selected[chosen.is_empty()] { (none) }
            @for table in tables { option value=(table) selected[table == chosen] { (table) } }
            @if !chosen.is_empty() && !tables.iter().any(|table| table == chosen) { option value=(chosen) selected { (chosen) } }
        }
    }
}

/// Returns the elements of a list in an answer.
fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns a value of an answer for people; empty if it is absent.
fn value(answer: &Value, name: &str) -> String {
    match answer.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
