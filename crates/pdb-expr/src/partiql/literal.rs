//! Literals and parameters become values.

use std::collections::BTreeSet;

use pdb_model::{AttributeValue, Number};

use super::error::{PartiqlError, Position};
use super::syntax::{RawExpr, RawKind, Span};

/// What literals are converted with.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) text: &'a str,
    pub(super) parameters: &'a [AttributeValue],
}

/// Checks the literals of an expression, before any parameter is looked at.
pub(super) fn check_literals(expression: &RawExpr) -> Result<(), PartiqlError> {
    check(expression).map_err(rooted)
}

/// Fails with a path that begins below `expression`.
fn check(expression: &RawExpr) -> Result<(), PartiqlError> {
    match &expression.kind {
        RawKind::Number(number) => number_literal(number).map(|_| ()),
        RawKind::List(elements) => check_elements(elements),
        RawKind::Bag(members) if members.is_empty() => Err(PartiqlError::EmptyBag),
        RawKind::Bag(members) => check_elements(members),
        RawKind::Tuple(entries) => {
            entries.iter().try_for_each(|(key, value)| check(value).map_err(|e| under(e, || name_step(key))))
        }
        RawKind::And(parts) | RawKind::Or(parts) | RawKind::Call(_, parts) => {
            parts.iter().try_for_each(check_literals)
        }
        RawKind::Binary(_, pair) | RawKind::In(pair) | RawKind::Like(pair) => {
            pair.iter().try_for_each(check_literals)
        }
        RawKind::Between(operands) => operands.iter().try_for_each(check_literals),
        RawKind::Not(inner) | RawKind::Is(inner, _) => check_literals(inner),
        RawKind::Text(_)
        | RawKind::Bool(_)
        | RawKind::Null
        | RawKind::Missing
        | RawKind::Parameter(_)
        | RawKind::Path(..)
        | RawKind::Star => Ok(()),
    }
}

fn check_elements(elements: &[RawExpr]) -> Result<(), PartiqlError> {
    elements
        .iter()
        .enumerate()
        .try_for_each(|(position, element)| check(element).map_err(|e| under(e, || format!("[{position}]"))))
}

fn number_literal(number: &str) -> Result<Number, PartiqlError> {
    number.parse().map_err(|error| PartiqlError::Number { error, path: String::new() })
}

/// Puts a step in front of the path in an error.
fn under(mut error: PartiqlError, step: impl FnOnce() -> String) -> PartiqlError {
    if let PartiqlError::Number { path, .. } | PartiqlError::UnsupportedData { path, .. } = &mut error {
        path.insert_str(0, &step());
    }
    error
}

/// Completes the path in an error that has none yet.
fn rooted(error: PartiqlError) -> PartiqlError {
    let is_complete = match &error {
        PartiqlError::Number { path, .. } | PartiqlError::UnsupportedData { path, .. } => {
            path.starts_with("root")
        }
        _ => true,
    };
    if is_complete { error } else { under(error, || "root".to_owned()) }
}

fn name_step(key: &RawExpr) -> String {
    match &key.kind {
        RawKind::Text(name) => format!(".{name}"),
        _ => ".?".to_owned(),
    }
}

