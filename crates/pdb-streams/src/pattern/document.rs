//! A stream record in the form that patterns see.

use super::PatternError;
use serde_json::Value;

/// One stream record as Lambda hands it to a function: what an [`EventPattern`](crate::EventPattern) is matched against.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDocument(Value);

impl EventDocument {
    /// Reads a record as `GetRecords` answers it, or as Lambda delivers it.
    ///
    /// # Errors
    ///
    /// [`PatternError::Document`] if the text is not a JSON object.
    pub fn parse(record: &str) -> Result<Self, PatternError> {
        match serde_json::from_str(record) {
            Ok(value @ Value::Object(_)) => Ok(Self::from_api(value)),
            _ => Err(PatternError::Document),
        }
    }

    /// Turns the API's casing of `userIdentity` into Lambda's.
    fn from_api(mut record: Value) -> Self {
        if let Some(Value::Object(identity)) = record.get_mut("userIdentity") {
            for (api, lambda) in [("PrincipalId", "principalId"), ("Type", "type")] {
                if let Some(value) = identity.remove(api) {
                    identity.insert(lambda.to_owned(), value);
                }
            }
        }
        Self(record)
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}
