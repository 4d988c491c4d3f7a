//! Starting pretender, for a run without an endpoint and for cases that restart the server.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::outcome::{Outcome, Stop};

/// A server that the suite has started. Dropped, it is stopped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    /// Starts `program serve --db <db> --port 0 --control` with further arguments, and waits until it says where it
    /// listens.
    pub fn start(program: &Path, db: &str, arguments: &[&str]) -> Outcome<Server> {
        let failed = |why: String| Stop::Failed(format!("{} serve: {why}", program.display()));
        let mut child = Command::new(program)
            .args(["serve", "--db", db, "--port", "0", "--control"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let (lines, said) = mpsc::channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
            child.stderr.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
        ];
        for output in outputs.into_iter().flatten() {
            let lines = lines.clone();
            // Reads to the end, so that the server never waits for its output to be taken.
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = lines.send(line);
                }
            });
        }
        drop(lines);
        let mut heard = String::new();
        let mut server = Server { child, endpoint: String::new() };
        while server.endpoint.is_empty() {
            match said.recv_timeout(Duration::from_secs(30)) {
                Ok(line) => {
                    server.endpoint = address_in(&line).unwrap_or_default();
                    heard = format!("{heard}\n{line}");
                }
                Err(_) => return Err(failed(format!("did not say where it listens; said:{heard}"))),
            }
        }
        Ok(server)
    }

    /// Returns its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds an address with a port in a line.
fn address_in(line: &str) -> Option<String> {
    let from = line.find("http://")?;
    let address: String =
        line[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || ":/.-[]".contains(*c)).collect();
    let address = address.trim_end_matches(['/', '.']).to_owned();
    address[7..].contains(':').then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address() {
        let found = address_in("pretender 0.1.0 listens on http://127.0.0.1:41234/, database :memory:");
        assert_eq!(found.as_deref(), Some("http://127.0.0.1:41234"));
        assert_eq!(address_in("see http://example.org/ for more"), None);
    }
}
