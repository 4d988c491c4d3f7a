//! The operations on items, through `ItemManager`.

mod conditions;
mod harness;
mod updates;
mod writes;
