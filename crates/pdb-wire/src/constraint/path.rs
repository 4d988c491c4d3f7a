//! Where in the input a member stands, as AWS prints it.

use std::fmt;

use crate::decode::cut;

/// A path from the root of the input, linked upwards so that it costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    /// A member of a structure, by its name on the wire.
    Member(&'p str),
    /// An element of a list, counted from 0.
    Element(usize),
    /// A value of a map.
    Key(&'p str),
}

/// A member of the input itself, by its name on the wire (`TableName`).
pub(crate) fn at(member: &str) -> Path<'_> {
    Path { parent: None, step: Step::Member(member) }
}

impl<'p> Path<'p> {
    /// A member of the structure at this path.
    pub(crate) fn member(&'p self, name: &'p str) -> Self {
        Path { parent: Some(self), step: Step::Member(name) }
    }

    /// An element of the list at this path, counted from 0.
    pub(crate) fn element(&'p self, index: usize) -> Self {
        Path { parent: Some(self), step: Step::Element(index) }
    }

    /// A value of the map at this path.
    pub(crate) fn key(&'p self, key: &'p str) -> Self {
        Path { parent: Some(self), step: Step::Key(cut(key)) }
    }

    /// The path with members as the model names them (`RequestItems.Orders.member.Keys`).
    pub(crate) fn modern(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &|name| name.to_owned());
        out
    }

    fn write(&self, out: &mut String, member: &dyn Fn(&str) -> String) {
        if let Some(parent) = self.parent {
            parent.write(out, member);
            out.push('.');
        }
        match self.step {
            Step::Member(name) => out.push_str(&member(name)),
            Step::Element(index) => out.push_str(&format!("{}.member", index + 1)),
            Step::Key(key) => {
                out.push_str(key);
                out.push_str(".member");
            }
        }
    }
}

/// The classic form: members begin with a lower-case letter (`requestItems.Orders.member.keys`).
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out, &|name| {
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        });
        f.write_str(&out)
    }
}
