//! Reading a request's body: bounded in size and time, unpacked if it is packed, and given room if it is large.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap};

use super::room::{Held, Room, SMALL};

/// The largest body, packed and unpacked: 16 MiB.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much of a body that is too large is read and thrown away, so that the client gets to see the answer.
const MOST_DRAINED_BYTES: usize = 64 * 1024 * 1024;

/// Why there is no body to work on.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// More than 16 MiB, as sent or unpacked.
    TooLarge,
    /// The client was too slow.
    TimedOut,
    /// There was no room for it in all that time.
    NoRoom,
    /// The connection broke, or the chunks were malformed.
    Broken(hyper::Error),
    /// Said to be gzip, and is not.
    NotGzip,
}

/// Reads a body; returns it with the room it occupies.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    room: &Room,
    patience: Duration,
) -> Result<(Bytes, Held), ReadError> {
    let size = body.size_hint();
    if size.lower() > MOST_BYTES as u64 {
        return timed(patience, drain(body, 0)).await;
    }
    let is_gzip = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    // What is packed may become as large as a body may be.
    let known = if is_gzip { Some(MOST_BYTES) } else { size.exact().map(|bytes| bytes as usize) };
    let mut held = find(room, known.unwrap_or(0), patience).await?;
    let mut read = Collected::new(size.exact().map_or(0, |bytes| bytes as usize));
    if known.is_none() {
        // Chunks tell no size beforehand, and are few as a rule.
        timed(patience, read.collect(&mut body, SMALL)).await?;
        if !body.is_end_stream() {
            held = find(room, MOST_BYTES, patience).await?;
        }
    }
    timed(patience, read.collect(&mut body, MOST_BYTES)).await?;
    if read.len() > MOST_BYTES {
        return timed(patience, drain(body, read.len())).await;
    }
    let bytes = read.finish();
    if !is_gzip {
        return Ok((bytes, held));
    }
    // Up to 16 MiB come out of it: too much to do between two other requests.
    let unpacked = tokio::task::spawn_blocking(move || unpack(&bytes)).await;
    Ok((unpacked.unwrap_or(Err(ReadError::NotGzip))?, held))
}

async fn find(room: &Room, bytes: usize, patience: Duration) -> Result<Held, ReadError> {
    room.of_body(bytes, patience).await.ok_or(ReadError::NoRoom)
}

async fn timed<T>(
    patience: Duration,
    reading: impl Future<Output = Result<T, ReadError>>,
) -> Result<T, ReadError> {
    tokio::time::timeout(patience, reading).await.map_err(|_| ReadError::TimedOut)?
}

/// What was read of a body.
struct Collected {
    /// What it is said to have.
    expected: usize,
    /// Nearly all bodies arrive in one piece, which needs no copy.
    first: Bytes,
    all: BytesMut,
}

impl Collected {
    fn new(expected: usize) -> Self {
        Self { expected, first: Bytes::new(), all: BytesMut::new() }
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    /// Reads until the body ends, or has more than `limit` bytes.
    async fn collect(&mut self, body: &mut Incoming, limit: usize) -> Result<(), ReadError> {
        while self.len() <= limit
            && !body.is_end_stream()
            && let Some(data) = next_data(body).await?
        {
            if self.len() == 0 {
                self.first = data;
                continue;
            }
            if self.all.is_empty() {
                self.all.reserve(self.expected);
                self.all.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.all.extend_from_slice(&data);
        }
        Ok(())
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

async fn next_data(body: &mut Incoming) -> Result<Option<Bytes>, ReadError> {
    while let Some(frame) = body.frame().await {
        // Trailers are of no interest.
        if let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Reads on, so that a client which is still sending is not cut off before it reads the answer.
async fn drain<T>(mut body: Incoming, mut seen: usize) -> Result<T, ReadError> {
    while seen < MOST_DRAINED_BYTES
        && let Some(data) = next_data(&mut body).await?
    {
        seen += data.len();
    }
    Err(ReadError::TooLarge)
}

fn unpack(packed: &[u8]) -> Result<Bytes, ReadError> {
    let mut unpacked = Vec::new();
    let limit = MOST_BYTES as u64 + 1;
    MultiGzDecoder::new(packed).take(limit).read_to_end(&mut unpacked).map_err(|_| ReadError::NotGzip)?;
    if unpacked.len() > MOST_BYTES { Err(ReadError::TooLarge) } else { Ok(unpacked.into()) }
}
