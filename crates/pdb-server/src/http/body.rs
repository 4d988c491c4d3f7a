//! Reading the body of a request, limited in size and time. A compressed body is decompressed. A large body needs a
//! permit for what has arrived of it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use super::budget::{Budget, BudgetPermit, SMALL};
use super::decompress::decompress;
use super::encoding::{Encoding, UnknownEncoding};
use crate::transfer::{TooSlow, TransferLimits, TransferMeter};

/// The maximum size of a body, compressed and decompressed: 16 MiB.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How much of a body that is too large is read and discarded, so that the client can read the answer.
const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// The granularity of permits.
const STEP: usize = 64 * 1024;

/// Why there is no body to process.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// More than 16 MiB, as sent or decompressed.
    TooLarge,
    /// The client was too slow.
    TimedOut,
    /// There was no permit before the timeout.
    NoPermit,
    /// The connection broke, or the chunks were malformed.
    Broken(hyper::Error),
    /// The body as a whole does not match its `Content-Encoding`.
    NotEncoded(Encoding),
    /// The encoding is unknown.
    UnknownEncoding(UnknownEncoding),
}

/// Reads a body. Returns it with its permit. `hash` gets the bytes as they were sent.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    budget: &Budget,
    limits: &TransferLimits,
    mut hash: Option<&mut Sha256>,
) -> Result<(Bytes, BudgetPermit), ReadError> {
    let size = body.size_hint();
    if size.lower() > MAX_BYTES as u64 {
        return drain(body, 0, limits.window).await;
    }
    let expected = size.exact().map_or(0, |bytes| bytes as usize);
    let mut arriving =
        Arriving { body, meter: TransferMeter::new(Instant::now()), received: 0, budget, limits };
    let mut collected = Collected::new(expected);
    let mut permit = BudgetPermit::default();
    while let Some(data) = arriving.next().await? {
        let length = collected.len() + data.len();
        if length > MAX_BYTES {
            return drain(arriving.body, length, limits.window).await;
        }
        // Only for what has arrived: a client may announce more than it ever sends.
        if length > SMALL && !budget.try_grow(&mut permit, stepped(length), expected) {
            let asked = Instant::now();
            grow(budget, &mut permit, stepped(length), expected).await?;
            arriving.meter.exclude(asked.elapsed());
        }
        // Piece by piece: the hash of a large body takes long enough to hold up other connections.
        if let Some(hash) = &mut hash {
            hash.update(&data);
        }
        collected.add(data);
    }
    let bytes = collected.finish();
    match Encoding::of_request(headers).map_err(ReadError::UnknownEncoding)? {
        None => Ok((bytes, permit)),
        Some(encoding) => decompress(encoding, bytes, permit, budget).await,
    }
}

/// Rounds a length up, so that a permit is not needed for each packet.
fn stepped(length: usize) -> usize {
    length.next_multiple_of(STEP).min(MAX_BYTES)
}

/// Grows a permit to so many bytes, and waits if necessary.
pub(super) async fn grow(
    budget: &Budget,
    permit: &mut BudgetPermit,
    bytes: usize,
    expected: usize,
) -> Result<(), ReadError> {
    if budget.grow(permit, bytes, expected).await { Ok(()) } else { Err(ReadError::NoPermit) }
}

/// A body that is arriving.
struct Arriving<'a> {
    body: Incoming,
    meter: TransferMeter,
    /// How many bytes have arrived.
    received: usize,
    budget: &'a Budget,
    limits: &'a TransferLimits,
}

impl Arriving<'_> {
    /// Waits for the next piece. Fails if the client is too slow.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if self.body.is_end_stream() {
            return Ok(None);
        }
        loop {
            match timeout(self.limits.tick(), next_data(&mut self.body)).await {
                Ok(data) => {
                    let data = data?;
                    // Nearly all bodies arrive in one piece. Others may arrive in so many pieces that no single wait is
                    // long.
                    if self.received > 0 {
                        self.check()?;
                    }
                    let bytes = data.as_ref().map_or(0, Bytes::len);
                    self.meter.advance(bytes);
                    self.received += bytes;
                    return Ok(data);
                }
                Err(_) => self.check()?,
            }
        }
    }

    fn check(&mut self) -> Result<(), ReadError> {
        let is_contended = self.received > SMALL && self.budget.contention().is_on();
        let checked = self.meter.check(Instant::now(), self.limits, is_contended);
        checked.map_err(|TooSlow| ReadError::TimedOut)
    }
}

/// The pieces of a body that have arrived.
struct Collected {
    /// The announced length.
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
            self.reserve(first.len() + data.len());
            self.all.extend_from_slice(&first);
        }
        self.reserve(data.len());
        self.all.extend_from_slice(&data);
    }

    /// Reserves space for more, but not much more than has already arrived: a client may announce more than it ever
    /// sends.
    fn reserve(&mut self, bytes: usize) {
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
        // Trailers are ignored.
        if let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Reads on for a while, because a client that is still sending would not read the answer if its connection were
/// closed.
async fn drain<T>(mut body: Incoming, mut seen: usize, patience: Duration) -> Result<T, ReadError> {
    let draining = async {
        while seen < MAX_DRAINED_BYTES
            && let Some(data) = next_data(&mut body).await?
        {
            seen += data.len();
        }
        Err(ReadError::TooLarge)
    };
    timeout(patience, draining).await.map_err(|_| ReadError::TimedOut)?
}
