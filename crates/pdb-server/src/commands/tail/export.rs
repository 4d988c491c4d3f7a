//! Writing records to a file, one line of JSON each.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use pretender::streams::Event;
use pretender::streams::source::SourceRecord;

use super::Output;
use crate::client::RemoteRecord;
use crate::progress::{Progress, Step, Unit};
use crate::quantity::counted;
use crate::terminal::warn;

/// A file to which records are written.
#[derive(Debug)]
pub(super) struct Export {
    path: PathBuf,
    /// Not buffered: nothing is lost when the process ends, and other programs can read the file meanwhile.
    file: File,
    records: u64,
    progress: Progress,
}

impl Export {
    /// Creates the file, or empties an existing one.
    pub(super) fn create(path: PathBuf) -> Result<Self, Box<dyn Error>> {
        let file = File::create(&path).map_err(|error| {
            format!("`{}` cannot be written: {}", path.display(), crate::paths::reason(&path, &error))
        })?;
        Ok(Self { path, file, records: 0, progress: Progress::new() })
    }

    /// Syncs the file, and reports how many records were written.
    pub(super) fn finish(self) -> Result<(), Box<dyn Error>> {
        let Self { path, file, records, progress } = self;
        drop(progress);
        // Pipes and other special files cannot be synced.
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            file.sync_all().map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
        }
        warn(&format!("exported {} to `{}`", counted(records, "record"), path.display()));
        Ok(())
    }
}

impl Output for Export {
    fn event(&mut self, event: &Event<RemoteRecord>) -> std::io::Result<()> {
        let line = format!("{}\n", event.record.document(&event.stream_arn));
        self.file.write_all(line.as_bytes())?;
        self.records += 1;
        self.progress.show(&Step::new("exporting", self.records, None, Unit::Things("record")));
        Ok(())
    }

    fn warn(&self, text: &str) {
        self.progress.suspend(|| warn(text));
    }
}
