//! The server of S3 that tests start: moto, from PyPI, in a virtual environment of its own.

use std::path::PathBuf;
use std::process::Command;

use crate::{Outcome, run, workspace};

/// The environment variable with the program (`pdb_testkit::MOTO`).
const MOTO: &str = "PRETENDER_TEST_MOTO";

/// What is installed.
const PACKAGE: &str = "moto[s3,server]==5.2.5";

/// The program for the tests.
pub(super) enum Moto {
    /// One that the environment variable names. The tests read the variable themselves.
    Named,
    /// The one that is installed in the target folder.
    Installed(PathBuf),
    /// None: Python is missing, or nothing can be downloaded.
    Missing(String),
}

impl Moto {
    /// Finds the program or installs it.
    ///
    /// # Errors
    ///
    /// If it is missing and `CI` is set.
    pub(super) fn find() -> Outcome<Self> {
        if std::env::var_os(MOTO).is_some() {
            return Ok(Self::Named);
        }
        // Twice, because a download may fail for a moment.
        match install().or_else(|_| install()) {
            Ok(program) => Ok(Self::Installed(program)),
            Err(why) if std::env::var_os("CI").is_none() => Ok(Self::Missing(why)),
            Err(why) => Err(format!("no moto for the tests: {why}")),
        }
    }

    /// Sets the environment variable for a command that runs tests.
    pub(super) fn tell(&self, command: &mut Command) {
        if let Self::Installed(program) = self {
            command.env(MOTO, program);
        }
    }

    /// Says which tests were skipped, if some were.
    pub(super) fn report(&self) {
        if let Self::Missing(why) = self {
            eprintln!("SKIPPED: the tests on S3, for lack of moto: {why}");
        }
    }
}

/// Installs the program, unless it is there. The file beside it says which version is there as a whole.
fn install() -> Outcome<PathBuf> {
    let folder = workspace::target().join("moto");
    let (program, complete) = (folder.join("bin/moto_server"), folder.join("complete"));
    if std::fs::read_to_string(&complete).is_ok_and(|version| version == PACKAGE) {
        return Ok(program);
    }
    if !run::works("python3", &["-c", "import venv, ensurepip"]) {
        return Err("python3 with venv is not installed".to_owned());
    }
    run::run(run::program("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["install", "--quiet", "--disable-pip-version-check", PACKAGE];
    run::run(run::program(folder.join("bin/pip")).args(install))?;
    std::fs::write(&complete, PACKAGE)
        .map_err(|error| format!("cannot write {}: {error}", complete.display()))?;
    Ok(program)
}
