//! No branch on the engine outside of the two folders of `pdb-store` that hold the engines: a statement, an operation or a front door is
//! the same for SQLite and for PostgreSQL.

use std::path::Path;

use super::Complaints;
use crate::Outcome;
use crate::workspace::{self, Package};

/// What a branch on the engine looks like: a feature that adds an engine, a variant that belongs to one, the question which one it is.
const BRANCHES: &[&str] =
    &["feature = \"sqlite\"", "feature = \"postgres\"", "::Sqlite", "::Postgres", "is_remote()"];
/// The same in `pdb-store`. Elsewhere these names belong to other things.
const BRANCHES_OF_STORE: &[&str] = &["Dialect::", "SqliteEngine", "PostgresEngine"];

/// The engines themselves: the folders, and the files that declare what lies in them.
const ENGINES: &[&str] = &["crates/pdb-store/src/sqlite", "crates/pdb-store/src/postgres"];

/// Files that may branch, in how many lines, and why.
const EXCEPTIONS: &[(&str, usize, &str)] = &[
    (
        "crates/pdb-items/src/get_item.rs",
        1,
        "a call that waits for a network leaves the threads of the runtime",
    ),
    ("crates/pdb-server/src/http/backup.rs", 1, "a backup is a copy of a database file"),
    ("crates/pdb-store/src/catalog.rs", 5, "gates of what one engine uses"),
    ("crates/pdb-store/src/db_error.rs", 16, "an error holds that of the driver of either engine"),
    ("crates/pdb-store/src/dialect.rs", 7, "SQL that differs is written here"),
    ("crates/pdb-store/src/driver.rs", 45, "hands each statement to the driver of the engine"),
    ("crates/pdb-store/src/engine.rs", 23, "hands each call to the engine"),
    ("crates/pdb-store/src/error.rs", 1, "gates of what one engine uses"),
    ("crates/pdb-store/src/inspection.rs", 4, "gates of what one engine uses"),
    ("crates/pdb-store/src/interrupt_guard.rs", 2, "gates of what one engine uses"),
    ("crates/pdb-store/src/key_columns.rs", 1, "gates of what one engine uses"),
    ("crates/pdb-store/src/lib.rs", 4, "features decide which engines there are"),
    ("crates/pdb-store/src/location.rs", 10, "an address names the engine"),
    ("crates/pdb-store/src/metrics.rs", 1, "gates of what one engine uses"),
    ("crates/pdb-store/src/options.rs", 2, "an address names the engine"),
    ("crates/pdb-store/src/params.rs", 2, "gates of what one engine uses"),
    ("crates/pdb-store/src/rows/history.rs", 2, "gates of what one engine uses"),
    ("crates/pdb-store/src/rows/statistics.rs", 3, "gates of what one engine uses"),
    ("crates/pdb-store/src/rows/table.rs", 2, "gates of what one engine uses"),
    ("crates/pdb-store/src/sequence.rs", 5, "owns how sequence numbers are drawn for both engines"),
    ("crates/pdb-store/src/sequence/times.rs", 4, "gates of what one engine uses"),
    ("crates/pdb-store/src/shared_map.rs", 1, "gates of what one engine uses"),
    ("crates/pdb-store/src/store.rs", 1, "tells others whether calls wait for a network"),
    ("crates/pdb-store/src/transaction.rs", 10, "hands each step of a transaction to the engine"),
    ("crates/pdb-transfers/src/runner.rs", 1, "only a database on a server has jobs of other processes"),
    ("crates/pdb-wire/src/call.rs", 1, "a call that waits for a network leaves the threads of the runtime"),
    ("crates/pretender/src/builder.rs", 3, "an address names the engine"),
    ("crates/pretender/src/database.rs", 1, "tells others whether calls wait for a network"),
    ("crates/pretender/src/location.rs", 3, "an address names the engine"),
    (
        "crates/pretender/src/bulk.rs",
        2,
        "a transaction of a bulk load that waits for a network is smaller, and several are under way",
    ),
];

/// Checks the source files of every crate; tests may look at one engine.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| package.is_crate()) {
        for path in workspace::files(&package.folder().join("src"), ".rs")? {
            let shown = workspace::shown(&path).to_string();
            if is_engine(&shown) || is_test(&path) {
                continue;
            }
            let more = if package.name == "pdb-store" { BRANCHES_OF_STORE } else { &[] };
            let found = branches(&workspace::read(&path)?, more);
            if let Some((_, lines, _)) = EXCEPTIONS.iter().find(|(file, ..)| *file == shown) {
                if found.len() != *lines {
                    complaints.push(format!(
                        "{shown} has {} lines that branch on the engine; tidy lists {lines}",
                        found.len()
                    ));
                }
                continue;
            }
            let complain = |(line, branch)| format!("{shown}:{line} branches on the engine: `{branch}`");
            complaints.extend(found.into_iter().map(complain));
        }
    }
    Ok(complaints)
}

fn is_engine(shown: &str) -> bool {
    ENGINES
        .iter()
        .any(|engine| shown.strip_prefix(engine).is_some_and(|rest| rest.starts_with('/') || rest == ".rs"))
}

fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// Returns the lines with a branch, and the branch, comments and unit tests aside.
fn branches(text: &str, more: &[&'static str]) -> Vec<(usize, &'static str)> {
    // A gated item of a test is like any other line; the module of tests is the end.
    let lines: Vec<&str> = text.lines().collect();
    let is_end = |number: &usize| {
        lines[*number].trim() == "#[cfg(test)]"
            && lines.get(number + 1).is_some_and(|next| next.starts_with("mod ") && next.contains('{'))
    };
    let end = (0..lines.len()).find(is_end).unwrap_or(lines.len());
    (1..)
        .zip(&lines[..end])
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter_map(|(number, line)| {
            BRANCHES.iter().chain(more).find(|branch| line.contains(**branch)).map(|branch| (number, *branch))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_found_outside_of_comments_and_tests() {
        for (text, expected) in [
            ("#[cfg(feature = \"postgres\")]\nmod a;", vec![1]),
            ("let a = 1;\nif self.store.is_remote() {", vec![2]),
            ("match self {\n    Self::Sqlite(a) => a,\n    Driver::Postgres(b) => b,", vec![2, 3]),
            ("a(Dialect::Other)", vec![1]),
            ("// Self::Sqlite\n/// `is_remote()`\nlet sqlite = Postgres;", vec![]),
            ("#[cfg(test)]\nmod tests { use a::Sqlite; }", vec![]),
        ] {
            let found = branches(text, &["Dialect::"]);
            assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn engines_are_two_folders_and_their_files() {
        for (file, expected) in [
            ("crates/pdb-store/src/sqlite/writer.rs", true),
            ("crates/pdb-store/src/postgres.rs", true),
            ("crates/pdb-store/src/sqlite_like.rs", false),
            ("crates/pdb-store/src/sql/items.rs", false),
        ] {
            assert_eq!(is_engine(file), expected, "{file}");
        }
    }
}
