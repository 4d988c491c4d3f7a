//! Signals that ask the process to stop, and signals that must not end it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A request to stop: Ctrl-C, or the signal of a supervisor.
///
/// From its creation on, these signals no longer kill the process, even if nothing waits for them yet.
#[derive(Debug)]
pub(crate) struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl StopSignal {
    /// Installs the handlers. Must be called inside a runtime.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot install a handler.
    pub(crate) fn install() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(windows)]
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Returns when the process is asked to stop, or immediately if it was asked since the handlers were installed.
    pub(crate) async fn asked(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(windows)]
        let _ = self.interrupt.recv().await;
    }
}

/// Returns a flag that is set when the process is asked to stop, so that it can clean up. A second request ends the
/// process immediately.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // If a handler cannot be installed, the first request already ends the process.
        let _ = signal_hook::flag::register_conditional_default(signal, asked.clone())
            .and_then(|_| signal_hook::flag::register(signal, asked.clone()));
    }
    asked
}

/// Makes a write beyond the file size limit (`ulimit -f`, `LimitFSIZE=`) fail with an error. Without a handler, the
/// signal would end the process.
pub(crate) fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        // The flag is never read; it is enough that there is a handler. If the system refuses it, nothing changes.
        let unread = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread);
    }
}
