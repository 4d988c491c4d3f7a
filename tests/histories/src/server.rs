//! A server process that can be killed and started again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::endpoint::Address;

/// How long a server may take to end after a request to do so.
const END: Duration = Duration::from_secs(20);

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `SIGKILL`.
    Kill,
    /// `SIGTERM`: requests in progress may finish.
    Terminate,
}

/// A server. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    address: Address,
    child: Option<Child>,
}

impl Server {
    /// Starts `program serve` with these arguments. Its messages are appended to a file.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(program: &Path, arguments: Vec<String>, log: &Path) -> Outcome<Self> {
        let mut server = Self {
            program: program.to_owned(),
            arguments,
            log: log.to_owned(),
            address: Address::default(),
            child: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Returns where it listens, now and after the next start.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the file with its messages.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Ends the server, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If it does not end, or a request to end does not make it end well.
    pub fn end(&mut self, how: End) -> Outcome {
        self.address.set(None);
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if how == End::Kill {
            child.kill()?;
            child.wait()?;
            return Ok(());
        }
        Command::new("kill").arg("-TERM").arg(child.id().to_string()).status()?;
        let began = Instant::now();
        while began.elapsed() < END {
            if let Some(status) = child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("the server ended with {status}").into())
                };
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
        child.kill()?;
        child.wait()?;
        Err("the server did not end after SIGTERM".into())
    }

    /// Starts the server on the same data, on any port.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start_again(&mut self) -> Outcome {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut child = Command::new(&self.program)
            .args(["serve", "--port", "0", "--announce", "json", "--control", "--stop-on-stdin-close"])
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", self.program.display()))?;
        let output = child.stdout.take();
        self.child = Some(child);
        let mut line = String::new();
        BufReader::new(output.ok_or("the server has no output")?).read_line(&mut line)?;
        let port =
            serde_json::from_str(&line).ok().and_then(|it: Value| u16::try_from(it["port"].as_u64()?).ok());
        let Some(port) = port else {
            return Err(format!("the server did not start; see {}", self.log.display()).into());
        };
        self.address.set(Some(SocketAddr::from(([127, 0, 0, 1], port))));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.end(End::Kill);
    }
}
