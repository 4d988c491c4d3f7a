//! The objects that a job reads.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pdb_exchange::{Compression, CsvOptions, Decompressor, Entry, Format, ReadError, ReadOptions};
use pdb_objects::{Object, ObjectError, ObjectStore};

use crate::failure::Failure;
use crate::input::{InputCompression, InputFormat, S3Source};

/// The most objects of a job.
const MAX_OBJECTS: usize = 50_000;

/// What a job reads, and how.
pub(crate) struct Input {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) source: S3Source,
    pub(crate) compression: Compression,
    pub(crate) options: ReadOptions,
}

/// Why an object was not read to its end.
pub(crate) enum Interruption {
    /// The store of objects has failed.
    Store(Failure),
    /// Its content is at fault, from here on.
    Content { reason: String, read: ReadBytes },
}

/// How much of an object was read: as it is stored, and unpacked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadBytes {
    pub(crate) stored: u64,
    pub(crate) unpacked: u64,
}

impl Input {
    pub(crate) fn new(
        objects: Arc<dyn ObjectStore>,
        source: S3Source,
        format: InputFormat,
        compression: InputCompression,
        csv: CsvOptions,
    ) -> Self {
        let format = match format {
            InputFormat::DynamoDbJson => Format::DynamoDbJson,
            InputFormat::Ion => Format::Ion,
            InputFormat::Csv => Format::Csv,
        };
        let compression = match compression {
            InputCompression::None => Compression::None,
            InputCompression::Gzip => Compression::Gzip,
            InputCompression::Zstd => Compression::Zstd,
        };
        let options = ReadOptions { csv, needs_wrapper: true, ..ReadOptions::new(format) };
        Self { objects, source, compression, options }
    }

    /// Returns all objects, in the byte order of their keys. The list ends early if `pulse`, which is called before it and at each object, says so.
    pub(crate) fn list(&self, pulse: &mut dyn FnMut() -> ControlFlow<()>) -> Result<Vec<Object>, Failure> {
        let mut found = Vec::new();
        if pulse().is_break() {
            return Ok(found);
        }
        let prefix = self.source.key_prefix.as_deref().unwrap_or_default();
        let listed = self.objects.list(&self.source.bucket, prefix, &mut |object| {
            // Consoles make empty objects that stand for folders.
            if object.size > 0 || !object.key.ends_with('/') {
                found.push(object);
            }
            if found.len() > MAX_OBJECTS { ControlFlow::Break(()) } else { pulse() }
        });
        listed.map_err(|error| Failure::of_object(&error))?;
        if found.len() > MAX_OBJECTS {
            let text = format!("There are more than {MAX_OBJECTS} objects under the prefix");
            return Err(Failure::new("S3ObjectLimitExceeded", text));
        }
        if found.is_empty() {
            let text = format!(
                "There is no object under the prefix `{prefix}` in the bucket `{}`",
                self.source.bucket
            );
            return Err(Failure::new("S3NoSuchKey", text));
        }
        Ok(found)
    }

    /// Passes the records of an object on, with how much of it was read. Reading ends if `pulse` fails. It is called whenever some of the content has
    /// been read or unpacked: also where there is no record, or nothing to unpack, for a long time.
    pub(crate) fn read(
        &self,
        key: &str,
        pulse: &mut (dyn FnMut() -> io::Result<()> + Send),
        each: &mut dyn FnMut(Entry, ReadBytes) -> ControlFlow<()>,
    ) -> Result<ReadBytes, Interruption> {
        let failed = |error: &ObjectError| Interruption::Store(Failure::of_object(error));
        let object = self.objects.open(&self.source.bucket, key).map_err(|error| failed(&error))?;
        let (stored, unpacked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let fault = Arc::new(Mutex::new(None));
        let pulse = Mutex::new(pulse);
        let ask = || (pulse.lock().unwrap_or_else(PoisonError::into_inner))();
        let watched = Watched { reader: object, bytes: stored.clone(), fault: fault.clone(), pulse: &ask };
        let so_far = || ReadBytes {
            stored: stored.load(Ordering::Relaxed),
            unpacked: unpacked.load(Ordering::Relaxed),
        };
        let read = Decompressor::new(watched, self.compression).map_err(ReadError::from).and_then(|reader| {
            let counted = Counted { reader, bytes: unpacked.clone(), pulse: &ask };
            pdb_exchange::read(counted, &self.options, &mut |entry| each(entry, so_far()))
        });
        // A decoder says in its own words that it got no more to read.
        if let Some(error) = fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failed(&ObjectError::from_io(&self.source.bucket, key, error)));
        }
        match read {
            Ok(()) => Ok(so_far()),
            Err(error) => Err(Interruption::Content { reason: said(&error), read: so_far() }),
        }
    }
}

fn said(error: &ReadError) -> String {
    match error.line() {
        Some(line) => format!("line {line}: {error}"),
        None => error.to_string(),
    }
}

/// Says whether to go on.
type Pulse<'p> = &'p (dyn Fn() -> io::Result<()> + Sync);

/// Counts what is read, asks whether to go on, and keeps the error of the store of objects.
struct Watched<'p> {
    reader: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
    fault: Arc<Mutex<Option<io::Error>>>,
    pulse: Pulse<'p>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.pulse)()?;
        match self.reader.read(buffer) {
            Ok(length) => {
                self.bytes.fetch_add(length as u64, Ordering::Relaxed);
                Ok(length)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let shown = io::Error::new(error.kind(), "the object cannot be read");
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(shown)
            }
        }
    }
}

/// Counts what is taken, and asks whether to go on.
struct Counted<'p, R> {
    reader: R,
    bytes: Arc<AtomicU64>,
    pulse: Pulse<'p>,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.pulse)()?;
        let length = self.reader.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        (self.pulse)()?;
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.fetch_add(amount as u64, Ordering::Relaxed);
        self.reader.consume(amount);
    }
}
