//! `SHA256SUMS`: the checksums of the artefacts, in the form that `sha256sum --check` reads.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::installed::{read, write};
use super::{Parts, deb, go, hex, java};
use crate::{Outcome, workspace};

const NAME: &str = "SHA256SUMS";

/// Writes the file anew. If only some artefacts were built, those of this version that earlier runs have built stay in it.
pub(super) fn update(parts: &Parts, built: &[PathBuf], is_everything: bool) -> Outcome {
    let folder = &parts.folder;
    let path = folder.join(NAME);
    let earlier = if path.exists() && !is_everything { workspace::read(&path)? } else { String::new() };
    let mut names: BTreeSet<String> = earlier
        .lines()
        .filter_map(|line| Some(line.split_once("  ")?.1.to_owned()))
        .filter(|name| is_artefact(name, parts.version))
        .collect();
    names.extend(built.iter().filter_map(|file| Some(file.strip_prefix(folder).ok()?.display().to_string())));
    let mut lines = String::new();
    for name in names.into_iter().filter(|name| folder.join(name).exists()) {
        lines.push_str(&format!("{}  {name}\n", hex(&Sha256::digest(read(&folder.join(&name))?))));
    }
    write(&path, lines.as_bytes())
}

/// Returns whether an artefact of this version can have this name. The folder also contains what artefacts were built from.
fn is_artefact(name: &str, version: &str) -> bool {
    let is_of_version = name.contains(version) || name.contains(&deb::version(version));
    match name.split_once('/') {
        None => name.starts_with("pretender") && is_of_version,
        Some((go::PROXY, rest)) => is_of_version || rest.ends_with("/@v/list"),
        Some((java::REPOSITORY, _)) => is_of_version,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artefacts_of_this_version_are_listed() {
        for name in [
            "pretender_1.2.3~rc1_amd64.deb",
            "pretender-1.2.3-rc1-amd64.oci.tar",
            "goproxy/example.com/x/@v/v1.2.3-rc1.zip",
            "goproxy/example.com/x/@v/list",
            "maven/io/pretender/1.2.3-rc1/pretender-1.2.3-rc1.jar",
        ] {
            assert!(is_artefact(name, "1.2.3-rc1"), "{name}");
        }
        for name in [
            "pretender-1.2.2-amd64.oci.tar",
            "python/lib/pretender-1.2.3-rc1/x.py",
            "maven/io/pretender/1.2.2/pretender-1.2.2.jar",
            "other-1.2.3-rc1",
        ] {
            assert!(!is_artefact(name, "1.2.3-rc1"), "{name}");
        }
    }
}
