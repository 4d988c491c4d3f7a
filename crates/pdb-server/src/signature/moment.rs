//! Times in requests: `20260301T091542Z`, or as HTTP writes them.

use pdb_model::ApiError;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{incomplete, shortened};

/// The "basic format" of ISO 8601.
const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
/// The preferred format of HTTP's `Date`.
const HTTP: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// A second, in the form in which it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    seconds: i64,
    basic: String,
}

impl Moment {
    /// Returns the moment so many seconds after the beginning of 1970. Beyond the years 0 to 9999, its text is that of 1970.
    pub(super) fn at(seconds: i64) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self { seconds, basic: moment.format(BASIC).unwrap_or_default() }
    }

    /// Reads the value of `X-Amz-Date`, in the basic format only.
    ///
    /// # Errors
    ///
    /// AWS's text.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let seconds =
            PrimitiveDateTime::parse(text, BASIC).ok().map(|moment| moment.assume_utc().unix_timestamp());
        match seconds {
            Some(seconds) => Ok(Self { seconds, basic: text.to_owned() }),
            None => Err(incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                shortened(text)
            ))),
        }
    }

    /// Reads the value of `Date`, in the basic format or as HTTP writes it.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub(super) fn parse_date(text: &str) -> Result<Self, ApiError> {
        match PrimitiveDateTime::parse(text, HTTP) {
            Ok(moment) => Ok(Self::at(moment.assume_utc().unix_timestamp())),
            Err(_) => Self::parse(text),
        }
    }

    /// Returns the seconds since the beginning of 1970.
    pub(super) fn seconds(&self) -> i64 {
        self.seconds
    }

    /// Returns `20260301T091542Z`.
    pub(super) fn basic(&self) -> &str {
        &self.basic
    }

    /// Returns `20260301`.
    pub(super) fn date(&self) -> &str {
        self.basic.split('T').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_forms() {
        let moment = Moment::parse("20260301T091542Z").unwrap();
        assert_eq!(
            (moment.seconds(), moment.basic(), moment.date()),
            (1_772_356_542, "20260301T091542Z", "20260301")
        );
        assert_eq!(Moment::at(1_772_356_542), moment);
        assert_eq!(Moment::parse_date("Sun, 01 Mar 2026 09:15:42 GMT").unwrap(), moment);
        assert_eq!(Moment::parse_date("20260301T091542Z").unwrap(), moment);
        for bad in [
            "",
            "20260301",
            "2026-03-01T09:15:42Z",
            "20260301T091542",
            "20260301T091542.017Z",
            "20261301T091542Z",
            "20260230T091542Z",
            "20260301T251542Z",
            " 20260301T091542Z",
            "20260301T091542Z ",
            "-2026301T091542Z",
            "\u{663}0260301T09154Z",
        ] {
            let error = Moment::parse(bad).unwrap_err();
            assert_eq!(
                error.message,
                format!(
                    "Date must be in ISO-8601 'basic format'. Got '{bad}'. See http://en.wikipedia.org/wiki/ISO_8601"
                )
            );
            assert!(Moment::parse_date(bad).is_err());
        }
        assert!(Moment::parse("Sun, 01 Mar 2026 09:15:42 GMT").is_err());
    }
}
