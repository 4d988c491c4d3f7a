//! `cargo xtask package`: packs the published crates, and uses the packages as a project elsewhere would.
//!
//! `cargo package` runs with `--no-verify`: what it would verify, that each package compiles from its own files alone, follows from the
//! build of the examples, which see nothing of this workspace but the unpacked packages. An example is a README, taken at its word: its
//! TOML says what the project depends on, its Rust is compiled and run.

mod project;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::workspace::Package;
use crate::{Outcome, run, workspace};
use project::Project;

/// What to do with the examples.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only check that the examples compile, which takes a fifth of the time: doctests run the same lines
    #[arg(long)]
    check: bool,
}

impl Options {
    /// Returns the options for the continuous integration, which has run the doctests.
    pub(crate) fn in_ci() -> Self {
        Self { check: true }
    }
}

/// Packs the published crates, and builds and runs the examples of their READMEs against the packages.
pub(crate) fn run(options: &Options) -> Outcome {
    let (published, others): (Vec<Package>, Vec<Package>) =
        workspace::packages()?.into_iter().partition(Package::is_published);
    pack(&others)?;
    let folder = Folder::create()?;
    for package in &published {
        unpack(package, folder.path())?;
    }
    let too_new = workspace::too_new()?;
    let mut projects = Vec::new();
    for package in published.iter().filter(|package| !too_new.contains(&package.name)) {
        projects.push(Project::of_readme(package)?);
    }
    write_workspace(folder.path(), &published, &projects)?;
    // What is built together is built with the features of all. So the server, which has the most, is built apart from the libraries.
    let (servers, libraries): (Vec<_>, Vec<_>) =
        projects.iter().partition(|project| project.package == "pdb-server");
    for group in [libraries, servers] {
        build(folder.path(), &group, options)?;
    }
    if !options.check {
        for project in &projects {
            project.run(folder.path())?;
        }
    }
    check_licences(folder.path(), &published)
}

/// Packs all packages but `others`. They come to lie in `target/package`.
fn pack(others: &[Package]) -> Outcome {
    let mut command = run::cargo();
    // Whether everything is committed matters when a version is published, not to a check.
    command.args(["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"]);
    for package in others {
        command.args(["--exclude", &package.name]);
    }
    run::run(&mut command)
}

fn unpack(package: &Package, folder: &Path) -> Outcome {
    let archive = workspace::target().join("package").join(format!("{}.crate", package.packed_name()));
    // With the time of now (`-m`): cargo gives files in packages one time of long ago, and would take what an earlier run built for fresh.
    run::output(run::program("tar").arg("-xzmf").arg(archive).arg("-C").arg(folder)).map(drop)
}

/// Makes one workspace of the projects, so that cargo resolves once, to the versions of our own lock file, and looks for no other
/// workspace in the folders above.
fn write_workspace(folder: &Path, published: &[Package], projects: &[Project]) -> Outcome {
    let mut manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n".to_owned();
    for project in projects {
        manifest.push_str(&format!("    \"{}\",\n", project.name));
        project.write(folder)?;
    }
    manifest.push_str("]\n\n[patch.crates-io]\n");
    for package in published {
        manifest.push_str(&format!("{} = {{ path = \"{}\" }}\n", package.name, package.packed_name()));
    }
    // With the same profile, dependencies that the tests have built before serve here, too. It optimises dependencies; here our own
    // crates are dependencies, and not worth it.
    let profile = dev_profile(&workspace::read(&workspace::root().join("Cargo.toml"))?);
    for package in published {
        let table = format!("[profile.dev.package.{}]\n", package.name);
        if !profile.contains(&table) {
            manifest.push_str(&format!("\n{table}opt-level = 0\n"));
        }
    }
    manifest.push_str(&format!("\n{profile}"));
    project::write(&folder.join("Cargo.toml"), &manifest)?;
    project::write(&folder.join("Cargo.lock"), &workspace::read(&workspace::root().join("Cargo.lock"))?)
}

fn build(folder: &Path, projects: &[&Project], options: &Options) -> Outcome {
    let mut command = run::cargo();
    command.current_dir(folder).args([
        if options.check { "check" } else { "build" },
        "--quiet",
        "--examples",
    ]);
    // The environment of builds, that is SQLite's flags: with other ones, all that was built on SQLite would be built again.
    command.arg("--config").arg(workspace::root().join(".cargo/config.toml"));
    command.arg("--target-dir").arg(workspace::target());
    for project in projects {
        command.args(["--package", &project.name]);
    }
    run::run(&mut command)
}

/// Returns the tables of a manifest that are about the development profile.
fn dev_profile(manifest: &str) -> String {
    let mut tables = String::new();
    let mut is_wanted = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            let table = line.trim_matches(['[', ']']);
            is_wanted = table == "profile.dev" || table.starts_with("profile.dev.");
        }
        if is_wanted {
            tables.push_str(line);
            tables.push('\n');
        }
    }
    tables
}

/// Checks that each package holds both licences.
fn check_licences(folder: &Path, published: &[Package]) -> Outcome {
    for package in published {
        for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let theirs = workspace::read(&folder.join(package.packed_name()).join(name))?;
            if theirs != workspace::read(&workspace::root().join(name))? {
                return Err(format!("{name} of the package `{}` is not that of the workspace", package.name));
            }
        }
    }
    let names: BTreeSet<_> = published.iter().map(|package| package.name.as_str()).collect();
    eprintln!("{} packages: {}", names.len(), names.into_iter().collect::<Vec<_>>().join(", "));
    Ok(())
}

/// A folder outside of the workspace, so that nothing in it finds the workspace; removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("pretender-package-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_development_profile_is_taken_over() {
        let manifest = "[profile.dev]\ndebug = 1\n\n# A comment.\n[profile.dev.package.x]\na = 1\n[profile.release]\nlto = true\n";
        assert_eq!(
            dev_profile(manifest),
            "[profile.dev]\ndebug = 1\n\n# A comment.\n[profile.dev.package.x]\na = 1\n"
        );
    }
}
