//! What the parts of the campaign have in common: how long they go on, what they count, and how they fail.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::dice::Dice;

/// The reason for a failure, as a text for people.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Figures of a part, by name.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

/// How long a part goes on: for a time, and until something was done often enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    until: Instant,
    /// How often at least, however long that takes.
    pub(crate) least: u64,
}

impl Budget {
    pub(crate) fn new(time: Duration, least: u64) -> Self {
        Self { until: Instant::now() + time, least }
    }

    /// Whether it goes on after something was done so often.
    pub(crate) fn goes_on(&self, done: u64) -> bool {
        done < self.least || Instant::now() < self.until
    }
}

/// What a part of the campaign gets.
pub(crate) struct Part {
    pub(crate) dice: Dice,
    pub(crate) budget: Budget,
    /// An empty folder of its own. It stays if the part fails.
    pub(crate) folder: PathBuf,
    /// The server under test.
    pub(crate) server: PathBuf,
    pub(crate) tally: Tally,
}

impl Part {
    pub(crate) fn count(&mut self, what: &'static str, more: u64) {
        *self.tally.entry(what).or_default() += more;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.tally.get(what).copied().unwrap_or(0)
    }

    /// An empty folder in that of the part, instead of the one of this name that there was.
    pub(crate) fn fresh(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.folder.join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}

/// Runs something that may panic; a panic of the database is a failure like any other.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(format!("a panic: {}", text_of(&*panic))))
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text")
}

/// Checks that everything in a database file fits together.
pub(crate) fn check_file(file: &Path) -> Outcome {
    let mut findings = Vec::new();
    let report = pretender::maintenance::check(&pretender::Pretender::builder().file(file), &mut |event| {
        if let pretender::maintenance::CheckEvent::Finding(finding) = event {
            findings.push(finding.to_string());
        }
    });
    match report {
        Ok(report) if report.is_sound() => Ok(()),
        Ok(_) => Err(format!("the check finds: {findings:#?}")),
        Err(error) => Err(format!("the file cannot be checked: {}", chain(&error))),
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Waits.
pub(crate) fn pause(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// The beginning of something long.
pub(crate) fn short(what: &dyn std::fmt::Display) -> String {
    let text = what.to_string();
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
