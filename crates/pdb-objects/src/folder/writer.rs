//! Writes an object into a file beside the one that it becomes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fmt, fs, mem};

use object_store::MultipartUpload;

use super::block_on::block_on;
use super::failure;
use crate::{ObjectError, ObjectWriter};

/// How much is kept before it is written.
const BUFFER: usize = 1 << 20;

pub(super) struct Writer {
    bucket: String,
    key: String,
    /// The folder of the bucket.
    path: PathBuf,
    /// `None` after a failure and at the end. Dropping it removes the file.
    upload: Option<Box<dyn MultipartUpload>>,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(bucket: &str, key: &str, path: PathBuf, upload: Box<dyn MultipartUpload>) -> Self {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Self { bucket, key, path, upload: Some(upload), buffer: Vec::new() }
    }

    fn write_buffer(&mut self) -> Result<(), ObjectError> {
        let part = mem::take(&mut self.buffer);
        let Some(upload) = &mut self.upload else {
            let reason = io::Error::other("an earlier part of the object was not written");
            return Err(ObjectError::of_file(&self.bucket, &self.key, reason));
        };
        block_on(upload.put_part(part.into())).map_err(|error| {
            // At once, so that a full disk has its space back.
            self.give_up();
            failure(&self.bucket, &self.key, error)
        })
    }

    /// Removes the file, and the folders that were made for it.
    fn give_up(&mut self) {
        if self.upload.take().is_none() {
            return;
        }
        let file = self.path.join(&self.key);
        let folders = file.ancestors().skip(1).take_while(|folder| *folder != self.path);
        // Folders with files remain, and end the search.
        for folder in folders.map(Path::to_owned).collect::<Vec<_>>() {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= BUFFER {
            self.write_buffer()?;
        }
        let taken = bytes.len().min(BUFFER - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Does nothing: an object that is not finished is not there.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Writer {
    fn finish(mut self: Box<Self>) -> Result<Option<String>, ObjectError> {
        self.write_buffer()?;
        let Some(upload) = &mut self.upload else { return Ok(None) };
        let finished = block_on(upload.complete());
        finished.map_err(|error| failure(&self.bucket, &self.key, error))?;
        self.upload = None;
        Ok(None)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("bucket", &self.bucket).field("key", &self.key).finish_non_exhaustive()
    }
}
