//! Every source file is declared as a module of the file above it, so that none is forgotten, tests least of all; and
//! every module says what it answers for.

use std::path::{Path, PathBuf};

use super::Complaints;
use crate::workspace::{self, Package};
use crate::{Outcome, workspace::shown};

/// Checks the source and test files of every package.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    for package in packages {
        // The package `tests` has its areas directly in its folder, a crate in the folder `tests` of its own.
        let mut roots = vec![package.folder().join("src")];
        let tests =
            if package.is_crate() { package.folder().join("tests") } else { package.folder().to_owned() };
        if tests.is_dir() {
            roots.extend(
                workspace::entries(&tests)?.into_iter().filter(|area| area.join("main.rs").is_file()),
            );
        }
        roots.sort();
        roots.dedup();
        for root in roots {
            for path in workspace::files(&root, ".rs")? {
                complaints.extend(check_file(&root, &path)?);
            }
        }
    }
    Ok(complaints)
}

fn check_file(root: &Path, path: &Path) -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(root);
    let is_root = folder == root && matches!(name.as_str(), "lib" | "main") || folder.ends_with("src/bin");
    if name != "tests" && !opens_with_documentation(&workspace::read(path)?) {
        complaints.push(format!("{} does not open with `//!`", shown(path)));
    }
    if is_root {
        return Ok(complaints);
    }
    let owners = owners(root, folder);
    let mut declared = false;
    for owner in owners.iter().filter(|owner| owner.is_file()) {
        declared |= declares(&workspace::read(owner)?, &name);
    }
    if !declared {
        complaints.push(format!("{} is declared as a module by no file", shown(path)));
    }
    Ok(complaints)
}

/// Returns the files that may declare the modules in `folder`.
fn owners(root: &Path, folder: &Path) -> Vec<PathBuf> {
    if folder == root {
        vec![root.join("lib.rs"), root.join("main.rs")]
    } else {
        vec![folder.with_extension("rs")]
    }
}

/// Says whether the source text declares the module `name`, with any visibility.
fn declares(text: &str, name: &str) -> bool {
    let declaration = format!("mod {name};");
    text.lines().map(str::trim).any(|line| {
        line == declaration || line.strip_suffix(&declaration).is_some_and(|before| before.ends_with(' '))
    })
}

/// Says whether the first line that is neither empty nor an attribute is documentation of the module.
fn opens_with_documentation(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.starts_with("//!") || first.starts_with("#![doc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_any_visibility_count() {
        for text in [
            "mod put_item;",
            "pub mod put_item;",
            "    pub(crate) mod put_item;",
            "#[cfg(test)] mod put_item;",
        ] {
            assert!(declares(text, "put_item"), "{text}");
        }
        for text in ["mod put_items;", "mod output_item;", "// put_item", "mod put_item {"] {
            assert!(!declares(text, "put_item"), "{text}");
        }
    }

    #[test]
    fn modules_are_owned_by_the_file_beside_their_folder() {
        let root = Path::new("/w/src");
        assert_eq!(owners(root, root), [root.join("lib.rs"), root.join("main.rs")]);
        assert_eq!(owners(root, &root.join("tidy")), [root.join("tidy.rs")]);
    }
}
