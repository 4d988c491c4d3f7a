//! Being asked to stop, and signals that must not end the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The request to stop: Ctrl-C, or the signal of a supervisor.
///
/// From its creation on a signal no longer kills the process, also before anybody waits for it.
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
    /// The system's, if there can be no handler.
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

    /// Returns when the process is asked to stop, or at once if it was asked since the handlers were installed.
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

/// Returns a flag that is raised when the process is asked to stop, so that it can tidy up; the second time the process ends at once.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // Without a handler the process ends at once, the first time already.
        let _ = signal_hook::flag::register_conditional_default(signal, asked.clone())
            .and_then(|_| signal_hook::flag::register(signal, asked.clone()));
    }
    asked
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`, `LimitFSIZE=`) an error of that write. Without a handler of its
/// signal it ends the process.
pub(crate) fn outlive_file_size_limit() {
    #[cfg(unix)]
    {
        // Nobody reads the flag: that there is a handler is enough. A system that refuses one leaves all as it was.
        let unread = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread);
    }
}
