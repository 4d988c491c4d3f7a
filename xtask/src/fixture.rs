//! `cargo xtask fixture`: stores a database in the current format for the tests of later versions.

use crate::{Outcome, migration, run, workspace};

/// Writes `tests/fixtures/vN`, where `N` is the number of the last migration. It does not replace an existing fixture, because a released version
/// will never write other files.
pub(crate) fn run() -> Outcome {
    let folder = workspace::root().join("tests/fixtures").join(format!("v{}", newest()?));
    if folder.exists() {
        let shown = workspace::shown(&folder);
        return Err(format!(
            "{shown} exists already; if its format was never released, remove the folder and try again"
        ));
    }
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", "pretender-tests", "--example", "fixture", "--"]);
    run::run(command.arg(&folder))
}

/// Returns the number of the last migration, which is the schema version.
fn newest() -> Outcome<u32> {
    let mut newest = 0;
    for path in workspace::files(&workspace::migrations().join("sqlite"), ".sql")? {
        newest = newest.max(migration::parse(&path.file_name().unwrap_or_default().to_string_lossy())?.0);
    }
    Ok(newest)
}
