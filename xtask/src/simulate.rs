//! `cargo xtask simulate`: the deterministic simulation, with one seed or with fresh ones.

use crate::{Outcome, run, workspace};

/// What to simulate.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Repeat the run of this seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The number of steps of each run; 5000 by default
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// How long to run fresh seeds; one minute by default
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// How many runs at the same time; one by default
    #[arg(long, value_name = "N")]
    jobs: Option<u32>,
    /// Use the build of the tests instead of one for long campaigns, which is some ten times as fast
    #[arg(long)]
    debug: bool,
}

/// Builds and runs the simulation. Histories that fail are kept in `target/simulation`.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", "simulation"]);
    if !options.debug {
        command.args(["--profile", "campaign"]);
    }
    command.arg("--").arg("--out").arg(workspace::target().join("simulation"));
    for (name, value) in [
        ("--seed", options.seed.map(|seed| seed.to_string())),
        ("--steps", options.steps.map(|steps| steps.to_string())),
        ("--minutes", options.minutes.map(|minutes| minutes.to_string())),
        ("--jobs", options.jobs.map(|jobs| jobs.to_string())),
    ] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    run::run(&mut command)
}
