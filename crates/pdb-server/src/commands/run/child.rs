//! The command as a child process: start, signals, end.

use std::ffi::OsString;
use std::io;
use std::process::{ExitCode, ExitStatus};

use tokio::process::{Child, Command};

/// How the command ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself, or because of a signal.
    With(ExitStatus),
    /// It could not be started.
    NotStarted(io::Error),
}

impl Ended {
    /// Returns the exit code that a shell would return for the command.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::With(status) => code_of(*status),
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted(_) => 126,
        })
    }
}

fn code_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    // On Windows, exit codes can be larger than a byte; such a code must not become a success.
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(u8::MAX))
}

/// Starts the command and waits until it ends. Signals to stop are passed on to the command.
pub(super) async fn run(
    command: &[OsString],
    environment: Vec<(&'static str, Option<OsString>)>,
) -> io::Result<Ended> {
    // Install the handlers before the command exists, so that no signal is missed.
    let mut signals = signals::Signals::install()?;
    let Some((program, arguments)) = command.split_first() else {
        return Ok(Ended::NotStarted(io::ErrorKind::NotFound.into()));
    };
    let mut process = Command::new(program);
    process.args(arguments);
    for (name, value) in environment {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    let mut child = match process.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Ended::NotStarted(error)),
    };
    loop {
        tokio::select! {
            status = child.wait() => return status.map(Ended::With),
            signal = signals.next() => signals::pass_on(&child, signal),
        }
    }
}

#[cfg(unix)]
mod signals {
    //! In a terminal, Ctrl-C reaches the command directly, because both processes are in the foreground. Other
    //! processes send their signals only to this one.

    use std::io;
    use std::thread::JoinHandle;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::iterator::{Handle, SignalsInfo};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::Child;

    /// Signals that other processes send to this one. While this exists, they do not end the process.
    pub(super) struct Signals {
        arriving: UnboundedReceiver<Signal>,
        handle: Handle,
        thread: Option<JoinHandle<()>>,
    }

    impl Signals {
        pub(super) fn install() -> io::Result<Self> {
            let mut signals = SignalsInfo::<WithOrigin>::new([SIGINT, SIGTERM])?;
            let handle = signals.handle();
            let (pass, arriving) = unbounded_channel();
            let listen = move || {
                for origin in signals.forever() {
                    // The terminal has no process ID, and sends its signals to all foreground processes.
                    let is_from_terminal = origin.signal == SIGINT && origin.process.is_none();
                    let signal = Signal::try_from(origin.signal).ok().filter(|_| !is_from_terminal);
                    if signal.is_some_and(|signal| pass.send(signal).is_err()) {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("pretender-signals".to_owned()).spawn(listen)?;
            Ok(Self { arriving, handle, thread: Some(thread) })
        }

        pub(super) async fn next(&mut self) -> Signal {
            match self.arriving.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            }
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.handle.close();
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }

    /// Sends a signal to the command, unless it has ended.
    pub(super) fn pass_on(child: &Child, signal: Signal) {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(error) = id.and_then(|id| kill(Pid::from_raw(id), signal).err()) {
            tracing::warn!(%error, %signal, "could not send a signal to the command");
        }
    }
}

#[cfg(not(unix))]
mod signals {
    //! Ctrl-C reaches the command directly, because both processes have the same console.

    use std::io;

    use super::Child;
    use crate::signals::StopSignal;

    pub(super) struct Signals(StopSignal);

    impl Signals {
        pub(super) fn install() -> io::Result<Self> {
            StopSignal::install().map(Self)
        }

        pub(super) async fn next(&mut self) {
            self.0.asked().await;
        }
    }

    pub(super) fn pass_on(_: &Child, (): ()) {}
}
