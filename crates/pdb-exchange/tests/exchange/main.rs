//! Round trips of random items through every format, and files that are damaged or huge.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod damage;
mod exports;
mod round_trip;
