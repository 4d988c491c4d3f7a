//! `pretender serve` as a process that is killed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::campaign::{Outcome, pause};
use crate::door::Http;

/// What servers have said of panics. One of a thread in the background is in no answer.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns the panics of servers that have ended since the last call.
pub(crate) fn take_panics() -> Vec<String> {
    std::mem::take(&mut PANICS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A process with what it writes to its standard error.
struct Process {
    child: Child,
    log: File,
}

impl Process {
    fn end(&mut self) {
        // It may have ended by itself, which the next start will tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut said = String::new();
        if self.log.rewind().and_then(|()| self.log.read_to_string(&mut said)).is_ok()
            && said.contains("panicked at")
        {
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A running server, killed when dropped.
pub(crate) struct Server {
    process: Process,
    pub(crate) door: Http,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start(program: &Path, database: &str, more: &[&str]) -> Outcome<Self> {
        let mut process = spawn(program, database, more)?;
        let mut line = String::new();
        let stdout = process.child.stdout.take().ok_or("a server without an output")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let url = line.trim().strip_prefix("Listening on ").map(str::to_owned);
        let mut started = Self { process, door: Http::to(url.as_deref().unwrap_or_default()) };
        match (read, url) {
            (Ok(_), Some(_)) => Ok(started),
            (read, _) => {
                let status = started.process.child.wait();
                Err(format!("the server on {database} did not start: {line:?} {read:?} {status:?}"))
            }
        }
    }

    /// Starts a server and kills it after this time, wherever it is by then.
    pub(crate) fn start_and_kill(program: &Path, database: &str, after: Duration) -> Outcome {
        let _process = spawn(program, database, &[])?;
        pause(after);
        Ok(())
    }

    /// Kills it, with the signal that cannot be caught.
    pub(crate) fn kill(self) {}

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.process.child.try_wait(), Ok(None))
    }
}

fn spawn(program: &Path, database: &str, more: &[&str]) -> Outcome<Process> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let log = tempfile::tempfile().map_err(failed)?;
    let child = Command::new(program)
        .env_clear()
        .args(["serve", "--control", "--port", "0", "--db", database])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.try_clone().map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    Ok(Process { child, log })
}
