//! `cargo xtask bench`: builds the benchmark program in release and runs it.

use crate::{Outcome, run, workspace};

/// The package that holds the benchmarks.
const PACKAGE: &str = "pretender-bench";

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A shorter run, some two minutes
    #[arg(long)]
    quick: bool,
    /// Passed on to the benchmark program; `-- --help` lists what it takes
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Builds and runs the benchmarks.
pub(crate) fn run(options: &Options) -> Outcome {
    if !workspace::packages()?.iter().any(|package| package.name == PACKAGE) {
        return Err(format!("the workspace has no package `{PACKAGE}`"));
    }
    let mut command = run::cargo();
    command.args(["run", "--release", "--package", PACKAGE, "--"]);
    if options.quick {
        command.arg("--quick");
    }
    run::run(command.args(&options.arguments))
}
