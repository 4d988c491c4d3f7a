//! Values as people read them.

use pretender::time::EpochMillis;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]Z");

/// Returns a time as `2026-03-01 09:15:42.017Z`.
pub(crate) fn format_time(time: EpochMillis) -> String {
    let nanos = i128::from(time.0) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(FORMAT).ok()).unwrap_or_else(|| format!("{} ms", time.0))
}

/// Returns a number with its noun: `1 item`, `2 items`.
pub(crate) fn plural(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// Returns a number of bytes with a unit: `340 B`, `1.2 MB`.
pub(crate) fn format_bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for larger in ["KB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// Returns a length of time in its largest unit: `340 ms`, `12 s`, `3 min`, `4.2 h`.
pub(crate) fn format_span(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{:.1} s", millis as f64 / 1_000.0),
        120_000..7_200_000 => format!("{} min", millis / 60_000),
        _ => format!("{:.1} h", millis as f64 / 3_600_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sizes_and_spans_have_units() {
        assert_eq!(format_time(EpochMillis(1_772_356_542_017)), "2026-03-01 09:15:42.017Z");
        assert_eq!(format_time(EpochMillis(i64::MAX)), "9223372036854775807 ms");
        for (bytes, shown) in [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (12_345_678, "12.3 MB")] {
            assert_eq!(format_bytes(bytes), shown);
        }
        for (millis, shown) in [(7, "7 ms"), (1_500, "1.5 s"), (180_000, "3 min"), (15_120_000, "4.2 h")] {
            assert_eq!(format_span(millis), shown);
        }
        assert_eq!((plural(1, "item"), plural(2, "item")), ("1 item".to_owned(), "2 items".to_owned()));
    }
}
