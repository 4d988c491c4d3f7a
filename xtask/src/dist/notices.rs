//! `THIRD-PARTY-LICENSES`: the crates that are compiled into the program, and their licences. Most of these ask that their text goes with
//! each copy of the program.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::installed::{read, write as write_file};
use crate::{Outcome, run, workspace};

/// The name of the file.
pub(super) const NOTICES: &str = "THIRD-PARTY-LICENSES";
/// How names of files with licences begin, in capitals.
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// `None`: a package of this workspace.
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `None` for a normal dependency.
    kind: Option<String>,
}

/// Writes the file into a folder, and returns its path.
pub(super) fn write(folder: &Path) -> Outcome<PathBuf> {
    let platform = host()?;
    let metadata = ["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform];
    let metadata: Metadata = serde_json::from_str(&run::output(run::cargo().args(metadata))?)
        .map_err(|error| format!("cannot parse the output of cargo metadata: {error}"))?;
    let mut crates = Vec::new();
    for package in compiled(&metadata)? {
        let licence = package.license.clone().unwrap_or_else(|| "see the text".to_owned());
        crates.push((format!("{} {}: {licence}", package.name, package.version), texts(package)?));
    }
    let path = folder.join(NOTICES);
    write_file(&path, text_of(&crates).as_bytes())?;
    Ok(path)
}

/// Returns Rust's name for this platform.
fn host() -> Outcome<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = run::output(run::program(compiler).arg("-vV"))?;
    let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not name its platform".to_owned())
}

/// Returns the packages of others that the program depends on, sorted by name.
fn compiled(metadata: &Metadata) -> Outcome<Vec<&Package>> {
    let packages: HashMap<_, _> = metadata.packages.iter().map(|package| (&*package.id, package)).collect();
    let nodes: HashMap<_, _> = metadata.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
    let program = metadata.packages.iter().find(|package| package.name == "pdb-server");
    let mut open = vec![&*program.ok_or("there is no package `pdb-server`")?.id];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let links = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let normal = links.filter(|link| link.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            open.extend(normal.map(|link| &*link.pkg));
        }
    }
    let mut found: Vec<_> = seen.into_iter().filter_map(|id| packages.get(id).copied()).collect();
    found.retain(|package| package.source.is_some());
    found.sort_by_key(|package| (&package.name, &package.version));
    Ok(found)
}

/// Returns the texts of the licences in the folder of a package.
fn texts(package: &Package) -> Outcome<Vec<String>> {
    let folder = package.manifest_path.parent().ok_or("a manifest lies in a folder")?;
    let mut found = Vec::new();
    for path in workspace::entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file() && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            let text = String::from_utf8_lossy(&read(&path)?).replace("\r\n", "\n");
            found.push(text.trim_matches('\n').trim_end().to_owned());
        }
    }
    Ok(found)
}

/// Returns the file: the crates with the numbers of their texts, and each text once.
fn text_of(crates: &[(String, Vec<String>)]) -> String {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut texts = Vec::new();
    let mut file =
        "The program `pretender` contains these crates, and the standard library of Rust (MIT OR Apache-2.0).
The numbers are those of the texts below.\n\n"
            .to_owned();
    for (name, own) in crates {
        let mut shown = BTreeSet::new();
        for text in own {
            shown.insert(*numbers.entry(text).or_insert_with(|| {
                texts.push(text);
                texts.len()
            }));
        }
        let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
        let shown = if shown.is_empty() { "the crate has no text".to_owned() } else { shown.join(", ") };
        file.push_str(&format!("{name} ({shown})\n"));
    }
    for (index, text) in texts.iter().enumerate() {
        file.push_str(&format!("\n{:=<100}\n{}\n\n{text}\n", "", index + 1));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_there_once() {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let crates = [
            ("a 1.0.0: MIT".to_owned(), own(&["first"])),
            ("b 1.0.0: MIT OR ISC".to_owned(), own(&["second", "first"])),
            ("c 1.0.0: MIT".to_owned(), own(&[])),
        ];
        let file = text_of(&crates);
        assert!(file.contains(
            "\na 1.0.0: MIT (1)\nb 1.0.0: MIT OR ISC (1, 2)\nc 1.0.0: MIT (the crate has no text)\n"
        ));
        assert_eq!(file.matches("first").count(), 1);
        assert!(file.ends_with("=\n2\n\nsecond\n"));
    }
}
