//! A change of an item, independent of the stream that it was read from.

use std::fmt;

use pdb_model::{EventName, Item};
use pdb_streams::{Event, SourceRecord};
use serde_json::Value;

use crate::show;

/// A stream record as assertions see it.
///
/// `Display` writes it as one line: the key, what happened to the item, and which attributes changed.
///
/// # Examples
///
/// ```
/// use pdb_assert::Change;
///
/// let record = r#"{"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": "o1"}},
///     "OldImage": {"pk": {"S": "o1"}, "total": {"N": "1"}}, "NewImage": {"pk": {"S": "o1"}, "total": {"N": "2"}}}}"#;
/// let change = Change::parse(record)?;
/// assert_eq!(change.to_string(), r#"pk="o1" MODIFY total=1->2"#);
/// # Ok::<(), pdb_assert::ChangeParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub event_name: EventName,
    /// The key of the item.
    pub keys: Item,
    /// The item before the change, if the stream contains it and there was one.
    pub old_image: Option<Item>,
    /// The item after the change, if the stream contains it and there is one.
    pub new_image: Option<Item>,
    /// Whether DynamoDB itself deleted the item because it had expired.
    pub is_expiry: bool,
    /// The sequence number, as the stream writes it. Empty if the record has none.
    pub sequence_number: String,
}

/// Why a text is not a stream record.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChangeParseError(String);

impl Change {
    /// Parses a record: a JSON object in the form in which `GetRecords` returns it or Lambda delivers it.
    ///
    /// # Errors
    ///
    /// [`ChangeParseError`], which says what is missing or wrong.
    pub fn parse(record: &str) -> Result<Self, ChangeParseError> {
        let record: Value =
            serde_json::from_str(record).map_err(|error| ChangeParseError(format!("not JSON: {error}")))?;
        let change = &record["dynamodb"];
        let event_name = record["eventName"].as_str().ok_or_else(|| missing("eventName"))?;
        let identity = &record["userIdentity"];
        let identity = identity["type"].as_str().or_else(|| identity["Type"].as_str());
        Ok(Self {
            event_name: event_name
                .parse()
                .map_err(|_| ChangeParseError(format!("`{event_name}` is not INSERT, MODIFY or REMOVE")))?,
            keys: image(change, "Keys")?.ok_or_else(|| missing("dynamodb.Keys"))?,
            old_image: image(change, "OldImage")?,
            new_image: image(change, "NewImage")?,
            is_expiry: identity == Some("Service"),
            sequence_number: change["SequenceNumber"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// Returns the change in an event of a subscription.
    ///
    /// # Errors
    ///
    /// The same as [`Change::parse`]. Records that a stream returns are well-formed.
    pub fn from_event<R: SourceRecord>(event: &Event<R>) -> Result<Self, ChangeParseError> {
        Self::parse(&event.record.document(&event.stream_arn).to_string())
    }

    /// Returns whether both are the same change of the same item. Sequence numbers are ignored.
    #[must_use]
    pub fn is_equivalent_to(&self, other: &Self) -> bool {
        self.event_name == other.event_name
            && self.is_expiry == other.is_expiry
            && self.keys == other.keys
            && self.old_image == other.old_image
            && self.new_image == other.new_image
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", show::key(&self.keys), show::change(self))
    }
}

fn missing(what: &str) -> ChangeParseError {
    ChangeParseError(format!("`{what}` is missing"))
}

fn image(change: &Value, name: &str) -> Result<Option<Item>, ChangeParseError> {
    match &change[name] {
        Value::Null => Ok(None),
        image => Item::from_json(&image.to_string())
            .map(Some)
            .map_err(|_| ChangeParseError(format!("`dynamodb.{name}` is not an item"))),
    }
}
