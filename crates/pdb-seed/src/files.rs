//! Finding and reading files.

use std::io;
use std::path::{Path, PathBuf};

use crate::SeedError;

/// Returns the files of a folder whose names the function accepts, sorted by name.
pub(crate) fn of_folder(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, SeedError> {
    let refused = |error: io::Error| self::refused(folder, &error);
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && is_wanted(&name) && path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

pub(crate) use pdb_exchange::UTF_16;

/// Returns the error for a file that cannot be read.
pub(crate) fn refused(path: &Path, error: &io::Error) -> SeedError {
    let reason = match error.kind() {
        // A shell does not expand the `~` in `--schema=~/tables.json` or within quotes.
        io::ErrorKind::NotFound if path.to_string_lossy().starts_with('~') => {
            "there is no such file; only a shell replaces `~`, where a word begins with it: write the whole path, or `$HOME`"
                .to_owned()
        }
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    SeedError::of_file(path, reason)
}
