//! Decompressing the body of a request, with permits for the decompressed bytes.

use std::io::{self, Cursor, ErrorKind, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::body::{MAX_BYTES, ReadError, grow};
use super::budget::{Budget, BudgetPermit, SMALL};
use super::encoding::Encoding;

/// How many times as much is decompressed after each permit.
const DECOMPRESSION_FACTOR: usize = 4;

/// Decompresses a body. If a part of it cannot be decompressed, none of it is used.
pub(super) async fn decompress(
    encoding: Encoding,
    compressed: Bytes,
    mut permit: BudgetPermit,
    budget: &Budget,
) -> Result<(Bytes, BudgetPermit), ReadError> {
    let compressed_bytes = compressed.len();
    let mut decompression =
        Decompression { decoder: Decoder::new(encoding, compressed), decompressed: Vec::new() };
    let mut limit = SMALL;
    loop {
        // The result may have 16 MiB, which takes too long for a thread that answers other requests.
        let run = tokio::task::spawn_blocking(move || {
            decompression.run(limit).map(|is_done| (decompression, is_done))
        });
        let failed = |_: io::Error| ReadError::NotEncoded(encoding);
        let is_done;
        (decompression, is_done) = run.await.unwrap_or_else(|stopped| Err(stopped.into())).map_err(failed)?;
        if decompression.decompressed.len() > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
        if is_done {
            return Ok((decompression.decompressed.into(), permit));
        }
        limit = (limit * DECOMPRESSION_FACTOR).min(MAX_BYTES + 1);
        grow(budget, &mut permit, compressed_bytes + limit, limit).await?;
    }
}

/// A compressed body, and the bytes decompressed so far.
struct Decompression {
    decoder: Decoder,
    decompressed: Vec<u8>,
}

impl Decompression {
    /// Decompresses until there are `limit` bytes, or all. Returns whether these are all.
    fn run(&mut self, limit: usize) -> io::Result<bool> {
        let wanted = limit - self.decompressed.len();
        self.decompressed.reserve_exact(wanted);
        let mut part = (&mut self.decoder).take(wanted as u64);
        Ok(part.read_to_end(&mut self.decompressed)? < wanted)
    }
}

/// A reader of the decompressed bytes. It ends with the end of the compressed data, or with an error.
enum Decoder {
    Gzip(Box<MultiGzDecoder<Cursor<Bytes>>>),
    Deflate(Zlib),
}

impl Decoder {
    fn new(encoding: Encoding, compressed: Bytes) -> Self {
        match encoding {
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Cursor::new(compressed)))),
            Encoding::Deflate => {
                Self::Deflate(Zlib { compressed, state: Decompress::new(true), has_ended: false })
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

/// Reads the zlib format. The library's own reader would take the end of the input for the end of the data.
struct Zlib {
    compressed: Bytes,
    state: Decompress,
    has_ended: bool,
}

impl Read for Zlib {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !buffer.is_empty() {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let rest = &self.compressed[read as usize..];
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
