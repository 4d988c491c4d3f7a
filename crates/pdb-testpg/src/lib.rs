#![doc = include_str!("../README.md")]

mod keeper;
mod programs;
mod server;

pub use programs::{Failure, Programs, sql};
pub use server::{Server, ServerOptions, Stop};
