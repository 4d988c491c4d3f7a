//! Time: the clock of this machine, waiting, and the two calendar forms that appear on the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns this machine's time in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the suite runs against foreign servers, in real time")]
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits; the suite polls foreign servers, which tell it nothing by themselves.
#[expect(clippy::disallowed_methods, reason = "nothing but time announces a change at a foreign server")]
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Returns `20260301T091542Z`, as signatures want it.
pub(crate) fn basic_date_time(epoch_millis: i64) -> String {
    let (year, month, day) = civil(epoch_millis.div_euclid(86_400_000));
    let second = epoch_millis.rem_euclid(86_400_000) / 1000;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Reads a stream label, `2026-03-01T09:15:42.017`, as milliseconds since 1970; `None` if it has any other form.
pub(crate) fn parse_label(label: &str) -> Option<i64> {
    let shape: String = label.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00.000" {
        return None;
    }
    let number = |range: std::ops::Range<usize>| label[range].parse::<i64>().ok();
    let days = days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?);
    let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    Some((days * 86_400 + seconds) * 1000 + number(20..23)?)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_dates() {
        assert_eq!(parse_label("1970-01-01T00:00:00.000"), Some(0));
        assert_eq!(parse_label("2026-03-01T09:15:42.017"), Some(1_772_356_542_017));
        assert_eq!(parse_label("2026-03-01T09:15:42.017Z"), None);
        assert_eq!(parse_label("2026-03-01T09:15:42"), None);
        assert_eq!(basic_date_time(1_772_356_542_017), "20260301T091542Z");
        assert_eq!(basic_date_time(1_709_164_800_000), "20240229T000000Z");
    }
}
