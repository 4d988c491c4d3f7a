//! Lines of bounded length.

use std::io::{self, BufRead};

use crate::MAX_RECORD_TEXT;

/// The lines of a file. A line that is too long is skipped without holding it.
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
    buffer: Vec<u8>,
    limit: usize,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'b> {
    Whole(&'b [u8]),
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, number: 0, buffer: Vec::new(), limit: MAX_RECORD_TEXT }
    }

    /// Returns the number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let (mut is_there, mut is_too_long) = (false, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            is_there = true;
            let end = memchr::memchr(b'\n', chunk);
            let taken = end.map_or(chunk.len(), |at| at + 1);
            let content = &chunk[..end.unwrap_or(chunk.len())];
            if self.buffer.len() + content.len() > self.limit {
                is_too_long = true;
                self.buffer.clear();
            }
            if !is_too_long {
                self.buffer.extend_from_slice(content);
            }
            self.reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if !is_there {
            return Ok(None);
        }
        self.number += 1;
        if is_too_long {
            // One long line must not keep its memory for all others.
            self.buffer = Vec::new();
            return Ok(Some(Line::TooLong));
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        let start = if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Ok(Some(Line::Whole(&self.buffer[start..])))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_are_cut_wherever_buffers_end() {
        let text = b"\xef\xbb\xbfa\r\n\n0123456789\nend";
        for size in 1..8 {
            let mut lines = Lines::new(BufReader::with_capacity(size, &text[..]));
            lines.limit = 6;
            let mut seen = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                seen.push(match line {
                    Line::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    Line::TooLong => "...".to_owned(),
                });
            }
            assert_eq!(seen, ["a", "", "...", "end"], "buffers of {size}");
            assert_eq!(lines.number(), 4);
        }
    }
}
