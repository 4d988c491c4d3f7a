//! Numbers as people read them: bytes, and counts of things.

/// Formats a number of bytes with decimal units: `512 B`, `1.5 KB`, `3.2 MB`.
pub(crate) fn bytes(number: u64) -> String {
    let mut rest = number as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        // From here on, one decimal place would round up to 1000.0.
        if rest < 999.95 {
            return if unit == "B" { format!("{number} {unit}") } else { format!("{rest:.1} {unit}") };
        }
        rest /= 1000.0;
    }
    format!("{rest:.1} TB")
}

/// Formats a count of things, given their singular: `1 row`, `1234 rows`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", plural_ending(number))
}

/// Returns what the name of a thing ends in if there are so many of them.
pub(crate) fn plural_ending(number: u64) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// Formats a number with commas: `1,234`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_decimal_units() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (1536, "1.5 KB"),
            (999_949, "999.9 KB"),
            (999_950, "1.0 MB"),
            (470_100_000, "470.1 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn counts_have_commas_and_plurals() {
        assert_eq!(["0", "12", "123", "1,234", "123,456"], [0, 12, 123, 1234, 123_456].map(thousands));
        let counts = [0, 1, 2, 1234].map(|number| counted(number, "row"));
        assert_eq!(counts, ["0 rows", "1 row", "2 rows", "1234 rows"]);
    }
}
