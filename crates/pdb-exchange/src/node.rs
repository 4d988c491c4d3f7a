//! The values of a JSON or YAML file, as a tree that keeps numbers as they are written.

use std::collections::BTreeSet;

use serde_json::Value;

/// The most levels of lists and maps, which bounds the recursion over nodes. The deepest item has 65 levels in DynamoDB JSON.
pub const MAX_DEPTH: usize = 80;

/// How much memory the nodes of a file may take. Aliases and variables can multiply them.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// A value of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, so that no digit is lost.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Members in the order of the file. All names are different.
    Map(Vec<(String, Node)>),
    /// A value of a template that only AWS knows, with the reason. It is an error only if the value is needed.
    Unknown(String),
}

impl Node {
    /// Returns a member of a map.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(member, _)| member == name).map(|(_, node)| node)
    }

    /// Returns the members of a map. Other values have none.
    #[must_use]
    pub fn members(&self) -> &[(String, Node)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// Returns the elements of a list. Other values have none.
    #[must_use]
    pub fn elements(&self) -> &[Node] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// Returns the only member of a map that has one.
    #[must_use]
    pub fn only_member(&self) -> Option<(&str, &Node)> {
        match self.members() {
            [(name, node)] => Some((name, node)),
            _ => None,
        }
    }

    /// Returns a scalar as text, because templates accept numbers as texts.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }),
            _ => None,
        }
    }

    /// Names the type of the value in error messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
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

    /// Returns the reason of the first unknown value in this one.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::List(elements) => elements.iter().find_map(Self::unknown),
            Self::Map(members) => members.iter().find_map(|(_, node)| node.unknown()),
            _ => None,
        }
    }

    /// Returns the value as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
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

    /// Returns roughly how much memory the value takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
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

    /// Returns the number of levels: 1 for a scalar.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::List(elements) => elements.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(members) => members.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Returns a name that appears twice, if there is one.
#[must_use]
pub fn repeated_name(members: &[(String, Node)]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    members.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
}

/// The memory that the nodes of a file may still take.
#[derive(Debug)]
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_BYTES)
    }
}

impl Budget {
    /// Returns the budget of one file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes some of the budget. Returns `false` if not enough is left.
    pub fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A syntax error in a file, with its line.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxFault {
    /// The line, from 1.
    pub line: u64,
    /// The reason, without the line.
    pub reason: String,
}

impl SyntaxFault {
    /// Returns a fault.
    pub fn new(line: u64, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}
