//! The body of an answer: bytes in memory, a file that is read while the client receives it, or events as they happen.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::console::EventsBody;
use crate::backup::BackupFile;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    Whole(Full<Bytes>),
    File(FileBody),
    Events(EventsBody),
}

/// A file that is being sent. Only one piece of it is in memory at a time, and no thread waits for the client.
#[derive(Debug)]
pub(crate) struct FileBody {
    /// How many bytes are still to be sent.
    left: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle(BackupFile),
    Reading(JoinHandle<(BackupFile, io::Result<Vec<u8>>)>),
    Ended,
}

impl FileBody {
    pub(crate) fn new(file: BackupFile) -> Self {
        Self { left: file.length, state: State::Idle(file) }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(_) if self.left == 0 => return Poll::Ready(None),
                State::Idle(mut file) => {
                    self.state = State::Reading(tokio::task::spawn_blocking(move || {
                        let chunk = file.read();
                        (file, chunk)
                    }));
                }
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    return Poll::Ready(Some(self.take(read.map_err(io::Error::other))));
                }
            }
        }
    }

    /// An error closes the connection, so that the client notices that the file is incomplete.
    fn take(&mut self, read: io::Result<(BackupFile, io::Result<Vec<u8>>)>) -> io::Result<Bytes> {
        let (file, chunk) = read?;
        let chunk = chunk?;
        if chunk.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(chunk.len() as u64);
        self.state = State::Idle(file);
        Ok(chunk.into())
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Whole(bytes) => {
                let frame = ready!(Pin::new(bytes).poll_frame(context));
                Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
            }
            Self::File(file) => {
                Poll::Ready(ready!(file.poll_chunk(context)).map(|chunk| chunk.map(Frame::data)))
            }
            Self::Events(events) => {
                Poll::Ready(ready!(events.poll_message(context)).map(|message| Ok(Frame::data(message))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_end_stream(),
            Self::File(file) => file.left == 0,
            Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => bytes.size_hint(),
            Self::File(file) => SizeHint::with_exact(file.left),
            Self::Events(_) => SizeHint::default(),
        }
    }
}
