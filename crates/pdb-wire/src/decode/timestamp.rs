//! Points in time: JSON numbers of seconds since 1970.

use pdb_model::EpochMillis;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::body::text_of;
use super::{Decode, Dump, Kind, Place, Seed};

/// A point in time in a request, of which milliseconds are kept. What is smaller is cut off toward the past.
///
/// The parser would give a binary fraction, in which a time that lies just before a millisecond can be rounded into it. So the text of
/// the number is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) EpochMillis);

impl<'de> Decode<'de> for Timestamp {
    fn kind() -> Kind {
        Kind::Scalar("java.lang.Double")
    }

    fn read<D: Deserializer<'de>>(place: Place<'_>, deserializer: D) -> Result<Option<Self>, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Ok(Some(Self(EpochMillis(millis(text)))));
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let refused = deserializer.deserialize_any(Seed::new(place));
        refused.map_err(|error| D::Error::custom(text_of(&error)))
    }
}

impl Dump for Timestamp {
    fn dump(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

/// Reads a JSON number of seconds as milliseconds, rounded down; the nearest that there is if it does not fit.
fn millis(number: &str) -> i64 {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0');
    let leading = whole.len() + fraction.len() - digits().count();
    if digits().next().is_none() {
        return 0;
    }
    // An exponent that does not fit is far beyond any time, or leaves nothing.
    let exponent =
        exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
    let point = (whole.len() as i64 - leading as i64).saturating_add(exponent).saturating_add(3);
    let kept = usize::try_from(point).unwrap_or(0);
    // 10^18 milliseconds are beyond any time, and fit.
    let limit = 18;
    let magnitude = if kept > limit {
        i64::MAX
    } else {
        let kept = digits().chain(std::iter::repeat(b'0')).take(kept);
        kept.fold(0, |value: i64, digit| value * 10 + i64::from(digit - b'0'))
    };
    if !is_negative {
        return magnitude;
    }
    let is_cut = digits().skip(kept).any(|digit| digit != b'0');
    (-magnitude).saturating_sub(i64::from(is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_seconds_are_milliseconds() {
        for (number, expected) in [
            ("0", 0),
            ("-0", 0),
            ("0.0", 0),
            ("1791316726", 1_791_316_726_000),
            ("1791316726.48", 1_791_316_726_480),
            ("1791316726.480", 1_791_316_726_480),
            ("1791316726.480123", 1_791_316_726_480),
            ("1791316726.4809999999999999", 1_791_316_726_480),
            ("1.79131672648E9", 1_791_316_726_480),
            ("1.79131672648e+9", 1_791_316_726_480),
            ("179131672648E-2", 1_791_316_726_480),
            ("100.2500009", 100_250),
            ("1.0E2", 100_000),
            ("0.001", 1),
            ("0.0009", 0),
            ("1e-3", 1),
            ("1e-4", 0),
            ("0.00001e2", 1),
            ("-5", -5000),
            ("-0.0001", -1),
            ("-1.0005", -1001),
            ("-1e-9", -1),
            ("-1e-99999999999999999999", -1),
            ("1e-99999999999999999999", 0),
            ("1e99999999999999999999", i64::MAX),
            ("-1e400", -i64::MAX),
            ("9223372036854775807", i64::MAX),
            ("0e99999999999999999999", 0),
        ] {
            assert_eq!(millis(number), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(time in -(1i64 << 52)..1i64 << 52) {
            prop_assert_eq!(millis(&EpochMillis(time).to_string()), time);
            let seconds = time as f64 / 1000.0;
            prop_assert_eq!(millis(&serde_json::to_string(&seconds).unwrap()), time);
        }
    }
}
