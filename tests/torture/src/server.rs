//! `pretender serve` as a process that is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::campaign::{Outcome, pause};
use crate::door::Http;

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) door: Http,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start(program: &Path, database: &str, more: &[&str]) -> Outcome<Self> {
        let mut child = spawn(program, database, more)?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("a server without an output")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let url = line.trim().strip_prefix("Listening on ").map(str::to_owned);
        let mut started = Self { child, door: Http::to(url.as_deref().unwrap_or_default()) };
        match (read, url) {
            (Ok(_), Some(_)) => Ok(started),
            (read, _) => {
                let status = started.child.wait();
                Err(format!("the server on {database} did not start: {line:?} {read:?} {status:?}"))
            }
        }
    }

    /// Starts a server and kills it after this time, wherever it is by then.
    pub(crate) fn start_and_kill(program: &Path, database: &str, after: Duration) -> Outcome {
        let mut child = spawn(program, database, &[])?;
        pause(after);
        end(&mut child);
        Ok(())
    }

    /// Kills it, with the signal that cannot be caught.
    pub(crate) fn kill(mut self) {
        end(&mut self.child);
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself, which the next start will tell.
    let _ = child.kill();
    let _ = child.wait();
}

fn spawn(program: &Path, database: &str, more: &[&str]) -> Outcome<Child> {
    Command::new(program)
        .env_clear()
        .args(["serve", "--control", "--port", "0", "--db", database])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it logs of connections that end is of no interest.
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))
}
