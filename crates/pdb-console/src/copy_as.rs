//! A call of DynamoDB as a text for other programs: a command of the AWS CLI, and complete programs in Python (boto3), JavaScript
//! (SDK version 3) and Rust (`aws-sdk-dynamodb`).
//!
//! The texts run unchanged, and mean exactly these values, whatever characters they contain.

mod javascript;
mod literal;
mod python;
mod rust;
mod shell;

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::Context;
use crate::shown::format_bytes;

/// The longest call that is shown in four languages, as JSON.
const MAX_INPUT_BYTES: usize = 32 * 1024;

/// Where a text sends its call.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) region: String,
}

/// A parameter of a call, by what its value is.
enum Parameter<'v> {
    /// A map of attribute values in DynamoDB JSON, such as `Item` and `Key`.
    Attributes(&'v Map<String, Value>),
    /// A list of attribute values in DynamoDB JSON.
    AttributeList(&'v [Value]),
    /// A map of texts: `ExpressionAttributeNames`.
    Names(&'v Map<String, Value>),
    Text(&'v str),
    Flag(bool),
    Integer(i64),
}

/// Returns the four texts with their names.
pub(crate) fn texts(endpoint: &Endpoint, operation: &str, input: &Value) -> [(&'static str, String); 4] {
    let parameters = parameters(input);
    [
        ("AWS CLI", shell::text(endpoint, operation, &parameters)),
        ("Python (boto3)", python::text(endpoint, operation, &parameters)),
        ("JavaScript (SDK v3)", javascript::text(endpoint, operation, &parameters)),
        ("Rust (aws-sdk-dynamodb)", rust::text(endpoint, operation, &parameters)),
    ]
}

/// Shows the four texts, closed, with buttons that copy them. Elements get identifiers that begin with `id`.
pub(crate) fn copy_as(context: &Context<'_>, id: &str, operation: &str, input: &Value) -> Markup {
    let size = input.to_string().len();
    if size > MAX_INPUT_BYTES {
        return html! {
            details {
                summary { (operation) " as a program" }
                p.hint { "This call has " (format_bytes(size as u64)) " of JSON, too much to show it in four languages." }
            }
        };
    }
    let endpoint = Endpoint { url: context.endpoint_url(), region: context.region_name() };
    html! {
        details {
            summary { (operation) " as AWS CLI, Python, JavaScript, Rust" }
            @for (index, (language, text)) in texts(&endpoint, operation, input).iter().enumerate() {
                @let id = format!("{id}-{index}");
                h3 { (language) " " button type="button" data-copy={ "#" (id) } aria-label={ "Copy " (operation) " as " (language) } { "copy" } }
                pre id=(id) tabindex="0" { (text) }
            }
        }
    }
}

/// Returns the parameters of a call with their names, that of the table first.
fn parameters(input: &Value) -> Vec<(&str, Parameter<'_>)> {
    let mut parameters: Vec<_> = input
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), Parameter::of(name, value)?)))
        .collect();
    parameters.sort_by_key(|(name, _)| *name != "TableName");
    parameters
}

impl<'v> Parameter<'v> {
    fn of(name: &str, value: &'v Value) -> Option<Self> {
        Some(match value {
            Value::Object(map) if name == "ExpressionAttributeNames" => Self::Names(map),
            Value::Object(map) => Self::Attributes(map),
            Value::Array(list) => Self::AttributeList(list),
            Value::String(text) => Self::Text(text),
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Integer(number.as_i64()?),
            Value::Null => return None,
        })
    }
}

/// Returns a name of AWS in another way of writing: `TableName` is `table_name` with `_`.
fn separated(name: &str, separator: char) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(separator);
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests;
