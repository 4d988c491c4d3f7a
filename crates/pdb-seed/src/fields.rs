//! Reading the members of a map, each exactly once. A member that nobody has read at the end is not supported, and is an error.

use pdb_exchange::node::Node;

use crate::error::Fault;

/// The members of a map that have not been read yet.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    place: String,
    left: Vec<(&'n str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// Begins to read a map. `place` is its place in the file, for errors.
    pub(crate) fn of(node: &'n Node, place: impl Into<String>) -> Result<Self, Fault> {
        let place = place.into();
        match node {
            Node::Map(members) => {
                Ok(Self { place, left: members.iter().map(|(name, node)| (name.as_str(), node)).collect() })
            }
            Node::Unknown(reason) => Err(unresolved(&place, reason)),
            other => Err(Fault::new(place, format!("is {}, but must be a map", other.kind()))),
        }
    }

    /// Returns the place of a member, for errors.
    pub(crate) fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Returns an error about a member.
    pub(crate) fn fault(&self, name: &str, reason: impl Into<String>) -> Fault {
        Fault::new(self.place_of(name), reason)
    }

    /// Returns a member without counting it as read.
    pub(crate) fn peek(&self, name: &str) -> Option<&'n Node> {
        self.left.iter().find(|(member, _)| *member == name).map(|(_, node)| *node)
    }

    /// Reads a member. `null` counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'n Node> {
        let at = self.left.iter().position(|(member, _)| *member == name)?;
        let (_, node) = self.left.swap_remove(at);
        (*node != Node::Null).then_some(node)
    }

    /// Reads members that have no effect here.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.left.retain(|(name, _)| !names.contains(name));
    }

    /// Reads a text. An empty text counts as absent, because the skeletons of the AWS CLI contain empty texts.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<&'n str>, Fault> {
        let Some(node) = self.take(name) else { return Ok(None) };
        match node {
            Node::Unknown(reason) => Err(unresolved(&self.place_of(name), reason)),
            node => match node.scalar() {
                Some("") => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(self.fault(name, format!("is {}, but must be a text", node.kind()))),
            },
        }
    }

    /// Reads a required text.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<&'n str, Fault> {
        self.text(name)?.ok_or_else(|| self.fault(name, "is missing"))
    }

    /// Reads a whole number.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.parse().ok().or_else(|| text.strip_suffix(".0")?.parse().ok());
        number.map(Some).ok_or_else(|| self.fault(name, format!("is `{text}`, but must be a whole number")))
    }

    /// Reads a boolean in one of the forms of YAML 1.1 and CloudFormation.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(Some(true)),
            "false" | "no" | "off" => Ok(Some(false)),
            _ => Err(self.fault(name, format!("is `{text}`, but must be true or false"))),
        }
    }

    /// Reads a map.
    pub(crate) fn map(&mut self, name: &str) -> Result<Option<Fields<'n>>, Fault> {
        let place = self.place_of(name);
        self.take(name).map(|node| Fields::of(node, place)).transpose()
    }

    /// Reads a list. Returns its elements with their places.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<(&'n Node, String)>, Fault> {
        let place = self.place_of(name);
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Node::List(elements)) => {
                Ok(elements.iter().enumerate().map(|(n, node)| (node, format!("{place}[{n}]"))).collect())
            }
            Some(Node::Unknown(reason)) => Err(unresolved(&place, reason)),
            Some(other) => Err(Fault::new(place, format!("is {}, but must be a list", other.kind()))),
        }
    }

    /// Reads a list of maps.
    pub(crate) fn maps(&mut self, name: &str) -> Result<Vec<Fields<'n>>, Fault> {
        self.list(name)?.into_iter().map(|(node, place)| Fields::of(node, place)).collect()
    }

    /// Reads a list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<&'n str>, Fault> {
        let texts = self.list(name)?.into_iter().map(|(node, place)| match node {
            Node::Unknown(reason) => Err(unresolved(&place, reason)),
            node => node
                .scalar()
                .ok_or_else(|| Fault::new(place, format!("is {}, but must be a text", node.kind()))),
        });
        texts.collect()
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// If a member was not read.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        match self.left.iter().find(|(_, node)| **node != Node::Null) {
            None => Ok(()),
            Some((name, _)) => Err(self.fault(name, "is not known and would be lost")),
        }
    }
}

/// Returns the error for a value that only AWS knows.
pub(crate) fn unresolved(place: &str, reason: &str) -> Fault {
    Fault::new(place, format!("cannot be resolved: {reason}"))
}
