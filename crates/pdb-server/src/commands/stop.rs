//! Ending at a signal.

use std::io;
use std::sync::mpsc::Sender;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pretender::streams::source::WakeHandle;

use crate::signals::StopSignal;

/// Stops a subscription or a trigger at Ctrl-C or when a supervisor asks; the process then ends as if it had caught up.
#[derive(Debug)]
pub(super) struct StopOnSignal {
    /// Never used to send: it ends when the subscription has.
    _running: Sender<()>,
}

impl StopOnSignal {
    /// Begins to listen. What is in flight may delay the end for as long as `patience`.
    ///
    /// # Errors
    ///
    /// The system's, if there can be no thread or no handler.
    pub(super) fn start(wake: WakeHandle, patience: Duration) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (running, ended) = channel();
        let mut stop_signal = {
            let _context = runtime.enter();
            StopSignal::install()?
        };
        std::thread::Builder::new().name("pretender-signals".to_owned()).spawn(move || {
            runtime.block_on(stop_signal.asked());
            wake.stop();
            leave_unless(&ended, patience);
        })?;
        Ok(Self { _running: running })
    }
}

/// Ends the process if what was stopped does not end: it may be waiting for an answer.
fn leave_unless(ended: &Receiver<()>, patience: Duration) {
    if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
        std::process::exit(0);
    }
}
