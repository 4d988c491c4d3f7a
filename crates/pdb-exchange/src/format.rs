//! The formats of files.

use std::fmt;
use std::str::FromStr;

/// The format of a file of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One record per line in DynamoDB JSON: `{"Item":{"id":{"S":"1"}}}`, the item alone, or a change of an incremental export.
    DynamoDbJson,
    /// One item per line in plain JSON: `{"id":"1"}`.
    PlainJson,
    /// JSON of another form: a list, or the input or output of an operation. It can be read, but not written.
    JsonDocument,
    /// Amazon Ion: text or binary when it is read, text when it is written.
    Ion,
    /// Comma-separated values.
    Csv,
}

/// The error for a name that is not one of a format or a compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {0}")]
pub struct UnknownName(pub(crate) &'static str);

impl Format {
    /// Returns the name in options, such as `dynamodb-json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "dynamodb-json",
            Self::PlainJson => "json",
            Self::JsonDocument => "json-document",
            Self::Ion => "ion",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [Self::DynamoDbJson, Self::PlainJson, Self::JsonDocument, Self::Ion, Self::Csv]
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or(UnknownName("dynamodb-json, json, json-document, ion, csv"))
    }
}
