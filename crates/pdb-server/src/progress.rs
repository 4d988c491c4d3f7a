//! Showing the progress of long work on standard error: a bar on a terminal, otherwise a line from time to time. Short
//! work shows nothing.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::quantity::{bytes, plural_ending, thousands};
use crate::terminal::visible;

/// Work that takes less time than this shows no progress.
const SOON: Duration = Duration::from_millis(500);
/// When the first line is printed if there is no terminal.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// The pause until the next line.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// How often the bar is drawn while there is no progress to show.
const TICK: Duration = Duration::from_millis(200);
/// The time over which the rate is measured.
const RECENT: Duration = Duration::from_secs(3);
/// The resolution of the bar.
const PARTS: f64 = 1000.0;
/// Below this fraction, the remaining time cannot be estimated.
const TOO_LITTLE: f64 = 0.02;

/// The unit of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    /// Things, given their singular.
    Things(&'static str),
}

/// The progress of some work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    /// What is being done, such as `copying items of Orders`.
    pub(crate) what: &'a str,
    /// How much is done, in units.
    pub(crate) done: u64,
    /// The total, in units, if it is known.
    pub(crate) total: Option<u64>,
    pub(crate) unit: Unit,
    /// The part of the whole work that this step covers, as fractions from 0 to 1. Should follow the cost of the parts,
    /// so that the bar moves evenly.
    pub(crate) share: (f64, f64),
}

impl<'a> Step<'a> {
    /// Creates a step of work that has only one part.
    pub(crate) fn new(what: &'a str, done: u64, total: Option<u64>, unit: Unit) -> Self {
        Self { what, done, total, unit, share: (0.0, 1.0) }
    }

    /// Makes this a part of the work.
    pub(crate) fn within(self, share: (f64, f64)) -> Self {
        Self { share, ..self }
    }

    /// Returns the fraction of the whole work that is done; `None` if the total is not known.
    fn fraction(&self) -> Option<f64> {
        let (from, to) = self.share;
        if self.total.is_none() && from > 0.0 {
            return Some(from);
        }
        let done = match self.total? {
            // An empty step is complete.
            0 => 1.0,
            total => (self.done as f64 / total as f64).min(1.0),
        };
        Some(from + (to - from) * done)
    }
}

/// Shows the progress of some work. Errors of writing are ignored.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    recent: Recent,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    /// On a terminal.
    Bar(Bar),
    /// Without a terminal. The value is the time when the next line is due.
    Lines(Duration),
}

impl Progress {
    /// Creates a progress display. Shows nothing yet.
    pub(crate) fn new() -> Self {
        let shown =
            if std::io::stderr().is_terminal() { Shown::Bar(Bar::new()) } else { Shown::Lines(FIRST_LINE) };
        Self { begun: Instant::now(), recent: Recent::default(), shown }
    }

    /// Shows a step, if it is time to do so.
    pub(crate) fn show(&mut self, step: &Step<'_>) {
        let passed = self.begun.elapsed();
        self.recent.note(passed, step.done);
        match &mut self.shown {
            Shown::Bar(Bar { bar, .. }) => {
                bar.set_style(style(step.fraction().is_some()));
                bar.set_message(visible(step.what).into_owned());
                bar.set_prefix(bar_suffix(step, passed, self.recent.rate()));
                bar.set_position((step.fraction().unwrap_or(0.0) * PARTS) as u64);
            }
            Shown::Lines(due) if passed < *due => {}
            Shown::Lines(due) => {
                *due = passed + BETWEEN_LINES;
                let line = line(step, passed, self.recent.rate());
                let _ = writeln!(std::io::stderr(), "{}", visible(&line));
            }
        }
    }

    /// Writes something else, for which the bar makes room.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shown {
            Shown::Bar(Bar { bar, .. }) => bar.suspend(write),
            Shown::Lines(_) => write(),
        }
    }
}

/// A bar that appears after a while, even if there is no progress meanwhile.
#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    /// Dropped to end the wait.
    stop: Option<mpsc::Sender<()>>,
    wait: Option<JoinHandle<()>>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(PARTS as u64), ProgressDrawTarget::hidden());
        bar.set_style(style(false));
        let (stop, stopped) = mpsc::channel();
        let hidden = bar.clone();
        let wait = std::thread::Builder::new().spawn(move || {
            if stopped.recv_timeout(SOON) == Err(mpsc::RecvTimeoutError::Timeout) {
                hidden.set_draw_target(ProgressDrawTarget::stderr());
                hidden.enable_steady_tick(TICK);
            }
        });
        // Without a thread, there is no bar.
        Self { bar, stop: Some(stop), wait: wait.ok() }
    }
}

/// Clears the line for later output.
impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(wait) = self.wait.take() {
            // The thread does nothing that could panic.
            let _ = wait.join();
        }
        self.bar.finish_and_clear();
    }
}

