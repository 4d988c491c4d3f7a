#![doc = include_str!("../README.md")]

mod control;
mod http;
mod listen;
mod options;
mod patience;
mod running;
mod shutdown;
mod span;
mod token;

pub use http::{CorsOrigin, HostName, NotAHostName, NotAnOrigin};
pub use listen::{BoundServer, Server, ServerError};
pub use options::ServerOptions;
pub use running::RunningServer;
pub use span::{NotASpan, Span};
pub use token::{ControlToken, NotAToken};
