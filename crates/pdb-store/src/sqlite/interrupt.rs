//! Ending statements that do not end: a database that is told to close must not wait for one for ever.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, InterruptHandle};

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
    pub(crate) fn help(&self, connection: &Connection) -> HelperGuard<'_> {
        *lock(&self.helper) = Some(connection.get_interrupt_handle());
        HelperGuard(self)
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
pub(crate) struct HelperGuard<'i>(&'i Interrupts);

impl Drop for HelperGuard<'_> {
    fn drop(&mut self) {
        *lock(&self.0.helper) = None;
    }
}
