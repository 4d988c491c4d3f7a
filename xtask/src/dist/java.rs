//! The artefact `java`: a Maven repository with the jars of `packages/java`.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::notices::NOTICES;
use super::{Parts, hex};
use crate::{Outcome, run, workspace};

/// The repository, relative to the folder of artefacts.
pub(crate) const REPOSITORY: &str = "maven";
/// The folder of the artefact in a Maven repository.
pub(crate) const GROUP: &str = "io/github/pretender-db";
/// The folder of the Java package in a jar.
const PACKAGE: &str = "io/github/pretender";

/// Builds the library, its sources, and the jar with the program for this platform.
pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    let package = workspace::root().join("packages/java");
    check_version(&package, parts.version)?;
    let work = parts.folder.join("java");
    let repository = parts.folder.join(REPOSITORY);
    for folder in [&work, &repository] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
    }
    let platform = platform();
    let program = work.join("program");
    let folder = program.join(PACKAGE).join(&platform);
    stage(&parts.binary, &folder)?;
    fs::copy(&parts.notices, folder.join(NOTICES)).map_err(|error| failed(&folder, &error))?;
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let to = program.join("META-INF").join(name);
        fs::create_dir_all(program.join("META-INF"))
            .and_then(|()| fs::copy(workspace::root().join(name), &to))
            .map_err(|error| failed(&to, &error))?;
    }

    let mut maven = maven(&package.join("pom.xml"));
    maven.arg("deploy");
    maven.arg(format!("-Dbuild.folder={}", work.join("build").display()));
    maven.arg(format!("-Dprogram.folder={}", program.display()));
    maven.arg(format!("-Dprogram.platform={platform}"));
    maven.arg(format!("-DaltDeploymentRepository=dist::file://{}", repository.display()));
    run::run(&mut maven)?;

    let version = parts.version;
    let folder = repository.join(GROUP).join("pretender").join(version);
    let names = [".pom".to_owned(), ".jar".to_owned(), "-sources.jar".to_owned(), format!("-{platform}.jar")];
    Ok(names.iter().map(|name| folder.join(format!("pretender-{version}{name}"))).collect())
}

/// Returns a command of Maven for a project, which prints only what goes wrong.
pub(crate) fn maven(manifest: &Path) -> std::process::Command {
    let mut maven = run::program("mvn");
    // A download that fails is tried again: the first option is for Maven before 3.9.
    maven.args([
        "--quiet",
        "--batch-mode",
        "-Dmaven.wagon.http.retryHandler.count=2",
        "-Daether.connector.http.retryHandler.count=2",
    ]);
    // It is over before a better compiler would pay.
    let options = std::env::var_os("MAVEN_OPTS").unwrap_or_default();
    maven.env("MAVEN_OPTS", format!("-XX:TieredStopAtLevel=1 {}", options.to_string_lossy()));
    maven.arg("--file").arg(manifest);
    maven
}

/// Returns the name of this platform, which is the classifier of the jar with the program for it.
pub(crate) fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Checks that the library has the version of the workspace, and that its users are told so.
fn check_version(package: &Path, version: &str) -> Outcome {
    for name in ["pom.xml", "tests/pom.xml", "example/pom.xml", "README.md"] {
        let file = package.join(name);
        let text = workspace::read(&file)?;
        let is_there = match name {
            // The first version in this file is that of the project itself.
            "pom.xml" => {
                text.split_once("<version>").is_some_and(|(_, rest)| rest.starts_with(&format!("{version}<")))
            }
            _ => text.contains(&format!("ersion>{version}</")),
        };
        if !is_there {
            return Err(format!(
                "{} does not have the version {version} of the workspace",
                workspace::shown(&file)
            ));
        }
    }
    Ok(())
}

/// Writes the program and its description, in the form in which the library expects them in a jar.
fn stage(binary: &Path, folder: &Path) -> Outcome {
    let name = if cfg!(windows) { "pretender.exe" } else { "pretender" };
    let content = fs::read(binary).map_err(|error| failed(binary, &error))?;
    let description = format!("sha256={}\nsize={}\n", hex(&Sha256::digest(&content)), content.len());
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(name), content))
        .and_then(|()| fs::write(folder.join("program.properties"), description))
        .map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", workspace::shown(path))
}
