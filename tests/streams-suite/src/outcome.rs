//! How a case ends, and the macros that end it.

use std::fmt;

/// Why a case ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The endpoint did not do what the case demands; the text says what it did instead.
    Failed(String),
    /// The case cannot tell anything here; the text says why.
    Skipped(String),
}

/// What a case returns.
pub type Outcome<T = ()> = Result<T, Stop>;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "{why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

impl Stop {
    /// Returns the same end with `what` said before it.
    pub fn during(self, what: &str) -> Stop {
        match self {
            Self::Failed(why) => Self::Failed(format!("{what}: {why}")),
            Self::Skipped(why) => Self::Skipped(format!("{what}: {why}")),
        }
    }
}

/// Ends the case as failed.
#[macro_export]
macro_rules! fail {
    ($($text:tt)*) => { return Err($crate::Stop::Failed(format!($($text)*))) };
}

/// Ends the case as failed unless the condition holds.
#[macro_export]
macro_rules! check {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err($crate::Stop::Failed(format!($($text)*)));
        }
    };
}

/// Ends the case as failed unless both sides are equal; the text says what is compared.
#[macro_export]
macro_rules! check_eq {
    ($actual:expr, $expected:expr, $($text:tt)*) => {{
        let (actual, expected) = (&$actual, &$expected);
        if actual != expected {
            return Err($crate::Stop::Failed(format!(
                "{}: expected {}, got {}",
                format!($($text)*),
                $crate::shown(expected),
                $crate::shown(actual),
            )));
        }
    }};
}

/// Returns a value as failure texts print it: cut, so that a large item does not fill the screen.
pub fn shown(value: &(impl fmt::Debug + ?Sized)) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(1200) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
