//! A reader that does not take the beginning of an object for all of it.

use std::io::{self, Read};

/// Reads an object of known size. An end before that is an error, and what was added since is not read.
#[derive(Debug)]
pub(super) struct Whole<R> {
    reader: R,
    left: u64,
}

impl<R> Whole<R> {
    pub(super) fn new(reader: R, size: u64) -> Self {
        Self { reader, left: size }
    }
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        match self.reader.read(&mut buffer[..wanted])? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the object is cut short: its last {} bytes are missing", self.left),
            )),
            read => {
                self.left -= read as u64;
                Ok(read)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_ends_early_is_an_error() {
        let mut text = String::new();
        Whole::new(&b"abc"[..], 3).read_to_string(&mut text).unwrap();
        Whole::new(&b"abcdef"[..], 3).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcabc");
        let error = Whole::new(&b"abc"[..], 5).read_to_string(&mut text).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("its last 2 bytes"), "{error}");
    }
}
