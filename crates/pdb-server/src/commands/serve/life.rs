//! What ends a server: a signal, and on demand the end of the process that has started it, or of its standard input.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::signals::StopSignal;

/// How often it is looked whether the parent still lives. No signal tells of it on every system, and Linux's is about the thread that has
/// started the process, which may end long before its process.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The parent of those that have lost theirs.
#[cfg(unix)]
const FIRST_PROCESS: u32 = 1;

/// Why a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    Signal,
    ParentGone,
    InputClosed,
}

impl EndReason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "a signal",
            Self::ParentGone => "the process that has started it has ended",
            Self::InputClosed => "its standard input is closed",
        }
    }
}

/// The process that has started this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent(u32);

impl Parent {
    /// Returns the present parent. To be called first of all: when a process ends, its children get another parent.
    ///
    /// # Errors
    ///
    /// A text on systems that do not tell, and if the parent is gone already: then the first process of the system is the parent, which does not
    /// end before this one.
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
        Err("this system does not tell of the end of a parent: use --stop-on-stdin-close")
    }

    fn lives(self) -> bool {
        Self::now() == Ok(self)
    }

    async fn ended(self) {
        while self.lives() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// What may end the server.
#[derive(Debug)]
pub(super) struct Life {
    signal: StopSignal,
    parent: Option<Parent>,
    input: Option<oneshot::Receiver<()>>,
}

impl Life {
    /// Begins to listen to signals, and to standard input if its end matters. Must be called inside a runtime.
    ///
    /// # Errors
    ///
    /// The system's, if there can be no handler or no thread.
    pub(super) fn begin(parent: Option<Parent>, ends_with_input: bool) -> std::io::Result<Self> {
        let input = ends_with_input.then(await_end_of_input).transpose()?;
        Ok(Self { signal: StopSignal::install()?, parent, input })
    }

    /// Returns when the server is to stop, and why.
    pub(super) async fn ended(mut self) -> EndReason {
        let parent = async {
            match self.parent {
                Some(parent) => parent.ended().await,
                None => std::future::pending().await,
            }
        };
        let input = async {
            match &mut self.input {
                // The other end goes with its thread.
                Some(input) => drop(input.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.signal.asked() => EndReason::Signal,
            () = parent => EndReason::ParentGone,
            () = input => EndReason::InputClosed,
        }
    }
}

/// Reads standard input to its end, on a thread of its own: there is nothing that could wait for it otherwise on all systems.
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
        // Nobody waits if the server stops for another reason.
        let _ = end.send(());
    })?;
    Ok(ended)
}
