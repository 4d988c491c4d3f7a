#![doc = include_str!("../README.md")]

pub use pdb_items::*;
pub use pdb_model::*;
