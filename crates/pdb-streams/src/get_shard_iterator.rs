//! `GetShardIterator`.

use crate::{StreamManager, StreamsError};
use pdb_model::{EpochMillis, IteratorPosition, SequenceNumber, ShardId, ShardIterator, StreamArn};
use std::time::Duration;

/// How far the clock of a client may be ahead. AWS does not say whether it allows for any (`streams-at-timestamp.md` 5).
const CLOCK_LEAD: Duration = Duration::from_secs(1);

/// The input of `GetShardIterator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetShardIteratorInput {
    /// The stream.
    pub stream_arn: StreamArn,
    /// The shard.
    pub shard_id: ShardId,
    /// The position in the shard.
    pub shard_iterator_type: ShardIteratorType,
}

/// The position at which an iterator begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardIteratorType {
    /// At the oldest record that still exists when the iterator is used.
    TrimHorizon,
    /// Behind the newest record at the time of the call.
    Latest,
    /// At the record with this number, or the first after it.
    AtSequenceNumber(SequenceNumber),
    /// Behind the record with this number.
    AfterSequenceNumber(SequenceNumber),
    /// At the first record that was created at this time or later; if there is none, behind the newest record. The time may be as old
    /// as you like, but not in the future.
    AtTimestamp(EpochMillis),
}

impl ShardIteratorType {
    /// Combines the three members of a request. Returns `None` for an unknown type, which the caller has to refuse.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Validation`] if the number or the time is missing or superfluous, or the number is not a number.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_model::EpochMillis;
    /// use pdb_streams::ShardIteratorType;
    ///
    /// let latest = ShardIteratorType::from_request("LATEST", None, None)?;
    /// assert_eq!(latest, Some(ShardIteratorType::Latest));
    /// let time = EpochMillis(1_772_356_542_017);
    /// let at_time = ShardIteratorType::from_request("AT_TIMESTAMP", None, Some(time))?;
    /// assert_eq!(at_time, Some(ShardIteratorType::AtTimestamp(time)));
    /// let error = ShardIteratorType::from_request("AT_SEQUENCE_NUMBER", None, None).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "One or more parameter values were invalid: SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER"
    /// );
    /// # Ok::<(), pdb_streams::StreamsError>(())
    /// ```
    pub fn from_request(
        name: &str,
        sequence_number: Option<&str>,
        timestamp: Option<EpochMillis>,
    ) -> Result<Option<Self>, StreamsError> {
        let (needs_number, needs_time) = match name {
            "TRIM_HORIZON" | "LATEST" => (false, false),
            "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER" => (true, false),
            "AT_TIMESTAMP" => (false, true),
            _ => return Ok(None),
        };
        // The texts about `Timestamp` are ours: streams-at-timestamp.md section 5.
        check_member(name, "Timestamp", needs_time, timestamp.is_some())?;
        check_member(name, "SequenceNumber", needs_number, sequence_number.is_some())?;
        let number = sequence_number.map(parse_number).transpose()?;
        Ok(Some(match (name, number, timestamp) {
            ("AT_SEQUENCE_NUMBER", Some(number), _) => Self::AtSequenceNumber(number),
            ("AFTER_SEQUENCE_NUMBER", Some(number), _) => Self::AfterSequenceNumber(number),
            (_, _, Some(time)) => Self::AtTimestamp(time),
            ("LATEST", ..) => Self::Latest,
            _ => Self::TrimHorizon,
        }))
    }
}

/// Refuses a type without the member it needs, or with one that says nothing to it.
fn check_member(name: &str, member: &str, is_needed: bool, is_there: bool) -> Result<(), StreamsError> {
    match (is_needed, is_there) {
        (true, false) => {
            let message = format!("{member} is required for ShardIteratorType {name}");
            Err(StreamsError::invalid_parameter(message))
        }
        (false, true) => {
            let message = format!("{member} must not be specified for ShardIteratorType {name}");
            Err(StreamsError::invalid_parameter(message))
        }
        _ => Ok(()),
    }
}

fn parse_number(text: &str) -> Result<SequenceNumber, StreamsError> {
    text.parse().map_err(|_| StreamsError::validation("Invalid SequenceNumber"))
}

/// Parses the ARN of a stream in a request.
///
/// # Errors
///
/// [`StreamsError::Validation`] with AWS's text, `Invalid StreamArn`.
pub fn parse_stream_arn(text: &str) -> Result<StreamArn, StreamsError> {
    text.parse().map_err(|_| StreamsError::validation("Invalid StreamArn"))
}

impl StreamManager {
    /// Returns an iterator into a shard, good for 15 minutes and any number of uses.
    ///
    /// # Errors
    ///
    /// [`StreamsError::StreamNotFound`], [`StreamsError::ShardNotFound`]; [`StreamsError::Validation`] if the number does
    /// not lie in the shard, or the time is more than a second in the future; [`StreamsError::Trimmed`] if the number's record has
    /// been trimmed.
    pub fn get_shard_iterator(&self, input: &GetShardIteratorInput) -> Result<String, StreamsError> {
        if let ShardIteratorType::AtTimestamp(time) = input.shard_iterator_type
            && time > self.env.clock.now().plus(CLOCK_LEAD)
        {
            return Err(StreamsError::invalid_parameter("Timestamp must not be in the future"));
        }
        self.read_stream(&input.stream_arn, |view| {
            let shard = view.shard(&input.shard_id)?.ok_or(StreamsError::ShardNotFound)?;
            let position = match input.shard_iterator_type {
                ShardIteratorType::TrimHorizon => IteratorPosition::TrimHorizon,
                ShardIteratorType::Latest => {
                    let newest = view.numbers(&shard)?.newest;
                    IteratorPosition::After(shard.sequence_number(newest))
                }
                ShardIteratorType::AtSequenceNumber(number) => {
                    view.numbers(&shard)?.check(IteratorPosition::At(number))?
                }
                ShardIteratorType::AfterSequenceNumber(number) => {
                    view.numbers(&shard)?.check(IteratorPosition::After(number))?
                }
                ShardIteratorType::AtTimestamp(time) => view.position_at(&shard, time)?,
            };
            Ok(self.iterator(&input.stream_arn, &input.shard_id, position, None))
        })
    }

    /// Issues an iterator. A nonce makes it unique. All iterators of a chain share the upper half of the nonce, which
    /// identifies the reader when readers of a shard are counted.
    pub(crate) fn iterator(
        &self,
        stream_arn: &StreamArn,
        shard_id: &ShardId,
        position: IteratorPosition,
        reader: Option<u32>,
    ) -> String {
        let fresh = self.env.ids.next_id() as u32;
        let nonce = match reader {
            Some(reader) => (reader << 16) | (fresh & 0xffff),
            None => fresh.rotate_left(16),
        };
        let iterator = ShardIterator {
            stream_arn: stream_arn.clone(),
            shard_id: shard_id.clone(),
            position,
            issued: self.env.clock.now(),
            nonce,
        };
        iterator.encode(&self.key)
    }
}
