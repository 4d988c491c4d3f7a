//! `cargo xtask fixture`: keeps a database of the present format for the tests of later versions.

use crate::{Outcome, migration, run, workspace};

/// Writes `tests/fixtures/vN`, N being the number of the last migration. What is there already stays as it is: a version that was
/// released does not write other files afterwards.
pub(crate) fn run() -> Outcome {
    let folder = workspace::root().join("tests/fixtures").join(format!("v{}", newest()?));
    if folder.exists() {
        let shown = workspace::shown(&folder);
        return Err(format!(
            "{shown} is there already; if its format was never released, remove it and try again"
        ));
    }
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", "pretender-tests", "--example", "fixture", "--"]);
    run::run(command.arg(&folder))
}

/// The number of the last migration, which is the version of the schema.
fn newest() -> Outcome<u32> {
    let mut newest = 0;
    for path in workspace::files(&workspace::migrations().join("sqlite"), ".sql")? {
        newest = newest.max(migration::parse(&path.file_name().unwrap_or_default().to_string_lossy())?.0);
    }
    Ok(newest)
}