impl Values<'_> {
    pub(super) fn position(&self, Span { start, end }: Span) -> Position {
        Position::of(self.text, start, end)
    }

    /// Returns the value of a literal or a parameter.
    pub(super) fn value(&self, expression: &RawExpr) -> Result<AttributeValue, PartiqlError> {
        self.nested(expression).map_err(rooted)
    }

    /// Returns the entries of a tuple; each is a root of its own.
    pub(super) fn entries(
        &self,
        entries: &[(RawExpr, RawExpr)],
    ) -> Result<Vec<(String, AttributeValue)>, PartiqlError> {
        entries.iter().map(|(key, value)| Ok((self.key(key)?, self.value(value)?))).collect()
    }

    fn key(&self, key: &RawExpr) -> Result<String, PartiqlError> {
        match &key.kind {
            RawKind::Text(name) if name.is_empty() => Err(PartiqlError::EmptyName),
            RawKind::Text(name) => Ok(name.clone()),
            _ => Err(rooted(self.unsupported(key))),
        }
    }

    fn nested(&self, expression: &RawExpr) -> Result<AttributeValue, PartiqlError> {
        Ok(match &expression.kind {
            RawKind::Text(text) => AttributeValue::S(text.clone()),
            RawKind::Number(number) => AttributeValue::N(number_literal(number)?),
            RawKind::Bool(value) => AttributeValue::Bool(*value),
            RawKind::Null => AttributeValue::Null,
            RawKind::Parameter(position) => {
                self.parameters.get(*position).cloned().ok_or(PartiqlError::ParameterCount)?
            }
            RawKind::List(elements) => AttributeValue::L(self.elements(elements)?),
            RawKind::Tuple(entries) => AttributeValue::M(
                entries
                    .iter()
                    .map(|(key, value)| {
                        Ok((self.key(key)?, self.nested(value).map_err(|e| under(e, || name_step(key)))?))
                    })
                    .collect::<Result<_, PartiqlError>>()?,
            ),
            RawKind::Bag(members) => set(self.elements(members)?)?,
            _ => return Err(self.unsupported(expression)),
        })
    }

    fn elements(&self, elements: &[RawExpr]) -> Result<Vec<AttributeValue>, PartiqlError> {
        elements
            .iter()
            .enumerate()
            .map(|(position, element)| self.nested(element).map_err(|e| under(e, || format!("[{position}]"))))
            .collect()
    }

    fn unsupported(&self, expression: &RawExpr) -> PartiqlError {
        let what = match &expression.kind {
            RawKind::Call(name, _) => name.as_str(),
            kind => operation_name(kind),
        };
        PartiqlError::UnsupportedData {
            what: what.to_owned(),
            path: String::new(),
            position: self.position(expression.span),
        }
    }
}

/// Returns the name of a misplaced operation in messages.
pub(super) fn operation_name(kind: &RawKind) -> &'static str {
    match kind {
        RawKind::Text(_) | RawKind::Number(_) | RawKind::Bool(_) | RawKind::Null => "Lit",
        RawKind::Missing => "Missing",
        RawKind::List(_) => "List",
        RawKind::Tuple(_) => "Struct",
        RawKind::Bag(_) => "Bag",
        RawKind::Parameter(_) => "Parameter",
        RawKind::Path(..) => "Path",
        RawKind::Call(..) => "Call",
        RawKind::Star => "Star",
        RawKind::And(_) => "And",
        RawKind::Or(_) => "Or",
        RawKind::Not(_) => "Not",
        RawKind::Between(_) => "Between",
        RawKind::In(_) => "InCollection",
        RawKind::Is(..) => "IsType",
        RawKind::Like(_) => "Like",
        RawKind::Binary("+", _) => "Plus",
        RawKind::Binary("-", _) => "Minus",
        RawKind::Binary("*", _) => "Times",
        RawKind::Binary("/", _) => "Divide",
        RawKind::Binary("%", _) => "Modulo",
        RawKind::Binary("||", _) => "Concat",
        RawKind::Binary(..) => "Comparison",
    }
}

/// Returns the set of the members of a bag.
fn set(members: Vec<AttributeValue>) -> Result<AttributeValue, PartiqlError> {
    let (mut texts, mut numbers, mut bytes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut printed = Vec::with_capacity(members.len());
    for member in members {
        match member {
            AttributeValue::S(text) => {
                printed.push(text.clone());
                texts.insert(text);
            }
            AttributeValue::N(number) => {
                printed.push(number.to_string());
                numbers.insert(number);
            }
            AttributeValue::B(member) => {
                printed.push(AttributeValue::B(member.clone()).to_string());
                bytes.insert(member);
            }
            _ => return Err(PartiqlError::MixedBag),
        }
    }
    let (count, set) = match (texts.len(), numbers.len(), bytes.len()) {
        (0, 0, 0) => return Err(PartiqlError::EmptyBag),
        (count, 0, 0) => (count, AttributeValue::Ss(texts.into())),
        (0, count, 0) => (count, AttributeValue::Ns(numbers.into())),
        (0, 0, count) => (count, AttributeValue::Bs(bytes.into())),
        _ => return Err(PartiqlError::MixedBag),
    };
    if count < printed.len() { Err(PartiqlError::Duplicates(printed.join(", "))) } else { Ok(set) }
}
