//! `cargo xtask test`: the one way to run the tests.

use crate::{Outcome, run};

/// Set to `1`, it lets the slow suites run: many kills, long histories, big streams.
pub(crate) const SLOW: &str = "PRETENDER_SLOW_TESTS";

/// What to test.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Also run the suites that take minutes
    #[arg(long)]
    slow: bool,
    /// Test only this package
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Passed on to the test programs
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the tests of the workspace, or of one package.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut command = run::cargo();
    command.args(["test", "--no-fail-fast"]);
    match &options.package {
        Some(name) => command.args(["--package", name]),
        None => command.arg("--workspace"),
    };
    if options.slow {
        command.env(SLOW, "1");
    } else {
        eprintln!("skipped: the slow suites (run `cargo xtask test --slow` for them)");
    }
    if !options.arguments.is_empty() {
        command.arg("--").args(&options.arguments);
    }
    run::run(&mut command)
}
