//! `cargo xtask conformance`: runs the black-box suite of stream scenarios against an endpoint.

use std::path::PathBuf;

use crate::{Outcome, run, workspace};

/// The package of the suite, and the package of the server that it starts if no endpoint is given.
const SUITE: &str = "streams-suite";
const SERVER: &str = "pdb-server";

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The address of the endpoint, or `aws`. Without it, pretender is built and started
    #[arg(long)]
    endpoint: Option<String>,
    /// The address of the control API. Without it, cases that need it are skipped
    #[arg(long)]
    control: Option<String>,
    /// Runs only cases whose `group/name` contains this text (can be repeated)
    #[arg(long)]
    filter: Vec<String>,
    /// Writes the results to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// How many cases run at the same time
    #[arg(long)]
    jobs: Option<usize>,
    /// More options for the suite, which `-- --help` lists
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Builds and runs the suite.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", SUITE]);
    match &options.endpoint {
        Some(endpoint) => {
            if endpoint == "aws" || endpoint.starts_with("https://") {
                command.args(["--features", "https"]);
            }
            command.args(["--", "--endpoint", endpoint]);
        }
        None => {
            run::run(run::cargo().args(["build", "--quiet", "--package", SERVER]))?;
            let program =
                workspace::target().join("debug").join(format!("pretender{}", std::env::consts::EXE_SUFFIX));
            command.args(["--", "--server"]).arg(program);
        }
    }
    if let Some(control) = &options.control {
        command.args(["--control", control]);
    }
    for filter in &options.filter {
        command.args(["--filter", filter]);
    }
    if let Some(json) = &options.json {
        // The suite runs at the root of the workspace, but the path is relative to the user's directory.
        let json = std::path::absolute(json).map_err(|error| format!("{}: {error}", json.display()))?;
        command.arg("--json").arg(json);
    }
    if let Some(jobs) = options.jobs {
        command.args(["--jobs", &jobs.to_string()]);
    }
    run::run(command.args(&options.arguments))
}
