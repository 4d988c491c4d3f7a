//! The root, the packages and the files of the workspace.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Outcome, run};

/// Returns the root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Returns the folder of the crate `pdb-migrations`, in which the SQL of each engine has a folder.
pub(crate) fn migrations() -> PathBuf {
    root().join("migrations")
}

/// Returns the target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A package of this workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    version: String,
    /// The registries that it may be published to; `None`: any.
    publish: Option<Vec<String>>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: std::collections::BTreeMap<String, Vec<String>>,
    pub(crate) rust_version: Option<String>,
}

impl Package {
    /// Returns the folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().expect("a manifest lies in a folder")
    }

    /// Returns whether the package can be published, and so is meant for users.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// Returns the name of the folder in its package file.
    pub(crate) fn packed_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Returns whether the package is a crate for users, and not a tool or a test package.
    pub(crate) fn is_crate(&self) -> bool {
        self.folder().parent() == Some(&root().join("crates")) || self.folder() == migrations()
    }
}

/// A line of a manifest's dependency tables.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Lists the packages of the workspace, sorted by name.
///
/// # Errors
///
/// If cargo cannot read the manifests.
pub(crate) fn packages() -> Outcome<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let text = run::output(run::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let mut metadata: Metadata = serde_json::from_str(&text)
        .map_err(|error| format!("cannot parse the output of cargo metadata: {error}"))?;
    metadata.packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(metadata.packages)
}

/// Returns the packages that need a newer Rust than the installed one, and prints that they are skipped.
///
/// # Errors
///
/// If cargo cannot read the manifests, or if the version of the compiler cannot be parsed.
pub(crate) fn too_new() -> Outcome<Vec<String>> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = run::output(run::program(compiler).arg("--version"))?;
    let here = answer.split_whitespace().nth(1).and_then(version);
    let here = here.ok_or_else(|| format!("`{}` is not a version of the compiler", answer.trim()))?;
    let needs = |package: &Package| package.rust_version.as_deref().and_then(version);
    let mut packages = packages()?;
    packages.retain(|package| needs(package).is_some_and(|needed| needed > here));
    for package in &packages {
        let needed = package.rust_version.as_deref().unwrap_or_default();
        eprintln!("SKIPPED: {} needs Rust {needed}", package.name);
    }
    Ok(packages.into_iter().map(|package| package.name).collect())
}

/// Parses `1.94.1`, `1.89` or `1.95.0-nightly`.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split(['.', '-']);
    let mut next = || parts.next().map(str::parse);
    let [major, minor] = [next()?.ok()?, next()?.ok()?];
    Some([major, minor, next().and_then(Result::ok).unwrap_or(0)])
}

/// Returns the files below `folder` whose names end with `ending`, sorted. Returns none if the folder does not exist.
///
/// # Errors
///
/// If a folder cannot be read.
pub(crate) fn files(folder: &Path, ending: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the entries of `folder`, sorted.
///
/// # Errors
///
/// If the folder cannot be read.
pub(crate) fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let unreadable = |error| format!("{} cannot be read: {error}", shown(folder));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
    }
    found.sort();
    Ok(found)
}

/// Reads a text file.
///
/// # Errors
///
/// If it cannot be read.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", shown(path)))
}

/// Returns `path` relative to the root of the workspace, for messages.
pub(crate) fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(version("1.94.1"), Some([1, 94, 1]));
        assert_eq!(version("1.89"), Some([1, 89, 0]));
        assert_eq!(version("1.100.0-nightly"), Some([1, 100, 0]));
        assert!(version("1.9.9") < version("1.89"));
        assert_eq!(version("stable"), None);
    }
}
