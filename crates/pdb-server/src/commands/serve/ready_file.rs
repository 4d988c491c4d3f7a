//! A file that exists while the server is ready.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::paths;

/// More than the URL of any server.
const MAX_BYTES: u64 = 300;
/// How many names to try for the unfinished file.
const NAMES: u32 = 100;

/// A file with the URL of the server. Removed when this is dropped.
#[derive(Debug)]
pub(super) struct ReadyFile {
    path: PathBuf,
    text: String,
}

/// Removes the file of a server that was killed: a script that waits for the file must not take it for a new one. To be
/// called before the server answers.
///
/// # Errors
///
/// A message for people, if the file cannot be removed, or was not written by a server.
pub(super) fn remove_old(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, &error)),
        Ok(found) if found.is_file() && is_ours(path).map_err(|error| refused(path, &error))? => {}
        Ok(_) => {
            return Err(format!(
                "`{}` was not written by a server, and is not replaced: choose another --ready-file, or remove the file",
                path.display()
            ));
        }
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(refused(path, &error)),
        _ => Ok(()),
    }
}

/// Returns whether a file consists of one line with the URL of a server.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut content)?;
    let line = content.strip_suffix(b"\n").unwrap_or_default();
    let is_url = line.starts_with(b"http://") || line.starts_with(b"https://");
    Ok(is_url && line.iter().all(u8::is_ascii_graphic))
}

/// Creates a new file beside another, under an unused name.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{number}", std::process::id()));
        match File::create_new(&name) {
            // A killed server may have left a file of this name: in containers, all servers have the same process ID.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => number += 1,
            made => return made.map(|file| (file, name.into())),
        }
    }
}

impl ReadyFile {
    /// Writes the file under another name and then renames it, so that no reader sees an incomplete file.
    ///
    /// # Errors
    ///
    /// A message for people, if the file cannot be written.
    pub(super) fn write(path: &Path, url: &str) -> Result<Self, String> {
        let text = format!("{url}\n");
        let (mut file, unfinished) = create_beside(path).map_err(|error| refused(path, &error))?;
        let written = file.write_all(text.as_bytes());
        drop(file);
        if let Err(error) = written.and_then(|()| fs::rename(&unfinished, path)) {
            let _ = fs::remove_file(&unfinished);
            return Err(refused(path, &error));
        }
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another server may have written its own file by now.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // A file that stays does no harm: the next server removes it.
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
        for other in ["", "http://127.0.0.1:1\nmore\n", "http://127.0.0.1:1", "notes\n", "http://a b\n"] {
            fs::write(&path, other).unwrap();
            let refusal = remove_old(&path).unwrap_err();
            assert!(refusal.contains("is not replaced: choose another --ready-file"), "{refusal}");
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
        assert!(remove_old(folder.path()).is_err());
        let missing = folder.path().join("missing").join("ready");
        let refusal = ReadyFile::write(&missing, "http://127.0.0.1:8000").unwrap_err();
        assert!(refusal.ends_with("missing` does not exist"), "{refusal}");
    }
}
