//! `--anonymize`.

use std::error::Error;
use std::path::Path;

use pdb_exchange::Rules;

use super::table::TableInfo;
use crate::paths;
use crate::terminal;

/// Reads the file of rules and checks them against the table's key.
pub(super) fn read(path: Option<&Path>) -> Result<Option<Rules>, Box<dyn Error>> {
    let Some(path) = path else { return Ok(None) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown}: {}", paths::missing(path)),
        _ => format!("{shown}: the file cannot be read: {error}"),
    })?;
    let rules = Rules::parse(&text, variable).map_err(|error| format!("{shown}: {error}"))?;
    Ok(Some(rules))
}

/// Checks that the rules leave items their key.
pub(super) fn check(rules: Option<&Rules>, path: Option<&Path>, table: &TableInfo) -> Result<(), String> {
    let Some((rules, path)) = rules.zip(path) else { return Ok(()) };
    let key: Vec<&str> = table.key.iter().map(|(name, _)| name.as_str()).collect();
    rules.check_key(&table.name, &key).map_err(|error| format!("{}: {error}", path.display()))
}

/// Warns about rules that have matched nothing: their paths may be misspelt, and values may have stayed as they were.
pub(super) fn warn_about_unused(rules: Option<&Rules>, table: &TableInfo) {
    for unused in rules.iter().flat_map(|rules| rules.unused(&table.name)) {
        terminal::warn(&format!(
            "rule {} (`{}`) has matched nothing in `{}`: check its path",
            unused.number, unused.path, table.name
        ));
    }
}

#[expect(clippy::disallowed_methods, reason = "the program may read the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
