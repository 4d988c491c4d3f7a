#![doc = include_str!("../README.md")]

mod keeper;
mod programs;
mod proxy;
mod server;

pub use programs::{Failure, Programs, dump, sql, sql_file};
pub use proxy::Proxy;
pub use server::{Server, ServerOptions, Stop};
