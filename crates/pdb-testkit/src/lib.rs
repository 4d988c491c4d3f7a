#![doc = include_str!("../README.md")]

mod db;
mod rounds;

pub use db::{TestDb, definition, key_schema, string_key};
pub use rounds::{SLOW, rounds};
