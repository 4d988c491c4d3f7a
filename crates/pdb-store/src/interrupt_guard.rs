//! Ending statements that do not end, as long as somebody waits for them.

use std::{thread::JoinHandle, time::Duration};

use crossbeam_channel::{RecvTimeoutError, Sender};

use crate::{error::StoreError, threads};

/// How often a statement is interrupted that runs when none should any more: others may wait behind it.
const AGAIN: Duration = Duration::from_millis(50);

/// Interrupts the statements of a database, from some time on until it is dropped.
///
/// Made by [`Store::interrupt_after`](crate::Store::interrupt_after).
#[derive(Debug)]
pub struct InterruptGuard {
    /// Never used to send: it ends when nobody waits any more.
    waiting: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InterruptGuard {
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "only statements of SQLite are interrupted")
    )]
    pub(crate) fn start(after: Duration, interrupt: impl Fn() + Send + 'static) -> Result<Self, StoreError> {
        let (waiting, ended) = crossbeam_channel::bounded::<()>(0);
        let thread = threads::start("pdb-interrupt", move || {
            let mut next = after;
            while ended.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                interrupt();
                next = AGAIN;
            }
        })?;
        Ok(Self { waiting: Some(waiting), thread: Some(thread) })
    }

    /// Returns a guard that interrupts nothing.
    #[cfg(feature = "postgres")]
    pub(crate) fn none() -> Self {
        Self { waiting: None, thread: None }
    }
}

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        drop(self.waiting.take());
        if let Some(thread) = self.thread.take() {
            threads::join(vec![thread]);
        }
    }
}
