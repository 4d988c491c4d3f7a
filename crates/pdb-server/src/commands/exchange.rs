//! Commands that move items between tables and files.

mod endpoint_load;
mod export;
mod import;
mod input;
mod load;
mod place;
mod refusals;
mod rules;
mod sink;
mod source;
mod table;

pub(crate) use export::Export;
pub(crate) use import::Import;

/// The word for standard input and output.
const STANDARD: &str = "-";
