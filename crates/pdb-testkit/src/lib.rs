#![doc = include_str!("../README.md")]

mod db;
mod kills;
mod moto;
mod postgres;
mod rounds;

pub use db::{DATABASE, TestDb, definition, key_schema, on_postgres, string_key};
pub use kills::Kills;
pub use moto::{MOTO, MotoServer};
pub use postgres::{POSTGRES, Schema};
pub use rounds::{SLOW, rounds};
