//! Objects with records: how they are written, and read again.

use std::fmt;
use std::io::{self, BufRead, Cursor, Read, Write};
use std::ops::ControlFlow;

use pdb_exchange::{Compression, Decompressor, MAX_RECORD_TEXT, Packer};
use pdb_model::{EpochMillis, SequenceNumber};
use pdb_objects::{ObjectError, ObjectWriter};
use pdb_store::{ShardRow, Store, StoreError, StreamRow};
use sha2::{Digest, Sha256};

use crate::layout::object_name;
use crate::plan::Run;
use crate::record::{head_of, write_line};
use crate::{ArchiveError, ArchiveLocation, Segment};

/// How much text is read from the database in one transaction.
const PAGE: usize = 1 << 20;
/// An object of this size at most is kept in memory between its check and its use. A larger one is read twice.
const MAX_IN_MEMORY: u64 = 32 << 20;

/// Writes the records of a run as an object. Returns its entry in the manifest.
pub(crate) fn write(
    location: &ArchiveLocation,
    store: &Store,
    stream: &StreamRow,
    shard: &ShardRow,
    run: Run,
) -> Result<Segment, ArchiveError> {
    let number = |counter| shard.sequence_number(counter);
    let folder = location.shard_folder(&stream.arn, shard.id.as_str());
    let key = folder + &object_name(run.hour, number(run.after), number(run.last));
    let bad = |error: io::Error| ObjectError::from_io(&location.bucket, &key, error);
    let out = location.objects.create(&location.bucket, &key)?;
    let out = Hashing { inner: out, hash: Sha256::new(), bytes: 0 };
    let mut packer = Packer::new(out, Compression::Zstd).map_err(bad)?;
    let (mut next, mut records) = (run.first, 0);
    while next <= run.last {
        let mut page = String::new();
        let last = read_page(store, stream, shard.number, (next, run.last), &mut page, &mut records)?;
        packer.write_all(page.as_bytes()).map_err(bad)?;
        let Some(last) = last else { break };
        next = last.saturating_add(1);
    }
    if records != run.records {
        // The object is given up: its name promises what it does not have.
        let shard = shard.id.to_string();
        return Err(ArchiveError::Changed { stream: stream.arn.to_string(), shard });
    }
    let Hashing { inner, hash, bytes } = packer.finish().map_err(bad)?;
    inner.finish()?;
    Ok(Segment {
        key,
        after: number(run.after),
        first: number(run.first),
        last: number(run.last),
        records,
        oldest: run.oldest,
        newest: run.newest,
        bytes,
        sha256: hex(hash),
    })
}

/// Reads records of a shard as lines, in one transaction, and adds to their count. Returns the counter of the last one.
pub(crate) fn read_page(
    store: &Store,
    stream: &StreamRow,
    shard: u64,
    (from, through): (u64, u64),
    page: &mut String,
    records: &mut u64,
) -> Result<Option<u64>, StoreError> {
    let (mut last, mut failed) = (None, None);
    store.read(|tx| {
        // The rows may be those of another stream, if another database has taken the place of this one.
        if tx.stream(&stream.arn)?.is_none_or(|now| now.id != stream.id) {
            return Ok(());
        }
        tx.records(stream, shard, from, &mut |record| {
            if record.sequence_number.counter > through || page.len() >= PAGE {
                return ControlFlow::Break(());
            }
            if let Err(error) = write_line(page, &record, &stream.arn, stream.view_type) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
            *records += 1;
            last = Some(record.sequence_number.counter);
            ControlFlow::Continue(())
        })
    })?;
    failed.map_or(Ok(last), Err)
}

/// Counts and hashes what goes through.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashing<Box<dyn ObjectWriter>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: SequenceNumber,
    pub(crate) created: EpochMillis,
    /// Without the line break.
    pub(crate) text: String,
}

/// An object that is being read. It was checked as a whole before its first record.
pub(crate) struct OpenSegment {
    location: ArchiveLocation,
    pub(crate) segment: Segment,
    lines: Lines<'static>,
    read: u64,
    /// The number of the last line that was returned.
    pub(crate) position: SequenceNumber,
}

impl fmt::Debug for OpenSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSegment").field("key", &self.segment.key).field("read", &self.read).finish()
    }
}

