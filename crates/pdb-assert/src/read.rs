//! Reading all records that a stream has now.

use pdb_streams::{StreamSource, Subscription, SubscriptionBuilder, TailError};

use crate::{Change, ChangeParseError};

/// Why changes could not be read.
#[derive(thiserror::Error)]
pub enum ReadError {
    /// The stream cannot be read, or records were trimmed meanwhile.
    #[error("the stream cannot be read: {}", chain(.0))]
    Stream(TailError),
    /// A record is malformed.
    #[error("a record of the stream is malformed: {0}")]
    Record(#[from] ChangeParseError),
}

/// Returns a subscription to a stream. `stream` is its ARN, or the name of a table, which stands for its latest stream.
///
/// AWS may return empty pages although there are more records. For AWS, add
/// [`caught_up_after(3)`](SubscriptionBuilder::caught_up_after).
#[must_use]
pub fn subscribe_to<S: StreamSource>(source: S, stream: &str) -> SubscriptionBuilder<S> {
    let builder = Subscription::builder(source);
    if stream.starts_with("arn:") { builder.stream(stream) } else { builder.table(stream) }
}

/// Reads all changes that a stream has now. Changes of one item come in the order of its writes.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_changes<S: StreamSource>(stream: SubscriptionBuilder<S>) -> Result<Vec<Change>, ReadError> {
    let events = stream.follow(false).start().map_err(ReadError::Stream)?;
    events.map(|event| Ok(Change::from_event(&event.map_err(ReadError::Stream)?)?)).collect()
}

/// Returns an error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
