//! Development commands of the workspace; `cargo xtask --help` lists them.
//!
//! One file a command. A command is a function that returns an [`Outcome`]; whoever adds one adds its file, a
//! variant of [`Task`] and an arm in [`main`].

mod bench;
mod ci;
mod clients;
mod conformance;
mod coverage;
mod deny;
mod documents;
mod fixture;
mod lint;
mod migration;
mod model;
mod package;
mod run;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command comes to: nothing, or the reason it failed, ready to print.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Development commands of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every test of the workspace, doctests and examples included
    Test(test::Options),
    /// Checks format, lints on every feature set, documentation, dependencies, and what `tidy` checks
    Lint,
    /// Packs the published crates, and runs the examples of their READMEs against the packages
    Package,
    /// Does what the continuous integration does: test, lint, clients, documents, package
    Ci,
    /// Checks the layers between the crates and the house rules that no compiler knows
    Tidy,
    /// Measures line coverage (installs cargo-tarpaulin when it is missing)
    Coverage(coverage::Options),
    /// Creates the next migration, for every database dialect
    Migration(migration::Options),
    /// Compares AWS's service models with what pretender knows, and prints what is new
    Model(model::Options),
    /// Keeps a database of the present format, with its answers, for the tests of all later versions
    Fixture,
    /// Runs the black-box suite of stream scenarios against pretender, or any other endpoint
    Conformance(conformance::Options),
    /// Runs the benchmarks
    Bench(bench::Options),
    /// Runs the client programs in `tests/clients` against a server of their own
    Clients(clients::Options),
    /// Runs the snippets of all documents, as a reader would who follows them line by line
    Documents(documents::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Lint => lint::run(),
        Task::Package => package::run(),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Coverage(options) => coverage::run(&options),
        Task::Migration(options) => migration::run(&options),
        Task::Model(options) => model::run(&options),
        Task::Fixture => fixture::run(),
        Task::Conformance(options) => conformance::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Clients(options) => clients::run(&options),
        Task::Documents(options) => documents::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
