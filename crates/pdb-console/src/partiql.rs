//! The page that executes PartiQL statements.
//!
//! A statement may write, so the form is sent by POST with the token. An address can carry a statement, which is then filled in but
//! not executed.

use maud::{Markup, html};
use pdb_model::{AttributeValue, Item};
use serde_json::{Value, json};

use crate::copy_as::copy_as;
use crate::items::item_table;
use crate::layout::{self, Section};
use crate::pretty_json::pretty_json;
use crate::request::Parameters;
use crate::schema::{KeyAttribute, Schema, elements};
use crate::shown::plural;
use crate::{Answer, Context, Request, call};

/// The longest answer that is shown as JSON, in bytes.
const MAX_JSON: usize = 64 * 1024;
/// The number of items on a page, if none is given.
const DEFAULT_LIMIT: &str = "50";

/// What the form has.
struct Typed {
    statement: String,
    /// The values of `?`, as a JSON array.
    parameters: String,
    limit: String,
}

pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let (query, form) = (request.query(), request.form());
    let given = if request.is_post { &form } else { &query };
    let typed = Typed::of(given);
    let input = typed.input(form.get("next"));
    let answered = request.is_post.then(|| {
        let input = input.as_ref().map_err(Clone::clone)?;
        let mut call = input.clone();
        call["ReturnConsumedCapacity"] = "TOTAL".into();
        call::dynamodb(context.wire(), "ExecuteStatement", &call).map_err(|error| error.to_string())
    });
    let content = html! {
        h1 { "PartiQL" }
        (statement_form(context, &typed))
        @match &answered {
            None => (examples(context, query.get("table"))),
            Some(Err(error)) => p.notice.bad role="alert" { (error) },
            Some(Ok(answer)) => (results(context, &typed, answer)),
        }
        @if let (true, Ok(input)) = (!typed.statement.is_empty(), &input) { (copy_as(context, "copy", "ExecuteStatement", input)) }
    };
    let status = if matches!(answered, Some(Err(_))) { 400 } else { 200 };
    Answer::page_with(status, context, Section::PartiQl, content)
}

impl Typed {
    fn of(given: &Parameters<'_>) -> Self {
        Self {
            // A browser sends lines with CRLF.
            statement: given.get("statement").replace("\r\n", "\n").trim().to_owned(),
            parameters: given.get("parameters").to_owned(),
            limit: given.find("limit").unwrap_or(DEFAULT_LIMIT).trim().to_owned(),
        }
    }

    /// Returns the input of the call.
    fn input(&self, next: &str) -> Result<Value, String> {
        let mut input = json!({ "Statement": self.statement });
        if !self.parameters.trim().is_empty() {
            input["Parameters"] = parameters(&self.parameters)?;
        }
        match self.limit.parse::<u32>() {
            Ok(limit @ 1..=1000) => input["Limit"] = limit.into(),
            _ => return Err("The number of items on a page is between 1 and 1000.".to_owned()),
        }
        if !next.is_empty() {
            input["NextToken"] = next.into();
        }
        Ok(input)
    }
}

/// Reads the values of `?`: an array of plain JSON or DynamoDB JSON.
fn parameters(json: &str) -> Result<Value, String> {
    let failed = |text: String| format!("The parameters: {text}");
    let given: Value = serde_json::from_str(json).map_err(|error| failed(format!("not JSON: {error}")))?;
    let item = match Item::from_json(&json!({ "list": { "L": given } }).to_string()).ok() {
        Some(item) if elements_of(&item) > 0 => item,
        _ => {
            let value = AttributeValue::from_plain_json(json).map_err(|error| failed(error.to_string()))?;
            [("list".to_owned(), value)].into_iter().collect()
        }
    };
    let mut typed: Value =
        serde_json::from_str(&item.to_string()).map_err(|error| failed(error.to_string()))?;
    match typed["list"]["L"].take() {
        list @ Value::Array(_) => Ok(list),
        _ => Err(failed("write a JSON array, with a value for each ? of the statement".to_owned())),
    }
}

