//! `cargo xtask lint`: format, clippy on every feature set, documentation, dependencies, house rules. A warning is an error.

use crate::{Outcome, deny, run, tidy, workspace};

/// Runs all linters.
pub(crate) fn run() -> Outcome {
    run::run(run::cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    deny::check()?;
    fuzz_targets()?;
    let too_new = workspace::too_new()?;
    let mut selection = vec!["--workspace"];
    selection.extend(too_new.iter().flat_map(|name| ["--exclude", name]));
    selection.push("--all-targets");
    clippy(&selection)?;
    selection.pop();
    for package in workspace::packages()?.into_iter().filter(|package| !too_new.contains(&package.name)) {
        // With its default features each package has just been checked.
        for features in feature_sets(&package) {
            let mut selection = vec!["--package", package.name.as_str(), "--no-default-features"];
            if !features.is_empty() {
                selection.extend(["--features", features.as_str()]);
            }
            // Tests are checked with the default features, and with all, which they may need: with each set that would take minutes.
            if features.contains(',') {
                selection.push("--all-targets");
            }
            clippy(&selection)?;
        }
    }
    run::run(
        run::cargo()
            .arg("doc")
            .args(&selection)
            .args(["--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Checks the programs of cargo-fuzz, which are a workspace of their own, because they run with a nightly toolchain only. Their
/// dependencies are those that are compiled anyway.
fn fuzz_targets() -> Outcome {
    let workspace = ["--manifest-path", "fuzz/Cargo.toml"];
    run::run(run::cargo().arg("fmt").args(workspace).arg("--check"))?;
    let mut command = run::cargo();
    command.arg("clippy").args(workspace).arg("--locked").arg("--target-dir").arg(workspace::target());
    run::run(command.args(["--", "-D", "warnings"]))
}

fn clippy(selection: &[&str]) -> Outcome {
    run::run(run::cargo().arg("clippy").args(selection).args(["--", "-D", "warnings"]))
}

/// Of these features a package needs one at least.
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Returns the feature sets to check besides the default one: none (unless the package has engines to choose from), each alone, and
/// all.
fn feature_sets(package: &workspace::Package) -> Vec<String> {
    let names: Vec<&str> =
        package.features.keys().map(String::as_str).filter(|name| *name != "default").collect();
    if names.is_empty() {
        return Vec::new();
    }
    let needs_engine = ENGINES.iter().all(|engine| names.contains(engine));
    let mut sets = if needs_engine { Vec::new() } else { vec![String::new()] };
    sets.extend(names.iter().map(ToString::to_string));
    if names.len() > 1 {
        sets.push(names.join(","));
    }
    sets
}
