//! From where records are shown, as the parameters of an address say it.

use std::time::Duration;

use pretender::time::EpochMillis;
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

use crate::Parameters;
use crate::tail::ShortCheckpoint;

/// From where records are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The last records, and those that come.
    Latest,
    /// From the oldest record on.
    TrimHorizon,
    /// From a time on.
    Since(EpochMillis),
    /// Behind what was shown before.
    After(ShortCheckpoint),
}

impl Position {
    /// The parameter that says which kind of position is meant.
    pub(super) const FROM: &'static str = "from";
    /// The newest records.
    pub(super) const LATEST: &'static str = "latest";
    /// The oldest record.
    pub(super) const TRIM_HORIZON: &'static str = "trim-horizon";
    /// A time, which the parameter of this name has.
    pub(super) const TIME: &'static str = "time";
    /// The parameter with a checkpoint, which counts more than the others.
    pub(super) const AFTER: &'static str = "after";

    /// Reads the position in the parameters of an address.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(super) fn of(parameters: &Parameters<'_>, now: EpochMillis) -> Result<Self, String> {
        let after = parameters.get(Self::AFTER);
        if !after.is_empty() {
            let checkpoint =
                after.parse().map_err(|_| "The address has a broken position (`after`).".to_owned());
            return checkpoint.map(Self::After);
        }
        match parameters.get(Self::FROM) {
            "" | Self::LATEST => Ok(Self::Latest),
            Self::TRIM_HORIZON => Ok(Self::TrimHorizon),
            Self::TIME => {
                let text = parameters.get(Self::TIME).trim();
                let time = parse_time(text, now).ok_or_else(|| {
                    format!("`{text}` is not a time: try `2026-03-01 09:15:42Z` (UTC without an offset), or how long ago, such as `15m`.")
                })?;
                if time > now {
                    return Err(format!("`{text}` lies in the future of the database's clock."));
                }
                Ok(Self::Since(time))
            }
            other => Err(format!("`{other}` is not a position: it is `latest`, `trim-horizon` or `time`.")),
        }
    }
}

/// Reads ISO 8601 (in UTC unless it has an offset), seconds or milliseconds since 1970, or how long before now: `90s`, `15m`, `2h`, `1d`.
fn parse_time(text: &str, now: EpochMillis) -> Option<EpochMillis> {
    age(text).map(|age| now.minus(age)).or_else(|| epoch(text)).or_else(|| iso(text))
}

fn age(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let millis = match &text[number.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.trim().parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

fn epoch(text: &str) -> Option<EpochMillis> {
    let number: i64 = text.parse().ok()?;
    // Up to the year 5138 it is seconds, from the year 1973 on milliseconds.
    if number < 0 {
        return None;
    }
    Some(EpochMillis(if number < 100_000_000_000 { number * 1_000 } else { number }))
}

fn iso(text: &str) -> Option<EpochMillis> {
    let text = text.replacen(' ', "T", 1);
    let time = OffsetDateTime::parse(&text, &Iso8601::DEFAULT)
        .or_else(|_| PrimitiveDateTime::parse(&text, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc))
        .or_else(|_| {
            Date::parse(&text, &Iso8601::DEFAULT).map(|date| date.with_time(Time::MIDNIGHT).assume_utc())
        });
    let nanos = time.ok()?.unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1_000_000)).ok().map(EpochMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: EpochMillis = EpochMillis(1_772_356_542_017);

    fn position(query: &str) -> Result<Position, String> {
        Position::of(&Parameters::of(query.as_bytes()), NOW)
    }

    #[test]
    fn positions_have_many_forms() {
        for (query, expected) in [
            ("", Position::Latest),
            ("from=latest&time=15m", Position::Latest),
            ("from=trim-horizon", Position::TrimHorizon),
            ("from=time&time=15m", Position::Since(EpochMillis(NOW.0 - 900_000))),
            ("from=time&time=2 h", Position::Since(EpochMillis(NOW.0 - 7_200_000))),
            ("from=time&time=2026-03-01 09:15:42.017Z", Position::Since(NOW)),
            ("from=time&time=2026-03-01T09:15:42", Position::Since(EpochMillis(1_772_356_542_000))),
            ("from=time&time=2026-03-01T10:15:42%2B01:00", Position::Since(EpochMillis(1_772_356_542_000))),
            ("from=time&time=2026-03-01", Position::Since(EpochMillis(1_772_323_200_000))),
            ("from=time&time=1772356542", Position::Since(EpochMillis(1_772_356_542_000))),
            ("from=time&time=1772356542017", Position::Since(NOW)),
        ] {
            assert_eq!(position(query), Ok(expected), "{query}");
        }
        let after = "1.1772356542017.1772356543000.4-12_5-b.4-12";
        assert_eq!(
            position(&format!("after={after}&from=latest")),
            Ok(Position::After(after.parse().unwrap()))
        );
    }

    #[test]
    fn what_is_no_position_is_explained() {
        for (query, text) in [
            ("from=time", "`` is not a time"),
            ("from=time&time=yesterday", "`yesterday` is not a time"),
            ("from=time&time=9999999999999999999d", "is not a time"),
            ("from=time&time=2026-03-01 09:16Z", "in the future"),
            ("from=begin", "`begin` is not a position"),
            ("after=x", "broken position"),
        ] {
            let error = position(query).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
