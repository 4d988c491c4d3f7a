//! Durations on the command line: `500ms`, `30s`, `15m`, `4h`, `1d`, or `off`.

use std::str::FromStr;
use std::time::Duration;

/// A duration, or none, as it is written on the command line: a whole number followed by `ms`, `s`, `m`, `h` or `d`, or
/// `off`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pdb_server::Span;
///
/// assert_eq!("16m".parse::<Span>()?, Span(Some(Duration::from_secs(16 * 60))));
/// assert_eq!("off".parse::<Span>()?, Span(None));
/// # Ok::<(), pdb_server::NotASpan>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Option<Duration>);

/// Why a text is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("not a duration: expected a whole number followed by ms, s, m, h or d, such as 15m, or `off`")]
pub struct NotASpan;

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        if text == "off" {
            return Ok(Self(None));
        }
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(NotASpan),
        };
        let number: u64 = number.parse().map_err(|_| NotASpan)?;
        Ok(Self(Some(Duration::from_millis(number.checked_mul(millis).ok_or(NotASpan)?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("4h", 14_400_000), ("1d", 86_400_000)]
        {
            assert_eq!(text.parse::<Span>().unwrap(), Span(Some(Duration::from_millis(millis))), "{text}");
        }
        assert_eq!("off".parse::<Span>().unwrap(), Span(None));
        for bad in ["", "5", "s", "-1s", "1.5h", "5 s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
