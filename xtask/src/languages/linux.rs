//! Linux: the archive is unpacked, the Debian package is unpacked, and the program of each runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Place;
use crate::dist::{deb, tarball};
use crate::{Outcome, run, workspace};

pub(super) fn test(place: &Place) -> Outcome {
    run::run(
        Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(&place.dist),
    )?;
    let prefix = place.scratch.join("prefix");
    create(&prefix)?;
    let unpack = ["--extract", "--strip-components=1", "--file"];
    run::run(
        Command::new("tar").args(unpack).arg(built(tarball::path(&place.dist))?).arg("-C").arg(&prefix),
    )?;
    check_installed(&prefix, "")?;
    let example = std::fs::read_to_string(prefix.join("lib/systemd/system/pretender.service"));
    if !example.is_ok_and(|unit| unit.contains("\nExecStart=/usr/local/bin/pretender serve\n")) {
        return Err("the systemd unit of the archive does not start the program of /usr/local".to_owned());
    }
    if run::works("dpkg-deb", &["--version"]) {
        check_package(place)
    } else {
        place.leave_out("the Debian package: dpkg-deb is not installed")
    }
}

/// Unpacks the Debian package, and lets dpkg and systemd read it.
fn check_package(place: &Place) -> Outcome {
    let package = built(deb::path(&place.dist)?)?;
    let root = place.scratch.join("root");
    run::run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&root))?;
    check_installed(&root.join("usr"), ".gz")?;
    let control = place.scratch.join("control");
    run::run(Command::new("dpkg-deb").arg("--control").arg(&package).arg(&control))?;
    run::run(
        Command::new("md5sum")
            .args(["--check", "--strict", "--quiet"])
            .arg(control.join("md5sums"))
            .current_dir(&root),
    )?;
    for script in ["postinst", "prerm", "postrm"] {
        run::run(Command::new("sh").arg("-n").arg(control.join(script)))?;
    }
    let version = run::output(Command::new("dpkg-deb").arg("--field").arg(&package).arg("Version"))?;
    if version.trim() != deb::version(env!("CARGO_PKG_VERSION")) {
        return Err(format!("the Debian package has version {version}"));
    }
    if run::works("systemd-analyze", &["--version"]) {
        // The program is not at its final place, which systemd would report.
        let unit = root.join("usr/lib/systemd/system/pretender.service");
        let text = workspace::read(&unit)?.replace("/usr/bin/", &format!("{}/usr/bin/", root.display()));
        std::fs::write(&unit, text).map_err(|error| format!("cannot write {}: {error}", unit.display()))?;
        run::run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit))
    } else {
        place.leave_out("the systemd unit: systemd-analyze is not installed")
    }
}

/// Checks the files below a prefix. Man pages end with `packed`.
fn check_installed(prefix: &Path, packed: &str) -> Outcome {
    let shown = run::output(Command::new(prefix.join("bin/pretender")).arg("--version"))?;
    if shown.trim() != concat!("pretender ", env!("CARGO_PKG_VERSION")) {
        return Err(format!("the program calls itself {shown}"));
    }
    let launched = run::output(Command::new(prefix.join("bin/pretender-dynamodb-local")).arg("-version"))?;
    if launched != shown {
        return Err(format!("the launcher starts {launched}"));
    }
    for page in ["pretender", "pretender-serve", "pretender-dynamodb-local"] {
        let path = prefix.join(format!("share/man/man1/{page}.1{packed}"));
        if !path.exists() {
            return Err(format!("{} is missing", path.display()));
        }
    }
    // Asks the script for what could follow `pretender ser`.
    let script = prefix.join("share/bash-completion/completions/pretender");
    let ask = r#". "$1"; COMP_WORDS=(pretender ser); COMP_CWORD=1; _pretender pretender ser pretender; echo "${COMPREPLY[@]}""#;
    let completed = run::output(Command::new("bash").args(["-c", ask, "bash"]).arg(&script))?;
    if completed.trim() == "serve" {
        Ok(())
    } else {
        Err(format!("bash completes `pretender ser` with {completed}"))
    }
}

/// Returns the path of an artefact if it is there.
fn built(path: PathBuf) -> Outcome<PathBuf> {
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: run `cargo xtask dist`", workspace::shown(&path)))
    }
}

fn create(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))
}
