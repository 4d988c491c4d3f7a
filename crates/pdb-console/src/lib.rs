#![doc = include_str!("../README.md")]

mod answer;
mod assets;
mod call;
mod context;
mod difference;
mod layout;
mod overview;
mod request;
mod shown;
mod sign_in;

pub use answer::Answer;
pub use context::{CommandError, Commands, Context};
pub use request::{Parameters, Request};
pub use sign_in::sign_in;
