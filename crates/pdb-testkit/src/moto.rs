//! A server of S3 for tests: moto, from PyPI.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

/// The environment variable with the program `moto_server` that tests use. `cargo xtask test` sets it to one that it installs. Without it, tests
/// use the one that an earlier run has installed in the target folder, or else the one on the `PATH`.
pub const MOTO: &str = "PRETENDER_TEST_MOTO";

/// The shell that keeps the server, and ends it when its own input ends: also if the test program is killed.
const KEEPER: &str = r#""$@" & cat >/dev/null; kill -9 $!; wait $! 2>/dev/null"#;

/// A server of S3 that keeps its buckets in memory. Dropping it ends it.
///
/// It accepts any keys, unless [`check_keys`](Self::check_keys) was called.
#[derive(Debug)]
pub struct MotoServer {
    program: PathBuf,
    port: u16,
    keeper: Option<Child>,
}

impl MotoServer {
    /// Starts a server. Returns `None` if moto is not installed, after printing that on standard error: the test has to return then.
    ///
    /// # Panics
    ///
    /// If the server does not start, or if moto is not installed and the variable `CI` is set.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            let why = format!("`cargo xtask test` installs it; {MOTO} names another one");
            assert!(env::var_os("CI").is_none(), "no moto for tests: {why}");
            eprintln!("SKIPPED, for lack of moto: {why}");
            return None;
        };
        let (keeper, port) = run(&program, 0);
        Some(Self { program, port, keeper: Some(keeper) })
    }

    /// Returns the address of the server, for example `http://127.0.0.1:5000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, which forgets everything.
    pub fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    /// Starts the server again, on the same port, after it was killed.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        self.keeper = Some(run(&self.program, self.port).0);
    }

    /// Creates an empty bucket.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub fn create_bucket(&self, bucket: &str) {
        self.send("PUT", &format!("/{bucket}"), "");
    }

    /// Refuses keys from now on that the server does not know, which are all.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub fn check_keys(&self) {
        self.send("POST", "/moto-api/reset-auth", "0");
    }

    /// Returns what the server answers to a request without a signature.
    ///
    /// # Panics
    ///
    /// If it does not answer that the request succeeded.
    pub fn send(&self, method: &str, path: &str, body: &str) -> String {
        let exchange = || -> io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                self.port,
                body.len()
            )?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer =
            exchange().unwrap_or_else(|error| panic!("moto does not answer {method} {path}: {error}"));
        assert!(answer.starts_with("HTTP/1.1 2"), "moto refuses {method} {path}: {answer}");
        answer
    }
}

impl Drop for MotoServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the program, if it is installed.
fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os(MOTO) {
        return Some(named.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    let installed = target.join("moto/bin/moto_server");
    let on_path = || {
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join("moto_server"))
            .find(|it| it.is_file())
    };
    if installed.is_file() { Some(installed) } else { on_path() }
}

/// Starts the program on a port, or a free one for 0, and returns its keeper and its port when it is ready.
fn run(program: &Path, port: u16) -> (Child, u16) {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]).arg(program).args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    // Its own settings only: other variables of AWS would change what it answers.
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("AWS_")))
    {
        command.env_remove(name);
    }
    let mut keeper = command
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let ready = port_of(keeper.stderr.take().expect("it is piped"));
    match ready.recv_timeout(Duration::from_secs(60)) {
        Ok(port) => (keeper, port),
        Err(_) => {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
            panic!("{} does not start", program.display());
        }
    }
}

/// Reads what the server prints, for as long as it prints, and sends the port that it listens on.
fn port_of(output: ChildStderr) -> mpsc::Receiver<u16> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let port = line.split_once("Running on http://127.0.0.1:").map(|(_, port)| port);
            if let Some(port) = port.and_then(|port| port.trim().parse().ok()) {
                let _ = sender.send(port);
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_server_forgets_and_starts_again_on_its_port() {
        let Some(mut moto) = MotoServer::start() else { return };
        moto.create_bucket("exports");
        assert!(moto.send("GET", "/", "").contains("exports"));
        moto.kill();
        assert!(TcpStream::connect(("127.0.0.1", moto.port())).is_err());
        moto.restart();
        assert!(!moto.send("GET", "/", "").contains("exports"));
    }
}
