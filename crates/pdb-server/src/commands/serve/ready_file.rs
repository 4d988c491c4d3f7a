//! A file that is there while the server answers.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::paths;

/// A file with the URL of the server, which is removed when this is dropped.
#[derive(Debug)]
pub(super) struct ReadyFile {
    path: PathBuf,
    text: String,
}

/// Removes what a server left that was killed: a script that waits for the file must not take it for a new one. To be called before the
/// server answers.
///
/// # Errors
///
/// A text, if a file is there and stays.
pub(super) fn remove_old(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(refused(path, &error)),
        _ => Ok(()),
    }
}

impl ReadyFile {
    /// Writes the file. Nobody sees a part of it: it gets its name when it is complete.
    ///
    /// # Errors
    ///
    /// A text, if it cannot be written.
    pub(super) fn write(path: &Path, url: &str) -> Result<Self, String> {
        let text = format!("{url}\n");
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}", std::process::id()));
        let written = fs::write(&unfinished, &text).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            // It may not be there at all.
            let _ = fs::remove_file(&unfinished);
            return Err(refused(path, &error));
        }
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another server may have written its own by now.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // One that stays does no harm: the next server removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn refused(path: &Path, error: &io::Error) -> String {
    format!("cannot write the file `{}`: {}", path.display(), paths::reason(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_and_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        fs::write(&path, "http://127.0.0.1:1\n").unwrap();
        remove_old(&path).unwrap();
        remove_old(&path).unwrap();
        let file = ReadyFile::write(&path, "http://127.0.0.1:8000").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "http://127.0.0.1:8000\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let first = ReadyFile::write(&path, "http://127.0.0.1:8000").unwrap();
        let _second = ReadyFile::write(&path, "http://127.0.0.1:8001").unwrap();
        drop(first);
        assert!(path.exists());
        let missing = folder.path().join("missing").join("ready");
        let refusal = ReadyFile::write(&missing, "http://127.0.0.1:8000").unwrap_err();
        assert!(refusal.ends_with("missing` does not exist"), "{refusal}");
    }
}
