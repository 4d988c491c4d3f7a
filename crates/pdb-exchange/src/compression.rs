//! Packing and unpacking as a stream.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::str::FromStr;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::UnknownName;

const BUFFER: usize = 64 * 1024;
/// A file can ask for a window of this size at most: it is the memory that reading takes. `zstd --long` goes up to here by default.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// How a file is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip; a file can have several members.
    Gzip,
    /// With Zstandard.
    Zstd,
}

impl Compression {
    /// Returns the name in options, such as `gzip`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Returns the ending of the names of such files, such as `.gz`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// Returns how a file is packed that begins with these bytes.
    #[must_use]
    pub fn of_head(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [Self::None, Self::Gzip, Self::Zstd]
            .into_iter()
            .find(|compression| compression.name() == text)
            .ok_or(UnknownName("none, gzip, zstd"))
    }
}

/// The unpacked content of a file. Only a buffer of it is in memory at a time.
pub struct Decompressor<'r>(Box<dyn BufRead + Send + 'r>);

impl<'r> Decompressor<'r> {
    /// Returns the content of a file.
    ///
    /// # Errors
    ///
    /// If there is no memory for the decoder. What is wrong with the file shows when it is read.
    pub fn new(file: impl Read + Send + 'r, compression: Compression) -> io::Result<Self> {
        let whole = BufReader::with_capacity(BUFFER, file);
        Ok(Self(match compression {
            Compression::None => Box::new(whole),
            Compression::Gzip => {
                let unpacked = Explained { reader: MultiGzDecoder::new(whole), name: "gzip" };
                Box::new(BufReader::with_capacity(BUFFER, unpacked))
            }
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
                let unpacked = Explained { reader: decoder, name: "Zstandard" };
                Box::new(BufReader::with_capacity(BUFFER, unpacked))
            }
        }))
    }
}

impl Read for Decompressor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl BufRead for Decompressor<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl fmt::Debug for Decompressor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decompressor")
    }
}

/// A decoder whose errors say what is wrong with the file.
struct Explained<R> {
    reader: R,
    name: &'static str,
}

impl<R: Read> Read for Explained<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let name = self.name;
        self.reader.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => {
                let text = format!("the file is cut short: its {name} data is not complete");
                io::Error::new(io::ErrorKind::UnexpectedEof, text)
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                let text = format!("the file is not in the format of {name}, or is damaged: {error}");
                io::Error::new(io::ErrorKind::InvalidData, text)
            }
            _ => error,
        })
    }
}

/// Packs what is written to it.
pub struct Packer<W: Write>(Encoder<W>);

enum Encoder<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    /// Returns a packer that writes to `out`.
    ///
    /// # Errors
    ///
    /// If there is no memory for the encoder.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(Self(match compression {
            Compression::None => Encoder::Plain(out),
            Compression::Gzip => Encoder::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            Compression::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(out, 0)?),
        }))
    }

    /// Writes the end of the packed data. Without it, the file is cut short.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Encoder::Plain(out) => Ok(out),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Encoder::Plain(out) => out.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encoder::Plain(out) => out.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstd(encoder) => encoder.flush(),
        }
    }
}

impl<W: Write> fmt::Debug for Packer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}
