//! The console in a real browser.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod access;
mod appearance;
mod attacker;
mod browser;
mod crawl;
mod foreign;
mod hostile;
mod instrument;
mod items;
mod keyboard;
mod load;
mod named;
mod overview;
mod partiql;
mod sample;
mod stand;
mod stream;
mod sweep;
mod tail;
mod triggers;
mod wait;
mod windows;
