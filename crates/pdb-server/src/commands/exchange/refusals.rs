//! Records that cannot be imported: where they are noted, and how many of them are accepted.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use pdb_exchange::{Record, refused_line};

use super::place::Place;
use crate::progress::Progress;
use crate::terminal::visible;

/// How many refused records are shown on standard error; the file of `--errors` gets all of them.
const SHOWN: u64 = 20;

/// A record that cannot be imported.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) place: Place,
    /// The record, if it could be read.
    pub(super) record: Option<Record>,
    pub(super) reason: String,
}

/// The records that cannot be imported.
#[derive(Debug)]
pub(super) struct Refusals {
    file: Option<(PathBuf, BufWriter<File>)>,
    /// How many are accepted; `None` for any number.
    most: Option<u64>,
    pub(super) count: u64,
}

impl Refusals {
    /// Creates the file, if one is given, which must not exist.
    pub(super) fn new(path: Option<&Path>, most: Option<u64>) -> Result<Self, Box<dyn Error>> {
        let create = |path: &Path| {
            let file = File::create_new(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>((path.to_owned(), BufWriter::new(file)))
        };
        Ok(Self { file: path.map(create).transpose()?, most, count: 0 })
    }

    /// Notes a record.
    ///
    /// # Errors
    ///
    /// If there are too many of them, with the place and the reason of this one.
    pub(super) fn add(&mut self, refusal: &Refusal, progress: &Progress) -> Result<(), Box<dyn Error>> {
        self.count += 1;
        let Refusal { place, record, reason } = refusal;
        if let Some((path, file)) = &mut self.file {
            let line = place.line.map(|line| ("line", line.to_string()));
            let members = [("file", place.file.to_string()), ("itemIndex", place.ordinal.to_string())];
            let members: Vec<_> = members.into_iter().chain(line).collect();
            let written = file.write_all(refused_line(record.as_ref(), &members, reason).as_bytes());
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        if self.most.is_some_and(|most| self.count > most) {
            return Err(format!("{place}: {reason}").into());
        }
        if self.file.is_none() && self.count <= SHOWN {
            progress.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{}", visible(&format!("{place}: {reason}")));
            });
        }
        Ok(())
    }

    /// Completes the file. Removes it if it is empty.
    pub(super) fn finish(&mut self) -> Result<(), Box<dyn Error>> {
        if self.file.is_none() && self.count > SHOWN {
            let rest = self.count - SHOWN;
            let _ = writeln!(std::io::stderr(), "... and {rest} more: --errors FILE notes all of them");
        }
        let Some((path, mut file)) = self.file.take() else { return Ok(()) };
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        file.flush().map_err(failed)?;
        drop(file);
        if self.count == 0 {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        Ok(())
    }
}
