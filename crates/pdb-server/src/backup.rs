//! A backup of a database that is open here, for a client to fetch: copied into a file of its own, which is gone once it is sent.
//!
//! The copy takes a moment, a slow client may take long to fetch it. If pages were sent as they are read, the log could not begin anew in
//! all that time, and a database in memory would stand still.

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

/// How much of a file is read at a time.
pub(crate) const CHUNK: usize = 256 * 1024;
/// How long the end of another backup is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many names are tried for the folder of a copy.
const NAMES: u32 = 100;

/// Makes backups, one at a time.
#[derive(Debug)]
pub(crate) struct Backups(Arc<Semaphore>);

/// The right to make one. Given back when the file that was made of it is dropped.
#[derive(Debug)]
pub(crate) struct BackupTurn {
    _permit: OwnedSemaphorePermit,
}

/// A copy of a database, to be read from the beginning.
#[derive(Debug)]
pub(crate) struct BackupFile {
    file: File,
    _place: Place,
    _turn: BackupTurn,
    pub(crate) length: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// Where a copy is made. What is there is removed with it.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// Made for it, so that nothing of anybody else's is there.
    folder: PathBuf,
    is_removed: bool,
}

impl Backups {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Takes the turn; none while another backup is made or fetched. Waits for a moment: a client that has just got its last byte may ask
    /// for the next backup before the file of the first one is closed.
    pub(crate) async fn turn(&self) -> Option<BackupTurn> {
        let permit = timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        permit.ok()?.ok().map(|permit| BackupTurn { _permit: permit })
    }
}

impl BackupFile {
    /// Copies a database, unless that is no longer wanted. Takes as long as the disk needs.
    pub(crate) fn make(
        database: &Pretender,
        turn: BackupTurn,
        is_unwanted: &AtomicBool,
    ) -> Result<Self, ControlError> {
        let no_place =
            |error: io::Error| ControlError::NotPossible(format!("there is no place for a copy: {error}"));
        let mut place = Place::find(database).map_err(no_place)?;
        database.copy_to_file(&place.file, &mut |_| {
            if is_unwanted.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let (file, length, sha256) = read_once(&place.file).map_err(no_place)?;
        // The bytes stay until the file is closed, even if that is because this process dies.
        #[cfg(unix)]
        place.remove();
        Ok(Self { file, _place: place, _turn: turn, length, sha256 })
    }

    /// Reads on; nothing at the end.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut self.file).take(CHUNK as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }
}

impl Place {
    /// Makes a folder for this user alone: beside the file of a database, where there is room for it; of one in memory, where temporary files
    /// are.
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

    /// Removes what is there, once: afterwards another server of this process may use the same names.
    fn remove(&mut self) {
        if std::mem::replace(&mut self.is_removed, true) {
            return;
        }
        // If it was not made, it is not there.
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// What could not be made is removed, too. Where an open file cannot be removed, it is closed before: `BackupFile` names it first.
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

/// Opens a file, at its beginning; returns its length and its SHA-256 as well.
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
        // Somebody's own.
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
    async fn a_backup_that_nobody_wants_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let db = Pretender::open(folder.path().join("orders.db")).unwrap();
        let name = pretender::model::TableName::new("Large").unwrap();
        db.create_table(pretender::tables::CreateTableInput::new(
            name.clone(),
            ("pk", pretender::model::ScalarType::S),
            None,
        ))
        .unwrap();
        // More than is copied at once.
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
