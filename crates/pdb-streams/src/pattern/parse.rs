//! Reads the JSON text of an event pattern.

use super::{Comparison, Fields, Node, PatternError, Relation, Test, fold};
use serde_json::{Map, Value};

pub(super) fn pattern(text: &str) -> Result<Fields, PatternError> {
    // Duplicate keys: the last one wins, in serde_json as at AWS.
    let value: Value = serde_json::from_str(text).map_err(|_| invalid("pattern", "is not JSON"))?;
    match value {
        Value::Object(members) => fields(&members, "pattern"),
        _ => Err(invalid("pattern", "must be an object")),
    }
}

fn invalid(path: &str, what: &str) -> PatternError {
    PatternError::Pattern(format!("`{path}` {what}"))
}

fn fields(members: &Map<String, Value>, path: &str) -> Result<Fields, PatternError> {
    let mut parsed = Fields { members: Vec::new(), alternatives: Vec::new() };
    for (name, value) in members {
        let path = format!("{path}.{name}");
        if name == "$or" {
            parsed.alternatives.push(alternatives(value, &path)?);
        } else {
            parsed.members.push((name.clone(), node(value, &path)?));
        }
    }
    Ok(parsed)
}

fn alternatives(value: &Value, path: &str) -> Result<Vec<Fields>, PatternError> {
    match value {
        Value::Array(elements) if elements.len() >= 2 => elements
            .iter()
            .map(|element| match element {
                Value::Object(members) if !members.is_empty() => fields(members, path),
                _ => Err(invalid(path, "must hold objects")),
            })
            .collect(),
        _ => Err(invalid(path, "must be an array of two objects or more")),
    }
}

fn node(value: &Value, path: &str) -> Result<Node, PatternError> {
    match value {
        Value::Object(members) if members.is_empty() => Err(invalid(path, "must not be an empty object")),
        Value::Object(members) => Ok(Node::Fields(fields(members, path)?)),
        Value::Array(elements) if elements.is_empty() => Err(invalid(path, "must not be an empty array")),
        Value::Array(elements) => {
            elements.iter().map(|element| test(element, path)).collect::<Result<_, _>>().map(Node::Leaf)
        }
        _ => Err(invalid(path, "must be an object or an array")),
    }
}

fn test(element: &Value, path: &str) -> Result<Test, PatternError> {
    match element {
        Value::Object(operator) => {
            let (name, argument) = single(operator, path)?;
            match name {
                "exists" => match argument {
                    Value::Bool(expected) => Ok(Test::Exists(*expected)),
                    _ => Err(invalid(path, "needs true or false for `exists`")),
                },
                "anything-but" => anything_but(argument, path).map(Test::AnythingBut),
                _ => comparison(name, argument, path).map(Test::Is),
            }
        }
        Value::Array(_) => Err(invalid(path, "must not hold an array in an array")),
        scalar => Ok(Test::Is(Comparison::Equals(scalar.clone()))),
    }
}

fn single<'v>(operator: &'v Map<String, Value>, path: &str) -> Result<(&'v str, &'v Value), PatternError> {
    let mut members = operator.iter();
    match (members.next(), members.next()) {
        (Some((name, argument)), None) => Ok((name, argument)),
        _ => Err(invalid(path, "needs exactly one operator in an object")),
    }
}

fn anything_but(argument: &Value, path: &str) -> Result<Vec<Comparison>, PatternError> {
    match argument {
        Value::Array(elements) if !elements.is_empty() => {
            elements.iter().map(|element| refused(element, path)).collect()
        }
        Value::Object(operator) => match single(operator, path)? {
            // The alternatives of the inner operator are all refused.
            (name, Value::Array(arguments)) if name != "numeric" && !arguments.is_empty() => {
                arguments.iter().map(|argument| comparison(name, argument, path)).collect()
            }
            (name, argument) => comparison(name, argument, path).map(|comparison| vec![comparison]),
        },
        scalar => refused(scalar, path).map(|comparison| vec![comparison]),
    }
}

fn refused(value: &Value, path: &str) -> Result<Comparison, PatternError> {
    match value {
        Value::String(_) | Value::Number(_) => Ok(Comparison::Equals(value.clone())),
        _ => Err(invalid(path, "needs strings or numbers for `anything-but`")),
    }
}

fn comparison(name: &str, argument: &Value, path: &str) -> Result<Comparison, PatternError> {
    let affix = |plain: fn(String) -> Comparison, folded: fn(String) -> Comparison| match argument {
        Value::String(text) => Ok(plain(text.clone())),
        Value::Object(operator) => match single(operator, path)? {
            ("equals-ignore-case", Value::String(text)) => Ok(folded(fold(text))),
            _ => Err(invalid(path, "has an operator that is unknown here")),
        },
        _ => Err(invalid(path, "needs a string")),
    };
    match name {
        "prefix" => affix(Comparison::Prefix, Comparison::PrefixIgnoreCase),
        "suffix" => affix(Comparison::Suffix, Comparison::SuffixIgnoreCase),
        "equals-ignore-case" => match argument {
            Value::String(text) => Ok(Comparison::EqualsIgnoreCase(fold(text))),
            _ => Err(invalid(path, "needs a string")),
        },
        "numeric" => numeric(argument, path),
        _ => Err(invalid(path, "has an unknown operator")),
    }
}

fn numeric(argument: &Value, path: &str) -> Result<Comparison, PatternError> {
    let refuse = || invalid(path, "needs one or two relations for `numeric`, such as [\">\", 0, \"<=\", 5]");
    let Value::Array(elements) = argument else { return Err(refuse()) };
    if !matches!(elements.len(), 2 | 4) {
        return Err(refuse());
    }
    let relations = elements
        .chunks(2)
        .map(|pair| {
            let relation = match pair[0].as_str() {
                Some("=") => Relation::Equal,
                Some("<") => Relation::Less,
                Some("<=") => Relation::LessOrEqual,
                Some(">") => Relation::Greater,
                Some(">=") => Relation::GreaterOrEqual,
                _ => return Err(refuse()),
            };
            pair[1].as_f64().map(|limit| (relation, limit)).ok_or_else(refuse)
        })
        .collect::<Result<_, _>>()?;
    Ok(Comparison::Numeric(relations))
}
