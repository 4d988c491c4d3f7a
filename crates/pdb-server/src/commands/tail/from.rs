//! The value of `--from`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pdb_server::Span;
use pretender::time::EpochMillis;

/// Where to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    TrimHorizon,
    Latest,
    Time(EpochMillis),
    /// So long ago.
    Age(Duration),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "trim-horizon" | "TRIM_HORIZON" => return Ok(Self::TrimHorizon),
            "latest" | "LATEST" => return Ok(Self::Latest),
            _ => {}
        }
        // An age may have a minus sign, as in a sum: now -15m.
        if let Ok(Span(Some(age))) = text.strip_prefix('-').unwrap_or(text).parse() {
            return Ok(Self::Age(age));
        }
        pdb_server::parse_time(text).map(Self::Time).map_err(|_| {
            "expected trim-horizon, latest, a time such as 2026-03-01T09:15Z, or an age such as 15m"
                .to_owned()
        })
    }
}

/// Prints the default.
impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrimHorizon => f.write_str("trim-horizon"),
            Self::Latest => f.write_str("latest"),
            Self::Time(time) => time.fmt(f),
            Self::Age(age) => write!(f, "{}ms", age.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_have_several_forms() {
        let minutes = |count: u64| From::Age(Duration::from_secs(60 * count));
        let time = From::Time(EpochMillis(1_772_356_500_000));
        for (text, expected) in [
            ("trim-horizon", From::TrimHorizon),
            ("latest", From::Latest),
            ("15m", minutes(15)),
            ("-15m", minutes(15)),
            ("-2h", minutes(120)),
            ("500ms", From::Age(Duration::from_millis(500))),
            ("2026-03-01T09:15Z", time),
            ("2026-03-01T10:15:00+01:00", time),
            ("1772356500", time),
            ("1772356500000", time),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.to_string().parse(), Ok(expected), "{text}");
        }
        for bad in ["", "off", "-off", "--15m", "yesterday", "-2026-03-01", "oldest", "1h30m"] {
            assert!(bad.parse::<From>().is_err(), "{bad}");
        }
    }
}