/// Returns the template of the bar. It is never wider than the terminal, because the message is cut.
fn style(has_end: bool) -> ProgressStyle {
    let template = if has_end {
        "{spinner} {wide_msg} [{bar:18}] {percent:>3} %{prefix}"
    } else {
        "{spinner} {wide_msg} {prefix}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}

/// Formats rate and remaining time. Without a total: the amount, the rate, and the elapsed time.
fn bar_suffix(step: &Step<'_>, passed: Duration, rate: Option<f64>) -> String {
    let rate = rate.map(|rate| format!("{}/s", short_amount(rate as u64, step.unit)));
    let Some(fraction) = step.fraction() else {
        let done = (step.done > 0).then(|| short_amount(step.done, step.unit));
        let parts = [done, rate, Some(duration(passed))];
        return parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
    };
    let left = time_left(fraction, passed).map(|left| format!("{} left", duration(left)));
    // Padded to the maximum width, so that the bar does not move.
    format!("  {:>11}  {:>13}", rate.unwrap_or_default(), left.unwrap_or_default())
}

/// Formats a line for output that is not a terminal.
fn line(step: &Step<'_>, passed: Duration, rate: Option<f64>) -> String {
    let mut line = format!("{}: {}", step.what, amount(step.done, step.unit));
    if let Some(total) = step.total {
        line.push_str(&format!(" of {}", amount(total, step.unit)));
    }
    if let Some(fraction) = step.fraction() {
        line.push_str(&format!(", {:.0} % of all", fraction * 100.0));
    }
    if let Some(rate) = rate {
        line.push_str(&format!(", {}/s", amount(rate as u64, step.unit)));
    }
    match step.fraction().and_then(|fraction| time_left(fraction, passed)) {
        Some(left) => line.push_str(&format!(", {} left", duration(left))),
        None => line.push_str(&format!(", for {}", duration(passed))),
    }
    line
}

fn time_left(fraction: f64, passed: Duration) -> Option<Duration> {
    if fraction < TOO_LITTLE {
        return None;
    }
    Duration::try_from_secs_f64(passed.as_secs_f64() * (1.0 - fraction).max(0.0) / fraction).ok()
}

/// Formats an amount: `12.3 MB`, `1,234 rows`.
pub(crate) fn amount(number: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(number),
        Unit::Things(thing) => format!("{} {thing}{}", thousands(number), plural_ending(number)),
    }
}

fn short_amount(number: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(number),
        Unit::Things(_) => thousands(number),
    }
}

fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The progress of the last seconds: when, and how much.
#[derive(Debug, Default)]
struct Recent(VecDeque<(Duration, u64)>);

impl Recent {
    fn note(&mut self, passed: Duration, done: u64) {
        // The next part of the work counts from zero.
        if self.0.back().is_some_and(|&(_, before)| done < before) {
            self.0.clear();
        }
        // Some dozen values are enough.
        if self.0.len() > 1 && self.0.iter().nth_back(1).is_some_and(|&(at, _)| passed - at < TICK / 2) {
            self.0.pop_back();
        }
        self.0.push_back((passed, done));
        while self.0.get(1).is_some_and(|&(at, _)| passed - at > RECENT) {
            self.0.pop_front();
        }
    }

    /// Returns the rate in units per second; `None` if there are too few values.
    fn rate(&self) -> Option<f64> {
        let (&(from, before), &(to, done)) = (self.0.front()?, self.0.back()?);
        let time = to.checked_sub(from)?;
        (time >= TICK && done > before).then(|| (done - before) as f64 / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Unit = Unit::Things("row");

    #[test]
    fn parts_of_the_work_take_their_share_of_the_bar() {
        let step = |done, total| Step::new("x", done, total, ROWS);
        assert_eq!(step(1, Some(4)).fraction(), Some(0.25));
        assert_eq!(step(9, Some(4)).fraction(), Some(1.0));
        assert_eq!(step(0, Some(0)).fraction(), Some(1.0));
        assert_eq!(step(5, None).fraction(), None);
        assert_eq!(step(1, Some(2)).within((0.5, 1.0)).fraction(), Some(0.75));
        // A part without a total is treated as one that has just begun.
        assert_eq!(step(0, None).within((0.5, 1.0)).fraction(), Some(0.5));
    }

    #[test]
    fn lines_say_how_much_how_quickly_and_how_long() {
        let passed = Duration::from_secs(10);
        let step = Step::new("copying items of Orders", 231_400_000, Some(462_800_000), Unit::Bytes);
        let expected =
            "copying items of Orders: 231.4 MB of 462.8 MB, 50 % of all, 23.1 MB/s, 10 s left".to_owned();
        assert_eq!(line(&step, passed, Some(23_140_000.0)), expected);
        assert_eq!(bar_suffix(&step, passed, Some(23_140_000.0)), "    23.1 MB/s      10 s left");
        let step = Step::new("checking", 1_234_567, None, ROWS);
        assert_eq!(line(&step, passed, None), "checking: 1,234,567 rows, for 10 s");
        assert_eq!(bar_suffix(&step, passed, Some(1000.0)), "1,234,567  1,000/s  10 s");
        // There is no estimate at the beginning.
        let step = Step::new("checking", 1, Some(1000), ROWS);
        assert_eq!(line(&step, passed, None), "checking: 1 row of 1,000 rows, 0 % of all, for 10 s");
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(0, "0 s"), (99, "99 s"), (100, "1 min 40 s"), (6000, "1 h 40 min")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn rates_are_of_the_last_seconds() {
        let mut recent = Recent::default();
        assert_eq!(recent.rate(), None);
        for tenth in 0..100 {
            recent.note(Duration::from_millis(tenth * 100), tenth * 10);
        }
        assert_eq!(recent.rate().map(f64::round), Some(100.0));
        assert!(recent.0.len() < 70, "{}", recent.0.len());
        // The rate increases here.
        for tenth in 100..140 {
            recent.note(Duration::from_millis(tenth * 100), 1000 + (tenth - 100) * 50);
        }
        assert_eq!(recent.rate().map(f64::round), Some(500.0));
        // The next part of the work.
        recent.note(Duration::from_secs(15), 3);
        assert_eq!(recent.rate(), None);
    }
}
