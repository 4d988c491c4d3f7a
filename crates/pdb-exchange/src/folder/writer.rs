//! Writing an export in the layout of S3, to any place that takes files.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use pdb_model::Item;

use super::{
    DATA, ExportSummary, FILES, FILES_CHECKSUM, ManifestFile, ROOT, STARTED, SUMMARY, SUMMARY_CHECKSUM,
    checksum, data_file_name, manifest_files, s3_etag,
};
use crate::compression::{Compression, Packer};
use crate::format::Format;
use crate::write::{ChangeLine, ItemWriter};

/// How much unpacked text a data file gets before the next one begins.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// A place for the files of an export: a folder, or a bucket.
pub trait ExportTarget {
    /// Why a file cannot be written.
    type Error;
    /// A file that is being written.
    type File: Write;

    /// Begins a file.
    ///
    /// # Errors
    ///
    /// Those of the place.
    fn create(&mut self, key: &str) -> Result<Self::File, Self::Error>;

    /// Completes a file. Returns S3's tag of it, if the place has one.
    ///
    /// # Errors
    ///
    /// Those of the place.
    fn finish(&mut self, key: &str, file: Self::File) -> Result<Option<String>, Self::Error>;

    /// Returns the error of a file that was being written.
    fn failed(&self, key: &str, error: io::Error) -> Self::Error;
}

/// What an export consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// All items. The data files are in a folder of the export.
    Full,
    /// Changes. The data files are in a folder that all incremental exports share.
    Incremental,
}

/// Writes the files of an export: first an empty one that shows that the place can be written, then data, at last the manifests. An export without
/// manifests is not complete.
///
/// The keys of files depend on nothing but prefix, id and format. Who begins anew replaces the files of the earlier attempt.
#[derive(Debug)]
pub struct ExportWriter<T: ExportTarget> {
    target: T,
    kind: ExportKind,
    format: Format,
    export_id: String,
    /// What the key of every file begins with: the prefix, with a slash, or nothing.
    prefix: String,
    max_file_bytes: u64,
    open: Option<DataFile<T::File>>,
    files: Vec<ManifestFile>,
}

type Output<F> = Packer<Md5Writer<F>>;

#[derive(Debug)]
struct DataFile<F: Write> {
    key: String,
    writer: ItemWriter<Output<F>>,
    item_count: u64,
}

impl<T: ExportTarget> ExportWriter<T> {
    /// Begins an export under a prefix. The format is DynamoDB JSON or Ion.
    ///
    /// # Errors
    ///
    /// Those of the place.
    pub fn begin(
        target: T,
        prefix: Option<&str>,
        export_id: &str,
        kind: ExportKind,
        format: Format,
    ) -> Result<Self, T::Error> {
        let prefix = match prefix {
            None | Some("") => String::new(),
            Some(prefix) if prefix.ends_with('/') => prefix.to_owned(),
            Some(prefix) => format!("{prefix}/"),
        };
        let mut writer = Self {
            target,
            kind,
            format,
            export_id: export_id.to_owned(),
            prefix,
            max_file_bytes: MAX_FILE_BYTES,
            open: None,
            files: Vec::new(),
        };
        writer.put(STARTED, "")?;
        Ok(writer)
    }

    /// Sets after how many bytes of unpacked text the next data file begins: 256 MB by default.
    #[must_use]
    pub fn with_max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Returns the key of the summary, which is written last.
    #[must_use]
    pub fn summary_key(&self) -> String {
        self.own_key(SUMMARY)
    }

    /// Returns the key of the data file behind the last one so far.
    #[must_use]
    pub fn next_data_key(&self) -> String {
        self.data_key(self.files.len() + usize::from(self.open.is_some()))
    }

    /// Writes an item in canonical DynamoDB JSON.
    ///
    /// # Errors
    ///
    /// Those of the place.
    pub fn write_encoded(&mut self, json: &str) -> Result<(), T::Error> {
        self.write_with(|writer| writer.write_encoded(json))
    }

    /// Writes an item.
    ///
    /// # Errors
    ///
    /// Those of the place.
    pub fn write(&mut self, item: &Item) -> Result<(), T::Error> {
        self.write_with(|writer| writer.write(item))
    }

