//! A program in JavaScript, as a module, that uses version 3 of AWS's SDK.

use serde_json::{Map, Value};

use super::literal::{Literal, four_digits, quoted};
use super::{Endpoint, Parameter};
use crate::schema::{elements, text as text_of};
use crate::values::typed;

pub(super) fn text(endpoint: &Endpoint, operation: &str, parameters: &[(&str, Parameter<'_>)]) -> String {
    let members = parameters.iter().map(|(name, parameter)| (format!("{name}: "), literal(parameter)));
    let call = format!("const answer = await client.send(new {operation}Command(");
    let call = call + &Literal::group("{", members, "}").text(0);
    format!(
        "import {{ DynamoDBClient, {operation}Command }} from \"@aws-sdk/client-dynamodb\";\n\n\
         const client = new DynamoDBClient({{\n    endpoint: {url},\n    region: {region},\n    \
         credentials: {{ accessKeyId: \"any\", secretAccessKey: \"any\" }},\n}});\n{call}));\n\
         console.dir(answer, {{ depth: null }});\n",
        url = string(&endpoint.url),
        region = string(&endpoint.region),
    )
}

fn string(text: &str) -> String {
    quoted(text, four_digits)
}

fn atom(text: &str) -> Literal {
    Literal::Atom(string(text))
}

fn literal(parameter: &Parameter<'_>) -> Literal {
    match parameter {
        Parameter::Attributes(map) => attributes(map),
        Parameter::AttributeList(list) => Literal::list("[", list.iter().map(attribute), "]"),
        Parameter::Names(map) => object(map, |name| atom(text_of(name))),
        Parameter::Text(text) => atom(text),
        Parameter::Flag(flag) => Literal::Atom(flag.to_string()),
        Parameter::Integer(number) => Literal::Atom(number.to_string()),
    }
}

fn attributes(map: &Map<String, Value>) -> Literal {
    object(map, attribute)
}

fn object(map: &Map<String, Value>, literal: fn(&Value) -> Literal) -> Literal {
    Literal::group("{ ", map.iter().map(|(name, value)| (property(name), literal(value))), " }")
}

/// Returns the name of a property. `"__proto__": x` would set the prototype of the object.
fn property(name: &str) -> String {
    if name == "__proto__" { format!("[{}]: ", string(name)) } else { format!("{}: ", string(name)) }
}

fn attribute(value: &Value) -> Literal {
    let (name, inner) = typed(value);
    let inner = match (name, inner) {
        ("B", inner) => binary(inner),
        ("BS", inner) => Literal::list("[", elements(inner).map(binary), "]"),
        ("L", inner) => Literal::list("[", elements(inner).map(attribute), "]"),
        (_, Value::Object(map)) => attributes(map),
        (_, Value::Array(set)) => Literal::list("[", set.iter().map(|element| atom(text_of(element))), "]"),
        (_, Value::Bool(flag)) => Literal::Atom(flag.to_string()),
        (_, inner) => atom(text_of(inner)),
    };
    Literal::group("{ ", [(format!("{name}: "), inner)], " }")
}

fn binary(base64: &Value) -> Literal {
    Literal::Atom(format!("Buffer.from({}, \"base64\")", string(text_of(base64))))
}
