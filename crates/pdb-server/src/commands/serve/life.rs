//! When a server stops: at a signal, and optionally when its parent process ends or its standard input is closed.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::signals::StopSignal;

/// How often to check that the parent is alive. Not every system has a signal for this, and Linux's is sent when the
/// thread that started the process ends, which may be long before the parent process does.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The process that becomes the parent of orphaned processes.
#[cfg(unix)]
const FIRST_PROCESS: u32 = 1;

/// Why a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    Signal,
    ParentGone,
    InputClosed,
}

impl StopReason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "a signal",
            Self::ParentGone => "the process that started it has ended",
            Self::InputClosed => "its standard input is closed",
        }
    }
}

/// The process that started this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent(u32);

impl Parent {
    /// Returns the current parent. Must be called as early as possible, because a process gets another parent when its
    /// own ends.
    ///
    /// # Errors
    ///
    /// A message for people, on systems that do not support this, and if the parent is already gone. In the latter
    /// case, the parent is the first process of the system, which never ends before this one.
    pub(super) fn now() -> Result<Self, &'static str> {
        #[cfg(unix)]
        return match std::os::unix::process::parent_id() {
            FIRST_PROCESS => Err(
                "--stop-with-parent has nothing to wait for: the process that has started the server has ended already, or it is the first \
                 process of the system; use --stop-on-stdin-close",
            ),
            parent => Ok(Self(parent)),
        };
        #[cfg(not(unix))]
        Err("this system does not report the end of a parent process: use --stop-on-stdin-close")
    }

    fn lives(self) -> bool {
        Self::now() == Ok(self)
    }

    async fn ended(self) {
        while self.lives() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// The conditions that stop the server.
#[derive(Debug)]
pub(super) struct StopConditions {
    signal: StopSignal,
    parent: Option<Parent>,
    input: Option<oneshot::Receiver<()>>,
}

impl StopConditions {
    /// Starts to listen for signals, and to watch standard input if its end matters. Must be called inside a runtime.
    ///
    /// # Errors
    ///
    /// The system's error, if it cannot install a handler or create a thread.
    pub(super) fn begin(parent: Option<Parent>, ends_with_input: bool) -> std::io::Result<Self> {
        let input = ends_with_input.then(await_end_of_input).transpose()?;
        Ok(Self { signal: StopSignal::install()?, parent, input })
    }

    /// Returns the reason when the server must stop.
    pub(super) async fn met(mut self) -> StopReason {
        let parent = async {
            match self.parent {
                Some(parent) => parent.ended().await,
                None => std::future::pending().await,
            }
        };
        let input = async {
            match &mut self.input {
                // The sender is dropped when its thread ends.
                Some(input) => drop(input.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.signal.asked() => StopReason::Signal,
            () = parent => StopReason::ParentGone,
            () = input => StopReason::InputClosed,
        }
    }
}

/// Reads standard input to its end, on a separate thread: there is no other way to wait for it that works on all
/// systems.
fn await_end_of_input() -> std::io::Result<oneshot::Receiver<()>> {
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new().name("pretender-stdin".to_owned()).spawn(move || {
        let mut unread = [0; 4096];
        let mut input = std::io::stdin().lock();
        loop {
            match input.read(&mut unread) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // There is no receiver if the server stops for another reason.
        let _ = end.send(());
    })?;
    Ok(ended)
}
