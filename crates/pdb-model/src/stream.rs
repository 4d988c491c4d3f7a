//! Streams: labels, shards, sequence numbers and records.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::{EncodedItem, EpochMillis, ParseError};

/// Which images the records of a stream contain. It never changes for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamViewType {
    /// Only the keys.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// The item before and after the change.
    NewAndOldImages,
}

impl StreamViewType {
    /// Returns whether records contain the item before the change.
    #[must_use]
    pub fn includes_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }

    /// Returns whether records contain the item after the change.
    #[must_use]
    pub fn includes_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamStatus {
    /// A request to enable the stream was accepted, and the stream is not ready yet.
    Enabling,
    /// Writes are recorded.
    Enabled,
    /// A request to disable the stream was accepted, and its shards are not closed yet.
    Disabling,
    /// All shards are closed. Records can be read until they are trimmed.
    Disabled,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventName {
    /// It was created.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted.
    Remove,
}

macro_rules! api_names {
    ($type:ident, $what:literal, $($variant:ident => $name:literal),+) => {
        impl $type {
            /// Returns the API's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    other => Err(ParseError::new($what, other)),
                }
            }
        }
    };
}

api_names!(StreamViewType, "stream view type",
    KeysOnly => "KEYS_ONLY", NewImage => "NEW_IMAGE", OldImage => "OLD_IMAGE", NewAndOldImages => "NEW_AND_OLD_IMAGES");
api_names!(StreamStatus, "stream status",
    Enabling => "ENABLING", Enabled => "ENABLED", Disabling => "DISABLING", Disabled => "DISABLED");
api_names!(EventName, "event name", Insert => "INSERT", Modify => "MODIFY", Remove => "REMOVE");

/// The label of a stream: the time at which it was enabled, in UTC with milliseconds, such as `2026-03-01T09:15:42.017`.
///
/// Labels sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamLabel(String);

const LABEL_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]");

impl StreamLabel {
    /// Returns the label of a stream that is enabled at `moment`.
    #[must_use]
    pub fn at(moment: EpochMillis) -> Self {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self(time.format(LABEL_FORMAT).expect("the format has only parts that every time has"))
    }

    /// Returns the time at which the stream was enabled.
    #[must_use]
    pub fn moment(&self) -> EpochMillis {
        let time =
            time::PrimitiveDateTime::parse(&self.0, LABEL_FORMAT).expect("a label was parsed or printed");
        let nanos = time.assume_utc().unix_timestamp_nanos();
        EpochMillis(i64::try_from(nanos / 1_000_000).expect("a time of four-digit years fits"))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamLabel {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match time::PrimitiveDateTime::parse(text, LABEL_FORMAT) {
            Ok(_) if text.len() == 23 => Ok(Self(text.to_owned())),
            _ => Err(ParseError::new("stream label", text)),
        }
    }
}

impl fmt::Display for StreamLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for StreamLabel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for StreamLabel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The id of a shard: `shardId-`, the creation time in epoch milliseconds with 20 digits, `-`, and 8 hexadecimal digits.
///
/// Ids sort by creation time, and some consumers parse that time. Like AWS, parsing accepts any text of 28 to 65 characters from a client, and
/// the shard of that id may not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(String);

impl ShardId {
    /// Returns the id of a shard that is created at `moment`. `suffix` distinguishes shards of the same millisecond.
    #[must_use]
    pub fn at(moment: EpochMillis, suffix: u32) -> Self {
        Self(format!("shardId-{:020}-{suffix:08x}", moment.0.max(0)))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShardId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // AWS counts UTF-16 units. Real shard ids are ASCII.
        if (28..=65).contains(&text.encode_utf16().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("shard id", text))
        }
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sequence number of a stream record: a counter that grows along the lineage of shards, and the number of the shard.
///
/// It is printed as the counter followed by the shard's number with 20 digits. That makes at least 21 digits, as on AWS. Sequence numbers sort
/// numerically. Their texts do not, because they have different lengths, as on AWS.
///
/// # Examples
///
/// ```
/// use pdb_model::SequenceNumber;
///
/// let number: SequenceNumber = "1200000000000000000004".parse()?;
/// assert_eq!((number.counter, number.shard), (12, 4));
/// assert!("900000000000000000004".parse::<SequenceNumber>()? < number);
/// # Ok::<(), pdb_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber {
    /// Counts the changes along a lineage of shards. The first change is 1.
    pub counter: u64,
    /// The number of the shard in the database.
    pub shard: u64,
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, because `write!` takes 5 % of the time of a page of records.
        let mut digits = [b'0'; 40];
        put_digits(self.shard, &mut digits);
        let first = put_digits(self.counter, &mut digits[..20]).min(19);
        f.write_str(std::str::from_utf8(&digits[first..]).unwrap_or_default())
    }
}

