#![doc = include_str!("../README.md")]

mod apply;
mod error;
mod fields;
mod files;
mod items;
mod report;
mod schema;
mod seeding;
mod yaml;

pub use error::SeedError;
pub use report::{SeedReport, SeededTable};
pub use seeding::Seeding;
