//! `cargo xtask ci`: what a change must pass.

use crate::{Outcome, clients, lint, test};

/// Runs the tests, the linters and the client programs.
pub(crate) fn run() -> Outcome {
    test::run(&test::Options::default())?;
    lint::run()?;
    clients::run(&clients::Options::in_ci())
}
