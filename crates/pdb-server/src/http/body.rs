//! Reading a request's body: bounded in size and time, unpacked if it is packed, with a permit for what has arrived of it if that
//! is much.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use tokio::time::{Instant, timeout};

use super::budget::{Budget, Permit, SMALL};
use super::encoding::{Encoding, UnknownEncoding};
use super::unpack::unpack;
use crate::pace::{Pace, PaceLimits, TooSlow};

/// The largest body, packed and unpacked: 16 MiB.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much of a body that is too large is read and thrown away, so that the client gets to see the answer.
const MOST_DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// Permits are taken for so many bytes at a time.
const STEP: usize = 64 * 1024;

/// Why there is no body to work on.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// More than 16 MiB, as sent or unpacked.
    TooLarge,
    /// The client was too slow.
    TimedOut,
    /// There was no permit for it for too long.
    NoPermit,
    /// The connection broke, or the chunks were malformed.
    Broken(hyper::Error),
    /// It is not what `Content-Encoding` says, as one whole.
    NotEncoded(Encoding),
    /// No encoding of that name is known.
    UnknownEncoding(UnknownEncoding),
}

/// Reads a body; returns it with the permit for it.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    budget: &Budget,
    limits: &PaceLimits,
) -> Result<(Bytes, Permit), ReadError> {
    let size = body.size_hint();
    if size.lower() > MOST_BYTES as u64 {
        return drain(body, 0, limits.window).await;
    }
    let expected = size.exact().map_or(0, |bytes| bytes as usize);
    let mut arriving = Arriving { body, pace: Pace::new(Instant::now()), received: 0, budget, limits };
    let mut collected = Collected::new(expected);
    let mut permit = Permit::default();
    while let Some(data) = arriving.next().await? {
        let length = collected.len() + data.len();
        if length > MOST_BYTES {
            return drain(arriving.body, length, limits.window).await;
        }
        // As much as has come, and no more: what is announced may never come.
        if length > SMALL && !budget.try_grow(&mut permit, stepped(length), expected) {
            let asked = Instant::now();
            grow(budget, &mut permit, stepped(length), expected).await?;
            arriving.pace.excuse(asked.elapsed());
        }
        collected.add(data);
    }
    let bytes = collected.finish();
    match Encoding::of_request(headers).map_err(ReadError::UnknownEncoding)? {
        None => Ok((bytes, permit)),
        Some(encoding) => unpack(encoding, bytes, permit, budget).await,
    }
}

/// A length, rounded up so that permits are not taken for each packet.
fn stepped(length: usize) -> usize {
    length.next_multiple_of(STEP).min(MOST_BYTES)
}

/// Makes a permit one for so many bytes, and waits for them if need be.
pub(super) async fn grow(
    budget: &Budget,
    permit: &mut Permit,
    bytes: usize,
    expected: usize,
) -> Result<(), ReadError> {
    if budget.grow(permit, bytes, expected).await { Ok(()) } else { Err(ReadError::NoPermit) }
}

/// A body that is being sent.
struct Arriving<'a> {
    body: Incoming,
    pace: Pace,
    /// How many bytes have come.
    received: usize,
    budget: &'a Budget,
    limits: &'a PaceLimits,
}

impl Arriving<'_> {
    /// Waits for the next piece, as long as the client is not too slow.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if self.body.is_end_stream() {
            return Ok(None);
        }
        loop {
            match timeout(self.limits.tick(), next_data(&mut self.body)).await {
                Ok(data) => {
                    let data = data?;
                    // Nearly all bodies arrive in one piece. Others may come in so many that no wait is ever long.
                    if self.received > 0 {
                        self.check()?;
                    }
                    let bytes = data.as_ref().map_or(0, Bytes::len);
                    self.pace.advance(bytes);
                    self.received += bytes;
                    return Ok(data);
                }
                Err(_) => self.check()?,
            }
        }
    }

    fn check(&mut self) -> Result<(), ReadError> {
        let is_contended = self.received > SMALL && self.budget.contention().is_on();
        let checked = self.pace.check(Instant::now(), self.limits, is_contended);
        checked.map_err(|TooSlow| ReadError::TimedOut)
    }
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

    fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            let first = std::mem::take(&mut self.first);
            self.make_room(first.len() + data.len());
            self.all.extend_from_slice(&first);
        }
        self.make_room(data.len());
        self.all.extend_from_slice(&data);
    }

    /// Makes room for more, and for not much more than has come already: what is announced may never come.
    fn make_room(&mut self, bytes: usize) {
        if self.all.capacity() - self.all.len() < bytes {
            let rest = self.expected.saturating_sub(self.all.len());
            self.all.reserve(rest.min(self.all.len().max(STEP)).max(bytes));
        }
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

/// Reads on for a while, so that a client which is still sending is not cut off before it reads the answer.
async fn drain<T>(mut body: Incoming, mut seen: usize, patience: Duration) -> Result<T, ReadError> {
    let draining = async {
        while seen < MOST_DRAINED_BYTES
            && let Some(data) = next_data(&mut body).await?
        {
            seen += data.len();
        }
        Err(ReadError::TooLarge)
    };
    timeout(patience, draining).await.map_err(|_| ReadError::TimedOut)?
}
