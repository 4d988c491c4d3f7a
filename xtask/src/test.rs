//! `cargo xtask test`: runs the tests.

mod database;
mod moto;

use std::time::Instant;

use crate::{Outcome, run, workspace};
use database::Database;
use moto::Moto;

/// The environment variable that makes tests of random histories twenty times as long if it is `1` (`pdb_testkit::rounds`).
pub(crate) const SLOW: &str = "PRETENDER_SLOW_TESTS";

/// The environment variable that selects the engine of the tests below (`pdb_testkit::DATABASE`).
const DATABASE: &str = "PRETENDER_TEST_DATABASE";

/// The packages, and their test programs, that run a second time on PostgreSQL. `pdb-server` has its own tests for PostgreSQL, which always run.
const AGAIN: &[(&str, &str)] = &[
    ("pdb-capture", "capture"),
    ("pdb-cleanup", "cleanup"),
    ("pdb-items", "items"),
    ("pdb-streams", "streams"),
    ("pretender-tests", "end_to_end"),
];

/// Features that are off by default, and on in all tests: building everything a second time for them would take minutes.
const FEATURES: &[(&str, &str)] = &[
    ("pdb-server", "otlp"),
    ("pdb-model", "serde_dynamo"),
    ("pdb-objects", "folder"),
    ("pdb-objects", "s3"),
];

/// Packages that are tested again with one of their engines alone, with `--slow` or if the package is named. `lint` compiles each set.
const ENGINES: &[(&str, &[&str])] = &[
    ("pdb-store", &["--no-default-features", "--features", "sqlite"]),
    ("pdb-store", &["--no-default-features", "--features", "postgres"]),
];

/// Options of the command.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Try many more random histories and kills, which takes minutes
    #[arg(long)]
    slow: bool,
    /// Test only this package
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// More options for the test programs
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the tests of the workspace, or of one package.
pub(crate) fn run(options: &Options) -> Outcome {
    let database = Database::find()?;
    let moto = Moto::find()?;
    let mut command = run::cargo();
    command.args(["test", "--no-fail-fast"]);
    database.tell(&mut command);
    moto.tell(&mut command);
    command.args(selection(options.package.as_deref())?);
    if options.slow {
        command.env(SLOW, "1");
    } else {
        eprintln!("shortened: random histories and kills (`cargo xtask test --slow` tries many more)");
    }
    if !options.arguments.is_empty() {
        command.arg("--").args(&options.arguments);
    }
    let began = Instant::now();
    eprintln!(
        "Testing {}: builds first, then runs. On two cores the whole takes some ten minutes to build, and ten to run.",
        options.package.as_deref().unwrap_or("the workspace, on SQLite")
    );
    let mut outcome = run::run(&mut command);
    eprintln!("That took {}.", minutes(began));
    for (package, features) in ENGINES {
        if options.package.as_deref().map_or(options.slow, |name| name == *package) {
            outcome = outcome.and(test_features(package, features, &database, &options.arguments));
        }
    }
    if !matches!(database, Database::Missing(_)) && options.package.is_none() {
        // Repeat the tests that are not specific to SQLite on PostgreSQL.
        let mut again = run::cargo();
        // The same selection as before, so that nothing is built again for other features.
        again.args(["test", "--no-fail-fast"]).args(selection(None)?);
        again.args(AGAIN.iter().flat_map(|(_, test)| ["--test", test]));
        again.env(DATABASE, "postgres");
        database.tell(&mut again);
        moto.tell(&mut again);
        if !options.arguments.is_empty() {
            again.arg("--").args(&options.arguments);
        }
        let began = Instant::now();
        eprintln!("Repeating the tests that are not specific to SQLite on PostgreSQL: {}.", names(AGAIN));
        outcome = outcome.and(run::run(&mut again));
        eprintln!("That took {}.", minutes(began));
    }
    if let Database::Missing(why) = &database {
        eprintln!("SKIPPED: the tests on PostgreSQL: {why}");
    }
    moto.report();
    outcome
}

/// Returns the arguments that select a package with its features, or the whole workspace.
fn selection(package: Option<&str>) -> Outcome<Vec<String>> {
    let mut arguments: Vec<String> = match package {
        Some(name) => ["--package".to_owned(), name.to_owned()].into(),
        None => {
            let excluded = workspace::too_new()?.into_iter().flat_map(|name| ["--exclude".to_owned(), name]);
            std::iter::once("--workspace".to_owned()).chain(excluded).collect()
        }
    };
    for (name, feature) in FEATURES.iter().filter(|(name, _)| package.is_none_or(|package| package == *name))
    {
        arguments.extend(["--features".to_owned(), format!("{name}/{feature}")]);
    }
    Ok(arguments)
}

/// Tests a package with these features.
fn test_features(package: &str, features: &[&str], database: &Database, arguments: &[String]) -> Outcome {
    let mut command = run::cargo();
    command.args(["test", "--no-fail-fast", "--package", package]).args(features);
    database.tell(&mut command);
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    eprintln!("Testing {package} again with {}.", features.join(" "));
    run::run(&mut command)
}

fn names(tests: &[(&str, &str)]) -> String {
    tests.iter().map(|(package, _)| *package).collect::<Vec<_>>().join(", ")
}

fn minutes(began: Instant) -> String {
    let seconds = began.elapsed().as_secs();
    format!("{} min {} s", seconds / 60, seconds % 60)
}
