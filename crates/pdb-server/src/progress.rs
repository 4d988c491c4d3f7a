//! How far long work is, on standard error: a bar on a terminal, a line now and then elsewhere, and nothing about what is soon done.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::visible;

/// What takes less than this is not worth a word.
const SOON: Duration = Duration::from_millis(500);
/// When the first line is written where there is no terminal.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// How long it takes until the next one.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// How often the bar is drawn while the work says nothing.
const TICK: Duration = Duration::from_millis(200);
/// The time from which a rate is taken.
const RECENT: Duration = Duration::from_secs(3);
/// Parts that the bar divides the work into.
const PARTS: f64 = 1000.0;
/// A work that has only begun does not tell how long it takes.
const TOO_LITTLE: f64 = 0.02;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    /// Things, by the word for many of them, which is that for one and an `s`.
    Things(&'static str),
}

/// How far the work is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    /// What is being done, such as `copying items of Orders`.
    pub(crate) what: &'a str,
    /// How much is done, in units.
    pub(crate) done: u64,
    /// How much there is, in units, if that is known.
    pub(crate) total: Option<u64>,
    pub(crate) unit: Unit,
    /// Which part of the whole work that is: from where to where, of 1. By what parts cost, so that the bar moves evenly.
    pub(crate) share: (f64, f64),
}

impl<'a> Step<'a> {
    /// A step of work that has no other parts.
    pub(crate) fn new(what: &'a str, done: u64, total: Option<u64>, unit: Unit) -> Self {
        Self { what, done, total, unit, share: (0.0, 1.0) }
    }

    /// The same of a part of the work.
    pub(crate) fn within(self, share: (f64, f64)) -> Self {
        Self { share, ..self }
    }

    /// How much of the whole work is done, of 1; none if that is not known.
    fn fraction(&self) -> Option<f64> {
        let (from, to) = self.share;
        if self.total.is_none() && from > 0.0 {
            return Some(from);
        }
        let done = match self.total? {
            // There is nothing to do.
            0 => 1.0,
            total => (self.done as f64 / total as f64).min(1.0),
        };
        Some(from + (to - from) * done)
    }
}

/// Shows how far some work is. Nobody has to see it: what cannot be written is not.
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
    /// Elsewhere: when the next line is due, after the beginning.
    Lines(Duration),
}

impl Progress {
    /// Nothing is shown yet.
    pub(crate) fn new() -> Self {
        let shown =
            if std::io::stderr().is_terminal() { Shown::Bar(Bar::new()) } else { Shown::Lines(FIRST_LINE) };
        Self { begun: Instant::now(), recent: Recent::default(), shown }
    }

    /// Shows a step, if it is time.
    pub(crate) fn show(&mut self, step: &Step<'_>) {
        let passed = self.begun.elapsed();
        self.recent.note(passed, step.done);
        match &mut self.shown {
            Shown::Bar(Bar { bar, .. }) => {
                bar.set_style(style(step.fraction().is_some()));
                bar.set_message(visible(step.what).into_owned());
                bar.set_prefix(behind_the_bar(step, passed, self.recent.rate()));
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

    /// Writes something else meanwhile, which the bar makes room for.
    pub(crate) fn make_room<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shown {
            Shown::Bar(Bar { bar, .. }) => bar.suspend(write),
            Shown::Lines(_) => write(),
        }
    }
}

/// A bar that appears after a while, also if the work says nothing then.
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
        // Without a thread there is no bar.
        Self { bar, stop: Some(stop), wait: wait.ok() }
    }
}

/// Leaves the line to what is written next.
impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(wait) = self.wait.take() {
            // It does nothing that could panic.
            let _ = wait.join();
        }
        self.bar.finish_and_clear();
    }
}

/// What the line on a terminal consists of. It never gets longer than the terminal is wide: the text in front is cut.
fn style(has_end: bool) -> ProgressStyle {
    let template = if has_end {
        "{spinner} {wide_msg} [{bar:18}] {percent:>3} %{prefix}"
    } else {
        "{spinner} {wide_msg} {prefix}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}

/// Rate and time left; without an end, how much is done, and for how long it has been going on.
fn behind_the_bar(step: &Step<'_>, passed: Duration, rate: Option<f64>) -> String {
    let rate = rate.map(|rate| format!("{}/s", short_amount(rate as u64, step.unit)));
    let Some(fraction) = step.fraction() else {
        let done = (step.done > 0).then(|| short_amount(step.done, step.unit));
        let parts = [done, rate, Some(duration(passed))];
        return parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
    };
    let left = time_left(fraction, passed).map(|left| format!("{} left", duration(left)));
    // As wide as they get, so that the bar stays where it is.
    format!("  {:>11}  {:>13}", rate.unwrap_or_default(), left.unwrap_or_default())
}

/// A line where there is no terminal.
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

/// Returns an amount in words: `12.3 MB`, `1,234 rows`.
pub(crate) fn amount(number: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(number),
        Unit::Things(many) if number == 1 => format!("1 {}", many.strip_suffix('s').unwrap_or(many)),
        Unit::Things(many) => format!("{} {many}", thousands(number)),
    }
}

fn short_amount(number: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(number),
        Unit::Things(_) => thousands(number),
    }
}

