//! Fetching a backup from a running server.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pretender::maintenance::{Backup, BackupError, BackupReport};
use sha2::{Digest, Sha256};

use crate::client::{Control, ControlFailure, RemoteBackup};
use crate::progress::{Progress, Step, Unit};

/// Shares of the total time, for the progress bar. While the server copies the database, its progress is not known.
const WAITING: (f64, f64) = (0.0, 0.25);
const ARRIVING: (f64, f64) = (0.25, 0.4);
const CHECKING: (f64, f64) = (0.4, 1.0);
/// How often to check whether the server has answered.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How many bytes to read at a time.
const CHUNK: usize = 256 * 1024;

/// Fetches a backup. Returns what is in it, and the other regions for which the server has databases.
pub(super) fn fetch(
    control: &Control,
    backup: &Backup,
    interrupted: &Arc<AtomicBool>,
) -> Result<(BackupReport, Vec<String>), Box<dyn Error>> {
    let mut progress = Progress::new();
    let RemoteBackup { length, sha256, other_regions, mut reader } =
        wait(control.clone(), &mut progress, interrupted)?;
    // Both the transfer and the check afterwards show their progress.
    let shown = std::cell::RefCell::new(&mut progress);
    let received = backup.receive(
        |file| {
            let mut tell = |done| {
                let step = Step::new("receiving", done, Some(length), Unit::Bytes).within(ARRIVING);
                shown.borrow_mut().show(&step);
            };
            receive(&mut reader, file, length, &sha256, &mut tell, interrupted)
        },
        &mut |step| {
            super::show(*shown.borrow_mut(), step, ARRIVING, CHECKING);
            super::unless_interrupted(interrupted)
        },
    );
    drop(progress);
    let report = received.map_err(|error| match super::unless_interrupted(interrupted).is_break() {
        true => BackupError::Stopped.into(),
        false => super::explained(error),
    })?;
    Ok((report, other_regions))
}

/// Waits until the server has made the copy.
fn wait(
    control: Control,
    progress: &mut Progress,
    interrupted: &AtomicBool,
) -> Result<RemoteBackup, Box<dyn Error>> {
    let (sender, answers) = mpsc::channel::<Result<RemoteBackup, ControlFailure>>();
    // The thread ends with its answer, or with the process.
    std::thread::Builder::new().spawn(move || drop(sender.send(control.backup())))?;
    loop {
        match answers.recv_timeout(POLL_INTERVAL) {
            Ok(answer) => return Ok(answer?),
            Err(RecvTimeoutError::Disconnected) => {
                return Err("the request failed because of a bug in this program".into());
            }
            Err(RecvTimeoutError::Timeout) if super::unless_interrupted(interrupted).is_break() => {
                return Err(BackupError::Stopped.into());
            }
            Err(RecvTimeoutError::Timeout) => {
                let step = Step::new("the server is copying", 0, None, Unit::Bytes);
                progress.show(&step.within(WAITING));
            }
        }
    }
}

/// Writes the received bytes, and compares their length and hash with the announced ones.
fn receive(
    reader: &mut dyn Read,
    file: &mut File,
    length: u64,
    sha256: &str,
    tell: &mut dyn FnMut(u64),
    interrupted: &AtomicBool,
) -> io::Result<()> {
    let (mut done, mut hash, mut chunk) = (0, Sha256::new(), vec![0; CHUNK]);
    loop {
        if super::unless_interrupted(interrupted).is_break() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let read = reader.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        let chunk = &chunk[..read];
        hash.update(chunk);
        file.write_all(chunk)?;
        done += read as u64;
        tell(done);
    }
    if done != length {
        return Err(io::Error::other(format!("the connection ended after {done} of {length} bytes")));
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found != sha256 {
        return Err(io::Error::other("its SHA-256 differs from the one that the server sent"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_backups_are_refused() {
        let sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let received = |length, sum: &str| {
            let mut file = tempfile::tempfile().unwrap();
            let mut seen = 0;
            let never = AtomicBool::new(false);
            receive(&mut &b"hello"[..], &mut file, length, sum, &mut |done| seen = done, &never)
                .map(|()| seen)
                .map_err(|error| error.to_string())
        };
        assert_eq!(received(5, sum), Ok(5));
        assert_eq!(received(6, sum), Err("the connection ended after 5 of 6 bytes".to_owned()));
        let other = received(5, &sum.replace('2', "3"));
        assert_eq!(other, Err("its SHA-256 differs from the one that the server sent".to_owned()));
    }
}
