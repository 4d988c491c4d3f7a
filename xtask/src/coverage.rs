//! `cargo xtask coverage`: line coverage of each crate, measured by cargo-tarpaulin.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Outcome, run, workspace};

/// The crates through which a stream record passes. Their coverage is also printed as one figure.
const STREAM_CRATES: &[&str] = &["pdb-capture", "pdb-cleanup", "pdb-model", "pdb-store", "pdb-streams"];

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fail if the stream crates together are below this percentage
    #[arg(long, value_name = "PERCENT")]
    fail_under: Option<f64>,
    /// Run only the tests of these packages, which gives lower figures than all tests
    #[arg(long, short, value_name = "NAME")]
    package: Vec<String>,
}

/// Measures and prints line coverage.
pub(crate) fn run(options: &Options) -> Outcome {
    if !run::works("cargo", &["tarpaulin", "--version"]) {
        run::run(run::cargo().args(["install", "cargo-tarpaulin", "--locked"]))?;
    }
    let folder = workspace::target().join("coverage");
    let mut command = run::cargo();
    command.args(["tarpaulin", "--engine", "ptrace", "--skip-clean", "--out", "Json", "--timeout", "600"]);
    command.arg("--exclude-files").args(["xtask/*", "*/tests/*", "*/tests.rs", "tests/*"]);
    // A separate target folder: with the same one, tarpaulin's flags would make every other command build everything again.
    command.arg("--target-dir").arg(folder.join("build")).arg("--output-dir").arg(&folder);
    if options.package.is_empty() {
        // Each crate is measured by its own tests. Tests that start the server as a process are left out, because its lines are not counted.
        command.arg("--workspace");
        for name in ["xtask", "pdb-bench", "pretender-tests", "streams-suite"] {
            command.args(["--exclude", name]);
        }
    }
    for name in &options.package {
        command.args(["--packages", name]);
    }
    run::run(&mut command)?;

    let report = parse(&workspace::read(&folder.join("tarpaulin-report.json"))?)?;
    let mut stream = Lines::default();
    println!("{:<16} {:>8} {:>8} {:>7}", "crate", "covered", "lines", "%");
    for (name, lines) in &report {
        println!("{name:<16} {lines}");
        if STREAM_CRATES.contains(&name.as_str()) {
            stream.add(*lines);
        }
    }
    println!("{:<16} {stream}", "stream crates");
    match options.fail_under {
        Some(least) if stream.percent() < least => {
            Err(format!("the stream crates are covered to {:.1} %, less than {least} %", stream.percent()))
        }
        _ => Ok(()),
    }
}

/// How many lines there are to cover, and how many are covered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lines {
    covered: u64,
    coverable: u64,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.covered += other.covered;
        self.coverable += other.coverable;
    }

    fn percent(self) -> f64 {
        if self.coverable == 0 { 100.0 } else { 100.0 * self.covered as f64 / self.coverable as f64 }
    }
}

impl std::fmt::Display for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8} {:>8} {:>7.1}", self.covered, self.coverable, self.percent())
    }
}

/// Sums tarpaulin's report by crate.
fn parse(text: &str) -> Outcome<BTreeMap<String, Lines>> {
    #[derive(Deserialize)]
    struct Report {
        files: Vec<File>,
    }
    #[derive(Deserialize)]
    struct File {
        path: Vec<String>,
        covered: u64,
        coverable: u64,
    }
    let report: Report =
        serde_json::from_str(text).map_err(|error| format!("cannot parse tarpaulin's report: {error}"))?;
    let mut crates = BTreeMap::<String, Lines>::new();
    for file in report.files {
        let Some(at) = file.path.iter().rposition(|part| part == "crates") else { continue };
        let Some(name) = file.path.get(at + 1) else { continue };
        let lines = Lines { covered: file.covered, coverable: file.coverable };
        crates.entry(name.clone()).or_default().add(lines);
    }
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_summed_by_crate() {
        let text = r#"{"files":[
            {"path":["/","home","crates","pdb-model","src","a.rs"],"covered":1,"coverable":2},
            {"path":["/","home","crates","pdb-model","src","b.rs"],"covered":3,"coverable":4},
            {"path":["/","home","xtask","src","main.rs"],"covered":0,"coverable":9}]}"#;
        let report = parse(text).expect("the report parses");
        assert_eq!(report.len(), 1);
        assert_eq!(report["pdb-model"], Lines { covered: 4, coverable: 6 });
        assert_eq!(Lines::default().percent(), 100.0);
    }
}
