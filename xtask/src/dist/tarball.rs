//! `pretender-VERSION-TARGET.tar.gz`: a folder that can be unpacked anywhere, or into a prefix such as `/usr/local`.

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};

use super::Parts;
use super::installed::{files, read, write};
use super::notices::NOTICES;
use super::tree::gzip;
use crate::{Outcome, workspace};

/// What describes pretender, and goes to `share/doc`.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    let name = format!("pretender-{}-{}", parts.version, target());
    let mut tree = files(parts, "/usr/local")?;
    for document in DOCUMENTS {
        tree.file(format!("share/doc/pretender/{document}"), 0o644, read(&workspace::root().join(document))?);
    }
    tree.file(format!("share/doc/pretender/{NOTICES}"), 0o644, read(&parts.notices)?);
    let path = path(&parts.folder);
    // Without folders: tar would give those of the prefix, such as /usr/local/bin, the mode and the owner of the archive's.
    write(&path, &gzip(&tree.tar_of_files(&format!("{name}/"))?)?)?;
    Ok(vec![path])
}

/// Returns where `cargo xtask dist` writes the archive.
pub(crate) fn path(dist: &Path) -> PathBuf {
    dist.join(format!("pretender-{}-{}.tar.gz", env!("CARGO_PKG_VERSION"), target()))
}

/// Returns Rust's name for machines like this one.
fn target() -> String {
    match OS {
        "macos" => format!("{ARCH}-apple-darwin"),
        _ if cfg!(target_env = "musl") => format!("{ARCH}-unknown-linux-musl"),
        _ => format!("{ARCH}-unknown-linux-gnu"),
    }
}
