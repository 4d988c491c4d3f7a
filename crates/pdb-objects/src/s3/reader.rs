//! Reads an object, and goes on where a connection breaks.

use std::io::{self, Read};
use std::mem;

use bytes::{Buf, Bytes};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use object_store::client::HttpError;
use object_store::{GetOptions, GetRange, ObjectStore as _};

use super::failure::Missing;
use super::{Target, transport};
use crate::ObjectError;

/// How much is taken from a connection at a time, if it is there.
const CHUNK: usize = 1 << 20;

type Stream = BoxStream<'static, object_store::Result<Bytes>>;

pub(super) struct Reader {
    target: Target,
    size: u64,
    tag: Option<String>,
    /// `None` after it broke.
    stream: Option<Stream>,
    /// What has come from the stream and was not read yet.
    ready: Vec<Bytes>,
    /// How much has come, of this stream and of those before it.
    position: u64,
    /// Whether the stream has brought anything. One that has not is not replaced: object_store has already tried for some time.
    has_progress: bool,
}

impl Reader {
    pub(super) fn open(target: Target) -> Result<Self, ObjectError> {
        let (store, location) = (target.store.clone(), target.location.clone());
        let found = target
            .wait(Missing::Key, async move { store.get_opts(&location, GetOptions::default()).await })?;
        let (size, tag) = (found.meta.size, found.meta.e_tag.clone());
        let stream = Some(found.into_stream());
        Ok(Self { target, size, tag, stream, ready: Vec::new(), position: 0, has_progress: false })
    }

    /// Opens the rest of the object, which must not have been replaced.
    fn reopen(&mut self) -> Result<Stream, ObjectError> {
        let (store, location) = (self.target.store.clone(), self.target.location.clone());
        let options = GetOptions {
            range: Some(GetRange::Offset(self.position)),
            if_match: self.tag.clone(),
            ..GetOptions::default()
        };
        let found =
            self.target.wait(Missing::Key, async move { store.get_opts(&location, options).await })?;
        // A service may not know conditions.
        if found.meta.e_tag != self.tag || found.meta.size != self.size {
            return Err(self.target.failed(io::Error::other("the object was replaced while it was read")));
        }
        Ok(found.into_stream())
    }

    /// Takes what comes next from the stream.
    fn fill(&mut self) -> Result<(), ObjectError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                self.has_progress = false;
                self.reopen()?
            }
        };
        let patience = self.target.shared.timeouts.attempt;
        let come = self.target.shared.runtime.wait(async move {
            let mut chunks = Vec::new();
            let mut length = 0;
            let next = async { Ok::<_, HttpError>(stream.next().await) };
            let mut next = transport::in_time(patience, next).await.map_err(io::Error::other);
            let end = loop {
                match next {
                    Err(error) => break Err(self_caused(error)),
                    Ok(None) => break Ok(false),
                    Ok(Some(Err(error))) => break Err(error),
                    Ok(Some(Ok(chunk))) => {
                        length += chunk.len();
                        chunks.push(chunk);
                    }
                }
                if length >= CHUNK {
                    break Ok(true);
                }
                match stream.next().now_or_never() {
                    Some(item) => next = Ok(item),
                    None => break Ok(true),
                }
            };
            (chunks, end, stream)
        });
        let (mut chunks, end, stream) = come.map_err(|error| self.target.failed(error))?;
        // Read from the end.
        chunks.reverse();
        self.ready = chunks;
        let come: u64 = self.ready.iter().map(|chunk| chunk.len() as u64).sum();
        self.position += come;
        self.has_progress |= come > 0;
        // Without a tag, the rest could be that of another object.
        let can_go_on = self.has_progress && self.tag.is_some();
        match end {
            Ok(true) => self.stream = Some(stream),
            Err(error) if !can_go_on => return Err(self.target.failure(error, Missing::Key)),
            Ok(false) if self.position < self.size && !can_go_on => {
                let missing = self.size - self.position;
                let reason = format!("the object is cut short: its last {missing} bytes are missing");
                return Err(self.target.failed(io::Error::new(io::ErrorKind::UnexpectedEof, reason)));
            }
            Err(_) | Ok(false) => {}
        }
        Ok(())
    }
}

/// Returns an error of ours as one of object_store.
fn self_caused(error: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(error) }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(chunk) = self.ready.last_mut() {
                let length = chunk.len().min(buffer.len());
                chunk.copy_to_slice(&mut buffer[..length]);
                if chunk.is_empty() {
                    self.ready.pop();
                }
                if length > 0 {
                    return Ok(length);
                }
            } else if self.position >= self.size {
                // Gives the connection back.
                drop(mem::take(&mut self.stream));
                return Ok(0);
            } else {
                self.fill()?;
            }
        }
    }
}
