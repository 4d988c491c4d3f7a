//! A database in memory that is tested with raw requests.

use pdb_wire::{Reply, Request, Wire};
use pretender::Pretender;
use serde_json::Value;

/// What is asked.
pub struct Engine {
    wire: Wire,
    target_prefix: String,
}

/// What an engine said to a request.
pub(crate) struct Said {
    exception: String,
    message: String,
}

impl Engine {
    /// Opens an empty engine that is asked for operations of the service with this target prefix.
    ///
    /// # Errors
    ///
    /// Why it could not be opened.
    pub fn open(target_prefix: &str) -> Result<Self, String> {
        let pretender = Pretender::builder()
            .in_memory()
            .sweep_interval(None)
            .open()
            .map_err(|error| format!("the engine cannot be opened: {error}"))?;
        Ok(Self { wire: Wire::new(pretender), target_prefix: target_prefix.to_owned() })
    }

    pub(crate) fn ask(&self, operation: &str, body: &Value) -> Said {
        let target = format!("{}.{operation}", self.target_prefix);
        let Reply::Answer(answer) = self.wire.call(Request::new(Some(&target), body.to_string())) else {
            return Said { exception: String::new(), message: String::new() };
        };
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |member: &str| answer[member].as_str().unwrap_or_default();
        let exception = text("__type").rsplit('#').next().unwrap_or_default().to_owned();
        let message = [text("message"), text("Message")].concat();
        Said { exception, message }
    }
}

impl Said {
    pub(crate) fn is_unknown_operation(&self) -> bool {
        self.exception == "UnknownOperationException"
    }

    pub(crate) fn is_wrong_type(&self) -> bool {
        self.exception == "SerializationException"
    }

    /// What stands behind `introduction` in the text of a failed constraint, up to the end of that constraint.
    pub(crate) fn constraint(&self, introduction: &str) -> Option<&str> {
        let (_, rest) = self.message.split_once(introduction)?;
        Some(rest.split_once(';').map_or(rest, |(first, _)| first))
    }

    /// The values that the text lists as those of an enumeration.
    pub(crate) fn enumeration(&self) -> Option<Vec<&str>> {
        let rest = self.constraint("Member must satisfy enum value set: [")?;
        Some(rest.split_once(']')?.0.split(", ").collect())
    }
}
