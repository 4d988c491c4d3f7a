//! `cargo xtask ci`: all checks that a change must pass.

use crate::{Outcome, clients, dist, documents, languages, lint, package, test, torture};

/// Runs the tests, the linters, some minutes of the campaign that breaks databases, the client programs and the snippets of the documents, and
/// tests the packages of all languages, and the crates.
pub(crate) fn run() -> Outcome {
    test::run(&test::Options::default())?;
    lint::run()?;
    torture::run(&torture::Options::in_ci())?;
    clients::run(&clients::Options::in_ci())?;
    documents::run(&documents::Options::default())?;
    dist::run(&dist::Options::in_ci())?;
    languages::run(&languages::Options::in_ci())?;
    package::run(&package::Options::in_ci())
}
