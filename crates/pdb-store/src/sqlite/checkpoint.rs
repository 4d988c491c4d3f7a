//! Copies the write-ahead log back into the database file, beside the writer instead of in one of its commits, which would
//! hold up everybody for tens of milliseconds.
//!
//! Most is copied while the writer goes on. The rest is copied with the writer standing still: only when all is copied does
//! SQLite begin the log anew, and a writer that never pauses would otherwise let it grow for ever. When nobody writes, all of it is
//! copied and the log cut to nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::Connection;

use crate::{driver::Driver, error::StoreError};

/// Pages in the log, and not yet in the file, from which on it is worth copying them while there are writers: 20 MB.
const WORTHWHILE: i64 = 2500;
/// Pages at which the writer copies them itself, as the thread beside it has fallen behind: 128 MB, which `sequence/leap.rs` relies on.
const FAR_BEHIND: i64 = 16_000;
/// Pages that may be left for the moment at which the writer stands still: copying them and waiting for the disk takes some milliseconds.
const SHORT_REST: i64 = 300;
/// How often the file is synced before the writer stands still: what was written during the first sync is still to be synced.
const SYNCS: u32 = 3;
/// How often pages are copied beside the writer before it is held back.
const ROUNDS_AT_FULL_SPEED: u32 = 4;
/// How often pages are copied beside the writer before it stands still, however many are left.
const MAX_ROUNDS: u32 = 10;
/// How long nothing is written before the log is emptied. Opening a database takes 0.4 ms for each MB of log; and
/// pages that are in the file are read without a copy.
pub(crate) const IDLE: Duration = Duration::from_secs(1);

/// Copies all, and cuts the log to nothing.
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Makes what the writer and the thread that copies have in common.
pub(crate) fn channel() -> (CheckpointRequester, CheckpointRequests) {
    let (sender, asked) = crossbeam_channel::bounded(1);
    let sleeps = Arc::new(AtomicBool::new(true));
    (CheckpointRequester { sender, sleeps: sleeps.clone() }, CheckpointRequests { asked, sleeps })
}

/// The writer's end.
#[derive(Debug)]
pub(crate) struct CheckpointRequester {
    sender: Sender<()>,
    sleeps: Arc<AtomicBool>,
}

impl CheckpointRequester {
    /// Says how far the log is behind. To be called now and then.
    pub(crate) fn is_behind(&self, pages: i64) {
        if is_worthwhile(pages) || self.sleeps.swap(false, Ordering::Relaxed) {
            // If a request is waiting already, another would say nothing new.
            let _ = self.sender.try_send(());
        }
    }
}

/// The end of the thread that copies.
#[derive(Debug)]
pub(crate) struct CheckpointRequests {
    asked: Receiver<()>,
    /// The log was empty when it was last looked at; the next write wakes this thread.
    sleeps: Arc<AtomicBool>,
}

#[cfg(test)]
impl CheckpointRequests {
    /// Takes a request, if there is one.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.try_recv().is_ok()
    }
}

/// How many pages of the log are not copied back yet.
pub(crate) fn pages_behind(driver: Driver<'_>) -> Result<i64, StoreError> {
    let (log, copied) = run(driver, "PRAGMA wal_checkpoint(NOOP)")?;
    Ok(log - copied)
}

/// Whether that is enough to have them copied.
pub(crate) fn is_worthwhile(pages_behind: i64) -> bool {
    pages_behind >= WORTHWHILE
}

/// Copies what there is in the thread of the writer, if the thread beside it has fallen far behind.
pub(crate) fn catch_up(driver: Driver<'_>, pages_behind: i64) -> Result<(), StoreError> {
    if pages_behind < FAR_BEHIND {
        return Ok(());
    }
    run(driver, "PRAGMA wal_checkpoint(PASSIVE)").map(drop)
}

