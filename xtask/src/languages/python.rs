//! The Python package, installed from its wheel with the newest boto3, pytest and pytest-xdist.

use std::path::Path;

use super::Place;
use crate::dist::wheel::{create_environment, pip, run_twice, wheels};
use crate::{Outcome, run, workspace};

/// What the package's own tests need besides their folder.
const TESTS: [&str; 3] = ["tests", "platform_tag.py", "README.md"];

/// Runs the package's own tests and those of the sample project, each in two workers.
pub(super) fn test(place: &Place) -> Outcome {
    let wheels = wheels(&place.dist)?;
    let [wheel] = wheels.as_slice() else {
        return Err(format!(
            "expected one wheel in {}: run `cargo xtask dist wheel`",
            workspace::shown(&place.dist)
        ));
    };
    let python = create_environment(&place.scratch.join("environment"))?;
    run_twice(|| {
        let mut pip = pip(&python);
        pip.args(["install", &format!("{}[boto3]", wheel.display()), "pytest", "pytest-xdist"]);
        pip
    })?;
    let package = place.scratch.join("package");
    std::fs::create_dir_all(&package).map_err(|error| format!("cannot create a folder: {error}"))?;
    for name in TESTS {
        copy(&place.package.join(name), &package.join(name))?;
    }
    let example = place.scratch.join("example");
    copy(&place.package.join("example"), &example)?;
    run_tests(&python, &package)?;
    run_tests(&python, &example)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    run::run(run::program("cp").arg("-R").arg(from).arg(to))
}

fn run_tests(python: &Path, folder: &Path) -> Outcome {
    let mut pytest = run::program(python);
    pytest.current_dir(folder).args(["-m", "pytest", "-q", "-n", "2"]);
    // The program inside the wheel is to be tested.
    pytest.env_remove("PRETENDER_BIN").env_remove("PRETENDER_ENDPOINT");
    run::run(&mut pytest)
}
