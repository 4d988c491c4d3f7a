//! The length of tests that could run for ever.

use std::env;

/// The environment variable that makes such tests twenty times as long if it is `1`. `cargo xtask test --slow` sets it.
pub const SLOW: &str = "PRETENDER_SLOW_TESTS";

/// Returns the number of rounds of a test that usually has `usual` rounds.
#[must_use]
pub fn rounds(usual: u32) -> u32 {
    if env::var_os(SLOW).is_some_and(|value| value == "1") { usual * 20 } else { usual }
}
