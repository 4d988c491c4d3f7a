//! Paths to values: `customer.email`, `notes[*].text`, `by_day.*.total`, `"a.b"`.

use std::fmt;
use std::str::FromStr;

/// A path to values in items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ValuePath {
    /// The attribute.
    pub(super) attribute: Step,
    /// The way to the value in it.
    pub(super) rest: Vec<Step>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of a map, or an attribute.
    Member(String),
    /// `*`: all members of a map, or all attributes.
    AnyMember,
    /// `[3]`: an element of a list, counted from 0.
    Element(usize),
    /// `[*]`: all elements of a list.
    AnyElement,
}

impl Step {
    /// Returns whether a member has the name.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Member(member) => member == name,
            Self::AnyMember => true,
            Self::Element(_) | Self::AnyElement => false,
        }
    }
}

impl FromStr for ValuePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (member, after) = member(rest)?;
            steps.push(member);
            rest = after;
            while let Some(inside) = rest.strip_prefix('[') {
                let (number, after) = inside.split_once(']').ok_or("a `]` is missing")?;
                steps.push(match number {
                    "*" => Step::AnyElement,
                    number => Step::Element(
                        number.parse().map_err(|_| format!("`[{number}]` is neither a number nor `[*]`"))?,
                    ),
                });
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => break,
                None => return Err(format!("`{rest}` is not expected: names are separated by `.`")),
            }
        }
        let attribute = steps.remove(0);
        Ok(Self { attribute, rest: steps, text: text.to_owned() })
    }
}

/// Reads a name. One with a dot, a bracket or a star stands in quotation marks.
fn member(text: &str) -> Result<(Step, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, rest) = quoted.split_once('"').ok_or("a quotation mark is missing")?;
        return Ok((Step::Member(name.to_owned()), rest));
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name {
        "" => Err("a name is missing".to_owned()),
        "*" => Ok((Step::AnyMember, rest)),
        name => Ok((Step::Member(name.to_owned()), rest)),
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