    /// Writes a change.
    ///
    /// # Errors
    ///
    /// Those of the place.
    pub fn write_change(&mut self, change: &ChangeLine<'_>) -> Result<(), T::Error> {
        self.write_with(|writer| writer.write_change(change))
    }

    fn write_with(
        &mut self,
        write: impl FnOnce(&mut ItemWriter<Output<T::File>>) -> io::Result<()>,
    ) -> Result<(), T::Error> {
        if self.open.as_ref().is_some_and(|open| open.writer.written_bytes() >= self.max_file_bytes) {
            self.close_file()?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open_file()?,
        };
        write(&mut open.writer).map_err(|error| self.target.failed(&open.key, error))?;
        open.item_count += 1;
        self.open = Some(open);
        Ok(())
    }

    fn open_file(&mut self) -> Result<DataFile<T::File>, T::Error> {
        let key = self.data_key(self.files.len());
        let output = Md5Writer { out: self.target.create(&key)?, md5: Md5::new() };
        let packer =
            Packer::new(output, Compression::Gzip).map_err(|error| self.target.failed(&key, error))?;
        Ok(DataFile { writer: ItemWriter::new(packer, self.format), key, item_count: 0 })
    }

    fn close_file(&mut self) -> Result<(), T::Error> {
        let Some(DataFile { key, writer, item_count }) = self.open.take() else { return Ok(()) };
        let finished = writer.finish().and_then(Packer::finish);
        let Md5Writer { out, md5 } = finished.map_err(|error| self.target.failed(&key, error))?;
        let etag = self.target.finish(&key, out)?;
        let md5: [u8; 16] = md5.finalize().into();
        self.files.push(ManifestFile {
            item_count,
            md5_checksum: BASE64.encode(md5),
            etag: etag.unwrap_or_else(|| s3_etag(&md5)),
            data_file_s3_key: key,
        });
        Ok(())
    }

    /// Writes the manifests. Counts, format and the place of the other manifest are filled in, and the version if the summary has none. Returns the
    /// summary, and the place.
    ///
    /// # Errors
    ///
    /// Those of the place.
    pub fn finish(mut self, summary: ExportSummary) -> Result<(ExportSummary, T), T::Error> {
        if self.files.is_empty() && self.open.is_none() {
            // An export has a data file also if the table is empty.
            self.open = Some(self.open_file()?);
        }
        self.close_file()?;
        let files = manifest_files(&self.files);
        self.put(FILES, &files)?;
        self.put(FILES_CHECKSUM, &checksum(files.as_bytes()))?;
        let version = match self.kind {
            ExportKind::Full => "2020-06-30",
            ExportKind::Incremental => "2023-08-01",
        };
        let summary = ExportSummary {
            version: version.to_owned(),
            manifest_files_s3_key: self.own_key(FILES),
            item_count: self.files.iter().map(|file| file.item_count).sum(),
            output_format: if self.format == Format::Ion { "ION" } else { "DYNAMODB_JSON" }.to_owned(),
            ..summary
        };
        let text = summary.to_json();
        self.put(SUMMARY_CHECKSUM, &checksum(text.as_bytes()))?;
        self.put(SUMMARY, &text)?;
        Ok((summary, self.target))
    }

    fn put(&mut self, name: &str, content: &str) -> Result<(), T::Error> {
        let key = self.own_key(name);
        let mut file = self.target.create(&key)?;
        file.write_all(content.as_bytes()).map_err(|error| self.target.failed(&key, error))?;
        self.target.finish(&key, file).map(drop)
    }

    fn own_key(&self, name: &str) -> String {
        format!("{}{ROOT}/{}/{name}", self.prefix, self.export_id)
    }

    fn data_key(&self, number: usize) -> String {
        let extension = if self.format == Format::Ion { "ion" } else { "json" };
        let name = data_file_name(&self.export_id, number as u64);
        let folder = match self.kind {
            ExportKind::Full => self.own_key(DATA),
            ExportKind::Incremental => format!("{}{ROOT}/{DATA}", self.prefix),
        };
        format!("{folder}/{name}.{extension}.gz")
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
