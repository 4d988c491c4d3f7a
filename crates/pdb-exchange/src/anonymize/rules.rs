//! The file of rules.

use pdb_model::AttributeValue;
use serde::Deserialize;

use super::hash::Hasher;
use super::{Action, Rule, Rules, RulesError};

/// A shorter key could be found by trying.
const MIN_KEY_BYTES: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    key: Option<String>,
    key_variable: Option<String>,
    #[serde(default)]
    rule: Vec<RuleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    table: Option<String>,
    path: String,
    replace: Option<toml::Value>,
    #[serde(default)]
    hash: bool,
    #[serde(default)]
    drop: bool,
}

pub(super) fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Rules, RulesError> {
    let file: RulesFile = toml::from_str(text).map_err(|error| RulesError(explained(text, &error)))?;
    let key = match (file.key, file.key_variable) {
        (Some(_), Some(_)) => return Err(RulesError("give either `key` or `key_variable`".to_owned())),
        (Some(key), None) => Some(key),
        (None, Some(name)) => {
            let key = variable(&name);
            Some(key.ok_or_else(|| {
                RulesError(format!("the environment variable `{name}` of `key_variable` is not set"))
            })?)
        }
        (None, None) => None,
    };
    if key.as_ref().is_some_and(|key| key.len() < MIN_KEY_BYTES) {
        return Err(RulesError(format!(
            "the key has less than {MIN_KEY_BYTES} bytes: a person who guesses it can find the values"
        )));
    }
    if file.rule.is_empty() {
        return Err(RulesError("there are no rules: write each as `[[rule]]` with a `path`".to_owned()));
    }
    let rules = file.rule.into_iter().enumerate().map(|(at, entry)| {
        let (number, path) = (at + 1, entry.path.clone());
        read(number, entry).map_err(|reason| RulesError(format!("rule {number} (`{path}`): {reason}")))
    });
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    if let Some(rule) =
        rules.iter().find(|rule| matches!(rule.action, Action::Hash)).filter(|_| key.is_none())
    {
        return Err(RulesError(format!(
            "rule {} (`{}`) hashes, and there is no key: set `key`, or `key_variable` to the name of an environment variable",
            rule.number, rule.path
        )));
    }
    Ok(Rules { rules, hasher: key.map(|key| Hasher::new(key.as_bytes())) })
}

fn read(number: usize, entry: RuleEntry) -> Result<Rule, String> {
    let action = match (entry.replace, entry.hash, entry.drop) {
        (Some(value), false, false) => Action::Replace(replacement(value)?),
        (None, true, false) => Action::Hash,
        (None, false, true) => Action::Drop,
        _ => return Err("give one of `replace = ...`, `hash = true` and `drop = true`".to_owned()),
    };
    Ok(Rule { number, table: entry.table, path: entry.path.parse()?, action, matched: 0 })
}

/// Converts a value: a text, number, boolean, list or map.
fn replacement(value: toml::Value) -> Result<AttributeValue, String> {
    let number = |text: String| {
        text.parse().map(AttributeValue::N).map_err(|error: pdb_model::NumberError| error.to_string())
    };
    match value {
        toml::Value::String(text) => Ok(text.into()),
        toml::Value::Integer(integer) => number(integer.to_string()),
        toml::Value::Float(float) if float.is_finite() => number(float.to_string()),
        toml::Value::Float(_) => Err("DynamoDB cannot store this number".to_owned()),
        toml::Value::Boolean(value) => Ok(AttributeValue::Bool(value)),
        toml::Value::Datetime(time) => Ok(time.to_string().into()),
        toml::Value::Array(values) => {
            values.into_iter().map(replacement).collect::<Result<_, _>>().map(AttributeValue::L)
        }
        toml::Value::Table(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name, replacement(value)?)));
            let members: Vec<_> = members.collect::<Result<_, String>>()?;
            Ok(AttributeValue::M(members.into_iter().collect()))
        }
    }
}

/// Returns the error of the parser on one line, with the line in the file.
fn explained(text: &str, error: &toml::de::Error) -> String {
    let reason = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            format!("line {}: {reason}", before.matches('\n').count() + 1)
        }
        None => reason,
    }
}
