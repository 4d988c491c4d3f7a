#![doc = include_str!("../README.md")]

mod db;
mod postgres;
mod rounds;

pub use db::{TestDb, definition, key_schema, string_key};
pub use postgres::{POSTGRES, Schema};
pub use rounds::{SLOW, rounds};
