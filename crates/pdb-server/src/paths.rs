//! Error messages about files that say what to do.

use std::io;
use std::path::Path;

/// Returns why a file could not be created or opened. If its folder does not exist, says so.
pub(crate) fn reason(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => missing(folder),
        _ => error.to_string(),
    }
}

/// Returns the message about a folder that does not exist.
pub(crate) fn missing(folder: &Path) -> String {
    let text = format!("the folder `{}` does not exist", folder.display());
    let has_tilde =
        folder.components().next().is_some_and(|first| first.as_os_str().to_string_lossy().starts_with('~'));
    if has_tilde {
        // Shells do not replace `~` in `--db=~/orders.db` and in quotes.
        return text
            + "; only a shell replaces `~`, where a word begins with it: write the whole path, or `$HOME`";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_distinguished_from_a_missing_file() {
        let not_found = || io::Error::from(io::ErrorKind::NotFound);
        let told = |path: &str| reason(Path::new(path), &not_found());
        assert_eq!(told("/no/such/file"), "the folder `/no/such` does not exist");
        assert!(told("~/orders.log").starts_with("the folder `~` does not exist; only a shell replaces `~`"));
        assert_eq!(told("/file"), not_found().to_string());
        assert_eq!(told("file"), not_found().to_string());
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(reason(Path::new("/no/such/file"), &denied), denied.to_string());
    }
}
