//! Finding the files of an import, recognising their formats, and opening them.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pdb_exchange::{Compression, Decompressor, ExportFolder, Format, detect};

use super::STANDARD;
use crate::paths;

/// How much of a file is looked at to recognise its format.
const HEAD_BYTES: u64 = 64 * 1024;
/// The endings of data files in a folder.
const ENDINGS: &[&str] = &["json", "jsonl", "ndjson", "ion", "10n", "csv", "tsv"];

/// The files of an import.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) files: VecDeque<Input>,
    pub(super) exports: Vec<ExportFolder>,
    /// The bytes of all files, as they are stored. `None` if standard input is among them.
    pub(super) bytes: Option<u64>,
}

/// A file of an import.
#[derive(Clone, Debug)]
pub(super) struct Input {
    path: PathBuf,
    /// What an export says about the file: its format, and how many items it has.
    expected: Option<(Format, u64)>,
}

/// How the files are read, if that was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forced {
    pub(super) format: Option<Format>,
    pub(super) compression: Option<Compression>,
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct OpenedInput {
    pub(super) content: Decompressor<'static>,
    pub(super) format: Format,
}

impl Inputs {
    /// Finds all files. A folder is an export, or has files with known endings.
    pub(super) fn find(paths: &[PathBuf]) -> Result<Self, Box<dyn Error>> {
        let mut inputs = Self { files: VecDeque::new(), exports: Vec::new(), bytes: Some(0) };
        for path in paths {
            if path.as_os_str() == STANDARD {
                inputs.files.push_back(Input { path: path.clone(), expected: None });
                inputs.bytes = None;
                continue;
            }
            let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!("{}: {}", path.display(), paths::missing(path)),
                _ => format!("{}: the file cannot be read: {error}", path.display()),
            })?;
            if !metadata.is_dir() {
                inputs.add(path.clone(), None, metadata.len());
            } else if let Some(export) = ExportFolder::open(path)? {
                let format = export.summary.format().unwrap_or(Format::DynamoDbJson);
                for file in &export.files {
                    inputs.add(file.path.clone(), Some((format, file.item_count)), file.bytes);
                }
                inputs.exports.push(export);
            } else {
                inputs.add_folder(path)?;
            }
        }
        Ok(inputs)
    }

    fn add(&mut self, path: PathBuf, expected: Option<(Format, u64)>, bytes: u64) {
        self.files.push_back(Input { path, expected });
        self.bytes = self.bytes.map(|sum| sum + bytes);
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let refused = |error: io::Error| format!("{}: the folder cannot be read: {error}", folder.display());
        let mut found = Vec::new();
        for entry in folder.read_dir().map_err(refused)? {
            let path = entry.map_err(refused)?.path();
            if is_data(&path) && path.is_file() {
                let bytes = path.metadata().map_err(refused)?.len();
                found.push((path, bytes));
            }
        }
        if found.is_empty() {
            let text = "the folder has neither an export nor files that end in .json, .jsonl, .ndjson, .ion, .csv or .tsv, also packed as .gz or .zst";
            return Err(format!("{}: {text}", folder.display()).into());
        }
        found.sort_unstable();
        found.into_iter().for_each(|(path, bytes)| self.add(path, None, bytes));
        Ok(())
    }

    /// Compares the files of exports with their checksums, before anything is imported.
    pub(super) fn verify(
        &self,
        each: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<bool, Box<dyn Error>> {
        for export in &self.exports {
            if !export.verify(each)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns whether a file in a folder is one of items.
fn is_data(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('.')
        && !name.starts_with("manifest-")
        && ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

impl Input {
    /// Returns the name for messages.
    pub(super) fn name(&self) -> Arc<str> {
        if self.path.as_os_str() == STANDARD {
            "standard input".into()
        } else {
            self.path.to_string_lossy().into()
        }
    }

    /// Returns how many items the file should have.
    pub(super) fn expected_items(&self) -> Option<u64> {
        self.expected.map(|(_, items)| items)
    }

    /// Opens the file. `read` counts the bytes that are read of it.
    pub(super) fn open(&self, forced: Forced, read: &Arc<AtomicU64>) -> Result<OpenedInput, Box<dyn Error>> {
        let refused = |error: io::Error| format!("{}: the file cannot be read: {error}", self.name());
        let mut file: Box<dyn Read + Send> = if self.path.as_os_str() == STANDARD {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(&self.path).map_err(refused)?)
        };
        let mut head = Vec::new();
        file.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(refused)?;
        let compression = forced.compression.unwrap_or_else(|| Compression::of_head(&head));
        let format = match (forced.format, self.expected) {
            (Some(format), _) | (None, Some((format, _))) => format,
            (None, None) => self.detect(&head, compression)?,
        };
        let whole = Counted { reader: Cursor::new(head).chain(file), read: read.clone() };
        Ok(OpenedInput { content: Decompressor::new(whole, compression).map_err(refused)?, format })
    }

    fn detect(&self, head: &[u8], compression: Compression) -> Result<Format, Box<dyn Error>> {
        let mut unpacked = Vec::new();
        let decoder = Decompressor::new(Cursor::new(head), compression)?;
        // The beginning of a packed file ends in the middle. What is wrong with the file shows when all of it is read.
        let _ = decoder.take(HEAD_BYTES).read_to_end(&mut unpacked);
        if matches!(*unpacked, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
            return Ok(Format::DynamoDbJson);
        }
        detect(&self.path.to_string_lossy(), &unpacked).ok_or_else(|| {
            format!("{}: the format is not recognised: choose one with --format", self.name()).into()
        })
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
