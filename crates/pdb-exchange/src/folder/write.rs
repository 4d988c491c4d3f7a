//! Writing an export's folder, in the layout of S3.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use pdb_model::Item;

use super::{
    DATA, ExportSummary, FILES, FILES_CHECKSUM, FolderError, ManifestFile, ROOT, STARTED, SUMMARY,
    SUMMARY_CHECKSUM, checksum, data_file_name, manifest_files, s3_etag,
};
use crate::compression::{Compression, Packer};
use crate::format::Format;
use crate::write::ItemWriter;

/// How much unpacked text a data file gets before the next one begins.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Writes the folder of an export. The manifests come last, so a folder without them is not complete.
#[derive(Debug)]
pub struct ExportFolderWriter {
    folder: PathBuf,
    export_id: String,
    format: Format,
    open: Option<DataFile>,
    files: Vec<ManifestFile>,
}

type Output = Packer<Md5Writer<BufWriter<File>>>;

#[derive(Debug)]
struct DataFile {
    path: PathBuf,
    writer: ItemWriter<Output>,
    item_count: u64,
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
        let data = folder.join(DATA);
        fs::create_dir_all(&data).map_err(FolderError::io(&data))?;
        let started = folder.join(STARTED);
        File::create(&started).map_err(FolderError::io(&started))?;
        Ok(Self { folder, export_id: export_id.to_owned(), format, open: None, files: Vec::new() })
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
        self.write_with(|writer| writer.write_encoded(json))
    }

    /// Writes an item.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn write(&mut self, item: &Item) -> Result<(), FolderError> {
        self.write_with(|writer| writer.write(item))
    }

    fn write_with(
        &mut self,
        write: impl FnOnce(&mut ItemWriter<Output>) -> io::Result<()>,
    ) -> Result<(), FolderError> {
        if self.open.as_ref().is_some_and(|open| open.writer.written_bytes() >= MAX_FILE_BYTES) {
            self.close_file()?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open_file()?,
        };
        write(&mut open.writer).map_err(FolderError::io(&open.path))?;
        open.item_count += 1;
        self.open = Some(open);
        Ok(())
    }

    fn open_file(&self) -> Result<DataFile, FolderError> {
        let extension = if self.format == Format::Ion { "ion" } else { "json" };
        let name = data_file_name(&self.export_id, self.files.len() as u64);
        let path = self.folder.join(DATA).join(format!("{name}.{extension}.gz"));
        let file = File::create(&path).map_err(FolderError::io(&path))?;
        let output = Md5Writer { out: BufWriter::with_capacity(256 * 1024, file), md5: Md5::new() };
        let packer = Packer::new(output, Compression::Gzip).map_err(FolderError::io(&path))?;
        Ok(DataFile { writer: ItemWriter::new(packer, self.format), path, item_count: 0 })
    }

    fn close_file(&mut self) -> Result<(), FolderError> {
        let Some(DataFile { path, writer, item_count }) = self.open.take() else { return Ok(()) };
        let finished = writer.finish().and_then(Packer::finish);
        let Md5Writer { out, md5 } = finished.map_err(FolderError::io(&path))?;
        let file = out.into_inner().map_err(|error| FolderError::io(&path)(error.into_error()))?;
        file.sync_all().map_err(FolderError::io(&path))?;
        let md5: [u8; 16] = md5.finalize().into();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.files.push(ManifestFile {
            item_count,
            md5_checksum: BASE64.encode(md5),
            etag: s3_etag(&md5),
            data_file_s3_key: format!("{ROOT}/{}/{DATA}/{name}", self.export_id),
        });
        Ok(())
    }

    /// Writes the manifests. Version, counts, format and the place of the other manifest are filled in.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn finish(mut self, summary: ExportSummary) -> Result<ExportSummary, FolderError> {
        if self.files.is_empty() && self.open.is_none() {
            // An export has a data file also if the table is empty.
            self.open = Some(self.open_file()?);
        }
        self.close_file()?;
        let files = manifest_files(&self.files);
        self.put(FILES, &files)?;
        self.put(FILES_CHECKSUM, &checksum(files.as_bytes()))?;
        let summary = ExportSummary {
            version: "2020-06-30".to_owned(),
            manifest_files_s3_key: format!("{ROOT}/{}/{FILES}", self.export_id),
            item_count: self.files.iter().map(|file| file.item_count).sum(),
            output_format: if self.format == Format::Ion { "ION" } else { "DYNAMODB_JSON" }.to_owned(),
            ..summary
        };
        let text = summary.to_json();
        self.put(SUMMARY_CHECKSUM, &checksum(text.as_bytes()))?;
        self.put(SUMMARY, &text)?;
        Ok(summary)
    }

    fn put(&self, name: &str, content: &str) -> Result<(), FolderError> {
        let path = self.folder.join(name);
        fs::write(&path, content).map_err(FolderError::io(&path))
    }
}

/// Computes the MD5 of what passes through.
#[derive(Debug)]
struct Md5Writer<W> {
    out: W,
    md5: Md5,
}

impl<W: Write> Write for Md5Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.md5.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
