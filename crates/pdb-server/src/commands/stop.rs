//! Stopping at a signal.

use std::io;
use std::sync::mpsc::Sender;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pretender::streams::source::WakeHandle;

use crate::signals::StopSignal;

/// Stops a subscription or a trigger at Ctrl-C or at the signal of a supervisor. The process then ends as if it had
/// caught up.
#[derive(Debug)]
pub(super) struct StopOnSignal {
    /// Never used to send. The receiver notices when it is dropped, because the subscription has ended.
    _running: Sender<()>,
}

impl StopOnSignal {
    /// Starts to listen for signals. Work in progress may delay the end for up to `grace`.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot create a thread or install a handler.
    pub(super) fn start(wake: WakeHandle, grace: Duration) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (running, ended) = channel();
        let mut stop_signal = {
            let _context = runtime.enter();
            StopSignal::install()?
        };
        std::thread::Builder::new().name("pretender-signals".to_owned()).spawn(move || {
            runtime.block_on(stop_signal.asked());
            wake.stop();
            leave_unless(&ended, grace);
        })?;
        Ok(Self { _running: running })
    }
}

/// Ends the process if the stopped work does not end in time: it may be waiting for an answer.
fn leave_unless(ended: &Receiver<()>, grace: Duration) {
    if ended.recv_timeout(grace) == Err(RecvTimeoutError::Timeout) {
        std::process::exit(0);
    }
}
