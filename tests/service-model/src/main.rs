//! `service-model FILE...`: prints what AWS's models contain and pretender does not support.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use service_model::{Engine, Known, Model, Source, compare};

/// Compares AWS's service models with what pretender takes and answers, and prints what is new.
///
/// The models are the files `service-2.json` that botocore ships, unpacked. Exits with 1 if something is new.
#[derive(Parser)]
struct Cli {
    /// Service models, as JSON
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<bool, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = here.join("../../crates");
    let source = Source::read(&[&crates.join("pdb-wire/src"), &crates.join("pdb-items/src")])?;
    let known = Known::parse(include_str!("../known.txt"));
    let mut nothing_new = true;
    let mut unmatched: Option<Vec<String>> = None;
    for file in &cli.files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let model = Model::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let engine = Engine::open(model.target_prefix())?;
        let report = compare(&model, &engine, &source, &known);
        println!("{report}");
        nothing_new &= report.news.is_empty();
        // A line may be about any of the services.
        unmatched = Some(match unmatched {
            None => report.unmatched,
            Some(before) => before.into_iter().filter(|line| report.unmatched.contains(line)).collect(),
        });
    }
    for line in unmatched.iter().flatten() {
        println!("in none of these models, or no longer different: {line}");
    }
    Ok(nothing_new)
}
