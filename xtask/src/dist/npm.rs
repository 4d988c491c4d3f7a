//! The npm packages: one with the JavaScript, and one with the binary for this platform, which the first one depends on.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Parts;
use super::notices::NOTICES;
use crate::{Outcome, run, workspace};

/// The version in `package.json`, also of the packages of all platforms, that stands for the version of the workspace.
const PLACEHOLDER: &str = "0.0.0";

/// Where `cargo xtask dist` writes the package with the JavaScript.
pub(crate) fn main_package(dist: &Path) -> PathBuf {
    tarball(dist, "dynamodb")
}

/// Where `cargo xtask dist` writes the package with the binary for this platform.
pub(crate) fn platform_package(dist: &Path) -> PathBuf {
    tarball(dist, &platform_name())
}

/// The name of the platform package, without its scope, as the JavaScript computes it from `process.platform` and
/// `process.arch`. A binary for musl must not have the name of the one for glibc.
pub(crate) fn platform_name() -> String {
    let (os, cpu) = node_platform();
    let libc = if cfg!(target_env = "musl") { "-musl" } else { "" };
    format!("server-{os}-{cpu}{libc}")
}

/// Packs both packages.
pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    let staged = parts.folder.join("npm");
    if staged.exists() {
        std::fs::remove_dir_all(&staged)
            .map_err(|error| format!("cannot remove the last packages: {error}"))?;
    }
    let (main, platform) = (staged.join("main"), staged.join("platform"));
    stage_main(&main, parts)?;
    stage_platform(&platform, parts)?;
    for folder in [&main, &platform] {
        let mut command = run::program("npm");
        command.current_dir(folder).args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]);
        run::run(command.arg(&parts.folder))?;
    }
    Ok(vec![main_package(&parts.folder), platform_package(&parts.folder)])
}

/// Copies what is published of `packages/npm`, with the version.
fn stage_main(folder: &Path, parts: &Parts) -> Outcome {
    let source = workspace::root().join("packages/npm");
    for published in ["bin", "esm", "lib", "types"] {
        for file in workspace::files(&source.join(published), "")? {
            let name = file.strip_prefix(&source).expect("the file is in the folder");
            copy(&file, &folder.join(name))?;
        }
    }
    copy(&source.join("jest-preset.js"), &folder.join("jest-preset.js"))?;
    copy(&source.join("README.md"), &folder.join("README.md"))?;
    copy_licences(folder)?;
    let manifest = workspace::read(&source.join("package.json"))?;
    let version = format!("\"{}\"", parts.version);
    write(&folder.join("package.json"), &manifest.replace(&format!("\"{PLACEHOLDER}\""), &version))
}

/// Makes a package of the binary, which npm installs only on this platform.
fn stage_platform(folder: &Path, parts: &Parts) -> Outcome {
    let (os, cpu) = node_platform();
    let file = if os == "win32" { "pretender.exe" } else { "pretender" };
    copy(&parts.binary, &folder.join("bin").join(file))?;
    copy(&parts.notices, &folder.join(NOTICES))?;
    copy_licences(folder)?;
    let mut manifest = json!({
        "name": format!("@pretender/{}", platform_name()),
        "version": parts.version,
        "description": format!("The program of @pretender/dynamodb for {os} on {cpu}"),
        "license": "MIT OR Apache-2.0",
        "os": [os],
        "cpu": [cpu],
        "files": ["bin", "LICENSE-*", NOTICES],
        // Yarn must unpack the package, because a program in an archive cannot be run.
        "preferUnplugged": true,
    });
    if os == "linux" {
        manifest["libc"] = json!([if cfg!(target_env = "musl") { "musl" } else { "glibc" }]);
    }
    write(&folder.join("package.json"), &format!("{manifest:#}\n"))
}

fn copy_licences(folder: &Path) -> Outcome {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&workspace::root().join(licence), &folder.join(licence))?;
    }
    Ok(())
}

/// Returns this platform in the words of Node.js.
fn node_platform() -> (&'static str, &'static str) {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        os => os,
    };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        cpu => cpu,
    };
    (os, cpu)
}

fn tarball(dist: &Path, name: &str) -> PathBuf {
    dist.join(format!("pretender-{name}-{}.tgz", env!("CARGO_PKG_VERSION")))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let folder = to.parent().expect("the file is in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(from, to).map(drop))
        .map_err(|error| format!("cannot copy {}: {error}", workspace::shown(from)))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", workspace::shown(path)))
}
