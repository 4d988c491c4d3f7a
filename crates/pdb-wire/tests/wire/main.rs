//! The wire as a client sees it: bodies in, bodies out.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod access;
mod batches;
mod faults;
mod flows;
mod harness;
mod layers;
mod legacy;
mod mutations;
mod names;
mod pages;
mod placeholders;
mod protocol;
mod sets;
mod single_items;
mod sizes;
mod statements;
mod streams;
mod transactions;
