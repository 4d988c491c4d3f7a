//! Times in the forms that people write.

use pretender::streams::StreamLabel;
use pretender::time::EpochMillis;
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

/// The last millisecond of the year 9999.
pub(crate) const LAST: EpochMillis = EpochMillis(253_402_300_799_999);

/// Whole numbers below this are seconds since 1970, up to the year 5138; the others are milliseconds, from the year
/// 1973 on.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// Reads ISO 8601 (in UTC unless it has an offset), or the time since 1970: in seconds if it has up to 11 digits or a
/// fraction, in milliseconds if it has more digits.
///
/// # Errors
///
/// A text that says what a time looks like.
///
/// # Examples
///
/// ```
/// assert_eq!(pdb_server::parse_time("2026-03-01T09:15:42Z"), pdb_server::parse_time("1772356542"));
/// ```
pub fn parse_time(text: &str) -> Result<EpochMillis, String> {
    number(text).or_else(|| iso(text)).ok_or_else(|| {
        format!("`{text}` is not a time; try 2026-03-01T09:15:42.017Z, or seconds or milliseconds since 1970")
    })
}

/// Formats a time as ISO 8601 in UTC.
pub(crate) fn format_time(moment: EpochMillis) -> String {
    format!("{}Z", StreamLabel::at(moment))
}

fn number(text: &str) -> Option<EpochMillis> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((seconds, fraction)) = text.split_once('.') {
        if !is_digits(seconds) || !is_digits(fraction) {
            return None;
        }
        let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
        return seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis).map(EpochMillis);
    }
    if !is_digits(text) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    if number < FIRST_MILLIS { Some(EpochMillis(number * 1000)) } else { Some(EpochMillis(number)) }
}

fn iso(text: &str) -> Option<EpochMillis> {
    let moment = OffsetDateTime::parse(text, &Iso8601::DEFAULT)
        .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).map(PrimitiveDateTime::assume_utc))
        .or_else(|_| {
            Date::parse(text, &Iso8601::DEFAULT).map(|date| date.with_time(Time::MIDNIGHT).assume_utc())
        });
    let nanos = moment.ok()?.unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1_000_000)).ok().map(EpochMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_many_forms() {
        for (text, millis) in [
            ("2026-03-01T09:15:42.017Z", 1_772_356_542_017),
            ("2026-03-01T09:15:42Z", 1_772_356_542_000),
            ("2026-03-01T10:15:42.017+01:00", 1_772_356_542_017),
            ("2026-03-01T09:15:42.017", 1_772_356_542_017),
            ("2026-03-01T09:15Z", 1_772_356_500_000),
            ("2026-03-01", 1_772_323_200_000),
            ("1772356542", 1_772_356_542_000),
            ("1772356542.017", 1_772_356_542_017),
            ("1772356542.0179", 1_772_356_542_017),
            ("1772356542.1", 1_772_356_542_100),
            ("1772356542017", 1_772_356_542_017),
            ("0", 0),
        ] {
            assert_eq!(parse_time(text), Ok(EpochMillis(millis)), "{text}");
        }
        for bad in
            ["", "now", "1.", ".5", "-1", "1e9", "2026-13-01", "2026-03-01T25:00:00Z", "99999999999999999999"]
        {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
        assert_eq!(format_time(EpochMillis(1_772_356_542_017)), "2026-03-01T09:15:42.017Z");
        assert_eq!(format_time(LAST), "9999-12-31T23:59:59.999Z");
    }
}
