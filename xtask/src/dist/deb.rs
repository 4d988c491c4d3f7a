//! `pretender_VERSION_ARCH.deb`: a package for Debian and Ubuntu. It is written here, not by `dpkg-deb`: the format is simple, and so it can be
//! built anywhere, and is the same each time.

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::installed::{self, read, write};
use super::notices::NOTICES;
use super::tree::{TIME, Tree, gzip};
use super::{Parts, hex};
use crate::{Outcome, workspace};

/// The file of settings, which an upgrade does not replace if it was edited.
const SETTINGS: &str = "etc/default/pretender";
/// dpkg requires an address; the project has none.
const MAINTAINER: &str = "The pretender authors <pretender@localhost>";
/// The scripts that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    if OS != "linux" {
        println!("deb      skipped: the program is not one for Linux");
        return Ok(Vec::new());
    }
    let architecture = architecture()?;
    let data = data(parts)?;
    let control = control(parts, &data, architecture)?;
    let path = path(&parts.folder)?;
    let mut archive = b"!<arch>\n".to_vec();
    member(&mut archive, "debian-binary", b"2.0\n");
    member(&mut archive, "control.tar.gz", &gzip(&control.tar("")?)?);
    member(&mut archive, "data.tar.gz", &gzip(&data.tar("")?)?);
    write(&path, &archive)?;
    Ok(vec![path])
}

/// Returns where `cargo xtask dist` writes the package.
pub(crate) fn path(dist: &Path) -> Outcome<PathBuf> {
    Ok(dist.join(format!("pretender_{}_{}.deb", version(env!("CARGO_PKG_VERSION")), architecture()?)))
}

/// Returns the version of the package: `1.0.0~rc1` comes before `1.0.0`, and `1.0.0-rc1` would come after it.
pub(crate) fn version(version: &str) -> String {
    version.replace('-', "~")
}

/// Returns Debian's name for the architecture of this machine.
fn architecture() -> Outcome<&'static str> {
    match ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        "x86" => Ok("i386"),
        "powerpc64" if cfg!(target_endian = "little") => Ok("ppc64el"),
        "riscv64" | "s390x" => Ok(ARCH),
        other => Err(format!("Debian's name for the architecture {other} is not known here")),
    }
}

/// Appends a file to an archive in the format of `ar`.
fn member(archive: &mut Vec<u8>, name: &str, content: &[u8]) {
    let header = format!("{name:<16}{TIME:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", content.len());
    archive.extend(header.into_bytes());
    archive.extend(content);
    if content.len() % 2 == 1 {
        archive.push(b'\n');
    }
}

/// Returns the files to install.
fn data(parts: &Parts) -> Outcome<Tree> {
    let folder = workspace::root().join("packages/linux");
    let mut data = Tree::default();
    let mut usr = Tree::default();
    for (path, mode, content) in installed::files(parts, "/usr")?.into_files() {
        if path.starts_with("share/man/") {
            usr.file(format!("{path}.gz"), mode, gzip(&content)?);
        } else if let Some(rest) = path.strip_prefix("share/zsh/site-functions/") {
            // The other folder is for what is compiled on the machine.
            usr.file(format!("share/zsh/vendor-completions/{rest}"), mode, content);
        } else {
            usr.file(path, mode, content);
        }
    }
    let document = |name: &str| format!("share/doc/pretender/{name}");
    usr.file(document("README.md"), 0o644, read(&workspace::root().join("README.md"))?);
    usr.file(document("CHANGELOG.md.gz"), 0o644, gzip(&read(&workspace::root().join("CHANGELOG.md"))?)?);
    let changelog = format!(
        "pretender ({}) unstable; urgency=medium

  * CHANGELOG.md.gz says what has changed.

 -- {MAINTAINER}  Tue, 01 Jan 1980 00:00:00 +0000
",
        version(parts.version)
    );
    usr.file(document("changelog.gz"), 0o644, gzip(changelog.as_bytes())?);
    usr.file(document(NOTICES), 0o644, read(&parts.notices)?);
    let mit = workspace::read(&workspace::root().join("LICENSE-MIT"))?;
    let mit: Vec<String> =
        mit.lines().map(|line| format!(" {}", if line.is_empty() { "." } else { line })).collect();
    let copyright = workspace::read(&folder.join("copyright"))?.replace("@MIT@", &mit.join("\n"));
    usr.file(document("copyright"), 0o644, copyright);
    data.below("usr", usr);
    // It can hold the token of the control API, and the password of a database.
    data.file(SETTINGS, 0o640, read(&folder.join("pretender.default"))?);
    Ok(data)
}

/// Returns what describes the package.
fn control(parts: &Parts, data: &Tree, architecture: &str) -> Outcome<Tree> {
    let size: usize = data.files().map(|(_, content)| content.len().div_ceil(1024)).sum();
    let (major, minor) = newest_glibc(&read(&parts.binary)?).ok_or("the program does not use glibc")?;
    let mut control = Tree::default();
    let fields = format!(
        "Package: pretender
Version: {version}
Architecture: {architecture}
Maintainer: {MAINTAINER}
Installed-Size: {size}
Depends: libc6 (>= {major}.{minor}), libgcc-s1
Section: database
Priority: optional
Description: DynamoDB and DynamoDB Streams for tests and development
 pretender answers the DynamoDB and DynamoDB Streams APIs on one port. Streams
 behave like the real ones: shards close and split, iterators expire, records
 are trimmed. A test can hold and move the clock, and inject faults.
 .
 Data is stored in SQLite or on a PostgreSQL server. The service `pretender` is
 installed, but neither enabled nor started.
",
        version = version(parts.version),
    );
    control.file("control", 0o644, fields);
    control.file("conffiles", 0o644, format!("/{SETTINGS}\n"));
    let mut sums = String::new();
    for (path, content) in data.files().filter(|(path, _)| *path != SETTINGS) {
        let sum = hex(&Md5::digest(content));
        sums.push_str(&format!("{sum}  {path}\n"));
    }
    control.file("md5sums", 0o644, sums);
    for script in SCRIPTS {
        control.file(script, 0o755, read(&workspace::root().join("packages/linux").join(script))?);
    }
    Ok(control)
}

/// Returns the newest version of glibc that a program names, as in `GLIBC_2.34`.
fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const PREFIX: &[u8] = b"GLIBC_";
    let versions = program.windows(PREFIX.len()).enumerate().filter(|(_, window)| *window == PREFIX);
    versions
        .filter_map(|(at, _)| {
            let rest = &program[at + PREFIX.len()..];
            let end = rest.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))?;
            let (major, minor) = std::str::from_utf8(&rest[..end]).ok()?.split_once('.')?;
            // Versions such as 2.2.5 are old ones.
            Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_glibc_is_found() {
        let names = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0GLIBCXX_3.4\0";
        assert_eq!(newest_glibc(names), Some((2, 34)));
        assert_eq!(newest_glibc(b"none"), None);
    }

    #[test]
    fn a_version_before_a_release_is_older() {
        assert_eq!(version("1.0.0-rc.1"), "1.0.0~rc.1");
        assert_eq!(version("1.0.0"), "1.0.0");
    }

    #[test]
    fn members_begin_at_even_places() {
        let mut archive = Vec::new();
        member(&mut archive, "a", b"x");
        assert_eq!(archive.len(), 62);
        assert!(archive.ends_with(b"`\nx\n"));
    }
}
