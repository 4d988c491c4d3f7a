//! The artefact `wheel`: the Python package with the program inside, for the platform of the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Parts;
use crate::{Outcome, run, workspace};

/// Builds the wheel with `pip`, in an environment of its own.
pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    let package = workspace::root().join("packages/python");
    check_version(&package.join("src/pretender/_version.py"), parts.version)?;
    let environment = parts.folder.join("python");
    let python = create_environment(&environment)?;
    for old in wheels(&parts.folder)? {
        std::fs::remove_file(&old)
            .map_err(|error| format!("cannot remove {}: {error}", workspace::shown(&old)))?;
    }
    run_twice(|| {
        let mut pip = pip(&python);
        pip.args(["wheel", "--no-deps", "--wheel-dir"]).arg(&parts.folder).arg(&package);
        pip.env("PRETENDER_WHEEL_BINARY", &parts.binary).env("PRETENDER_WHEEL_NOTICES", &parts.notices);
        pip
    })?;
    wheels(&parts.folder)
}

/// Creates a virtual environment and returns its interpreter.
pub(crate) fn create_environment(folder: &Path) -> Outcome<PathBuf> {
    run::run(run::program("python3").args(["-m", "venv"]).arg(folder))?;
    Ok(folder.join("bin/python"))
}

/// Returns a command of `pip` that leaves nothing in the source tree.
pub(crate) fn pip(python: &Path) -> Command {
    let mut pip = run::program(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).env("PYTHONDONTWRITEBYTECODE", "1");
    pip
}

/// Runs a command, and runs it once more if it fails: a download may fail for a moment.
pub(crate) fn run_twice(command: impl Fn() -> Command) -> Outcome {
    run::run(&mut command()).or_else(|_| run::run(&mut command()))
}

/// Returns the wheels of the package in a folder.
pub(crate) fn wheels(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let is_wheel = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("pretender-") && name.ends_with(".whl")
    };
    Ok(workspace::entries(folder)?.into_iter().filter(is_wheel).collect())
}

/// Checks that the package has the version of the workspace.
fn check_version(file: &Path, version: &str) -> Outcome {
    if workspace::read(file)?.contains(&format!("\n__version__ = \"{version}\"\n")) {
        Ok(())
    } else {
        Err(format!("{} does not have the version of the workspace, {version}", workspace::shown(file)))
    }
}
