//! What a file says, in JSON or in YAML.

use std::collections::BTreeSet;

use serde_json::Value;

/// How deep lists and maps may nest: functions over nodes call themselves. The deepest item has 65 levels in DynamoDB's JSON.
pub(crate) const MAX_DEPTH: usize = 80;

/// How much memory the nodes of a file may take: aliases and variables could multiply them.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// A value of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// A number as it is written: no digit is lost.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// Members in their order; no name comes twice.
    Map(Vec<(String, Node)>),
    /// What cannot be known here, and why. It matters only if it is asked for.
    Unknown(String),
}

impl Node {
    /// Returns a member of a map.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(member, _)| member == name).map(|(_, node)| node)
    }

    /// Returns the members of a map; nothing else has any.
    pub(crate) fn members(&self) -> &[(String, Node)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// Returns the elements of a list; nothing else has any.
    pub(crate) fn elements(&self) -> &[Node] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// Returns the only member of a map that has one.
    pub(crate) fn only_member(&self) -> Option<(&str, &Node)> {
        match self.members() {
            [(name, node)] => Some((name, node)),
            _ => None,
        }
    }

    /// Returns a scalar as text, as templates take numbers for texts.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }),
            _ => None,
        }
    }

    /// Names what it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Unknown(_) => "something unknown",
        }
    }

    /// Returns the reason of the first unknown part.
    pub(crate) fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::List(elements) => elements.iter().find_map(Self::unknown),
            Self::Map(members) => members.iter().find_map(|(_, node)| node.unknown()),
            _ => None,
        }
    }

    /// Returns the value as JSON.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Null | Self::Unknown(_) => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.clone().into()),
            Self::Text(text) => text.clone().into(),
            Self::List(elements) => elements.iter().map(Self::to_json).collect(),
            Self::Map(members) => {
                Value::Object(members.iter().map(|(name, node)| (name.clone(), node.to_json())).collect())
            }
        }
    }

    /// Returns roughly how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Null | Self::Bool(_) => 0,
                Self::Number(text) | Self::Text(text) | Self::Unknown(text) => text.len(),
                Self::List(elements) => elements.iter().map(Self::bytes).sum(),
                Self::Map(members) => {
                    members.iter().map(|(name, node)| size_of::<String>() + name.len() + node.bytes()).sum()
                }
            }
    }

    /// Returns how many levels it has: 1 for a scalar.
    pub(crate) fn depth(&self) -> usize {
        1 + match self {
            Self::List(elements) => elements.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(members) => members.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Returns a name that comes twice.
pub(crate) fn repeated_name(members: &[(String, Node)]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    members.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
}

/// What is left of the memory that the nodes of a file may take.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MAX_BYTES)
    }

    /// Takes some; says no when there is not enough left.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// What is wrong with the text of a file, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

impl SyntaxFault {
    pub(crate) fn new(line: u64, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}
