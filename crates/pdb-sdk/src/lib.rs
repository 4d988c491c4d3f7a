#![doc = include_str!("../README.md")]

mod body;
mod client;
mod config;
mod front;

pub use client::InProcessClient;
pub use config::PretenderExt;

/// What clients of both services are made from, from the SDK's own crate.
pub use aws_types::SdkConfig;
