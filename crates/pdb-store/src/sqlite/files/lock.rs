//! The lock file beside a database, and the lock on the database file itself.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    error::{OpenError, StoreError},
    sqlite::{
        files::{
            holder,
            names::{FileId, beside},
            place,
        },
        refusals::unwritable,
    },
};

/// How long a lock is waited for: a process that is being started holds, for a moment, the locks of the one that starts it, also
/// those that are given up just then.
const LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// The byte of a database file that is locked: in the page that SQLite keeps free of data because of its own locks, and none of
/// those (<https://www.sqlite.org/fileformat.html#the_lock_byte_page>).
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOCKED_BYTE: i32 = 0x4000_0000 + 4096;

/// Whether a lock file is made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MakeLock {
    No,
    /// And stays.
    Yes,
    /// And is removed with the lock.
    ForNow,
}

/// The locked file beside a database.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    /// Where it is, if it goes with the lock.
    remove: Option<PathBuf>,
}

impl LockFile {
    /// Takes the lock of a database. Returns `None` if there is no lock file and `make` does not create one.
    pub(crate) fn take(database: &Path, make: MakeLock) -> Result<Option<Self>, StoreError> {
        let path = beside(database, "-lock");
        loop {
            // A link that leads nowhere could be neither opened nor made, and tried again for ever.
            let leads_nowhere = fs::symlink_metadata(&path).is_ok_and(|link| link.is_symlink())
                && fs::metadata(&path).is_err();
            if leads_nowhere || fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                let what = format!("`{}` is not a regular file", path.display());
                return Err(unwritable(database, io::Error::other(what)));
            }
            let (file, made) = match open(&path) {
                Ok(file) => (file, false),
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(unwritable(database, e)),
                Err(_) if make == MakeLock::No => return Ok(None),
                Err(_) => {
                    // A user who may open the database may lock it.
                    let like = fs::metadata(database).ok();
                    match place::create_like(&path, like.as_ref()) {
                        Ok(file) => (file, true),
                        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                        Err(e) => return Err(unwritable(database, e)),
                    }
                }
            };
            let taken = patiently(|| match file.try_lock() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(e)) => Err(e),
            });
            if !taken.map_err(|e| unwritable(database, e))? {
                let holder = holder::of(&file, &path);
                return Err(OpenError::Locked { path: database.into(), holder }.into());
            }
            // Somebody may have removed it before it was locked, and others lock another one now.
            if FileId::is_still(&file, &path).map_err(|e| unwritable(database, e))? {
                let remove = (made && make == MakeLock::ForNow).then_some(path);
                return Ok(Some(Self { file, remove }));
            }
        }
    }
}

impl LockFile {
    /// A second handle, which keeps the lock as this one does.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// Opens a lock file, also one that may only be read: that is enough to lock it.
fn open(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            OpenOptions::new().read(true).open(path)
        }
        opened => opened,
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if let Some(path) = &self.remove {
            // One that stays does no harm.
            let _ = fs::remove_file(path);
        }
    }
}

/// Locks a database file itself; returns false if another process has it, or this one by another handle.
///
/// The lock is of the open file, not of the process: only closing this handle gives it up. On systems without such locks the lock
/// file must do.
pub(super) fn lock_itself(file: &File, exclusive: bool) -> bool {
    let taken = patiently(|| try_lock_itself(file, exclusive));
    taken.unwrap_or_else(|error| {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "no locks on database files here: the lock file must do"
        );
        true
    })
}

/// Whether somebody has a database file open to write, as far as locks on files tell it here. Takes no lock that stays.
pub(super) fn is_locked(file: &File) -> bool {
    // Where there are no such locks, be use_savepoints.
    !try_lock_itself(file, false).unwrap_or(false)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn try_lock_itself(file: &File, exclusive: bool) -> io::Result<bool> {
    use nix::{
        errno::Errno,
        fcntl::{FcntlArg, fcntl},
        libc,
    };
    let kind = if exclusive { libc::F_WRLCK } else { libc::F_RDLCK };
    let lock = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: LOCKED_BYTE.into(),
        l_len: 1,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&lock)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn try_lock_itself(_: &File, _: bool) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Tries again for a moment.
fn patiently(mut attempt: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        if attempt()? {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        // Nothing but time comes from it.
        let _ = crossbeam_channel::after(Duration::from_millis(10)).recv();
    }
}
