//! The CPU time and the memory of a server that is measured, from `/proc`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// CPU time of a clock tick of `/proc/<pid>/stat`, in microseconds: Linux shows 100 a second to user space.
const TICK_US: f64 = 10_000.0;

/// A process whose use of the machine is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pid: u32,
}

impl Usage {
    /// Returns the process that listens on a port of this machine, if one does.
    pub(crate) fn of_listener(address: SocketAddr) -> Option<Self> {
        let inode = listening_inode(address.port())?;
        let link = format!("socket:[{inode}]");
        for process in fs::read_dir("/proc").ok()?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
            if files.flatten().any(|f| fs::read_link(f.path()).is_ok_and(|to| to.to_string_lossy() == link)) {
                return Some(Self { pid });
            }
        }
        None
    }

    /// Returns a child process.
    pub(crate) fn of(child: &Child) -> Self {
        Self { pid: child.id() }
    }

    /// Returns this process.
    pub(crate) fn of_this_process() -> Self {
        Self { pid: std::process::id() }
    }

    /// Returns the CPU time the process and its threads have used, in microseconds.
    pub(crate) fn cpu_us(self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        // The second field is the program's name in parentheses, and may hold blanks.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        (ticks() + ticks()) * TICK_US
    }

    /// Returns the resident memory in bytes.
    pub(crate) fn resident_bytes(self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// Returns the most memory that was ever resident, in bytes.
    pub(crate) fn peak_bytes(self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// Returns the resident memory that is no page of a file, in bytes.
    pub(crate) fn anonymous_bytes(self) -> u64 {
        self.status_bytes("RssAnon:")
    }

    /// Returns how many threads there are.
    pub(crate) fn threads(self) -> u64 {
        self.status("Threads:")
    }

    fn status_bytes(self, field: &str) -> u64 {
        self.status(field) * 1024
    }

    /// Returns a number of `/proc/<pid>/status`; sizes are in KB.
    fn status(self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|l| l.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

fn listening_inode(port: u16) -> Option<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|file| {
        let table = fs::read_to_string(file).ok()?;
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let listens = fields.get(3) == Some(&"0A");
            let local_port = u16::from_str_radix(fields.get(1)?.rsplit_once(':')?.1, 16).ok()?;
            (listens && local_port == port).then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
        })
    })
}

/// A running `pretender serve`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its use of the machine.
    pub(crate) usage: Usage,
    /// From the start of the process to the first answer.
    pub(crate) first_answer: Duration,
}

impl Server {
    /// Starts the server on a free port and waits for its first answer.
    pub(crate) fn start(binary: &std::path::Path, arguments: &[&str]) -> io::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        loop {
            if super::load::call(address, "DynamoDB_20120810.ListTables", "{}").is_ok() {
                break;
            }
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("the server ended: {status}")));
            }
            if started.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                return Err(io::Error::other("the server did not answer within a minute"));
            }
            std::thread::yield_now();
        }
        let (first_answer, usage) = (started.elapsed(), Usage { pid: child.id() });
        Ok(Self { child, address, usage, first_answer })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
