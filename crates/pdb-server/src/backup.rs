//! A backup of an open database, for a client to fetch: a copy in a separate file, which is removed when it has been
//! sent.
//!
//! Copying takes a moment, but a slow client may take long to fetch the copy. If pages were sent while they are read
//! from the database, the log could not restart in all that time, and writers of a database in memory would wait.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pretender::Pretender;
use pretender::testing::ControlError;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How much of a file to read at a time.
pub(crate) const CHUNK: usize = 256 * 1024;
/// How long to wait for the end of another backup.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many names to try for the folder of a copy.
const NAMES: u32 = 100;

/// Makes backups, one at a time.
#[derive(Debug)]
pub(crate) struct Backups(Arc<Semaphore>);

/// The permit to make a backup. Given back when the backup file is dropped.
#[derive(Debug)]
pub(crate) struct BackupTurn {
    _permit: OwnedSemaphorePermit,
}

/// A copy of a database, to be read from its beginning.
#[derive(Debug)]
pub(crate) struct BackupFile {
    file: File,
    _place: Place,
    _turn: BackupTurn,
    pub(crate) length: u64,
    /// Its SHA-256 hash, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// The location of a copy. Dropping it removes the copy.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// Created for this copy, so that it contains no files of others.
    folder: PathBuf,
    is_removed: bool,
}

impl Backups {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Takes the permit; `None` while another backup is being made or fetched. Waits for a moment, because a client
    /// that has just received its last byte may ask for the next backup before the file of the first one is closed.
    pub(crate) async fn turn(&self) -> Option<BackupTurn> {
        let permit = timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        permit.ok()?.ok().map(|permit| BackupTurn { _permit: permit })
    }
}

impl BackupFile {
    /// Copies a database, unless the copy is no longer `wanted`. Takes as long as the disk needs.
    pub(crate) fn make(
        database: &Pretender,
        turn: BackupTurn,
        is_unwanted: &AtomicBool,
    ) -> Result<Self, ControlError> {
        let no_place = |error: io::Error| {
            ControlError::NotPossible(format!("cannot create a folder for the copy: {error}"))
        };
        let mut place = Place::find(database).map_err(no_place)?;
        database.copy_to_file(&place.file, &mut |_| {
            if is_unwanted.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let (file, length, sha256) = read_once(&place.file).map_err(no_place)?;
        // The data stays available until the file is closed, and is removed even if this process is killed.
        #[cfg(unix)]
        place.remove();
        Ok(Self { file, _place: place, _turn: turn, length, sha256 })
    }

    /// Reads the next bytes; returns none at the end.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut self.file).take(CHUNK as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }
}

impl Place {
    /// Creates a folder that only this user can read. It is beside the file of the database, where there is room for a
    /// copy, or in the folder for temporary files if the database is in memory.
    fn find(database: &Pretender) -> io::Result<Self> {
        let beginning = match database.file() {
            Some(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push("-backup-");
                name
            }
            None => std::env::temp_dir().join("pretender-").into(),
        };
        let mut number = 0;
        loop {
            let mut folder = beginning.clone();
            folder.push(format!("{}-{number}", std::process::id()));
            let folder = PathBuf::from(folder);
            match create_folder(&folder) {
                Ok(()) => return Ok(Self { file: folder.join("backup.db"), folder, is_removed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes the copy, once: afterwards, another server in this process may use the same names.
    fn remove(&mut self) {
        if std::mem::replace(&mut self.is_removed, true) {
            return;
        }
        // If the copy was not made, the file does not exist.
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Also removes incomplete copies. On some systems, an open file cannot be removed, so `BackupFile` has its file as the
/// first field, which is dropped first.
impl Drop for Place {
    fn drop(&mut self) {
        self.remove();
    }
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file at its beginning. Also returns its length and its SHA-256 hash.
fn read_once(path: &Path) -> io::Result<(File, u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut length, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        length += read as u64;
    }
    file.rewind()?;
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((file, length, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    static WANTED: AtomicBool = AtomicBool::new(false);

    #[tokio::test]
    async fn a_backup_leaves_nothing_and_there_is_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let db = Pretender::open(folder.path().join("orders.db")).unwrap();
        // A file of somebody else.
        fs::write(folder.path().join("orders.db-backup"), "mine").unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            entries.collect::<std::collections::BTreeSet<_>>()
        };
        let before = names();
        let backups = Backups::new();
        let mut file = BackupFile::make(&db, backups.turn().await.unwrap(), &WANTED).unwrap();
        assert!(backups.turn().await.is_none());
        let (mut length, mut hash) = (0, Sha256::new());
        loop {
            let chunk = file.read().unwrap();
            if chunk.is_empty() {
                break;
            }
            length += chunk.len() as u64;
            hash.update(&chunk);
        }
        assert_eq!(length, file.length);
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, file.sha256);
        drop(file);
        assert_eq!(names(), before);
        assert_eq!(fs::read(folder.path().join("orders.db-backup")).unwrap(), b"mine");
        assert!(backups.turn().await.is_some());
    }

    #[tokio::test]
    async fn a_database_in_memory_has_a_folder_for_its_copy() {
        let db = Pretender::in_memory().unwrap();
        let file = BackupFile::make(&db, Backups::new().turn().await.unwrap(), &WANTED).unwrap();
        let folder = file._place.folder.clone();
        assert!(file.length > 0);
        drop(file);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn an_unwanted_backup_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let db = Pretender::open(folder.path().join("orders.db")).unwrap();
        let name = pretender::model::TableName::new("Large").unwrap();
        db.create_table(pretender::tables::CreateTableInput::new(
            name.clone(),
            ("pk", pretender::model::ScalarType::S),
            None,
        ))
        .unwrap();
        // More than is copied in one step.
        for number in 0..16 {
            let item = pretender::model::Item::new()
                .with("pk", number.to_string())
                .with("text", "x".repeat(390_000));
            db.put_item(pretender::items::PutItemInput::new(name.clone(), item)).unwrap();
        }
        let backups = Backups::new();
        assert!(BackupFile::make(&db, backups.turn().await.unwrap(), &AtomicBool::new(true)).is_err());
        for entry in fs::read_dir(folder.path()).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(!name.to_str().unwrap().contains("-backup"), "{name:?}");
        }
        assert!(BackupFile::make(&db, backups.turn().await.unwrap(), &WANTED).unwrap().length > 4_000_000);
    }
}
