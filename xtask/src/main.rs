//! Development commands of the workspace; `cargo xtask --help` lists them.
//!
//! Each command has a file. A command is a function that returns an [`Outcome`]. To add one, add its file, a variant of [`Task`] and an arm in
//! [`main`].

mod bench;
mod ci;
mod clients;
mod conformance;
mod coverage;
mod deny;
mod dist;
mod documents;
mod fixture;
mod fuzz;
mod histories;
mod languages;
mod lint;
mod migration;
mod model;
mod package;
mod run;
mod simulate;
mod test;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The result of a command: nothing, or the reason for its failure as a text for people.
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
    Package(package::Options),
    /// Runs all checks of the continuous integration: test, lint, torture, clients, documents, dist, languages, package
    Ci,
    /// Checks the layers between the crates and the house rules that no compiler knows
    Tidy,
    /// Measures line coverage (installs cargo-tarpaulin if it is missing)
    Coverage(coverage::Options),
    /// Creates the next migration for every engine
    Migration(migration::Options),
    /// Compares AWS's service models with what pretender knows, and prints what is new
    Model(model::Options),
    /// Stores a database in the current format, with its answers, for the tests of all later versions
    Fixture,
    /// Runs the black-box suite of stream scenarios against pretender, or any other endpoint
    Conformance(conformance::Options),
    /// Breaks databases: kills, power failures, failing disks, damaged files, crashes of PostgreSQL
    Torture(torture::Options),
    /// Runs the benchmarks
    Bench(bench::Options),
    /// Simulates the whole of pretender with one seed, one clock and one thread; with fresh seeds until the time is over
    Simulate(simulate::Options),
    /// Fuzzes what takes bytes from users, with cargo-fuzz (installs it and a nightly toolchain if they are missing)
    Fuzz(fuzz::Options),
    /// Runs the client programs in `tests/clients`, each against its own server
    Clients(clients::Options),
    /// Runs histories of concurrent clients, with kills, and checks that they are linearizable (needs Go)
    Histories(histories::Options),
    /// Builds everything that users install, into `target/dist`
    Dist(dist::Options),
    /// Installs the package of each language from `target/dist`, and runs its sample project with it
    Languages(languages::Options),
    /// Runs the snippets of all documents, like a reader who follows them line by line
    Documents(documents::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Lint => lint::run(),
        Task::Package(options) => package::run(&options),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Coverage(options) => coverage::run(&options),
        Task::Migration(options) => migration::run(&options),
        Task::Model(options) => model::run(&options),
        Task::Fixture => fixture::run(),
        Task::Conformance(options) => conformance::run(&options),
        Task::Torture(options) => torture::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Simulate(options) => simulate::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Clients(options) => clients::run(&options),
        Task::Histories(options) => histories::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Languages(options) => languages::run(&options),
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
