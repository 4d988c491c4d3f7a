//! What the text of a source file may not hold: SQL outside the store, unfinished work, tests that do not run.

use std::path::Path;

use super::Complaints;
use crate::Outcome;
use crate::workspace::{self, Package, shown};

/// How a string literal with SQL begins.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "DROP TABLE ",
    "PRAGMA ",
];

/// What is not committed.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "dbg!(", "#[ignore"];

/// Checks the text of every Rust file of the crates and the tests.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| package.name != "xtask") {
        for path in workspace::files(package.folder(), ".rs")? {
            let text = workspace::read(&path)?;
            for (number, line) in (1..).zip(text.lines()) {
                for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                    complaints.push(format!("{}:{number} has `{word}`", shown(&path)));
                }
            }
            if package.is_crate() && package.name != "pdb-store" && !may_quote_statements(&path) {
                for number in lines_with_sql(&text) {
                    complaints
                        .push(format!("{}:{number} has SQL text, which only pdb-store knows", shown(&path)));
                }
            }
        }
    }
    Ok(complaints)
}

/// Says whether the file is about PartiQL, whose statements look like SQL, or holds tests and examples.
fn may_quote_statements(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part.contains("partiql")
            || part.contains("statement")
            || matches!(&*part, "tests" | "tests.rs" | "examples")
    })
}

/// Returns the numbers of the lines where a string literal begins with SQL, comments and unit tests aside.
fn lines_with_sql(text: &str) -> Vec<usize> {
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    (1..)
        .zip(code)
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| SQL.iter().any(|word| line.contains(&format!("\"{word}"))))
        .map(|(number, _)| number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_found_in_literals_only() {
        assert_eq!(lines_with_sql("let a = 1;\nlet b = \"SELECT a FROM b\";"), [2]);
        assert!(lines_with_sql("// \"SELECT a FROM b\"\nfn select() {}").is_empty());
        assert!(lines_with_sql("#[cfg(test)]\nlet b = \"PRAGMA x\";").is_empty());
    }

    #[test]
    fn partiql_may_quote_its_statements() {
        assert!(may_quote_statements(Path::new("/w/crates/pdb-expr/src/partiql/lexer.rs")));
        assert!(may_quote_statements(Path::new("/w/crates/pdb-items/src/put_item/tests.rs")));
        assert!(!may_quote_statements(Path::new("/w/crates/pdb-items/src/put_item.rs")));
    }
}
