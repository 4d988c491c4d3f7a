#![doc = include_str!("../README.md")]

mod http;
mod listen;
mod options;
mod running;
mod shutdown;

pub use listen::{BoundServer, Server, ServerError};
pub use options::ServerOptions;
pub use running::RunningServer;
