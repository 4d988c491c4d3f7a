//! How much of a test that could go on for ever.

use std::env;

/// Set to `1`, this variable lets such tests go on twenty times as long; `cargo xtask test --slow` sets it.
pub const SLOW: &str = "PRETENDER_SLOW_TESTS";

/// Returns how many rounds a test makes that usually makes `usual`.
#[must_use]
pub fn rounds(usual: u32) -> u32 {
    if env::var_os(SLOW).is_some_and(|value| value == "1") { usual * 20 } else { usual }
}
