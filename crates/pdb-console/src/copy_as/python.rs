//! A program in Python that uses boto3's client.

use serde_json::{Map, Value};

use super::literal::{Literal, four_digits, quoted};
use super::{Endpoint, Parameter, separated};
use crate::schema::{elements, text as text_of};
use crate::values::typed;

pub(super) fn text(endpoint: &Endpoint, operation: &str, parameters: &[(&str, Parameter<'_>)]) -> String {
    let arguments = parameters.iter().map(|(name, parameter)| (format!("{name}="), literal(parameter)));
    let call =
        Literal::group(format!("answer = dynamodb.{}(", separated(operation, '_')), arguments, ")").text(0);
    let import = if call.contains("base64.b64decode(") { "import base64\n\n" } else { "" };
    format!(
        "{import}import boto3\n\n\
         dynamodb = boto3.client(\n    \"dynamodb\", endpoint_url={url}, region_name={region},\n    \
         aws_access_key_id=\"any\", aws_secret_access_key=\"any\",\n)\n{call}\nprint(answer)\n",
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
        Parameter::Names(map) => dictionary(map, |name| atom(text_of(name))),
        Parameter::Text(text) => atom(text),
        Parameter::Flag(flag) => boolean(*flag),
        Parameter::Integer(number) => Literal::Atom(number.to_string()),
    }
}

fn boolean(flag: bool) -> Literal {
    Literal::Atom(if flag { "True" } else { "False" }.to_owned())
}

fn attributes(map: &Map<String, Value>) -> Literal {
    dictionary(map, attribute)
}

fn dictionary(map: &Map<String, Value>, literal: fn(&Value) -> Literal) -> Literal {
    Literal::group("{", map.iter().map(|(name, value)| (format!("{}: ", string(name)), literal(value))), "}")
}

fn attribute(value: &Value) -> Literal {
    let (name, inner) = typed(value);
    let inner = match (name, inner) {
        ("B", inner) => binary(inner),
        ("BS", inner) => Literal::list("[", elements(inner).map(binary), "]"),
        ("L", inner) => Literal::list("[", elements(inner).map(attribute), "]"),
        (_, Value::Object(map)) => attributes(map),
        (_, Value::Array(set)) => Literal::list("[", set.iter().map(|element| atom(text_of(element))), "]"),
        (_, Value::Bool(flag)) => boolean(*flag),
        (_, inner) => atom(text_of(inner)),
    };
    Literal::group("{", [(format!("{}: ", string(name)), inner)], "}")
}

fn binary(base64: &Value) -> Literal {
    Literal::Atom(format!("base64.b64decode({})", string(text_of(base64))))
}
