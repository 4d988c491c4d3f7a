//! Writing items from files into empty tables.

mod writer;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use pdb_exchange::documents::{self, DocumentError, DocumentItem};
use pdb_exchange::{Compression, Decompressor, ReadError};
use pdb_model::TableName;

use crate::SeedError;
use crate::files;

pub(crate) use writer::Writer;

/// The extensions of files of items, without that of gzip.
const EXTENSIONS: &[&str] = &["json", "jsonl", "ndjson"];

/// A file of items, and the table for which they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedFile {
    pub(crate) path: PathBuf,
    pub(crate) table: Destination,
}

/// The table for which the items of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The table that the user gave.
    Given(TableName),
    /// The table in the content of the file, or else in its name. `None` if the name is not valid for a table.
    ByName(Option<TableName>),
}

/// Returns the file at a path, or the files in a folder.
pub(crate) fn find(path: &Path, table: Option<&TableName>) -> Result<Vec<SeedFile>, SeedError> {
    let seed = |path: PathBuf| {
        let table = match table {
            Some(table) => Destination::Given(table.clone()),
            None => Destination::ByName(stem(&path).and_then(|name| TableName::new(&name).ok())),
        };
        SeedFile { path, table }
    };
    if !path.is_dir() {
        return Ok(vec![seed(path.to_owned())]);
    }
    let found = files::of_folder(path, |name| stem(Path::new(name)).is_some())?;
    if found.is_empty() {
        let text = "the folder has no files that end in .json, .jsonl or .ndjson, also packed as .gz";
        return Err(SeedError::of_file(path, text));
    }
    Ok(found.into_iter().map(seed).collect())
}

/// Returns the name of a file of items without its extensions.
fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (stem, extension) = name.rsplit_once('.')?;
    let is_known = EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    (is_known && !stem.is_empty()).then(|| stem.to_owned())
}

/// Writes the items of a file.
pub(crate) fn write(seed: &SeedFile, writer: &mut Writer<'_>) -> Result<(), SeedError> {
    let path = &seed.path;
    let refused = |error| files::refused(path, &error);
    let mut file = File::open(path).map_err(refused)?;
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head).map_err(refused)?;
    if matches!(*head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(SeedError::of_file(path, files::UTF_16));
    }
    let compression = Compression::of_head(&head);
    let unpacked = Decompressor::new(Cursor::new(head).chain(file), compression).map_err(refused)?;
    writer.begin(path);
    let read = documents::read(unpacked, &mut |found| put(seed, writer, found));
    read.map_err(|error| match error {
        DocumentError::Caller(error) => error,
        DocumentError::Read(ReadError::Io(error)) => files::refused(path, &error),
        DocumentError::Read(ReadError::Content { line: Some(line), reason }) => {
            SeedError::of_line(path, line, reason)
        }
        DocumentError::Read(ReadError::Content { line: None, reason }) => SeedError::of_file(path, reason),
    })?;
    writer.flush()
}

/// Puts an item into the table that the user, the file or its name gives.
fn put(seed: &SeedFile, writer: &mut Writer<'_>, found: DocumentItem<'_>) -> Result<(), SeedError> {
    let refused = |text: &str| SeedError::of_line(&seed.path, found.line, text);
    let table = match (&seed.table, found.table) {
        (Destination::Given(given), Some(named)) if given != named => {
            return Err(refused(&format!(
                "these are items of `{named}`, and the file was given for `{given}`"
            )));
        }
        (Destination::Given(given), _) => given,
        (Destination::ByName(_), Some(named)) => named,
        (Destination::ByName(Some(name)), None) => name,
        (Destination::ByName(None), None) => {
            let text = "the name of the file is not that of a table: name the file after its table, or use TABLE=FILE";
            return Err(refused(text));
        }
    };
    writer.put(table, found.item, found.line, found.hint)
}
