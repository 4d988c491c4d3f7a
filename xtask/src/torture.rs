//! `cargo xtask torture`: builds the server and the campaign against it, and runs the campaign.

use crate::{Outcome, run, workspace};

/// The package with the campaign.
const PACKAGE: &str = "pdb-torture";
/// How long it takes in the continuous integration.
const MINUTES_IN_CI: f64 = 2.0;
/// What runs there: the parts that have run for hours without a false alarm.
const PARTS_IN_CI: [&str; 2] = ["kills", "images"];

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Repeat the run with this seed; without it, a fresh one is drawn and printed
    #[arg(long)]
    seed: Option<u64>,
    /// How long the campaign takes, about
    #[arg(long, default_value_t = MINUTES_IN_CI)]
    minutes: f64,
    /// Go on until each part has done what it does a thousand times, and kill scripts at every system call
    #[arg(long)]
    slow: bool,
    /// Run only these parts: kills, scripts, images, faults, damage, postgres
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<String>,
    /// Make the databases in this folder; one in memory is quick
    #[arg(long, value_name = "FOLDER")]
    folder: Option<std::path::PathBuf>,
}

impl Options {
    /// Returns the options for the continuous integration: two minutes, with a fresh seed.
    pub(crate) fn in_ci() -> Self {
        Self {
            seed: None,
            minutes: MINUTES_IN_CI,
            slow: false,
            only: PARTS_IN_CI.map(str::to_owned).to_vec(),
            folder: None,
        }
    }
}

/// Builds and runs the campaign.
pub(crate) fn run(options: &Options) -> Outcome {
    // As `clients` builds it, so that it is not built twice.
    run::run(run::cargo().args(["build", "--package", "pdb-server", "--bin", "pretender"]))?;
    run::run(run::cargo().args(["build", "--package", PACKAGE]))?;
    let programs = workspace::target().join("debug");
    let mut command = run::program(programs.join(PACKAGE));
    command.arg("--server").arg(programs.join("pretender"));
    command.args(["--minutes", &options.minutes.to_string()]);
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if options.slow {
        command.arg("--slow");
    }
    if !options.only.is_empty() {
        command.args(["--only", &options.only.join(",")]);
    }
    if let Some(folder) = &options.folder {
        command.arg("--folder").arg(folder);
    }
    run::run(&mut command)
}