impl OpenSegment {
    /// Checks an object and opens it.
    pub(crate) fn open(location: &ArchiveLocation, segment: &Segment) -> Result<Self, ArchiveError> {
        let key = &segment.key;
        let bad = |error: io::Error| ArchiveError::from(ObjectError::from_io(&location.bucket, key, error));
        let mut whole = Hashing { inner: open_object(location, key)?, hash: Sha256::new(), bytes: 0 };
        let mut kept = Vec::new();
        if segment.bytes <= MAX_IN_MEMORY {
            (&mut whole).take(segment.bytes + 1).read_to_end(&mut kept).map_err(bad)?;
        } else {
            io::copy(&mut whole, &mut io::sink()).map_err(bad)?;
        }
        if whole.bytes != segment.bytes {
            let size = segment.bytes;
            return Err(location.damaged(key, format!("it does not have the {size} bytes of the manifest")));
        }
        if hex(whole.hash) != segment.sha256 {
            return Err(location.damaged(key, "its checksum is not that of the manifest"));
        }
        let content: Box<dyn Read + Send> = match segment.bytes <= MAX_IN_MEMORY {
            true => Box::new(Cursor::new(kept)),
            false => open_object(location, key)?,
        };
        Ok(Self {
            location: location.clone(),
            segment: segment.clone(),
            lines: Lines(Decompressor::new(content, Compression::Zstd).map_err(bad)?),
            read: 0,
            position: segment.after,
        })
    }

    /// Returns the next record; `None` at the end, if the object has had all that the manifest says.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, ArchiveError> {
        let Self { location, segment, .. } = self;
        let Some(line) = self.lines.next(location, &segment.key)? else {
            if (self.read, self.position) != (segment.records, segment.last) {
                let reason = format!(
                    "it has {} records up to {}, and the manifest says {} up to {}",
                    self.read, self.position, segment.records, segment.last
                );
                return Err(location.damaged(&segment.key, reason));
            }
            return Ok(None);
        };
        if line.number <= self.position {
            let reason = format!("record {} comes after {}", line.number, self.position);
            return Err(location.damaged(&segment.key, reason));
        }
        self.read += 1;
        self.position = line.number;
        Ok(Some(line))
    }
}

/// Returns the entry of an object that no manifest names, from what is in it.
pub(crate) fn describe(
    location: &ArchiveLocation,
    key: &str,
    (after, last): (SequenceNumber, SequenceNumber),
) -> Result<Segment, ArchiveError> {
    let bad = |error: io::Error| ArchiveError::from(ObjectError::from_io(&location.bucket, key, error));
    let mut whole = Hashing { inner: open_object(location, key)?, hash: Sha256::new(), bytes: 0 };
    let mut found: Option<Segment> = None;
    let mut lines = Lines(Decompressor::new(&mut whole, Compression::Zstd).map_err(bad)?);
    while let Some(line) = lines.next(location, key)? {
        let segment = found.get_or_insert_with(|| Segment {
            key: key.to_owned(),
            after,
            first: line.number,
            last,
            records: 0,
            oldest: line.created,
            newest: line.created,
            bytes: 0,
            sha256: String::new(),
        });
        segment.records += 1;
        segment.oldest = segment.oldest.min(line.created);
        segment.newest = segment.newest.max(line.created);
        segment.last = line.number;
    }
    drop(lines);
    io::copy(&mut whole, &mut io::sink()).map_err(bad)?;
    match found {
        Some(mut segment) if segment.last == last && segment.first > after => {
            segment.bytes = whole.bytes;
            segment.sha256 = hex(whole.hash);
            Ok(segment)
        }
        _ => Err(location.damaged(key, "it does not have the records that its name says")),
    }
}

/// Opens an object that has to be there.
fn open_object(location: &ArchiveLocation, key: &str) -> Result<Box<dyn Read + Send>, ArchiveError> {
    location.objects.open(&location.bucket, key).map_err(|error| match error {
        ObjectError::NoSuchKey { .. } => location.damaged(key, "it is missing"),
        error => error.into(),
    })
}

/// The lines of an object.
struct Lines<'r>(Decompressor<'r>);

impl Lines<'_> {
    fn next(&mut self, location: &ArchiveLocation, key: &str) -> Result<Option<Line>, ArchiveError> {
        let mut line = Vec::new();
        let most = MAX_RECORD_TEXT as u64;
        let read = (&mut self.0).take(most).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            // What the decoder complains about is the object; all else is the way to it.
            Err(error) => {
                let is_content = matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
                );
                return Err(match is_content {
                    true => location.damaged(key, error),
                    false => ObjectError::from_io(&location.bucket, key, error).into(),
                });
            }
        }
        if line.pop() != Some(b'\n') {
            return Err(location.damaged(key, "its last line is cut short"));
        }
        let text = String::from_utf8(line).map_err(|_| location.damaged(key, "it is not UTF-8"))?;
        let (number, created) = head_of(&text)
            .map_err(|reason| location.damaged(key, format!("a line is not a stream record: {reason}")))?;
        Ok(Some(Line { number, created, text }))
    }
}
