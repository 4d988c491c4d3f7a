//! Waiting for a server, a table or a stream that does not exist yet.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use pdb_server::Span;
use pretender::streams::source::WakeHandle;

use crate::client::ApiFailure;
use crate::terminal::warn;

/// The pause before the first retry. Each pause is twice as long as the one before, up to `LAST_INTERVAL`.
const FIRST_INTERVAL: Duration = Duration::from_millis(250);
const LAST_INTERVAL: Duration = Duration::from_secs(2);

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    No,
    For(Duration),
    Forever,
}

/// The value after `--wait`: a duration, or a target that clap took for the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WaitTime {
    For(Duration),
    /// `tail --wait orders`
    Other(String),
}

/// Why something could not be started.
#[derive(Debug)]
pub(super) struct NotStarted {
    error: Box<dyn Error>,
    /// Whether a later attempt may succeed.
    is_transient: bool,
    /// Whether the client has reported the error already, when it retried the call.
    is_reported: bool,
}

impl NotStarted {
    /// A later attempt cannot succeed.
    pub(super) fn permanent(error: impl Into<Box<dyn Error>>) -> Self {
        Self { error: error.into(), is_transient: false, is_reported: false }
    }

    /// Something does not exist yet.
    pub(super) fn absent(error: impl Into<Box<dyn Error>>) -> Self {
        Self { error: error.into(), is_transient: true, is_reported: false }
    }

    /// A call failed; a later attempt may succeed.
    pub(super) fn failed(error: Box<dyn Error>) -> Self {
        let is_transient = error.downcast_ref().is_some_and(ApiFailure::is_transient);
        Self { error, is_transient, is_reported: true }
    }
}

impl Wait {
    /// Reads the option: `--wait`, or `--wait 30s`.
    pub(super) fn given(option: Option<&Option<WaitTime>>) -> Self {
        match option {
            None => Self::No,
            Some(Some(WaitTime::For(time))) => Self::For(*time),
            Some(_) => Self::Forever,
        }
    }

    /// Retries until the start succeeds, is stopped, or the time is over. Reports each cause once. Returns `None` if it
    /// was stopped.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub(super) fn until_started<T>(
        self,
        stop: &WakeHandle,
        mut start: impl FnMut() -> Result<T, NotStarted>,
    ) -> Result<Option<T>, Box<dyn Error>> {
        let until = match self {
            Self::No => Some(Instant::now()),
            Self::For(time) => Instant::now().checked_add(time),
            Self::Forever => None,
        };
        let mut reported = BTreeSet::new();
        let mut interval = FIRST_INTERVAL;
        loop {
            let NotStarted { error, is_transient, is_reported } = match start() {
                Ok(started) => return Ok(Some(started)),
                Err(_) if stop.is_stopped() => return Ok(None),
                Err(failure) => failure,
            };
            let left = until.map_or(interval, |until| until.saturating_duration_since(Instant::now()));
            if !is_transient || left.is_zero() {
                return Err(error);
            }
            let text = crate::one_line(error.as_ref());
            if !is_reported && reported.insert(text.clone()) {
                warn(&format!("waiting: {text}"));
            }
            // Only a stop ends the pause early.
            stop.wait(left.min(interval));
            interval = (2 * interval).min(LAST_INTERVAL);
        }
    }
}

/// Reads the value after `--wait`. A value that begins with a digit is meant to be a duration.
pub(super) fn parse_time(text: &str) -> Result<WaitTime, pdb_server::NotASpan> {
    match text.parse() {
        Ok(Span(time)) => Ok(WaitTime::For(time.unwrap_or_default())),
        Err(_) if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            Ok(WaitTime::Other(text.to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Reads the value after `--wait`, where it can only be a duration.
pub(super) fn parse_only_time(text: &str) -> Result<WaitTime, pdb_server::NotASpan> {
    text.parse().map(|Span(time)| WaitTime::For(time.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, time) in [
            ("30s", WaitTime::For(Duration::from_secs(30))),
            ("off", WaitTime::For(Duration::ZERO)),
            ("orders", WaitTime::Other("orders".to_owned())),
        ] {
            assert_eq!(parse_time(text).unwrap(), time);
            assert_ne!(Wait::given(Some(&Some(time))), Wait::No);
        }
        assert!(parse_only_time("30s").is_ok() && parse_only_time("orders").is_err());
        for bad in ["5", "5sec", "-1s", "1.5h"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
        assert_eq!((Wait::given(None), Wait::given(Some(&None))), (Wait::No, Wait::Forever));
    }

    #[test]
    fn permanent_errors_are_not_waited_for() {
        let stop = WakeHandle::default();
        let not_started =
            |is_transient| if is_transient { NotStarted::absent("x") } else { NotStarted::permanent("x") };
        for (wait, is_transient) in
            [(Wait::No, true), (Wait::For(Duration::ZERO), true), (Wait::Forever, false)]
        {
            let mut tries = 0;
            let ended = wait.until_started(&stop, || -> Result<(), _> {
                tries += 1;
                Err(not_started(is_transient))
            });
            assert_eq!((ended.unwrap_err().to_string().as_str(), tries), ("x", 1), "{wait:?}");
        }
        let mut tries = 0;
        let started = Wait::Forever.until_started(&stop, || {
            tries += 1;
            if tries == 2 { Ok(tries) } else { Err(not_started(true)) }
        });
        assert_eq!(started.unwrap(), Some(2));
        let stopped = Wait::Forever.until_started(&stop, || -> Result<(), _> {
            stop.stop();
            Err(not_started(true))
        });
        assert_eq!(stopped.unwrap(), None);
    }
}
