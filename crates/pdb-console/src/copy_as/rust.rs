//! A program in Rust that uses `aws-sdk-dynamodb` and `tokio`.

use std::fmt::Write as _;

use pdb_model::{AttributeValue, Item};
use serde_json::{Map, Value, json};

use super::literal::{Literal, quoted};
use super::{Endpoint, Parameter, separated};
use crate::schema::{elements, text as text_of};
use crate::values::typed;

pub(super) fn text(endpoint: &Endpoint, operation: &str, parameters: &[(&str, Parameter<'_>)]) -> String {
    let mut call = format!("    let answer = client\n        .{}()\n", separated(operation, '_'));
    for (name, parameter) in parameters {
        write_calls(&separated(name, '_'), parameter, &mut call);
    }
    let url = string(&endpoint.url);
    let region = string(&endpoint.region);
    let blob = if call.contains("Blob::new(") { "use aws_sdk_dynamodb::primitives::Blob;\n" } else { "" };
    let value =
        if call.contains("AttributeValue::") { "use aws_sdk_dynamodb::types::AttributeValue;\n" } else { "" };
    let map = if call.contains("HashMap::from(") { "use std::collections::HashMap;\n\n" } else { "" };
    format!(
        "{map}use aws_sdk_dynamodb::config::{{BehaviorVersion, Credentials, Region}};\n{blob}{value}\
         use aws_sdk_dynamodb::{{Client, Config}};\n\n\
         #[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
         let config = Config::builder()\n        .behavior_version(BehaviorVersion::latest())\n        \
         .endpoint_url({url})\n        .region(Region::new({region}))\n        \
         .credentials_provider(Credentials::new(\"any\", \"any\", None, None, \"local\"))\n        .build();\n    \
         let client = Client::from_conf(config);\n{call}        .send()\n        .await?;\n    \
         println!(\"{{answer:#?}}\");\n    Ok(())\n}}\n"
    )
}

/// Appends the calls of the builder that set a parameter: maps and lists are given member by member.
fn write_calls(name: &str, parameter: &Parameter<'_>, out: &mut String) {
    let mut write = |open: String, members: Vec<Literal>| {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "        {}", Literal::list(open, members, ")").text(8));
    };
    let open = format!(".{name}(");
    match parameter {
        Parameter::Attributes(map) => {
            for (member, value) in *map {
                write(open.clone(), vec![Literal::Atom(string(member)), attribute(value)]);
            }
        }
        Parameter::AttributeList(list) => {
            list.iter().for_each(|value| write(open.clone(), vec![attribute(value)]))
        }
        Parameter::Names(map) => {
            for (member, value) in *map {
                write(
                    open.clone(),
                    vec![Literal::Atom(string(member)), Literal::Atom(string(text_of(value)))],
                );
            }
        }
        Parameter::Text(text) => write(open, vec![Literal::Atom(string(text))]),
        Parameter::Flag(flag) => write(open, vec![Literal::Atom(flag.to_string())]),
        Parameter::Integer(number) => write(open, vec![Literal::Atom(number.to_string())]),
    }
}

fn string(text: &str) -> String {
    quoted(text, |code| format!("\\u{{{code:x}}}"))
}

fn owned(text: &Value) -> Literal {
    Literal::Atom(format!("{}.to_owned()", string(text_of(text))))
}

fn attribute(value: &Value) -> Literal {
    let (name, inner) = typed(value);
    match (name, inner) {
        ("S", inner) => variant("S", owned(inner)),
        ("N", inner) => variant("N", owned(inner)),
        ("B", inner) => variant("B", blob(inner)),
        ("BOOL", inner) => variant("Bool", Literal::Atom((inner == true).to_string())),
        ("SS", inner) => variant("Ss", vector(elements(inner).map(owned))),
        ("NS", inner) => variant("Ns", vector(elements(inner).map(owned))),
        ("BS", inner) => variant("Bs", vector(elements(inner).map(blob))),
        ("L", inner) => variant("L", vector(elements(inner).map(attribute))),
        ("M", Value::Object(map)) => variant("M", hash_map(map)),
        _ => variant("Null", Literal::Atom("true".to_owned())),
    }
}

fn variant(name: &str, inner: Literal) -> Literal {
    Literal::list(format!("AttributeValue::{name}("), [inner], ")")
}

fn vector(members: impl IntoIterator<Item = Literal>) -> Literal {
    Literal::list("vec![", members, "]")
}

fn hash_map(map: &Map<String, Value>) -> Literal {
    let pair = |(name, value): (&String, &Value)| {
        Literal::list("(", [Literal::Atom(format!("{}.to_owned()", string(name))), attribute(value)], ")")
    };
    Literal::list("HashMap::from([", map.iter().map(pair), "])")
}

/// Returns bytes as a literal: `Blob::new(b"\x00a")`.
fn blob(base64: &Value) -> Literal {
    let escaped: String =
        decoded(base64).into_iter().flat_map(std::ascii::escape_default).map(char::from).collect();
    Literal::Atom(format!("Blob::new(b\"{escaped}\")"))
}

fn decoded(base64: &Value) -> Vec<u8> {
    let item = Item::from_json(&json!({ "bytes": { "B": base64 } }).to_string()).ok();
    match item.as_ref().and_then(|item| item.get("bytes")) {
        Some(AttributeValue::B(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}