/// Writes the digits of a number to the end of `text`. Returns the position of the first digit.
fn put_digits(mut number: u64, text: &mut [u8]) -> usize {
    let mut first = text.len();
    while number > 0 {
        first -= 1;
        text[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    first
}

/// Parses 21 to 40 digits. A counter that is too large becomes the largest one, which lies after the end of every shard.
impl FromStr for SequenceNumber {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if !(21..=40).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseError::new("sequence number", text));
        }
        let (counter, shard) = text.split_at(text.len() - 20);
        Ok(Self { counter: counter.parse().unwrap_or(u64::MAX), shard: shard.parse().unwrap_or(u64::MAX) })
    }
}

/// The id of a stream record. It is printed as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(pub u128);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, because `write!` takes longer than copying the record around it.
        let digits: [u8; 32] =
            std::array::from_fn(|at| b"0123456789abcdef"[(self.0 >> (124 - 4 * at)) as usize & 15]);
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl FromStr for EventId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let half = |half: &[u8]| {
            half.iter().try_fold(0, |number: u64, &digit| {
                Some(number << 4 | u64::from(char::from(digit).to_digit(16)?))
            })
        };
        let halves = text.as_bytes().split_at_checked(16).filter(|_| text.len() == 32);
        match halves.and_then(|(high, low)| half(high).zip(half(low))) {
            Some((high, low)) => Ok(Self(u128::from(high) << 64 | u128::from(low))),
            None => Err(ParseError::new("event id", text)),
        }
    }
}

/// The user that made a change. Records contain it only if that was the service itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserIdentity {
    /// `dynamodb.amazonaws.com`.
    pub principal_id: String,
    /// `Service`.
    pub identity_type: String,
}

impl UserIdentity {
    /// Returns the identity of the service that deletes expired items.
    #[must_use]
    pub fn time_to_live() -> Self {
        Self { principal_id: "dynamodb.amazonaws.com".to_owned(), identity_type: "Service".to_owned() }
    }
}

/// A stream record: one change of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Unique among all records, and the same each time the record is read.
    pub event_id: EventId,
    /// What happened to the item.
    pub event_name: EventName,
    /// The position in the stream.
    pub sequence_number: SequenceNumber,
    /// When the change was made. The API returns whole seconds, rounded down.
    pub created: EpochMillis,
    /// The key of the item.
    pub keys: EncodedItem,
    /// The item before the change, if the view type includes it and there was one.
    pub old_image: Option<EncodedItem>,
    /// The item after the change, if the view type includes it and there is one.
    pub new_image: Option<EncodedItem>,
    /// The size of keys and images, in bytes.
    pub size_bytes: u64,
    /// The stream's view type.
    pub view_type: StreamViewType,
    /// The service, if the service itself made the change.
    pub user_identity: Option<UserIdentity>,
}

/// Returns the size of a record in bytes: that of its keys and of its images.
#[must_use]
pub fn record_size_bytes(keys: &EncodedItem, old: Option<&EncodedItem>, new: Option<&EncodedItem>) -> u64 {
    keys.size_bytes() + old.map_or(0, EncodedItem::size_bytes) + new.map_or(0, EncodedItem::size_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_print_three_decimals() {
        for (moment, text) in [
            (1_772_356_542_017, "2026-03-01T09:15:42.017"),
            (1_772_356_542_000, "2026-03-01T09:15:42.000"),
            (0, "1970-01-01T00:00:00.000"),
        ] {
            let label = StreamLabel::at(EpochMillis(moment));
            assert_eq!(label.as_str(), text);
            assert_eq!(label.moment(), EpochMillis(moment));
            assert_eq!(text.parse::<StreamLabel>().unwrap(), label);
        }
        for bad in ["", "2026-03-01T09:15:42", "2026-03-01T09:15:42.017Z", "2026-13-01T09:15:42.017"] {
            assert!(bad.parse::<StreamLabel>().is_err(), "{bad}");
        }
    }

    #[test]
    fn shard_ids_have_the_form_of_aws() {
        let id = ShardId::at(EpochMillis(1_571_767_321_804), 0x697c_e3d2);
        assert_eq!(id.as_str(), "shardId-00000001571767321804-697ce3d2");
        assert_eq!(id.as_str().parse::<ShardId>().unwrap(), id);
        assert!("shard-00000".parse::<ShardId>().is_err());
    }

    #[test]
    fn sequence_numbers_compare_as_numbers() {
        const MAX: u64 = u64::MAX;
        let parse = |text: &str| text.parse::<SequenceNumber>();
        assert_eq!(parse("1200000000000000000004").unwrap().to_string(), "1200000000000000000004");
        assert!(parse("900000000000000000004").unwrap() < parse("1000000000000000000004").unwrap());
        assert_eq!(parse("000000000000000000004").unwrap(), SequenceNumber { counter: 0, shard: 4 });
        assert_eq!(parse(&"9".repeat(40)).unwrap().counter, MAX);
        for (counter, shard) in [(0, 0), (9, 1), (10, 99), (MAX, MAX)] {
            let text = SequenceNumber { counter, shard }.to_string();
            assert_eq!(text, format!("{counter}{shard:020}"));
        }
        for bad in
            ["", "12345678901234567890", &"1".repeat(41), "12000000000000000000x4", "-1200000000000000000004"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
