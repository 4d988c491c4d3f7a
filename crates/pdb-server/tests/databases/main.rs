//! Databases as such: copying them, with the library and with the program.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod copy;
mod copy_program;
mod home;
mod http;
mod served;
mod world;
