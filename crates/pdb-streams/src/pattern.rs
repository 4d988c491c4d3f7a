//! Event patterns: Lambda's filter language, matched against one stream record.
//!
//! The language is the part of EventBridge's that Lambda supports for event sources. An [`EventDocument`] is a record in the
//! form that Lambda passes to a function, and patterns refer to this form (`userIdentity` in lower case).

mod document;
mod parse;
#[cfg(test)]
mod tests;

pub use document::EventDocument;

use serde_json::Value;
use std::str::FromStr;

/// How many characters a pattern may have: the service model of Lambda, `FilterCriteria`.
const MOST_CHARACTERS: usize = 4096;

/// A filter over stream records, in Lambda's syntax.
///
/// Keys of an object must all match (and), the alternatives in an array match one by one (or). The attribute's type is
/// part of the path, and numbers of DynamoDB are text there, so `numeric` never matches an attribute.
///
/// # Examples
///
/// ```
/// use pdb_streams::{EventDocument, EventPattern};
///
/// let pattern: EventPattern = r#"{"eventName":["INSERT"],"dynamodb":{"NewImage":{"city":{"S":[{"prefix":"Ber"}]}}}}"#.parse()?;
/// let record = r#"{"eventName":"INSERT","dynamodb":{"NewImage":{"city":{"S":"Berlin"}}}}"#;
/// assert!(pattern.matches(&EventDocument::parse(record)?));
/// # Ok::<(), pdb_streams::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct EventPattern {
    fields: Fields,
}

/// The error of a pattern, or of a document to match, that cannot be parsed.
///
/// The messages of [`PatternError::Pattern`] and [`PatternError::TooLong`] are Lambda's, except that the latter does not repeat the pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The pattern is not JSON, not an object, or uses an operator wrongly; the field says what and where.
    #[error("Invalid filter pattern definition. ({0})")]
    Pattern(String),
    /// The pattern has more characters than Lambda's API takes.
    #[error(
        "1 validation error detected: Value at 'pattern' failed to satisfy constraint: Member must have length less than or \
         equal to {MOST_CHARACTERS}"
    )]
    TooLong,
    /// The record is not a JSON object.
    #[error("a stream record must be a JSON object")]
    Document,
}

/// Named members that must all match, and groups of which one must (`$or`).
#[derive(Clone, Debug, PartialEq)]
struct Fields {
    members: Vec<(String, Node)>,
    alternatives: Vec<Vec<Fields>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Fields(Fields),
    Leaf(Vec<Test>),
}

/// One alternative of a leaf.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    Exists(bool),
    /// Matches any leaf value that does not match one of these.
    AnythingBut(Vec<Comparison>),
    Is(Comparison),
}

/// A comparison with one scalar of the event.
#[derive(Clone, Debug, PartialEq)]
enum Comparison {
    /// A string, number, boolean or null.
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    Numeric(Vec<(Relation, f64)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl FromStr for EventPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.len() > MOST_CHARACTERS && text.chars().count() > MOST_CHARACTERS {
            return Err(PatternError::TooLong);
        }
        parse::pattern(text).map(|fields| Self { fields })
    }
}

impl EventPattern {
    /// Tells whether the record matches.
    pub fn matches(&self, event: &EventDocument) -> bool {
        self.fields.match_value(Some(event.value()))
    }
}

impl Fields {
    /// Matches an object, or its absence: a member of something absent is absent too.
    ///
    /// An array of objects matches if one of its elements does, by itself.
    fn match_value(&self, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Array(elements)) if elements.iter().any(Value::is_object) => {
                elements.iter().any(|element| self.match_value(Some(element)))
            }
            value => {
                let member = |name: &str| value.and_then(|value| value.get(name));
                self.members.iter().all(|(name, node)| node.match_value(member(name)))
                    && self
                        .alternatives
                        .iter()
                        .all(|group| group.iter().any(|fields| fields.match_value(value)))
            }
        }
    }
}

impl Node {
    fn match_value(&self, value: Option<&Value>) -> bool {
        match self {
            Node::Fields(fields) => fields.match_value(value),
            Node::Leaf(tests) => {
                let mut leaves = Vec::new();
                if let Some(value) = value {
                    collect_leaves(value, &mut leaves);
                }
                tests.iter().any(|test| test.match_leaves(&leaves))
            }
        }
    }
}

/// Collects the scalars a leaf pattern can see: the value itself, or an array's elements. An object has none, which is
/// why `exists` is false for anything but a leaf.
fn collect_leaves<'v>(value: &'v Value, leaves: &mut Vec<&'v Value>) {
    match value {
        Value::Object(_) => {}
        Value::Array(elements) => elements.iter().for_each(|element| collect_leaves(element, leaves)),
        scalar => leaves.push(scalar),
    }
}

impl Test {
    fn match_leaves(&self, leaves: &[&Value]) -> bool {
        match self {
            Test::Exists(expected) => *expected != leaves.is_empty(),
            Test::AnythingBut(refused) => {
                leaves.iter().any(|leaf| refused.iter().all(|comparison| !comparison.match_scalar(leaf)))
            }
            Test::Is(comparison) => leaves.iter().any(|leaf| comparison.match_scalar(leaf)),
        }
    }
}

impl Comparison {
    fn match_scalar(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Equals(Value::Number(left)), Value::Number(right)) => {
                left == right || left.as_f64() == right.as_f64()
            }
            (Self::Equals(expected), value) => expected == value,
            (Self::Numeric(relations), Value::Number(number)) => number.as_f64().is_some_and(|number| {
                relations.iter().all(|(relation, limit)| relation.holds(number, *limit))
            }),
            (Self::EqualsIgnoreCase(expected), Value::String(text)) => fold(text) == *expected,
            (Self::Prefix(prefix), Value::String(text)) => text.starts_with(prefix),
            (Self::PrefixIgnoreCase(prefix), Value::String(text)) => fold(text).starts_with(prefix),
            (Self::Suffix(suffix), Value::String(text)) => text.ends_with(suffix),
            (Self::SuffixIgnoreCase(suffix), Value::String(text)) => fold(text).ends_with(suffix),
            _ => false,
        }
    }
}

/// Returns the text in the form that is compared without regard to case.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

impl Relation {
    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Equal => number == limit,
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}
