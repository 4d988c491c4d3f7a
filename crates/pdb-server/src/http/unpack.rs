//! Unpacking the body of a request, with permits for what has come out of it.

use std::io::{self, Cursor, ErrorKind, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::body::{MOST_BYTES, ReadError, grow};
use super::budget::{Budget, Permit, SMALL};
use super::encoding::Encoding;

/// How many times as much is unpacked after each permit.
const UNPACKING_FACTOR: usize = 4;

/// Unpacks a body. Nothing of it is used unless all of it can be unpacked.
pub(super) async fn unpack(
    encoding: Encoding,
    packed: Bytes,
    mut permit: Permit,
    budget: &Budget,
) -> Result<(Bytes, Permit), ReadError> {
    let packed_bytes = packed.len();
    let mut unpacking = Unpacking { decoder: Decoder::new(encoding, packed), unpacked: Vec::new() };
    let mut limit = SMALL;
    loop {
        // Up to 16 MiB come out of it: too much to do between two other requests.
        let run =
            tokio::task::spawn_blocking(move || unpacking.run(limit).map(|is_done| (unpacking, is_done)));
        let failed = |_: io::Error| ReadError::NotEncoded(encoding);
        let is_done;
        (unpacking, is_done) = run.await.unwrap_or_else(|stopped| Err(stopped.into())).map_err(failed)?;
        if unpacking.unpacked.len() > MOST_BYTES {
            return Err(ReadError::TooLarge);
        }
        if is_done {
            return Ok((unpacking.unpacked.into(), permit));
        }
        limit = (limit * UNPACKING_FACTOR).min(MOST_BYTES + 1);
        grow(budget, &mut permit, packed_bytes + limit, limit).await?;
    }
}

/// A packed body, and what has come out of it.
struct Unpacking {
    decoder: Decoder,
    unpacked: Vec<u8>,
}

impl Unpacking {
    /// Unpacks until there are so many bytes, or all; returns whether these are all.
    fn run(&mut self, limit: usize) -> io::Result<bool> {
        let wanted = limit - self.unpacked.len();
        self.unpacked.reserve_exact(wanted);
        let mut part = (&mut self.decoder).take(wanted as u64);
        Ok(part.read_to_end(&mut self.unpacked)? < wanted)
    }
}

/// A packed body, read as what it holds. It ends where the packed one does, or in an error.
enum Decoder {
    Gzip(Box<MultiGzDecoder<Cursor<Bytes>>>),
    Deflate(Zlib),
}

impl Decoder {
    fn new(encoding: Encoding, packed: Bytes) -> Self {
        match encoding {
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Cursor::new(packed)))),
            Encoding::Deflate => {
                Self::Deflate(Zlib { packed, state: Decompress::new(true), has_ended: false })
            }
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Deflate(decoder) => decoder.read(buffer),
        }
    }
}

/// Reads the format of zlib. The library's own reader takes the end of the input for that of the data.
struct Zlib {
    packed: Bytes,
    state: Decompress,
    has_ended: bool,
}

impl Read for Zlib {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !buffer.is_empty() {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let rest = &self.packed[read as usize..];
            let status = self.state.decompress(rest, buffer, FlushDecompress::None)?;
            let (read, written) = (self.state.total_in() - read, self.state.total_out() - written);
            self.has_ended = status == Status::StreamEnd;
            if self.has_ended && (read as usize) < rest.len() {
                return Err(ErrorKind::InvalidData.into());
            }
            if written > 0 {
                return Ok(written as usize);
            }
            if read == 0 && !self.has_ended {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}
