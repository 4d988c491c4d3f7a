//! `cargo xtask ci`: what a change must pass.

use crate::{Outcome, lint, test};

/// Runs the tests and the linters.
pub(crate) fn run() -> Outcome {
    test::run(&test::Options::default())?;
    lint::run()
}
