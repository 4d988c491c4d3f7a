//! Ending statements that do not end: a database that is told to close must not wait for one for ever.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{RecvTimeoutError, Sender};
use rusqlite::{Connection, InterruptHandle};

use crate::{error::StoreError, threads};

/// How often a statement is interrupted that runs when none should any more: others may wait behind it.
pub(crate) const AGAIN: Duration = Duration::from_millis(50);

/// The handles of connections whose statements others wait for.
#[derive(Default)]
pub(crate) struct Interrupts {
    writer: Mutex<Option<InterruptHandle>>,
    /// One that works while the writer stands still.
    helper: Mutex<Option<InterruptHandle>>,
}

impl Interrupts {
    /// The writer has a new connection.
    pub(crate) fn set_writer(&self, connection: &Connection) {
        *lock(&self.writer) = Some(connection.get_interrupt_handle());
    }

    /// Another connection works while the writer stands still, until the guard is dropped.
    pub(crate) fn help(&self, connection: &Connection) -> Helping<'_> {
        *lock(&self.helper) = Some(connection.get_interrupt_handle());
        Helping(self)
    }

    /// Ends the statements that run now; what they did is undone. Where none runs, nothing happens.
    pub(crate) fn interrupt(&self) {
        for handle in [&self.helper, &self.writer] {
            if let Some(handle) = &*lock(handle) {
                handle.interrupt();
            }
        }
    }
}

fn lock(handle: &Mutex<Option<InterruptHandle>>) -> MutexGuard<'_, Option<InterruptHandle>> {
    handle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection works while the writer stands still.
pub(crate) struct Helping<'i>(&'i Interrupts);

impl Drop for Helping<'_> {
    fn drop(&mut self) {
        *lock(&self.0.helper) = None;
    }
}

/// Interrupts statements of a database, once some time has passed, until it is dropped.
///
/// Made by [`Store::interrupt_after`](crate::Store::interrupt_after).
#[derive(Debug)]
pub struct Impatience {
    /// Never used to send: it ends when nobody waits any more.
    waiting: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Impatience {
    pub(crate) fn start(patience: Duration, interrupts: Arc<Interrupts>) -> Result<Self, StoreError> {
        let (waiting, ended) = crossbeam_channel::bounded::<()>(0);
        let thread = threads::start("pdb-impatience", move || {
            let mut next = patience;
            while ended.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                interrupts.interrupt();
                next = AGAIN;
            }
        })?;
        Ok(Self { waiting: Some(waiting), thread: Some(thread) })
    }

    /// Of a database whose statements are another's affair.
    #[cfg(feature = "postgres")]
    pub(crate) fn none() -> Self {
        Self { waiting: None, thread: None }
    }
}

impl Drop for Impatience {
    fn drop(&mut self) {
        drop(self.waiting.take());
        if let Some(thread) = self.thread.take() {
            threads::join(vec![thread]);
        }
    }
}
