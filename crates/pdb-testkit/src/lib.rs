#![doc = include_str!("../README.md")]

mod db;

pub use db::{TestDb, definition, key_schema, string_key};
