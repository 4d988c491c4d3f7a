//! Opening and verifying an export's folder.

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};

use super::{
    DATA, ExportSummary, FILES, FILES_CHECKSUM, FolderError, ManifestFile, ROOT, STARTED, SUMMARY,
    SUMMARY_CHECKSUM, checksum,
};

/// A manifest is read whole. That of 50,000 files has some 12 MB.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// An export that was downloaded from S3, or written by [`ExportFolderWriter`](super::ExportFolderWriter).
#[derive(Clone, Debug)]
pub struct ExportFolder {
    /// What the export says about itself.
    pub summary: ExportSummary,
    /// The data files, in the order of the manifest.
    pub files: Vec<ExportFile>,
}

/// A data file of an export.
#[derive(Clone, Debug)]
pub struct ExportFile {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has, packed.
    pub bytes: u64,
    /// How many items it should have.
    pub item_count: u64,
    md5_checksum: String,
}

impl ExportFolder {
    /// Opens the export in a folder: that of the export itself, or one above it if there is only one export in it. Returns `None` if the
    /// folder has nothing of an export. The manifests are checked against their checksums, and every data file must be there.
    ///
    /// # Errors
    ///
    /// [`FolderError`] if an export is not complete or not sound, or there are several.
    pub fn open(folder: &Path) -> Result<Option<Self>, FolderError> {
        let Some(folder) = find(folder)? else { return Ok(None) };
        let summary = manifest(&folder, SUMMARY, SUMMARY_CHECKSUM)?;
        let summary: ExportSummary = serde_json::from_str(&summary).map_err(|error| {
            FolderError::content(folder.join(SUMMARY), format!("this is not a manifest: {error}"))
        })?;
        let listed = manifest(&folder, FILES, FILES_CHECKSUM)?;
        let mut files = Vec::new();
        for (at, line) in listed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let listed: ManifestFile = serde_json::from_str(line).map_err(|error| {
                FolderError::content(
                    folder.join(FILES),
                    format!("line {}: this is not a data file: {error}", at + 1),
                )
            })?;
            files.push(ExportFile::find(&folder, listed)?);
        }
        if summary.format().is_none() {
            let reason = format!("the format `{}` is not known", summary.output_format);
            return Err(FolderError::content(folder.join(SUMMARY), reason));
        }
        Ok(Some(Self { summary, files }))
    }

    /// Compares every data file with its checksum. `each` is called after every megabyte with the number of bytes, and can stop.
    /// Returns whether the end was reached.
    ///
    /// # Errors
    ///
    /// [`FolderError`] that names the first file that differs.
    pub fn verify(&self, each: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<bool, FolderError> {
        let mut buffer = vec![0; 1024 * 1024];
        for file in &self.files {
            let mut opened = File::open(&file.path).map_err(FolderError::io(&file.path))?;
            let mut md5 = Md5::new();
            loop {
                let read = opened.read(&mut buffer).map_err(FolderError::io(&file.path))?;
                if read == 0 {
                    break;
                }
                md5.update(&buffer[..read]);
                if each(read as u64).is_break() {
                    return Ok(false);
                }
            }
            if BASE64.encode(md5.finalize()) != file.md5_checksum {
                let reason = "the checksum in the manifest is another: the file is cut short or was changed";
                return Err(FolderError::content(&file.path, reason));
            }
        }
        Ok(true)
    }

    /// Returns the size of all data files, packed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl ExportFile {
    /// Finds a data file by the last part of its key. Keys name the bucket's folders, which may have been downloaded to any place.
    fn find(folder: &Path, listed: ManifestFile) -> Result<Self, FolderError> {
        let name = listed.data_file_s3_key.rsplit('/').next().unwrap_or_default();
        let is_plain = !name.is_empty() && name != ".." && name != "." && !name.contains('\\');
        if !is_plain {
            let reason = format!("`{}` is not the key of a data file", listed.data_file_s3_key);
            return Err(FolderError::content(folder.join(FILES), reason));
        }
        // The data files of incremental exports are in a folder that all of them share.
        let own = folder.join(DATA).join(name);
        let shared = folder.parent().map(|parent| parent.join(DATA).join(name));
        let path =
            [Some(own.clone()), shared].into_iter().flatten().find(|path| path.is_file()).unwrap_or(own);
        let found = fs::metadata(&path).map_err(FolderError::io(&path))?;
        Ok(Self {
            path,
            bytes: found.len(),
            item_count: listed.item_count,
            md5_checksum: listed.md5_checksum,
        })
    }
}

/// Finds the folder of an export in or below a folder.
fn find(folder: &Path) -> Result<Option<PathBuf>, FolderError> {
    if folder.join(SUMMARY).is_file() {
        return Ok(Some(folder.to_owned()));
    }
    if folder.join(STARTED).exists() {
        let reason = format!("the export is not complete: it has no {SUMMARY}");
        return Err(FolderError::content(folder, reason));
    }
    let root = if folder.file_name().is_some_and(|name| name == ROOT) {
        folder.to_owned()
    } else {
        folder.join(ROOT)
    };
    if !root.is_dir() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&root).map_err(FolderError::io(&root))? {
        let path = entry.map_err(FolderError::io(&root))?.path();
        if path.join(SUMMARY).is_file() || path.join(STARTED).exists() {
            found.push(path);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => find(one),
        _ => {
            found.sort_unstable();
            let names: Vec<_> =
                found.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy()).collect();
            let reason = format!("there are several exports: name the folder of one of {}", names.join(", "));
            Err(FolderError::content(root, reason))
        }
    }
}

/// Reads a manifest and compares it with its checksum, if there is one.
fn manifest(folder: &Path, name: &str, checksum_name: &str) -> Result<String, FolderError> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(FolderError::io(&path))?;
    let mut content = Vec::new();
    file.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut content).map_err(FolderError::io(&path))?;
    if content.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(FolderError::content(path, "the manifest is too large"));
    }
    // One description of AWS's names these files `.md5`.
    let names = [checksum_name.to_owned(), checksum_name.replace(".checksum", ".md5")];
    let expected = names.iter().find_map(|name| fs::read_to_string(folder.join(name)).ok());
    if expected.is_some_and(|expected| expected.trim() != checksum(&content)) {
        return Err(FolderError::content(
            path,
            "the checksum beside it is another: the file was changed or cut short",
        ));
    }
    String::from_utf8(content).map_err(|_| FolderError::content(path, "the manifest is not text in UTF-8"))
}
