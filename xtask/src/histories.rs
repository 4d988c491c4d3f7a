//! `cargo xtask histories`: histories of concurrent clients, with kills, checked for linearizability.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::{Outcome, run, workspace};

/// The package with the histories.
const PACKAGE: &str = "pdb-histories";

/// Options of the command.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// The seed of the first history; the others have the seeds that follow. By default, a new one is chosen and printed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many minutes to go on [default: 1]
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Run only these kinds, separated by commas: memory, file, processes, postgres
    #[arg(long, value_name = "KINDS")]
    only: Option<String>,
    /// Fail if PostgreSQL is not installed, instead of leaving out the histories that need it
    #[arg(long)]
    all: bool,
}

/// Builds and tests the checker, builds the server, and runs histories until the time is over.
pub(crate) fn run(options: &Options) -> Outcome {
    if !run::works("go", &["version"]) {
        return Err("the checker of histories needs Go, which is not installed".to_owned());
    }
    let target = workspace::target().join("histories");
    let checker = target.join("checker");
    let go = |arguments: &[&str]| {
        let mut command = run::program("go");
        command.current_dir(workspace::root().join("tests/histories/checker")).args(arguments);
        command
    };
    // A download may fail for a moment.
    run::run(&mut go(&["mod", "download"])).or_else(|_| run::run(&mut go(&["mod", "download"])))?;
    run::run(&mut go(&["vet", "./..."]))?;
    run::run(&mut go(&["test", "./..."]))?;
    run::run(go(&["build", "-o"]).arg(&checker).arg("."))?;
    run::run(run::cargo().args([
        "build",
        "--package",
        "pdb-server",
        "--bin",
        "pretender",
        "--package",
        PACKAGE,
        "--bin",
        PACKAGE,
    ]))?;
    let debug = workspace::target().join("debug");
    let seed = options.seed.unwrap_or_else(new_seed);
    eprintln!("The seed of the first history is {seed}.");
    let mut command = run::program(debug.join(PACKAGE));
    command.arg("--binary").arg(debug.join("pretender"));
    command.arg("--checker").arg(&checker).arg("--folder").arg(&target);
    command.args(["--seed", &seed.to_string()]);
    command.args(["--seconds", &(options.minutes.unwrap_or(1) * 60).to_string()]);
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    if options.all {
        command.arg("--all");
    }
    run::run(&mut command)
}

/// Returns a seed that differs in each run, short enough to be typed.
fn new_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}
