//! Files and folders that are read.

use std::io;
use std::path::{Path, PathBuf};

use crate::SeedError;

/// Returns the files of a folder whose names are wanted, in the order of their names.
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

/// What to say of a text in UTF-16: PowerShell writes such files with `>`.
pub(crate) const UTF_16: &str = "it is text in UTF-16: save it in UTF-8";

/// Says why a file cannot be read.
pub(crate) fn refused(path: &Path, error: &io::Error) -> SeedError {
    let reason = match error.kind() {
        // `--schema=~/tables.json` and quotes keep shells from it.
        io::ErrorKind::NotFound if path.to_string_lossy().starts_with('~') => {
            "there is no such file; only a shell replaces `~`, where a word begins with it: write the whole path, or `$HOME`"
                .to_owned()
        }
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    SeedError::of_file(path, reason)
}
