//! `SHA256SUMS`: the checksums of everything in the folder of artefacts, in the form that `sha256sum --check` reads.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hex;
use super::installed::read;
use crate::{Outcome, workspace};

const NAME: &str = "SHA256SUMS";

/// Writes the file anew, also for artefacts of earlier runs.
pub(super) fn write(folder: &Path) -> Outcome {
    let mut lines = String::new();
    for path in files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
        // The program itself lies there for tests, and is no artefact.
        if name != NAME && !name.starts_with("bin/") {
            lines.push_str(&format!("{}  {name}\n", hex(&Sha256::digest(read(&path)?))));
        }
    }
    super::installed::write(&folder.join(NAME), lines.as_bytes())
}

/// Lists the files of a folder and of those below, sorted.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in workspace::entries(folder)? {
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
