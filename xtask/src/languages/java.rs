//! The package for Java: its tests and its example, with the jars as the only way to the library.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Place, copy};
use crate::dist::java::{GROUP, REPOSITORY, maven, platform};
use crate::{Outcome, run, workspace};

/// Installs the jars in a local repository of their own, and runs both projects.
pub(super) fn test(place: &Place) -> Outcome {
    let repository = place.scratch.join("repository");
    let jars = place.dist.join(REPOSITORY).join(GROUP);
    if !jars.is_dir() {
        return Err("there are no jars: run `cargo xtask dist java`".to_owned());
    }
    link_repository(&repository)
        .map_err(|error| format!("cannot prepare {}: {error}", workspace::shown(&repository)))?;
    copy(&jars, &repository.join(GROUP))?;
    for project in ["tests", "example"] {
        let folder = place.scratch.join(project);
        copy(&place.package.join(project), &folder)?;
        let mut maven = maven(&folder.join("pom.xml"));
        maven.args(["test", "-DfailIfNoTests=true"]);
        maven.arg(format!("-Dmaven.repo.local={}", repository.display()));
        maven.arg(format!("-Dbuild.folder={}", folder.join("target").display()));
        maven.arg(format!("-Dpretender.platform={}", platform()));
        // The tests are over before a better compiler would pay.
        maven.arg("-DargLine=-XX:TieredStopAtLevel=1");
        // The program is unpacked into the scratch folder, and comes from the jar.
        maven.env("XDG_CACHE_HOME", place.scratch.join("cache"));
        for name in ["PRETENDER_BIN", "PRETENDER_ENDPOINT"] {
            maven.env_remove(name);
        }
        run::run(&mut maven)?;
    }
    Ok(())
}

/// Makes a local repository that shares the downloads of the user's own one, but not what that one has in our group: an older build of the
/// jars with the same version.
fn link_repository(repository: &Path) -> std::io::Result<()> {
    let Some(home) = std::env::var_os("HOME") else { return fs::create_dir_all(repository) };
    let mut usual = PathBuf::from(home).join(".m2/repository");
    let mut own = repository.to_owned();
    for part in GROUP.split('/') {
        fs::create_dir_all(&own)?;
        link_all(&usual, &own, part)?;
        usual.push(part);
        own.push(part);
    }
    Ok(())
}

/// Links everything in a folder except the entry with a name. Where the folder does not exist, Maven makes one.
fn link_all(from: &Path, to: &Path, except: &str) -> std::io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != except {
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

/// Elsewhere, everything is downloaded again: ordinary users may not make links there.
#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) -> std::io::Result<()> {
    Ok(())
}
