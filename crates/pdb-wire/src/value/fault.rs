//! What can be wrong with an attribute value, and AWS's words for it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pdb_model::NumberError;

use super::MAX_NAME_BYTES;
use crate::decode::{cut, is_long};
use crate::layer::Texts;

const OVERFLOW: NumberError = NumberError::Overflow;
const UNDERFLOW: NumberError = NumberError::Underflow;
/// The text for an attribute name of more than 65,535 bytes, as AWS gave it in September 2026.
const LONG_NAME: &str = "Attribute name is too large, must be less than 65536 bytes";

/// The first rule an attribute value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No type, or only unknown ones.
    Empty,
    /// A text that is not a number, or a number that is out of range.
    Number {
        /// As it was sent.
        text: String,
        /// Why it is none.
        error: NumberError,
    },
    /// `{"NULL": false}`.
    NullFalse,
    /// A set without members.
    EmptySet(&'static str),
    /// A set with `null` among its members.
    NullMember(&'static str),
    /// A text twice in a set; the texts as they were sent.
    RepeatedText(Vec<String>),
    /// A number twice in a set.
    RepeatedNumber,
    /// Bytes twice in a set; the members as they were sent.
    RepeatedBlob(Vec<Vec<u8>>),
    /// More than one type at once.
    SeveralTypes,
    /// Nested more than 32 levels.
    TooDeep,
    /// Larger than an item may be.
    TooLarge,
    /// An attribute without a name.
    EmptyName,
    /// A name of more than 65,535 bytes.
    LongName,
}

impl Fault {
    /// AWS's text.
    pub(crate) fn text(&self, texts: Texts) -> String {
        const INVALID: &str = "One or more parameter values were invalid: ";
        match self {
            Self::Empty => {
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
                    .to_owned()
            }
            Self::Number { text, error } => number_text(text, error, texts),
            Self::NullFalse => format!("{INVALID}Null attribute value types must have the value of true"),
            Self::EmptySet("SS") => format!("{INVALID}An string set  may not be empty"),
            Self::EmptySet("NS") => format!("{INVALID}An number set  may not be empty"),
            Self::EmptySet(_) => format!("{INVALID}Binary sets should not be empty"),
            // Evidence: AWS's text for SS. That for BS is of the time when empty members were refused too; that for NS is formed as
            // the one for SS.
            Self::NullMember("SS") => {
                format!("{INVALID}An string set may not have a null string as a member")
            }
            Self::NullMember("NS") => {
                format!("{INVALID}An number set may not have a null string as a member")
            }
            Self::NullMember(_) => format!("{INVALID}Binary sets may not contain null or empty values"),
            Self::RepeatedText(members) => {
                let printed = if texts.is_modern {
                    printed(in_modern_order(members), ", ", |text| format!("\"{text}\""))
                } else {
                    printed(members, ", ", String::clone)
                };
                format!("{INVALID}Input collection [{printed}] contains duplicates.")
            }
            Self::RepeatedBlob(members) => {
                let printed = if texts.is_modern {
                    printed(in_modern_order(members), ",", |bytes| format!("\"{}\"", STANDARD.encode(bytes)))
                } else {
                    printed(members, ", ", |bytes| STANDARD.encode(bytes))
                };
                format!("{INVALID}Input collection [{printed}]of type BS contains duplicates.")
            }
            Self::RepeatedNumber if texts.is_modern => {
                format!("{INVALID}Input collection contains duplicates.")
            }
            Self::RepeatedNumber => "Input collection contains duplicates".to_owned(),
            Self::SeveralTypes => {
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one \
                of the supported datatypes"
                    .to_owned()
            }
            Self::TooDeep => {
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                levels beyond supported limit"
                    .to_owned()
            }
            Self::TooLarge => "Item size has exceeded the maximum allowed size".to_owned(),
            Self::EmptyName => format!("{INVALID}Empty attribute name"),
            Self::LongName => LONG_NAME.to_owned(),
        }
    }

    /// Whether a start key reports this fault without its usual prefix.
    pub(crate) fn is_bare_in_start_key(&self) -> bool {
        matches!(
            self,
            Self::Number { .. }
                | Self::RepeatedText(_)
                | Self::RepeatedNumber
                | Self::RepeatedBlob(_)
                | Self::EmptySet("NS")
                | Self::NullMember("NS")
        )
    }
}

/// The text for the name of an attribute that a placeholder stands for, if no attribute has such a name.
pub(crate) fn bad_name(name: &str) -> Option<&'static str> {
    match name.len() {
        0 => Some("Empty attribute name"),
        1..=MAX_NAME_BYTES => None,
        _ => Some(LONG_NAME),
    }
}

/// The message for a text that is not a number. The old parser was Java's `BigDecimal`, whose exponents have 32 bits.
fn number_text(text: &str, error: &NumberError, texts: Texts) -> String {
    match (error, texts.is_modern) {
        (NumberError::HugeExponent { .. }, true) if !has_long_exponent(text) => format!("{error}: {text}"),
        (NumberError::HugeExponent { negative: false }, true) => OVERFLOW.to_string(),
        (NumberError::HugeExponent { negative: true }, true) => UNDERFLOW.to_string(),
        (NumberError::NotANumber, false) if text.is_empty() => error.to_string(),
        (NumberError::NotANumber | NumberError::HugeExponent { .. }, _) => format!("{error}: {text}"),
        // The magnitude of a number with the largest exponent wraps.
        (NumberError::Overflow, false) if has_largest_exponent(text) => UNDERFLOW.to_string(),
        (NumberError::Overflow | NumberError::Underflow | NumberError::TooManyDigits, _) => error.to_string(),
    }
}

/// Whether the exponent fits 64 bits: the newer parser goes no further.
fn has_long_exponent(text: &str) -> bool {
    text.rsplit_once(['e', 'E']).is_some_and(|(_, exponent)| exponent.parse::<i64>().is_ok())
}

fn has_largest_exponent(text: &str) -> bool {
    text.rsplit_once(['e', 'E']).and_then(|(_, exponent)| exponent.parse::<i32>().ok()) == Some(i32::MAX)
}

/// Puts the members in the order in which the newer hosts print them: those up to the first repeat sorted, then the repeat, then the rest
/// as sent.
fn in_modern_order<T: Ord>(members: &[T]) -> Vec<&T> {
    let mut seen = BTreeSet::new();
    let repeat = members.iter().position(|member| !seen.insert(member)).unwrap_or(members.len());
    let mut ordered: Vec<&T> = members.iter().collect();
    ordered[..repeat].sort();
    ordered
}

/// Prints as many members as are shown.
fn printed<'t, T: 't>(
    members: impl IntoIterator<Item = &'t T>,
    separator: &str,
    print: impl Fn(&T) -> String,
) -> String {
    let mut text = String::new();
    for (position, member) in members.into_iter().enumerate() {
        if is_long(&text) {
            break;
        }
        if position > 0 {
            text.push_str(separator);
        }
        text.push_str(&print(member));
    }
    cut(&text).to_owned()
}
