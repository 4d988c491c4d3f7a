//! What each package must have: the workspace's lints and versions, a README, and its README's example as a doctest.

use super::Complaints;
use crate::Outcome;
use crate::workspace::{self, Package};

/// Lines that a package inherits from the workspace.
const INHERITED: &[&str] =
    &["version.workspace = true", "edition.workspace = true", "rust-version.workspace = true"];
/// Packages that need a newer Rust than the workspace, because of what they depend on. No other package of ours may depend on them.
const NEWER_RUST: &[&str] = &["pdb-sdk", "pretender-documents"];

/// Checks the manifest and the README of every package.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    for package in packages {
        let name = &package.name;
        let manifest = workspace::read(&package.manifest_path)?;
        if !inherits_lints(&manifest) {
            complaints.push(format!("package `{name}` does not inherit the workspace's lints"));
        }
        let needs_newer = NEWER_RUST.contains(&name.as_str());
        for line in INHERITED.iter().filter(|line| !(needs_newer && line.starts_with("rust-version"))) {
            if !manifest.lines().any(|found| found.trim() == *line) {
                complaints.push(format!("the manifest of `{name}` lacks `{line}`"));
            }
        }
        let newer = |name: &str| NEWER_RUST.contains(&name) && !needs_newer;
        for dependency in package.dependencies.iter().filter(|one| newer(&one.name)) {
            complaints.push(format!("`{name}` names `{}`, which needs a newer Rust", dependency.name));
        }
        if package.is_crate() {
            let folder_is_named_so =
                package.folder().file_name().is_some_and(|folder| folder == name.as_str());
            if !folder_is_named_so && package.folder() != workspace::migrations() {
                complaints.push(format!("crate `{name}` does not lie in a folder of its name"));
            }
            if !package.folder().join("README.md").is_file() {
                complaints.push(format!("crate `{name}` has no README.md"));
            } else if !includes_readme(package)? {
                complaints.push(format!(
                    "no source file of `{name}` includes its README.md, so its example is not tested"
                ));
            }
        }
    }
    Ok(complaints)
}

/// Says whether a manifest has the two lines that inherit the lints.
fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.next() == Some("workspace = true")
}

fn includes_readme(package: &Package) -> Outcome<bool> {
    for path in workspace::files(&package.folder().join("src"), ".rs")? {
        if workspace::read(&path)?.contains("include_str!(\"../README.md\")") {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_inherited_by_two_lines() {
        assert!(inherits_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[package]\n"));
        assert!(!inherits_lints("[lints.clippy]\nall = \"allow\"\n\n[x]\nworkspace = true\n"));
    }
}