/// The store around the copying.
pub(crate) trait CheckpointHost {
    /// Waits until the database file is on the disk, if that is wanted.
    fn sync(&self) -> Result<(), StoreError>;
    /// Is told of an error.
    fn failed(&self, error: &StoreError);
    /// Whether the disk has failed to keep what was written. Then nothing may be copied any more: the log is needed as it is.
    fn has_failed(&self) -> bool;
    /// Says whether the writer is to pause between its groups: it writes faster than its log can be copied.
    fn hold_back(&self, is_held_back: bool);
    /// Runs `work` while the writer stands still.
    fn stand_still(&self, work: &mut dyn FnMut());
    /// Is called when all of the log has been copied, with how long that took.
    fn copied(&self, took: Duration);
    /// Is called when the log has been emptied.
    fn is_idle(&self) -> Result<(), StoreError>;
    /// Is called about once a second; returns whether the files are still there.
    fn look(&self) -> bool;
}

/// Copies whenever it is asked to, and empties the log when nobody writes, until nobody can ask any more.
///
/// If the files are not there any more, the log is emptied at once: SQLite does not do that at the end with a file that was moved, and
/// the log stays where the file was.
pub(crate) fn serve(connection: &Connection, requests: &CheckpointRequests, host: &impl CheckpointHost) {
    let driver = Driver::new(connection);
    // The pages of the log, when they were last counted; 0 once it is empty. A process that died may have left some. Also an empty log
    // is counted again: while the writer begins it anew it looks empty for a moment, and nobody would rouse this thread.
    let mut seen = 1;
    let mut looked = Instant::now();
    let mut saved = false;
    loop {
        let asked = requests.asked.recv_timeout(IDLE);
        if asked.is_err() || looked.elapsed() >= IDLE {
            looked = Instant::now();
            let is_last = asked == Err(RecvTimeoutError::Disconnected);
            if !host.look() && (is_last || !saved) && !host.has_failed() {
                seen = copy_all(driver, EMPTY, host).map_or_else(|error| warn(error, host), |()| 0);
                saved = true;
            }
        }
        if host.has_failed() && asked != Err(RecvTimeoutError::Disconnected) {
            continue;
        }
        let done = match asked {
            Ok(()) => checkpoint(driver, host).and_then(|()| pages(driver)),
            Err(RecvTimeoutError::Timeout) => match pages(driver) {
                Ok(0) if seen == 0 => continue,
                // Nothing was written since: the log is cut to nothing.
                Ok(now) if now == seen => {
                    let emptied = copy_all(driver, EMPTY, host);
                    emptied.and_then(|()| host.is_idle()).and_then(|()| pages(driver))
                }
                other => other,
            },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        seen = done.unwrap_or_else(|error| warn(error, host));
        requests.sleeps.store(seen == 0, Ordering::Relaxed);
    }
}

fn warn(error: StoreError, host: &impl CheckpointHost) -> i64 {
    host.failed(&error);
    tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be copied back");
    0
}

/// How many pages the log has.
fn pages(driver: Driver<'_>) -> Result<i64, StoreError> {
    run(driver, "PRAGMA wal_checkpoint(NOOP)").map(|(log, _)| log)
}

/// Copies all if that is worthwhile; the last request may be answered by then.
fn checkpoint(driver: Driver<'_>, host: &impl CheckpointHost) -> Result<(), StoreError> {
    if !is_worthwhile(pages_behind(driver)?) {
        return Ok(());
    }
    copy_all(driver, "PRAGMA wal_checkpoint(PASSIVE)", host)
}

/// Copies most beside the writer, then runs `last`, which copies the rest, while the writer stands still. If a reader is at an older state,
/// the rest stays for another time.
fn copy_all(driver: Driver<'_>, last: &str, host: &impl CheckpointHost) -> Result<(), StoreError> {
    let begun = Instant::now();
    let copied = copy_most(driver, host);
    host.hold_back(false);
    if !copied? {
        return Ok(());
    }
    let (mut rest, mut stood_still) = (Ok((0, 0)), Duration::ZERO);
    host.stand_still(&mut || {
        let begun = Instant::now();
        if !host.has_failed() {
            rest = run(driver, last);
        }
        stood_still = begun.elapsed();
    });
    let (pages, _) = rest?;
    host.copied(begun.elapsed());
    tracing::debug!(pages, took = ?begun.elapsed(), ?stood_still, "copied the log back");
    Ok(())
}

/// Copies again and again what the writer has added meanwhile, until little is left, and what was copied is on the disk. Returns false if a
/// reader is at an older state, which the rest must wait for.
///
/// SQLite syncs the file only when all is copied, so while the writer would stand still. Here, that is done before.
fn copy_most(driver: Driver<'_>, host: &impl CheckpointHost) -> Result<bool, StoreError> {
    let mut rounds = Rounds::default();
    loop {
        host.hold_back(rounds.hold_back());
        // The writer may have failed to sync the log meanwhile.
        if host.has_failed() {
            return Ok(false);
        }
        let (log, copied) = run(driver, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if copied < log {
            return Ok(false);
        }
        match rounds.next(pages_behind(driver)?) {
            NextStep::Copy => {}
            NextStep::SyncAndCopy => host.sync()?,
            NextStep::StandStill => return Ok(true),
        }
    }
}

/// The rounds in which pages are copied beside the writer.
#[derive(Debug, Default)]
struct Rounds {
    /// Rounds so far.
    copied: u32,
    /// Syncs so far.
    syncs: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum NextStep {
    Copy,
    SyncAndCopy,
    StandStill,
}

impl Rounds {
    /// Returns whether the writer is held back during the next round.
    fn hold_back(&self) -> bool {
        self.copied >= ROUNDS_AT_FULL_SPEED || self.syncs > 0
    }

    /// Counts a round, during which the writer has added these pages to the log, and decides what follows.
    fn next(&mut self, behind: i64) -> NextStep {
        self.copied += 1;
        let is_rest_short = behind <= SHORT_REST;
        // If nothing is left, SQLite has synced the file.
        if behind == 0 || (is_rest_short && self.syncs == SYNCS) || self.copied == MAX_ROUNDS {
            return NextStep::StandStill;
        }
        if is_rest_short || self.copied + SYNCS >= MAX_ROUNDS {
            self.syncs += 1;
            return NextStep::SyncAndCopy;
        }
        NextStep::Copy
    }
}

/// Returns how many pages the log has, and how many of them are in the file.
fn run(driver: Driver<'_>, sql: &str) -> Result<(i64, i64), StoreError> {
    let pages = driver.first("copy the log back", sql, &[], |row| Ok((row.integer(1)?, row.integer(2)?)))?;
    Ok(pages.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs rounds that leave these pages, the last of them again and again. Returns a letter for each step: `c` for copying again, `s` for
    /// syncing first, both in upper case if the writer is held back, and `.` for the end.
    fn steps(behind: &[i64]) -> String {
        let (mut rounds, mut steps) = (Rounds::default(), String::new());
        for round in 0.. {
            let next = rounds.next(behind[round.min(behind.len() - 1)]);
            let held_back = rounds.hold_back();
            steps.push(match next {
                NextStep::Copy if held_back => 'C',
                NextStep::Copy => 'c',
                NextStep::SyncAndCopy if held_back => 'S',
                NextStep::SyncAndCopy => 's',
                NextStep::StandStill => break,
            });
        }
        steps + "."
    }

    #[test]
    fn pages_are_copied_until_few_are_left_and_then_synced() {
        for (behind, expected) in [
            // Nobody writes, or stopped.
            (vec![0], "."),
            (vec![900, 0], "c."),
            // A writer that adds a little.
            (vec![100], "SSS."),
            (vec![2000, 800, 100], "ccSSS."),
            (vec![2000, 100, 0], "cS."),
            // What is added during a sync is copied before the next.
            (vec![100, 900, 100], "SCSS."),
            // A writer that is as fast as the disk is held back, and at last stopped.
            (vec![5000], "cccCCCSSS."),
        ] {
            assert_eq!(steps(&behind), expected, "{behind:?}");
        }
    }
}
