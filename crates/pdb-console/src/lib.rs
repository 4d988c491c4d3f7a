#![doc = include_str!("../README.md")]

mod answer;
mod assets;
mod call;
mod context;
mod copy_as;
mod difference;
mod instrument;
mod item;
mod items;
mod layout;
mod overview;
mod pages;
mod partiql;
mod placeholders;
mod pretty_json;
mod request;
mod schema;
mod shown;
mod sign_in;
mod stream;
mod table;
mod tail;
#[cfg(test)]
mod testing;
mod triggers;
mod values;

pub use answer::Answer;
pub use assets::asset;
pub use context::{CommandError, Commands, Context};
pub use request::{Parameters, Request};
pub use sign_in::sign_in;
pub use tail::{Sent, Tail, TailStop};
