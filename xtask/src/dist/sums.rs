//! `SHA256SUMS`: the checksums of the artefacts, in the form that `sha256sum --check` reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hex;
use super::installed::{read, write};
use crate::{Outcome, workspace};

const NAME: &str = "SHA256SUMS";

/// Writes the file anew, for the artefacts of this run and for those of earlier ones that are still there. The folder also contains what
/// they were built from.
pub(super) fn update(folder: &Path, built: &[PathBuf]) -> Outcome {
    let path = folder.join(NAME);
    let earlier = if path.exists() { workspace::read(&path)? } else { String::new() };
    let mut names: BTreeSet<String> =
        earlier.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_owned())).collect();
    names.extend(built.iter().filter_map(|file| Some(file.strip_prefix(folder).ok()?.display().to_string())));
    let mut lines = String::new();
    for name in names.into_iter().filter(|name| folder.join(name).exists()) {
        lines.push_str(&format!("{}  {name}\n", hex(&Sha256::digest(read(&folder.join(&name))?))));
    }
    write(&path, lines.as_bytes())
}