fn elements_of(item: &Item) -> usize {
    match item.get("list") {
        Some(AttributeValue::L(list)) => list.len(),
        _ => 0,
    }
}

fn statement_form(context: &Context<'_>, typed: &Typed) -> Markup {
    let fields = html! {
        label { "Statement" textarea.short name="statement" rows="5" spellcheck="false" autocapitalize="off" required { (typed.statement) } }
        div.fields {
            label.wide {
                "Parameters for ? (JSON array, plain or DynamoDB JSON)"
                input name="parameters" value=(typed.parameters) placeholder="[\"o1\", 42]" spellcheck="false" autocapitalize="off";
            }
            label { "Items on a page" input type="number" name="limit" min="1" max="1000" value=(typed.limit); }
            button.main { "Execute" }
        }
    };
    layout::form(context, "partiql", &[], fields)
}

fn results(context: &Context<'_>, typed: &Typed, answer: &Value) -> Markup {
    let items: Vec<&Value> = elements(&answer["Items"]).collect();
    let units = answer["ConsumedCapacity"]["CapacityUnits"].as_f64();
    let mut json = pretty_json(&answer["Items"].to_string());
    if json.len() > MAX_JSON {
        let end = (0..=MAX_JSON).rev().find(|end| json.is_char_boundary(*end)).unwrap_or(0);
        json.truncate(end);
        json.push('…');
    }
    let address =
        [("statement", &*typed.statement), ("parameters", &*typed.parameters), ("limit", &*typed.limit)];
    html! {
        p role="status" {
            strong { "Done: " (plural(items.len() as u64, "item")) }
            @if let Some(units) = units { span.hint { " · " (units) " capacity units" } }
            " · " a href=(context.link("partiql", &address)) { "Link to this statement" }
        }
        @if items.is_empty() {
            p.empty { "The statement returned nothing, as INSERT, UPDATE and DELETE do unless they say RETURNING." }
        } @else {
            (item_table(context, None, None, &items))
            details { summary { "DynamoDB JSON" } pre tabindex="0" { (json) } }
        }
        @if let Some(next) = answer["NextToken"].as_str() { (next_page(context, typed, next)) }
    }
}

fn next_page(context: &Context<'_>, typed: &Typed, next: &str) -> Markup {
    let fields = html! {
        @for (name, value) in [("statement", &*typed.statement), ("parameters", &*typed.parameters), ("limit", &*typed.limit), ("next", next)] {
            input type="hidden" name=(name) value=(value);
        }
        p { button { "Next page" } }
    };
    layout::form(context, "partiql", &[], fields)
}

/// Teaches statements on a table that exists.
fn examples(context: &Context<'_>, table: &str) -> Markup {
    let names = layout::table_names(context);
    let table = if table.is_empty() { names.first().map_or("orders", String::as_str) } else { table };
    let keys = Schema::describe(context, table).map(|schema| schema.keys).unwrap_or_default();
    let is = |key: &KeyAttribute| {
        format!("{} = {}", quoted(&key.name), if key.scalar_type == "N" { "42" } else { "'a'" })
    };
    let partition = keys.partition.first().map_or_else(|| "\"id\" = 'a'".to_owned(), is);
    let all: Vec<_> = keys.all().map(is).collect();
    let item = if all.is_empty() { partition.clone() } else { all.join(" AND ") };
    let table = quoted(table);
    let statements = [
        format!("SELECT * FROM {table}"),
        format!("SELECT * FROM {table} WHERE {partition}"),
        format!("SELECT * FROM {table} WHERE contains(\"note\", ?)"),
        format!("UPDATE {table} SET \"note\" = 'checked' WHERE {item} RETURNING ALL NEW *"),
        format!("DELETE FROM {table} WHERE {item}"),
    ];
    html! {
        div.empty {
            p { "Examples. A link fills in its statement, and nothing runs until you press Execute." }
            ul { @for statement in &statements {
                li { a href=(context.link("partiql", &[("statement", statement)])) { code { (statement) } } }
            } }
        }
    }
}

/// Returns a name in double quotes, as PartiQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
