//! What an export writes: a file, which gets its name when it is complete, standard output, or the folder of an export to S3.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pdb_exchange::{Compression, ExportFolderWriter, ExportSummary, Format, ItemWriter, Packer, export_id};
use pdb_model::{IdSource, RandomIds};
use pretender::model::Item;
use pretender::time::{Clock, EpochMillis, SystemClock};

use super::STANDARD;
use super::source::ReadItem;
use super::table::TableInfo;

/// Where items are written to.
pub(super) enum Sink {
    File { writer: Box<ItemWriter<Packer<Output>>>, target: Target },
    Folder { writer: Box<ExportFolderWriter>, start: EpochMillis, id: String },
}

/// A file that is written, or standard output.
pub(super) enum Output {
    File(BufWriter<File>),
    Standard(BufWriter<io::Stdout>),
}

/// The names of a file, before and after it is complete. Dropped before that, it removes the file.
#[derive(Debug)]
pub(super) struct Target {
    name: PathBuf,
    /// `None` for standard output, and when the file is complete.
    part: Option<PathBuf>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileOptions {
    pub(super) format: Format,
    pub(super) compression: Compression,
    pub(super) delimiter: u8,
    pub(super) is_lossy: bool,
    pub(super) may_replace: bool,
}

impl Sink {
    /// Begins a file. A CSV file needs its columns.
    pub(super) fn file(
        path: &Path,
        options: FileOptions,
        columns: Vec<String>,
    ) -> Result<Self, Box<dyn Error>> {
        let refused = |error: io::Error| format!("{}: the file cannot be written: {error}", path.display());
        let (output, part) = if path.as_os_str() == STANDARD {
            (Output::Standard(BufWriter::new(io::stdout())), None)
        } else {
            check(path, options.may_replace)?;
            let mut part = path.as_os_str().to_owned();
            part.push(".part");
            let part = PathBuf::from(part);
            let file = File::create(&part).map_err(refused)?;
            (Output::File(BufWriter::with_capacity(256 * 1024, file)), Some(part))
        };
        let target = Target { name: path.to_owned(), part };
        let packer = Packer::new(output, options.compression).map_err(refused)?;
        let writer = match options.format {
            Format::Csv => ItemWriter::csv(packer, columns, options.delimiter).map_err(refused)?,
            format => ItemWriter::new(packer, format).lossy(options.is_lossy),
        };
        Ok(Self::File { writer: Box::new(writer), target })
    }

    /// Begins the folder of an export.
    pub(super) fn folder(path: &Path, format: Format) -> Result<Self, Box<dyn Error>> {
        let start = SystemClock.now();
        let id = export_id(start, RandomIds.next_id());
        let writer = Box::new(ExportFolderWriter::create(path, &id, format)?);
        Ok(Self::Folder { writer, start, id })
    }

    pub(super) fn write(&mut self, item: ReadItem<'_>) -> Result<(), Box<dyn Error>> {
        match (self, item) {
            (Self::File { writer, .. }, ReadItem::Encoded(json)) => {
                writer.write_encoded(json).map_err(explained)
            }
            (Self::File { writer, .. }, ReadItem::Decoded(item)) => writer.write(&item).map_err(explained),
            (Self::Folder { writer, .. }, ReadItem::Encoded(json)) => Ok(writer.write_encoded(json)?),
            (Self::Folder { writer, .. }, ReadItem::Decoded(item)) => Ok(writer.write(&item)?),
        }
    }

    /// Completes the file or folder. Returns its name.
    pub(super) fn finish(self, table: &TableInfo) -> Result<PathBuf, Box<dyn Error>> {
        match self {
            Self::File { writer, mut target } => {
                let finished = writer.finish().and_then(Packer::finish).and_then(Output::close);
                finished.and_then(|()| target.complete()).map_err(|error| {
                    format!("{}: the file cannot be written: {error}", target.name.display())
                })?;
                Ok(target.name.clone())
            }
            Self::Folder { writer, start, id } => {
                let folder = writer.folder().to_owned();
                writer.finish(ExportSummary {
                    export_arn: format!("{}/export/{id}", table.arn),
                    start_time: ExportSummary::time(start),
                    end_time: ExportSummary::time(SystemClock.now()),
                    table_arn: table.arn.clone(),
                    table_id: table.id.clone(),
                    export_time: Some(ExportSummary::time(start)),
                    billed_size_bytes: table.size_bytes,
                    ..ExportSummary::default()
                })?;
                Ok(folder)
            }
        }
    }
}

/// Refuses a file that exists.
fn check(path: &Path, may_replace: bool) -> Result<(), String> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(format!("{}: this is a folder", path.display())),
        Ok(_) if !may_replace => Err(format!(
            "{}: the file exists: choose another name, or replace it with --force",
            path.display()
        )),
        _ => Ok(()),
    }
}

fn explained(error: io::Error) -> Box<dyn Error> {
    if error.kind() == io::ErrorKind::Unsupported {
        return format!(
            "{error}: use --format dynamodb-json or ion, or --lossy to write sets as lists and bytes as texts"
        )
        .into();
    }
    error.into()
}

impl Output {
    fn close(self) -> io::Result<()> {
        match self {
            Self::File(out) => out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all(),
            Self::Standard(mut out) => out.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(out) => out.write(bytes),
            Self::Standard(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(out) => out.flush(),
            Self::Standard(out) => out.flush(),
        }
    }
}

impl Target {
    fn complete(&mut self) -> io::Result<()> {
        if let Some(part) = &self.part {
            std::fs::rename(part, &self.name)?;
            self.part = None;
        }
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = std::fs::remove_file(part);
        }
    }
}

/// Returns the attributes of items as the columns of a CSV file: those of the key first.
#[derive(Debug, Default)]
pub(super) struct Columns(std::collections::BTreeSet<String>);

impl Columns {
    /// More columns have no use, and would take memory without bound.
    const MOST: usize = 10_000;

    pub(super) fn add(&mut self, item: &Item) -> Result<(), String> {
        for name in item.keys().filter(|name| !self.0.contains(*name)).cloned().collect::<Vec<_>>() {
            if self.0.len() >= Self::MOST {
                return Err(format!(
                    "the items have more than {} attributes: choose some with --columns",
                    Self::MOST
                ));
            }
            self.0.insert(name);
        }
        Ok(())
    }

    pub(super) fn names(self, table: &TableInfo) -> Vec<String> {
        let key: Vec<String> = table.key.iter().map(|(name, _)| name.clone()).collect();
        let rest = self.0.into_iter().filter(|name| !key.contains(name)).collect::<Vec<_>>();
        key.into_iter().chain(rest).collect()
    }
}
