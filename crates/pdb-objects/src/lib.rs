#![doc = include_str!("../README.md")]

mod absent;
mod error;
mod memory;
mod store;

pub use absent::NoObjects;
pub use error::ObjectError;
pub use memory::MemoryObjects;
pub use store::{Object, ObjectStore, ObjectWriter};
