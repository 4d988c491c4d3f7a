//! `cargo xtask bench`: builds the server and the benchmark program in release mode and runs them.

use crate::{Outcome, run, workspace};

/// The package with the benchmarks.
const PACKAGE: &str = "pdb-bench";

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Options of the benchmark program, such as `--quick` or `--peer NAME=URL`; `help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds and runs the benchmarks.
pub(crate) fn run(options: &Options) -> Outcome {
    run::run(run::cargo().args(["build", "--release", "--package", "pdb-server", "--package", PACKAGE]))?;
    let release = workspace::target().join("release");
    let mut command = run::program(release.join(PACKAGE));
    if options.arguments.iter().any(|argument| argument == "help") {
        return run::run(command.arg("--help"));
    }
    run::run(command.arg("--binary").arg(release.join("pretender")).args(&options.arguments))
}
