//! The file with the checkpoint of a mapping.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use pretender::streams::{Checkpoint, CheckpointError};

/// A file that holds a checkpoint, replaced whole at each change.
///
/// After a crash of the process or a power failure, the file has the old or the new checkpoint, never a part of one.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
    saved: Checkpoint,
}

/// The error of a checkpoint that cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFileError {
    /// The file cannot be read or written.
    #[error("checkpoint file `{}` cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not contain a checkpoint.
    #[error("file `{}` does not contain a checkpoint; it was not changed", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
}

impl CheckpointFile {
    /// Reads the file; one that does not exist yet holds an empty checkpoint.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointFileError> {
        let path = path.to_owned();
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            // A pipe would keep us waiting for its other end.
            let source = io::Error::other("it is not a regular file");
            return Err(CheckpointFileError::Io { path, source });
        }
        let saved = match fs::read_to_string(&path) {
            Ok(text) => text
                .parse()
                .map_err(|source| CheckpointFileError::NotACheckpoint { path: path.clone(), source })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Checkpoint::default(),
            Err(source) => return Err(CheckpointFileError::Io { path, source }),
        };
        Ok(Self { path, saved })
    }

    pub(crate) fn saved(&self) -> &Checkpoint {
        &self.saved
    }

    /// Replaces the checkpoint, unless it is the same.
    pub(crate) fn save(&mut self, checkpoint: Checkpoint) -> Result<(), CheckpointFileError> {
        if checkpoint == self.saved {
            return Ok(());
        }
        replace(&mut System, &self.path, &format!("{checkpoint}\n"))
            .map_err(|source| CheckpointFileError::Io { path: self.path.clone(), source })?;
        self.saved = checkpoint;
        Ok(())
    }
}

/// The steps that replace a file, each of which is done when it returns.
trait Disk {
    /// Writes a file, and waits until its content is on the disk.
    fn write(&mut self, path: &Path, text: &str) -> io::Result<()>;
    /// Gives a file the name of another, which it replaces.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the disk.
    fn keep_names(&mut self, folder: &Path);
}

/// Replaces a file whole. The content is on the disk before the name is: file systems may keep the new name and lose the
/// content when the power fails, and an empty checkpoint is one that stops the trigger.
fn replace(disk: &mut impl Disk, path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    disk.write(&beside, text)?;
    disk.rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    disk.keep_names(folder.unwrap_or(Path::new(".")));
    Ok(())
}

/// The machine's disk.
struct System;

impl Disk for System {
    fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn keep_names(&mut self, folder: &Path) {
        // Not every system lets a folder be opened; where it does not, a rename is all there is.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the steps, and fails at one of them.
    #[derive(Default)]
    struct Noted {
        steps: Vec<String>,
        fails_at: Option<usize>,
    }

    impl Noted {
        fn note(&mut self, step: String) -> io::Result<()> {
            self.steps.push(step);
            if self.fails_at == Some(self.steps.len()) { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    impl Disk for Noted {
        fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
            self.note(format!("write and sync {}: {text}", path.display()))
        }

        fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
            self.note(format!("rename {} to {}", from.display(), to.display()))
        }

        fn keep_names(&mut self, folder: &Path) {
            self.steps.push(format!("sync {}", folder.display()));
        }
    }

    /// A power failure between any two steps leaves the old checkpoint or the new one.
    #[test]
    fn the_content_is_on_the_disk_before_the_name() {
        let all = ["write and sync a/b.json.new: text", "rename a/b.json.new to a/b.json", "sync a"];
        let mut disk = Noted::default();
        replace(&mut disk, Path::new("a/b.json"), "text").unwrap();
        assert_eq!(disk.steps, all);

        // What could not be written whole does not get the name.
        let mut full = Noted { fails_at: Some(1), ..Noted::default() };
        replace(&mut full, Path::new("a/b.json"), "text").unwrap_err();
        assert_eq!(full.steps, all[..1]);

        let mut here = Noted::default();
        replace(&mut here, Path::new("b.json"), "text").unwrap();
        assert_eq!(here.steps.last().map(String::as_str), Some("sync ."));
    }

    #[test]
    fn a_checkpoint_comes_back_and_other_files_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.json");
        let checkpoint: Checkpoint =
            r#"{"version":1,"streams":{"arn":{"s":{"after":"7"}}}}"#.parse().unwrap();
        let mut file = CheckpointFile::open(&path).unwrap();
        assert_eq!(file.saved(), &Checkpoint::default());
        file.save(checkpoint.clone()).unwrap();
        assert_eq!(CheckpointFile::open(&path).unwrap().saved(), &checkpoint);

        fs::write(&path, "my notes").unwrap();
        let error = CheckpointFile::open(&path).unwrap_err();
        assert!(error.to_string().ends_with("does not contain a checkpoint; it was not changed"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "my notes");
        assert!(matches!(CheckpointFile::open(directory.path()), Err(CheckpointFileError::Io { .. })));
        #[cfg(unix)]
        {
            let pipe = directory.path().join("pipe");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            assert!(matches!(CheckpointFile::open(&pipe), Err(CheckpointFileError::Io { .. })));
        }
        let mut nowhere = CheckpointFile::open(&directory.path().join("no/such/folder")).unwrap();
        assert!(matches!(nowhere.save(checkpoint), Err(CheckpointFileError::Io { .. })));
    }
}
