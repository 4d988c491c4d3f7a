//! The access log: a file with one line per call.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::paths;

/// A file to which lines are appended. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct AccessLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: File,
    path: PathBuf,
    /// Whether the last line was lost. If several are lost in a row, only the first is reported.
    is_broken: AtomicBool,
}

impl AccessLog {
    /// Opens the file, or creates it. Only its owner can read it, because it contains names of tables and clients.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path);
        let file = file.map_err(|error| {
            format!("cannot write the access log `{}`: {}", path.display(), paths::reason(path, &error))
        })?;
        Ok(Self(Arc::new(Shared { file, path: path.to_owned(), is_broken: AtomicBool::new(false) })))
    }
}

impl Write for AccessLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Shared { file, path, is_broken } = &*self.0;
        let written = (&*file).write_all(bytes);
        let was_broken = is_broken.swap(written.is_err(), Ordering::Relaxed);
        if let (Err(error), false) = (&written, was_broken) {
            // Not logged as an event, because this is the end of the log.
            let path = path.display();
            let _ = writeln!(
                io::stderr(),
                "pretender: cannot write the access log `{path}`, lines are lost: {error}"
            );
        }
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
