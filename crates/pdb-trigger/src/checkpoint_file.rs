//! Where a mapping keeps how far it has come.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use pretender::{Checkpoint, CheckpointError};

/// A file that holds a checkpoint, replaced whole at each change.
///
/// A process that is killed leaves the old or the new checkpoint, never half of one.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
    saved: Checkpoint,
}

/// Why a checkpoint cannot be kept.
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
    /// The file holds something else.
    #[error("file `{}` holds no checkpoint; it is left as it is", path.display())]
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
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, format!("{checkpoint}\n"))
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(|source| CheckpointFileError::Io { path: self.path.clone(), source })?;
        self.saved = checkpoint;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(error.to_string().ends_with("holds no checkpoint; it is left as it is"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "my notes");
        assert!(matches!(CheckpointFile::open(directory.path()), Err(CheckpointFileError::Io { .. })));
        let mut nowhere = CheckpointFile::open(&directory.path().join("no/such/folder")).unwrap();
        assert!(matches!(nowhere.save(checkpoint), Err(CheckpointFileError::Io { .. })));
    }
}