fn bytes(number: u64) -> String {
    let mut rest = number as f64;
    for unit in ["bytes", "KB", "MB", "GB"] {
        if rest < 999.95 {
            return if unit == "bytes" { format!("{number} {unit}") } else { format!("{rest:.1} {unit}") };
        }
        rest /= 1000.0;
    }
    format!("{rest:.1} TB")
}

fn thousands(number: u64) -> String {
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

fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// What was done when, in the last seconds.
#[derive(Debug, Default)]
struct Recent(VecDeque<(Duration, u64)>);

impl Recent {
    fn note(&mut self, passed: Duration, done: u64) {
        // Another part counts from the beginning again.
        if self.0.back().is_some_and(|&(_, before)| done < before) {
            self.0.clear();
        }
        // Some dozen are enough.
        if self.0.len() > 1 && self.0.iter().nth_back(1).is_some_and(|&(at, _)| passed - at < TICK / 2) {
            self.0.pop_back();
        }
        self.0.push_back((passed, done));
        while self.0.get(1).is_some_and(|&(at, _)| passed - at > RECENT) {
            self.0.pop_front();
        }
    }

    /// Units a second; none if too little is known.
    fn rate(&self) -> Option<f64> {
        let (&(from, before), &(to, done)) = (self.0.front()?, self.0.back()?);
        let time = to.checked_sub(from)?;
        (time >= TICK && done > before).then(|| (done - before) as f64 / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Unit = Unit::Things("rows");

    #[test]
    fn parts_of_the_work_take_their_share_of_the_bar() {
        let step = |done, total| Step::new("x", done, total, ROWS);
        assert_eq!(step(1, Some(4)).fraction(), Some(0.25));
        assert_eq!(step(9, Some(4)).fraction(), Some(1.0));
        assert_eq!(step(0, Some(0)).fraction(), Some(1.0));
        assert_eq!(step(5, None).fraction(), None);
        assert_eq!(step(1, Some(2)).within((0.5, 1.0)).fraction(), Some(0.75));
        // A part that does not tell how far it is has only begun.
        assert_eq!(step(0, None).within((0.5, 1.0)).fraction(), Some(0.5));
    }

    #[test]
    fn lines_say_how_much_how_quickly_and_how_long() {
        let passed = Duration::from_secs(10);
        let step = Step::new("copying items of Orders", 231_400_000, Some(462_800_000), Unit::Bytes);
        let expected =
            "copying items of Orders: 231.4 MB of 462.8 MB, 50 % of all, 23.1 MB/s, 10 s left".to_owned();
        assert_eq!(line(&step, passed, Some(23_140_000.0)), expected);
        assert_eq!(behind_the_bar(&step, passed, Some(23_140_000.0)), "    23.1 MB/s      10 s left");
        let step = Step::new("checking", 1_234_567, None, ROWS);
        assert_eq!(line(&step, passed, None), "checking: 1,234,567 rows, for 10 s");
        assert_eq!(behind_the_bar(&step, passed, Some(1000.0)), "1,234,567  1,000/s  10 s");
        // One that has only begun makes no promise.
        let step = Step::new("checking", 1, Some(1000), ROWS);
        assert_eq!(line(&step, passed, None), "checking: 1 row of 1,000 rows, 0 % of all, for 10 s");
    }

    #[test]
    fn amounts_and_times_are_short() {
        for (number, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 KB"),
            (999_949, "999.9 KB"),
            (999_950, "1.0 MB"),
            (470_100_000, "470.1 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(amount(number, Unit::Bytes), text);
        }
        for (seconds, text) in [(0, "0 s"), (99, "99 s"), (100, "1 min 40 s"), (6000, "1 h 40 min")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(["0", "12", "123", "1,234", "123,456"], [0, 12, 123, 1234, 123_456].map(thousands));
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
        // Faster from here on.
        for tenth in 100..140 {
            recent.note(Duration::from_millis(tenth * 100), 1000 + (tenth - 100) * 50);
        }
        assert_eq!(recent.rate().map(f64::round), Some(500.0));
        // Another part.
        recent.note(Duration::from_secs(15), 3);
        assert_eq!(recent.rate(), None);
    }
}
