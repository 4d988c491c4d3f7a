//! How a server is started.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pretender::time::ManualClock;

use crate::pace::PaceLimits;
use crate::{ControlToken, CorsOrigin, HostName};

/// How a server listens and behaves. The defaults suit tests: a free port of the local machine.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address to listen on; the local machine's own unless chosen.
    pub host: IpAddr,
    /// The port to listen on; 0, the default, takes a free one.
    pub port: u16,
    /// Threads that answer requests; one for each processor unless chosen.
    pub workers: Option<usize>,
    /// How long a client may take to send the head of a request, and to stay idle between two; three minutes unless
    /// chosen, longer than clients keep a connection they do not use.
    pub head_timeout: Duration,
    /// How long a client may take from connecting until it has sent the head of its first request; 30 seconds unless chosen.
    pub first_head_timeout: Duration,
    /// How long a client may stay below `min_bytes_per_second`, on average, while it sends a body or takes an answer; also how long
    /// a request waits for memory (see `bytes_in_flight`) before it gets status 503. A minute unless chosen.
    pub body_timeout: Duration,
    /// What takes the place of `body_timeout` for a large body or answer while others wait for the memory that it occupies; then the
    /// client must be eight times as fast, too. Ten seconds unless chosen.
    pub contended_timeout: Duration,
    /// How many bytes a second a client must send of a body, or take of an answer; 8 KiB unless chosen.
    pub min_bytes_per_second: u32,
    /// How long a client may take in all to send a body, or to take an answer, however fast it is; ten minutes unless chosen.
    pub transfer_timeout: Duration,
    /// How many bytes of request bodies above 16 KiB the server holds at one time, and as many of answers; 32 MiB unless chosen.
    /// Bodies are counted as they arrive, answers by their true length. What finds no memory waits for it: a body is not read
    /// meanwhile, and no more answers are made than there are places for them. A quarter is kept for what is no longer than 1 MiB.
    /// Calls with bodies and answers of up to 16 KiB wait for nothing. Work on a request takes some times its size, and each
    /// connection by itself up to 50 KiB.
    pub bytes_in_flight: usize,
    /// How long a stop waits for requests in flight; ten seconds unless chosen.
    pub drain_timeout: Duration,
    /// The clock that the database was opened with. Given one, the server obeys commands to it, to shards, faults,
    /// snapshots and more under `/_pretender/`; without one, the default, that path is like any other.
    pub control: Option<Arc<ManualClock>>,
    /// What a command has to carry, as `Authorization: Bearer TOKEN` or `X-Pretender-Token: TOKEN`; nothing unless chosen.
    pub control_token: Option<ControlToken>,
    /// The folder, which has to exist, in which commands save and restore snapshots in files. Without it, the default, they are refused.
    pub snapshot_directory: Option<PathBuf>,
    /// The status of the answer to `GET /`; 200 unless chosen. Some tools wait until it is 400, as DynamoDB Local has it.
    pub root_status: u16,
    /// Names under which requests may come besides `localhost`, `host.docker.internal`, addresses and names without a dot; none unless
    /// chosen. Other requests are refused with status 403, because a web page could have sent them through a name of its own.
    pub allowed_hosts: Vec<HostName>,
    /// Whose web pages may call the APIs besides those served from this machine's `localhost` and loopback addresses; nobody's
    /// unless chosen. Calls from other pages are refused with status 403.
    pub cors_origins: Vec<CorsOrigin>,
}

impl ServerOptions {
    /// How many reads of many rows run at the same time; the others wait for their turn. More would only wait for the
    /// processor, and each costs memory. A database needs more readers than that, or short reads wait for long ones, and
    /// with them the threads that answer everything else.
    pub const MOST_LONG_READS: u32 = 16;

    /// What is asked of clients that send bodies and take answers.
    pub(crate) fn pace_limits(&self) -> PaceLimits {
        PaceLimits {
            window: self.body_timeout,
            contended_window: self.contended_timeout,
            bytes_per_second: self.min_bytes_per_second.into(),
            deadline: self.transfer_timeout,
        }
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            workers: None,
            head_timeout: Duration::from_secs(180),
            first_head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            contended_timeout: Duration::from_secs(10),
            min_bytes_per_second: 8 * 1024,
            transfer_timeout: Duration::from_secs(600),
            bytes_in_flight: 32 * 1024 * 1024,
            drain_timeout: Duration::from_secs(10),
            control: None,
            control_token: None,
            snapshot_directory: None,
            root_status: 200,
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
        }
    }
}
