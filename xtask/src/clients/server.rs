//! A `pretender serve` for one client program.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, run, workspace};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a free port with an empty database. Dropping it ends the server.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

/// Returns the path of the program under test.
pub(super) fn binary() -> PathBuf {
    workspace::target().join("debug").join("pretender")
}

impl Server {
    /// Starts a server with its database and log in a folder named after `client`, and waits until it listens.
    pub(super) fn start(client: &str) -> Outcome<Self> {
        let folder = workspace::target().join("clients").join("servers").join(client);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{} cannot be removed: {error}", workspace::shown(&folder)))?;
        }
        fs::create_dir_all(&folder)
            .map_err(|error| format!("{} cannot be created: {error}", workspace::shown(&folder)))?;
        let address = free_address().map_err(|error| format!("no port is free: {error}"))?;
        let log = File::create(folder.join("log.txt"))
            .map_err(|error| format!("no log can be written: {error}"))?;
        let log_too = log.try_clone().map_err(|error| format!("no log can be written: {error}"))?;
        let child = run::program(binary())
            .args([
                "serve",
                "--control",
                "--host",
                "127.0.0.1",
                "--port",
                &address.port().to_string(),
                "--db",
            ])
            .arg(folder.join("pretender.db"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(|error| format!("pretender cannot be started: {error}"))?;
        let mut server = Self { child, address, folder };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    /// Returns the URL of the server.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the path of the server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log.txt")
    }

    fn wait_until_it_listens(&mut self) -> Outcome {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = workspace::read(&self.log()).unwrap_or_default();
                return Err(format!("pretender ended with {status}: {said}"));
            }
            if Instant::now() > end {
                return Err(format!("pretender does not listen after {} s", PATIENCE.as_secs()));
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // This fails if the server has ended by itself, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns an address that is free now.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
