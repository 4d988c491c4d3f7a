//! Reading a request's body: bounded in size and time, unpacked if it is packed.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap};

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
    /// The connection broke, or the chunks were malformed.
    Broken(hyper::Error),
    /// Said to be gzip, and is not.
    NotGzip,
}

/// Reads a body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    patience: Duration,
) -> Result<Bytes, ReadError> {
    let bytes = tokio::time::timeout(patience, collect(body)).await.map_err(|_| ReadError::TimedOut)??;
    let is_gzip = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !is_gzip {
        return Ok(bytes);
    }
    // Up to 16 MiB come out of it: too much to do between two other requests.
    tokio::task::spawn_blocking(move || unpack(&bytes)).await.unwrap_or(Err(ReadError::NotGzip))
}

async fn collect(mut body: Incoming) -> Result<Bytes, ReadError> {
    if body.size_hint().lower() > MOST_BYTES as u64 {
        return drain(body, 0).await;
    }
    // Nearly all bodies arrive in one piece, which needs no copy.
    let Some(first) = next_data(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= MOST_BYTES {
        return Ok(first);
    }
    let mut all = BytesMut::from(first);
    while let Some(data) = next_data(&mut body).await? {
        all.extend_from_slice(&data);
        if all.len() > MOST_BYTES {
            return drain(body, all.len()).await;
        }
    }
    if all.len() > MOST_BYTES { Err(ReadError::TooLarge) } else { Ok(all.freeze()) }
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
async fn drain(mut body: Incoming, mut seen: usize) -> Result<Bytes, ReadError> {
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
