//! `cargo xtask ci`: all checks that a change must pass.

use crate::{Outcome, clients, documents, lint, package, test};

/// Runs the tests, the linters, the client programs, the snippets of the documents and the packages.
pub(crate) fn run() -> Outcome {
    test::run(&test::Options::default())?;
    lint::run()?;
    clients::run(&clients::Options::in_ci())?;
    documents::run(&documents::Options::default())?;
    package::run()
}
