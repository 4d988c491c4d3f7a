//! What each package must have: the workspace's lints and versions, a README, and its README's example as a doctest.

use super::Complaints;
use crate::Outcome;
use crate::workspace::{self, Package};

/// Lines that a package inherits from the workspace.
const INHERITED: &[&str] =
    &["version.workspace = true", "edition.workspace = true", "rust-version.workspace = true"];
/// The only package with unsafe code, as SQLite calls a file system through pointers. It repeats the other lints of the workspace.
const UNSAFE: &str = "pdb-testvfs";
/// Packages that need a newer Rust than the workspace, because of what they depend on. No other package of ours may depend on them.
const NEWER_RUST: &[&str] = &["pdb-sdk", "pretender-documents"];

/// Checks the manifest and the README of every package.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    let root = workspace::read(&workspace::root().join("Cargo.toml"))?;
    for package in packages {
        let name = &package.name;
        let manifest = workspace::read(&package.manifest_path)?;
        if name == UNSAFE {
            complaints.extend(complaint_on_unsafe(&manifest, &root, package)?);
        } else if !inherits_lints(&manifest) {
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

/// Returns what is wrong with the lints of the package with unsafe code: all are those of the workspace, but that this code is allowed in one
/// file, which says so.
fn complaint_on_unsafe(manifest: &str, root: &str, package: &Package) -> Outcome<Option<String>> {
    let expected = lints(root, "workspace.lints").replace("\"forbid\"", "\"deny\"");
    if lints(manifest, "lints") != expected {
        return Ok(Some(format!(
            "the lints of `{UNSAFE}` are not those of the workspace, without unsafe code"
        )));
    }
    let mut files = 0;
    for path in workspace::files(&package.folder().join("src"), ".rs")? {
        files += usize::from(workspace::read(&path)?.contains("expect(unsafe_code"));
    }
    Ok((files != 1).then(|| format!("`{UNSAFE}` has unsafe code in {files} files, and not in one")))
}

/// The lines of a manifest's tables of lints, without comments.
fn lints(manifest: &str, table: &str) -> String {
    let mut found = String::new();
    let mut is_in_table = false;
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let of_lints = name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.'));
            is_in_table = of_lints.is_some();
            found.extend(of_lints.map(|name| format!("[{name}]\n")));
        } else if is_in_table {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
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
        assert_eq!(
            lints(
                "[workspace.lints.rust]\n# Why.\na = \"warn\"\n\n[profile.dev]\nb = 1\n",
                "workspace.lints"
            ),
            lints("[lints.rust]\na = \"warn\"\n[dependencies]\n", "lints")
        );
        assert!(!inherits_lints("[lints.clippy]\nall = \"allow\"\n\n[x]\nworkspace = true\n"));
    }
}
