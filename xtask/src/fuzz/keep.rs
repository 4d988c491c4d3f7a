//! Keeping a small corpus.

use std::fs;
use std::path::PathBuf;

use super::Fuzzer;
use crate::{Outcome, run, workspace};

/// How many bytes of inputs are committed for a target.
const MAX_CORPUS: u64 = 24 * 1024;
/// How many inputs are committed for a target.
const MAX_INPUTS: usize = 100;
/// The largest input that is committed.
const MAX_INPUT: u64 = 2 * 1024;

impl Fuzzer {
    /// Adds inputs to the committed corpus that reach what it does not reach, the smallest first, as long as it stays small.
    pub(super) fn keep(&self, target: &str) -> Outcome {
        let merged = self.target.join("fuzz-merged").join(target);
        let unusable = |error| format!("{}: {error}", merged.display());
        if merged.exists() {
            fs::remove_dir_all(&merged).map_err(unusable)?;
        }
        fs::create_dir_all(&merged).map_err(unusable)?;
        let committed = self.committed(target);
        for path in workspace::entries(&committed)? {
            copy(&path, &merged)?;
        }
        // Only what the committed inputs do not reach is added.
        let mut command = self.cargo_fuzz("run");
        command.arg(target).args([merged.clone(), self.found(target)?]).args([
            "--",
            "-merge=1",
            "-use_value_profile=0",
        ]);
        run::run(&mut command)?;
        let size = |path: &PathBuf| fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
        let known = workspace::entries(&committed)?;
        let (mut kept, mut count) = (known.iter().map(size).sum::<u64>(), known.len());
        let mut inputs = workspace::entries(&merged)?;
        inputs.sort_by_key(size);
        for input in inputs {
            let is_known = input.file_name().is_some_and(|name| committed.join(name).exists());
            let fits = size(&input) <= MAX_INPUT && kept + size(&input) <= MAX_CORPUS && count < MAX_INPUTS;
            if !is_known && fits {
                count += 1;
                kept += size(&input);
                copy(&input, &committed)?;
            }
        }
        println!("{target:<16} {count} inputs of {kept} bytes are kept");
        Ok(())
    }
}

fn copy(file: &PathBuf, folder: &std::path::Path) -> Outcome {
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, folder.join(name)).map(drop).map_err(|error| format!("{}: {error}", file.display()))
}
