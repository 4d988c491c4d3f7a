//! Strings, booleans, integers, floats and blobs.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;

use super::{Decode, Kind, Place};

/// A string member, borrowed from the request if it holds no escapes.
pub(crate) type Text<'a> = Cow<'a, str>;

impl<'de> Decode<'de> for Text<'de> {
    fn kind() -> Kind {
        Kind::Scalar("java.lang.String")
    }

    fn from_text<E: Error>(place: Place<'_>, value: Cow<'de, str>) -> Result<Self, E> {
        // Sooner or later there is a copy of most texts.
        place.meter.take(value.len())?;
        Ok(value)
    }
}

impl<'de> Decode<'de> for bool {
    fn kind() -> Kind {
        Kind::Scalar("java.lang.Boolean")
    }

    fn from_bool<E: Error>(_place: Place<'_>, value: bool) -> Result<Self, E> {
        Ok(value)
    }

    fn from_text<E: Error>(_place: Place<'_>, value: Cow<'de, str>) -> Result<Self, E> {
        let is = |words: [&str; 3]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if is(["true", "1", "yes"]) {
            Ok(true)
        } else if is(["false", "0", "no"]) {
            Ok(false)
        } else {
            Err(E::custom("Unexpected token received from parser"))
        }
    }
}

macro_rules! integer {
    ($type:ty, $class:literal) => {
        impl<'de> Decode<'de> for $type {
            fn kind() -> Kind {
                Kind::Scalar($class)
            }

            fn from_integer<E: Error>(_place: Place<'_>, value: i128) -> Result<Self, E> {
                let bounded = value.clamp(<$type>::MIN.into(), <$type>::MAX.into());
                Ok(Self::try_from(bounded).unwrap_or_default())
            }

            fn from_decimal<E: Error>(place: Place<'_>, value: f64) -> Result<Self, E> {
                Self::from_integer(place, value.floor() as i128)
            }
        }
    };
}
integer!(i32, "java.lang.Integer");
integer!(i64, "java.lang.Long");

impl<'de> Decode<'de> for f64 {
    fn kind() -> Kind {
        Kind::Scalar("java.lang.Double")
    }

    fn from_integer<E: Error>(_place: Place<'_>, value: i128) -> Result<Self, E> {
        Ok(value as f64)
    }

    fn from_decimal<E: Error>(_place: Place<'_>, value: f64) -> Result<Self, E> {
        Ok(value)
    }
}

/// Bytes, sent as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl<'de> Decode<'de> for Blob {
    fn kind() -> Kind {
        Kind::Scalar("java.nio.ByteBuffer")
    }

    fn from_text<E: Error>(place: Place<'_>, value: Cow<'de, str>) -> Result<Self, E> {
        place.meter.take(value.len())?;
        if !value.len().is_multiple_of(4) {
            let length = value.len();
            return Err(E::custom(format!(
                "Base64 encoded length is expected a multiple of 4 bytes but found: {length}"
            )));
        }
        // AWS's spelling.
        STANDARD
            .decode(value.as_bytes())
            .map(Self)
            .map_err(|_| E::custom("Invalid last non-pad Base64 character dectected"))
    }
}
