//! Databases as such: copying them, sharing one between several servers, what goes wrong with one, and that both engines agree.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod agree;
mod copy;
mod copy_program;
mod definitions;
mod faults;
mod home;
mod http;
mod load;
mod lock_order;
mod locks;
mod lost_commits;
mod moments;
mod processes;
mod reader;
mod regions;
mod served;
mod world;
