//! The options of a server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pdb_trigger::TriggerMonitor;
use pretender::time::ManualClock;

use crate::transfer::TransferLimits;
use crate::{ConsoleAccess, ControlToken, CorsOrigin, Credentials, HostName, NamedDatabases};

/// How a server listens and behaves. The defaults suit tests: a free port of the local machine.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address to listen on. Default: the loopback address.
    pub host: IpAddr,
    /// The port to listen on. Default: 0, which chooses a free port.
    pub port: u16,
    /// The number of threads that answer requests. Default: one for two processors, because clients are often on the same machine.
    pub workers: Option<usize>,
    /// How long a client may take to send the head of a request, and to stay idle between two requests. Default: three
    /// minutes, which is longer than clients keep unused connections.
    pub head_timeout: Duration,
    /// How long a client may take from connecting to sending the head of its first request. Default: 30 seconds.
    pub first_head_timeout: Duration,
    /// How long a client may stay below `min_bytes_per_second`, on average, while it sends a body or receives an
    /// answer; also how long a request waits for memory (see `bytes_in_flight`) before it gets status 503. Default: one
    /// minute.
    pub body_timeout: Duration,
    /// Replaces `body_timeout` for a large body or answer while others wait for the memory that it occupies; the client
    /// must then also be eight times as fast. Default: ten seconds.
    pub contended_timeout: Duration,
    /// How many bytes per second a client must send of a body, or receive of an answer. Default: 8 KiB.
    pub min_bytes_per_second: u32,
    /// How long a client may take in total to send a body, or to receive an answer, regardless of its speed. Default:
    /// ten minutes.
    pub transfer_timeout: Duration,
    /// How many bytes of request bodies above 16 KiB the server holds at one time, and the same number for answers.
    /// Default: 32 MiB. Bodies are counted as they arrive, answers by their actual length. If there is no memory left,
    /// a body is not read any further, and only a limited number of answers is computed. A quarter is reserved for
    /// bodies and answers of up to 1 MiB. Calls with bodies and answers of up to 16 KiB never wait. The work on a
    /// request takes a few times its size, and each connection takes up to 50 KiB.
    pub bytes_in_flight: usize,
    /// How long a stop waits for requests in progress. Default: ten seconds.
    pub drain_timeout: Duration,
    /// The clock that the database was opened with. If it is given, the server has the control API under
    /// `/_pretender/`, for this clock, shards, faults, snapshots and more. Default: none, and there is no control API.
    pub control: Option<Arc<ManualClock>>,
    /// The token that a command must carry, as `Authorization: Bearer TOKEN` or `X-Pretender-Token: TOKEN`. Default:
    /// none.
    pub control_token: Option<ControlToken>,
    /// The access keys with which calls of the APIs must be signed. Default: none, and any signature is accepted without a look at it.
    /// With keys, what is below `/_pretender/` needs `control_token`, except for the status pages.
    pub credentials: Option<Credentials>,
    /// The certificate of the server, which speaks HTTPS then, and nothing else. Default: none, and the server speaks HTTP.
    #[cfg(feature = "https")]
    pub tls: Option<crate::Tls>,
    /// The folder, which must exist, in which commands save and restore snapshot files. Default: none, and such
    /// commands are refused.
    pub snapshot_directory: Option<PathBuf>,
    /// Who may open the console. Default: browsers on this machine.
    pub console: ConsoleAccess,
    /// The status of the answer to `GET /`. Default: 200. Some tools wait until it is 400, as it is for DynamoDB Local.
    pub root_status: u16,
    /// Host names to which the server answers, besides `localhost`, `host.docker.internal`, addresses and names without
    /// a dot. Default: none. Other requests are refused with status 403, because a web page could have sent them
    /// through a host name of its own.
    pub allowed_hosts: Vec<HostName>,
    /// Origins whose web pages may call the APIs, besides this machine's `localhost` and loopback addresses. Default:
    /// none. Calls from other pages are refused with status 403.
    pub cors_origins: Vec<CorsOrigin>,
    /// Separate databases for requests that name one. Default: none, and all requests use the server's own database.
    pub databases: Option<NamedDatabases>,
    /// Triggers of this process, for the console to show. Default: none. The server samples their iterator age once a second; the
    /// caller starts and stops them.
    pub triggers: Vec<TriggerMonitor>,
}

impl ServerOptions {
    /// How many long reads run at the same time; further ones wait. More would only wait for the processor, and each
    /// costs memory. A database needs more readers than that; otherwise, short reads wait for long ones, and so do the
    /// threads that answer everything else.
    pub const MAX_LONG_READS: u32 = 16;

    /// Returns whether the server speaks HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        #[cfg(feature = "https")]
        return self.tls.is_some();
        #[cfg(not(feature = "https"))]
        false
    }

    /// Returns the limits for the speed of clients.
    pub(crate) fn transfer_limits(&self) -> TransferLimits {
        TransferLimits {
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
            credentials: None,
            #[cfg(feature = "https")]
            tls: None,
            snapshot_directory: None,
            console: ConsoleAccess::default(),
            root_status: 200,
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            databases: None,
            triggers: Vec::new(),
        }
    }
}
