//! How far a copy is: one line that changes on a terminal, one line a part elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use pretender::{CopyPhase, CopyProgress};

use crate::terminal::visible;

/// How often the line on a terminal changes at most.
const INTERVAL: Duration = Duration::from_millis(100);
/// How wide the bar is.
const WIDTH: u64 = 24;

/// Shows progress on standard error. Nobody has to see it: what cannot be written is not.
pub(super) struct Progress {
    is_terminal: bool,
    shown: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), shown: None }
    }

    pub(super) fn show(&mut self, step: &CopyProgress) {
        if !self.is_terminal {
            if step.is_part_done {
                let _ = writeln!(std::io::stderr(), "{}", visible(&line(step)));
            }
            return;
        }
        if self.shown.is_none_or(|shown| shown.elapsed() > INTERVAL) {
            self.shown = Some(Instant::now());
            // Back to the beginning of the line, and clear what is left of the last one.
            let _ = write!(std::io::stderr(), "\r{} {}\x1b[K", bar(step), visible(&line(step)));
        }
    }

    /// Leaves the line to whoever writes next.
    pub(super) fn end(&self) {
        if self.shown.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(step: &CopyProgress) -> String {
    let done = match step.phase {
        CopyPhase::Copying => "copied",
        CopyPhase::Verifying => "compared",
    };
    format!("{done} {}: {} rows", step.part, step.part_rows)
}

fn bar(step: &CopyProgress) -> String {
    let done = step.rows.min(step.rows_at_most);
    // An empty database is done.
    let share = (done * 100).checked_div(step.rows_at_most).unwrap_or(100);
    let filled = (share * WIDTH / 100) as usize;
    let empty = WIDTH as usize - filled;
    format!("[{}{}] {share:>3} %", "#".repeat(filled), ".".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(rows: u64, rows_at_most: u64) -> CopyProgress {
        CopyProgress {
            phase: CopyPhase::Copying,
            part: "items of Orders".to_owned(),
            part_rows: 7,
            is_part_done: false,
            rows,
            rows_at_most,
        }
    }

    #[test]
    fn the_bar_fills_and_never_overflows() {
        assert_eq!(bar(&step(0, 8)), "[........................]   0 %");
        assert_eq!(bar(&step(4, 8)), "[############............]  50 %");
        assert_eq!(bar(&step(9, 8)), "[########################] 100 %");
        assert_eq!(bar(&step(0, 0)), "[########################] 100 %");
        assert_eq!(line(&step(1, 2)), "copied items of Orders: 7 rows");
    }
}
