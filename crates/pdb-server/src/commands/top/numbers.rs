//! Numbers in few characters. The width of each kind is bounded, so that columns do not move.

use std::time::Duration;

use pretender::streams::StreamLabel;
use pretender::time::EpochMillis;

use crate::quantity;

/// The text for what is not known.
pub(super) const UNKNOWN: &str = "-";
/// Units of a thousand each.
const UNITS: [&str; 5] = ["k", "M", "G", "T", "P"];

/// Formats a rate per second: `0`, `0.4`, `37`, `9,950`, `12.3k`.
pub(super) fn rate(number: f64) -> String {
    match number {
        // No further digits: nobody compares rates below one every ten seconds.
        none if none <= 0.0 => "0".to_owned(),
        few if few < 0.05 => "<0.1".to_owned(),
        few if few < 9.95 => format!("{few:.1}"),
        number => count(number),
    }
}

/// Formats a count: `1,042`, `310`, `99,999`, `1.2M`.
pub(super) fn count(number: f64) -> String {
    let whole = number.max(0.0).round();
    if whole < 100_000.0 {
        return quantity::thousands(whole as u64);
    }
    let mut rest = whole;
    for unit in UNITS {
        rest /= 1000.0;
        if rest < 999.95 {
            return format!("{rest:.1}{unit}");
        }
    }
    "many".to_owned()
}

/// Formats a number of bytes: `1.5 KB`.
pub(super) fn bytes(number: f64) -> String {
    let whole = number.max(0.0);
    // There is no disk of a petabyte.
    if whole < 999.95e12 { quantity::bytes(whole as u64) } else { "many".to_owned() }
}

/// Formats an age in seconds: `0s`, `0.3s`, `42s`, `3m20s`, `2h05m`, `4d07h`.
pub(super) fn age(seconds: f64) -> String {
    if seconds < 0.05 {
        return "0s".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1}s");
    }
    match seconds.round() as u64 {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds @ 3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        seconds @ 86_400..86_400_000 => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
        _ => "ages".to_owned(),
    }
}

/// Formats a short time in seconds: `0.4ms`, `12ms`, `1.5s`.
pub(super) fn latency(seconds: f64) -> String {
    let millis = seconds * 1000.0;
    match millis {
        none if none <= 0.0 => "0ms".to_owned(),
        few if few < 0.05 => "<0.1ms".to_owned(),
        few if few < 9.95 => format!("{few:.1}ms"),
        few if few < 999.5 => format!("{few:.0}ms"),
        _ => age(seconds),
    }
}

/// Formats a time that has passed: `3s`, `42s`, `3m20s`.
pub(super) fn passed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..10 => format!("{seconds}s"),
        seconds => age(seconds as f64),
    }
}

/// Formats an interval in the form of options: `500ms`, `2s`, `1m`.
pub(super) fn interval(time: Duration) -> String {
    match time.as_millis() {
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// Formats seconds since 1970: `2026-11-29 10:02:11 UTC`.
pub(super) fn moment(seconds: f64) -> String {
    let label = StreamLabel::at(EpochMillis((seconds * 1000.0) as i64)).to_string();
    let (date, time) = label.split_once('T').unwrap_or_default();
    format!("{date} {} UTC", time.split('.').next().unwrap_or_default())
}

/// Formats the time of day: `10:02:11 UTC`.
pub(super) fn time_of_day(moment: EpochMillis) -> String {
    let label = StreamLabel::at(moment).to_string();
    let (_, time) = label.split_once('T').unwrap_or_default();
    format!("{} UTC", time.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: fn(f64) -> String, cases: &[(f64, &str)]) {
        for (number, text) in cases {
            assert_eq!(format(*number), *text, "{number}");
        }
    }

    #[test]
    fn numbers_are_short() {
        check(
            rate,
            &[
                (-1.0, "0"),
                (0.0, "0"),
                (0.01, "<0.1"),
                (0.05, "0.1"),
                (9.94, "9.9"),
                (9.96, "10"),
                (1234.4, "1,234"),
                (123_456.0, "123.5k"),
            ],
        );
        check(
            count,
            &[
                (-3.0, "0"),
                (7.0, "7"),
                (99_999.0, "99,999"),
                (99_999.6, "100.0k"),
                (999_949.0, "999.9k"),
                (999_950.0, "1.0M"),
                (2.5e9, "2.5G"),
                (1e300, "many"),
            ],
        );
        check(bytes, &[(-1.0, "0 B"), (254_000.0, "254.0 KB"), (1e308, "many")]);
    }

    #[test]
    fn times_have_units() {
        check(
            age,
            &[
                (-1e9, "0s"),
                (0.0, "0s"),
                (0.25, "0.2s"),
                (9.96, "10s"),
                (59.6, "1m00s"),
                (200.0, "3m20s"),
                (7500.0, "2h05m"),
                (370_800.0, "4d07h"),
                (1e300, "ages"),
            ],
        );
        check(
            latency,
            &[
                (-1.0, "0ms"),
                (0.00001, "<0.1ms"),
                (0.0004, "0.4ms"),
                (0.0123, "12ms"),
                (0.9996, "1.0s"),
                (12.5, "13s"),
                (90.0, "1m30s"),
            ],
        );
        let intervals = [100, 1000, 1500, 60_000].map(|millis| interval(Duration::from_millis(millis)));
        assert_eq!(intervals, ["100ms", "1s", "1500ms", "1m"]);
        assert_eq!([3, 75].map(|seconds| passed(Duration::from_secs(seconds))), ["3s", "1m15s"]);
        check(
            moment,
            &[
                (1_795_946_531.9, "2026-11-29 10:02:11 UTC"),
                (1e300, "1970-01-01 00:00:00 UTC"),
                (-1e300, "1970-01-01 00:00:00 UTC"),
            ],
        );
        assert_eq!(time_of_day(EpochMillis(1_772_356_542_017)), "09:15:42 UTC");
    }

    #[test]
    fn no_number_is_wide() {
        for exponent in -10..308 {
            let number = 9.999_999_9 * 10f64.powi(exponent);
            for (format, width) in
                [(rate as fn(f64) -> String, 6), (count, 6), (bytes, 8), (age, 7), (latency, 7)]
            {
                assert!(format(number).len() <= width, "{number}: {}", format(number));
            }
        }
    }
}
