//! Names of tables and indexes.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::ParseError;

/// Returns whether `text` has a length of 3 to 255 and consists of `a-z A-Z 0-9 _ . -` only.
fn is_name(text: &str) -> bool {
    (3..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks and returns a name.
            ///
            /// # Errors
            ///
            /// [`ParseError`] if it does not have 3 to 255 characters of `a-z A-Z 0-9 _ . -`.
            pub fn new(name: &str) -> Result<Self, ParseError> {
                if is_name(name) { Ok(Self(name.into())) } else { Err(ParseError::new($what, name)) }
            }

            /// Returns the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(name: &str) -> Result<Self, ParseError> {
                Self::new(name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::new(&name).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// The name of a table: 3 to 255 characters of `a-z A-Z 0-9 _ . -`, case-sensitive. Cheap to clone.
    TableName,
    "table name"
);
name_type!(
    /// The name of a secondary index: 3 to 255 characters of `a-z A-Z 0-9 _ . -`, case-sensitive. Cheap to clone.
    IndexName,
    "index name"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_limited_lengths_and_characters() {
        for good in ["abc", "A.b-c_9", &"x".repeat(255)] {
            assert_eq!(TableName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "ab", &"x".repeat(256), "a b c", "täble", "a/b/c"] {
            assert!(TableName::new(bad).is_err(), "{bad}");
        }
    }
}
