//! `cargo xtask model`: compares AWS's service models with what pretender knows.

use std::path::PathBuf;

use crate::{Outcome, run};

/// The models to compare.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Service models: the files `service-2.json` that botocore ships for `dynamodb` and `dynamodbstreams`, unpacked
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Builds and runs the comparison.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", "service-model", "--"]);
    for file in &options.files {
        // The comparison runs at the root of the workspace, but the paths are relative to the user's directory.
        command.arg(std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    run::run(&mut command)
}
