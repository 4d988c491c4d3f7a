//! The folder of an export to S3: data files, and manifests that list them (bulk-import-export.md sections 3.2 to 3.4).

mod manifest;
mod open;
mod write;
mod writer;

use std::io;
use std::path::PathBuf;

pub use manifest::{
    ExportSummary, ManifestFile, checksum, data_file_name, export_id, manifest_files, s3_etag,
};
pub use open::{ExportFile, ExportFolder};
pub use write::ExportFolderWriter;
pub use writer::{ExportKind, ExportTarget, ExportWriter};

/// The folder that every export has at its root.
pub(crate) const ROOT: &str = "AWSDynamoDB";
pub(crate) const SUMMARY: &str = "manifest-summary.json";
pub(crate) const SUMMARY_CHECKSUM: &str = "manifest-summary.checksum";
pub(crate) const FILES: &str = "manifest-files.json";
pub(crate) const FILES_CHECKSUM: &str = "manifest-files.checksum";
pub(crate) const STARTED: &str = "_started";
pub(crate) const DATA: &str = "data";

/// Why a folder cannot be used as an export.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder cannot be read or written.
    #[error("{}: {}", .path.display(), io_reason(.source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content does not fit together.
    #[error("{}: {reason}", .path.display())]
    Content {
        /// The file or folder.
        path: PathBuf,
        /// The reason, for people.
        reason: String,
    },
}

impl FolderError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn content(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Content { path: path.into(), reason: reason.into() }
    }
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
