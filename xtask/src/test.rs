//! `cargo xtask test`: the one way to run the tests.

mod database;

use crate::{Outcome, run, workspace};
use database::Database;

/// Set to `1`, it has tests that could go on for ever go on twenty times as long (`pdb_testkit::rounds`).
pub(crate) const SLOW: &str = "PRETENDER_SLOW_TESTS";

/// What to test.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Try many more random histories and kills; takes minutes
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
    let database = Database::find()?;
    let mut command = run::cargo();
    command.args(["test", "--no-fail-fast"]);
    database.tell(&mut command);
    match &options.package {
        Some(name) => command.args(["--package", name]),
        None => {
            let excluded = workspace::too_new()?;
            command.arg("--workspace").args(excluded.iter().flat_map(|name| ["--exclude", name]))
        }
    };
    if options.slow {
        command.env(SLOW, "1");
    } else {
        eprintln!("shortened: random histories and kills (`cargo xtask test --slow` tries many more)");
    }
    if !options.arguments.is_empty() {
        command.arg("--").args(&options.arguments);
    }
    let outcome = run::run(&mut command);
    if let Database::Missing(why) = &database {
        eprintln!("SKIPPED: the tests on PostgreSQL: {why}");
    }
    outcome
}
