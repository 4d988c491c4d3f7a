//! A command of the AWS CLI (version 2: in version 1, binary values in JSON are not Base64), for a POSIX shell.

use serde_json::Value;

use super::literal::{four_digits, is_invisible};
use super::{Endpoint, Parameter, separated};

pub(super) fn text(endpoint: &Endpoint, operation: &str, parameters: &[(&str, Parameter<'_>)]) -> String {
    let mut lines = vec![
        format!("AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws dynamodb {}", separated(operation, '-')),
        format!("--endpoint-url {} --region {}", quoted(&endpoint.url), quoted(&endpoint.region)),
    ];
    for (name, parameter) in parameters {
        let name = separated(name, '-');
        lines.push(match parameter {
            Parameter::Flag(true) => format!("--{name}"),
            Parameter::Flag(false) => format!("--no-{name}"),
            Parameter::Integer(number) => format!("--{name} {number}"),
            Parameter::Text(text) => option(&name, text),
            Parameter::Attributes(map) | Parameter::Names(map) => {
                option(&name, &json(&Value::Object((*map).clone())))
            }
            Parameter::AttributeList(list) => option(&name, &json(&Value::Array(list.to_vec()))),
        });
    }
    lines.join(" \\\n  ") + "\n"
}

/// Returns an option with its value. A value that begins with `-` would be taken for an option of its own.
fn option(name: &str, value: &str) -> String {
    let separator = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{separator}{}", quoted(value))
}

/// Returns a text as one word for the shell.
fn quoted(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_./:-".contains(c);
    if !text.is_empty() && text.chars().all(is_safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns JSON in which everything is visible.
fn json(value: &Value) -> String {
    let json = value.to_string();
    if !json.contains(is_invisible) {
        return json;
    }
    // Outside of texts, JSON on one line has no such characters.
    let escaped = |c: char| if is_invisible(c) { four_digits(u32::from(c)) } else { c.to_string() };
    json.chars().map(escaped).collect()
}
