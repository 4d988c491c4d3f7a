//! What `cargo xtask torture` has found once, as fixed cases: on a disk that remembers what was synced, and fails on demand.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod failed_syncs;
