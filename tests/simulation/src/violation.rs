//! What a simulation finds: an invariant that does not hold.

use std::fmt;

/// An invariant that does not hold. The text says which, and what was found instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

/// The result of a step or of a check.
pub type Checked<T = ()> = Result<T, Violation>;

impl Violation {
    /// Returns the kind of the violation: its text up to the first detail.
    #[must_use]
    pub fn kind(&self) -> &str {
        let detail = |letter: char| letter.is_ascii_digit() || ":{[`".contains(letter);
        self.0.split(detail).next().unwrap_or_default()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a violation unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(crate::violation::Violation(format!($($text)+)));
        }
    };
}

/// Returns a violation unless both values are equal. The text says what they are.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($text:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => ensure!(
                found == expected,
                "{}: found {found:?}, expected {expected:?}",
                format!($($text)+)
            ),
        }
    };
}

pub(crate) use {ensure, ensure_eq};

/// Turns an error that no step expects into a violation.
pub(crate) trait Unexpected<T> {
    /// Returns the value, or a violation that says what was being done.
    fn expected_to(self, what: &str) -> Checked<T>;
}

impl<T, E: fmt::Debug> Unexpected<T> for Result<T, E> {
    fn expected_to(self, what: &str) -> Checked<T> {
        self.map_err(|error| Violation(format!("{what} failed: {error:?}")))
    }
}
