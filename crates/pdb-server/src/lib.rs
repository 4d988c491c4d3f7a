#![doc = include_str!("../README.md")]

mod backup;
mod blocking;
mod console_access;
mod control;
mod credentials;
mod database;
mod databases;
mod error_code;
mod http;
mod listen;
mod metrics;
mod options;
mod regions;
mod running;
mod shutdown;
mod signature;
mod span;
mod time_format;
#[cfg(feature = "https")]
mod tls;
mod token;
mod transfer;
mod workers;
mod write_timeout;

pub use console_access::ConsoleAccess;
pub use credentials::{Credentials, CredentialsError, is_readable_by_others};
pub use databases::{NamedDatabase, NamedDatabases, OpenError};
pub use http::{CorsOrigin, HostName, NotAHostName, NotAnOrigin};
pub use listen::{BoundServer, Server, ServerError};
pub use options::ServerOptions;
pub use regions::Regions;
pub use running::RunningServer;
pub use span::{NotASpan, Span};
pub use time_format::parse_time;
#[cfg(feature = "https")]
pub use tls::{Authority, Tls, TlsError};
pub use token::{ControlToken, NotAToken};
