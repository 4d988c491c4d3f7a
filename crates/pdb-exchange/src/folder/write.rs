//! Writing an export's folder.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use pdb_model::Item;

use super::{ExportKind, ExportSummary, ExportTarget, ExportWriter, FolderError, ROOT};
use crate::format::Format;

/// Writes the folder of an export. The manifests come last, so a folder without them is not complete.
#[derive(Debug)]
pub struct ExportFolderWriter {
    folder: PathBuf,
    writer: ExportWriter<Folder>,
}

impl ExportFolderWriter {
    /// Creates `AWSDynamoDB/<export id>` in a folder.
    ///
    /// # Errors
    ///
    /// [`FolderError`] if the folder exists, or cannot be created.
    pub fn create(into: &Path, export_id: &str, format: Format) -> Result<Self, FolderError> {
        let folder = into.join(ROOT).join(export_id);
        if folder.exists() {
            return Err(FolderError::content(folder, "the folder exists"));
        }
        let target = Folder { root: into.to_owned() };
        let writer = ExportWriter::begin(target, None, export_id, ExportKind::Full, format)?;
        Ok(Self { folder, writer })
    }

    /// Returns the folder of the export.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes an item in canonical DynamoDB JSON.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn write_encoded(&mut self, json: &str) -> Result<(), FolderError> {
        self.writer.write_encoded(json)
    }

    /// Writes an item.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn write(&mut self, item: &Item) -> Result<(), FolderError> {
        self.writer.write(item)
    }

    /// Writes the manifests. Version, counts, format and the place of the other manifest are filled in.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn finish(self, summary: ExportSummary) -> Result<ExportSummary, FolderError> {
        Ok(self.writer.finish(summary)?.0)
    }
}

/// A folder in which keys are paths.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
}

impl ExportTarget for Folder {
    type Error = FolderError;
    type File = BufWriter<File>;

    fn create(&mut self, key: &str) -> Result<Self::File, FolderError> {
        let path = self.root.join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(FolderError::io(folder))?;
        }
        let file = File::create(&path).map_err(FolderError::io(&path))?;
        Ok(BufWriter::with_capacity(256 * 1024, file))
    }

    fn finish(&mut self, key: &str, file: Self::File) -> Result<Option<String>, FolderError> {
        let path = self.root.join(key);
        let file = file.into_inner().map_err(|error| FolderError::io(&path)(error.into_error()))?;
        file.sync_all().map_err(FolderError::io(&path))?;
        Ok(None)
    }

    fn failed(&self, key: &str, error: io::Error) -> FolderError {
        FolderError::io(self.root.join(key))(error)
    }
}
