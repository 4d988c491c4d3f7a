//! Writes an object: a small one with one request, a large one in parts.

use std::io::{self, Write};
use std::mem;

use object_store::ObjectStoreExt;

use super::failure::Missing;
use super::upload::Upload;
use super::{Target, tag};
use crate::{ObjectError, ObjectWriter};

/// The size of a part. S3 wants 5 MiB at least, and some services want all parts but the last to have one size.
const PART: usize = 8 << 20;

pub(super) struct Writer {
    target: Target,
    buffer: Vec<u8>,
    /// The parts before the buffer.
    upload: Option<Upload>,
    has_failed: bool,
}

impl Writer {
    pub(super) fn new(target: Target) -> Self {
        Self { target, buffer: Vec::new(), upload: None, has_failed: false }
    }

    fn send_part(&mut self) -> Result<(), ObjectError> {
        if self.has_failed {
            let reason = io::Error::other("an earlier part of the object was not written");
            return Err(self.target.failed(reason));
        }
        let part = mem::take(&mut self.buffer);
        let sent = self.upload.take().map_or_else(|| Upload::begin(&self.target), Ok);
        let sent = sent.and_then(|upload| self.upload.insert(upload).append(part));
        self.has_failed = sent.is_err();
        if self.has_failed {
            self.upload = None;
        }
        sent
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= PART {
            self.send_part()?;
        }
        let taken = bytes.len().min(PART - self.buffer.len());
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
        if self.upload.is_some() || self.has_failed {
            self.send_part()?;
        }
        let tag = if let Some(upload) = self.upload.take() {
            upload.finish()?
        } else {
            let (store, location) = (self.target.store.clone(), self.target.location.clone());
            let content = mem::take(&mut self.buffer);
            let put =
                self.target.wait(Missing::Bucket, async move { store.put(&location, content.into()).await });
            put?.e_tag
        };
        Ok(tag.map(|tag| tag::unquoted(&tag).to_owned()))
    }
}
