//! Streaming JSON of any size: one value at a time, with its line.

use std::io::{self, BufRead};

/// A position in a stream of JSON.
pub(crate) struct Cursor<'r> {
    reader: Box<dyn BufRead + 'r>,
    line: u64,
}

/// The text of a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RawValue {
    Whole(String),
    /// The beginning of a value that is longer than the limit.
    TooLong(Vec<u8>),
}

/// Why a value cannot be read.
#[derive(Debug)]
pub(crate) enum CursorFault {
    Read(io::Error),
    /// The line and the reason.
    Syntax(u64, String),
}

impl From<io::Error> for CursorFault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<'r> Cursor<'r> {
    /// Returns a cursor that begins in line `line` of a file.
    pub(crate) fn new(reader: impl BufRead + 'r, line: u64) -> Self {
        Self { reader: Box::new(reader), line }
    }

    /// Returns the number of the line, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Returns a cursor that reads `prefix` again, and then the rest of this one.
    pub(crate) fn after<'s>(&'s mut self, prefix: &'s [u8], line: u64) -> Cursor<'s> {
        Cursor { reader: Box::new(io::Read::chain(prefix, &mut self.reader)), line }
    }

    /// Sets the line, after another cursor has read on from here.
    pub(crate) fn set_line(&mut self, line: u64) {
        self.line = line;
    }

    /// Skips white space and a byte order mark. Returns the next byte.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, CursorFault> {
        loop {
            match self.next_byte()? {
                Some(b'\n') => {
                    self.line += 1;
                    self.reader.consume(1);
                }
                Some(b' ' | b'\t' | b'\r' | 0xef | 0xbb | 0xbf) => self.reader.consume(1),
                other => return Ok(other),
            }
        }
    }

    /// Skips the byte that [`peek`](Self::peek) has returned.
    pub(crate) fn pass(&mut self) {
        self.reader.consume(1);
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a value of at most `limit` bytes. Only its end is found: its content is not checked.
    pub(crate) fn value(&mut self, limit: usize) -> Result<RawValue, CursorFault> {
        let first = self.peek()?;
        let line = self.line;
        let mut scan = Scan::default();
        let mut bytes = Vec::new();
        let is_complete = loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if chunk.is_empty() {
                break scan.is_complete_at_end();
            }
            let (taken, is_complete) = scan.take(chunk, limit.saturating_sub(bytes.len()));
            self.line += chunk[..taken].iter().filter(|byte| **byte == b'\n').count() as u64;
            bytes.extend_from_slice(&chunk[..taken]);
            self.reader.consume(taken);
            if is_complete {
                break true;
            }
            if bytes.len() >= limit {
                return Ok(RawValue::TooLong(bytes));
            }
        };
        if !is_complete || first.is_none() || bytes.is_empty() {
            return Err(CursorFault::Syntax(line, "the JSON value is not complete".to_owned()));
        }
        String::from_utf8(bytes)
            .map(RawValue::Whole)
            .map_err(|_| CursorFault::Syntax(line, "the file is not text in UTF-8".to_owned()))
    }

    /// Reads the name of a member, and the colon after it.
    pub(crate) fn name(&mut self) -> Result<String, CursorFault> {
        const MAX_NAME: usize = 64 * 1024;
        if self.peek()? != Some(b'"') {
            return Err(self.fault("this is not JSON: a name in quotes is missing"));
        }
        let name = match self.value(MAX_NAME)? {
            RawValue::Whole(text) => serde_json::from_str(&text).ok(),
            RawValue::TooLong(_) => None,
        };
        let name = name.ok_or_else(|| self.fault("this is not the name of a member"))?;
        if self.peek()? != Some(b':') {
            return Err(self.fault("this is not JSON: a colon is missing"));
        }
        self.pass();
        Ok(name)
    }

    /// Skips a comma or the end of a list or map. Returns whether it was a comma.
    pub(crate) fn goes_on(&mut self, end: u8) -> Result<bool, CursorFault> {
        let found = self.peek()?;
        if found == Some(b',') || found == Some(end) {
            self.pass();
            return Ok(found == Some(b','));
        }
        Err(self.fault(&format!("this is not JSON: a comma or `{}` is missing", char::from(end))))
    }

    /// Skips the beginning of a list or map. Returns whether it has elements.
    pub(crate) fn begin(&mut self, end: u8) -> Result<bool, CursorFault> {
        self.peek()?;
        self.pass();
        if self.peek()? != Some(end) {
            return Ok(true);
        }
        self.pass();
        Ok(false)
    }

    pub(crate) fn fault(&self, reason: &str) -> CursorFault {
        CursorFault::Syntax(self.line, reason.to_owned())
    }
}

/// The state of the search for the end of a value.
#[derive(Default)]
struct Scan {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    /// Whether the value is a number or a word, which ends before punctuation or white space.
    is_bare: bool,
}

impl Scan {
    /// Looks for the end of the value in at most `most` bytes. Returns how many bytes belong to the value, and whether it is complete.
    fn take(&mut self, bytes: &[u8], most: usize) -> (usize, bool) {
        for (at, byte) in bytes.iter().take(most).enumerate() {
            if self.is_in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.is_in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if self.is_bare && matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n') {
                return (at, true);
            }
            match byte {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ if self.depth == 0 => self.is_bare = true,
                _ => {}
            }
        }
        (bytes.len().min(most), false)
    }

    fn is_complete_at_end(&self) -> bool {
        self.is_bare
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn values_are_cut_out_wherever_buffers_end() {
        let text = "\u{feff} {\"a\": [1, \"}\\\"\"]}\n\n[true]\n\"x\" 12\nnull";
        for size in 1..12 {
            let mut cursor = Cursor::new(BufReader::with_capacity(size, text.as_bytes()), 1);
            let mut found = Vec::new();
            while cursor.peek().unwrap().is_some() {
                let line = cursor.line();
                match cursor.value(100).unwrap() {
                    RawValue::Whole(text) => found.push((line, text)),
                    RawValue::TooLong(_) => panic!("too long"),
                }
            }
            let found: Vec<_> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
            let expected =
                [(1, "{\"a\": [1, \"}\\\"\"]}"), (3, "[true]"), (4, "\"x\""), (4, "12"), (5, "null")];
            assert_eq!(found, expected, "buffers of {size}");
        }
    }

    #[test]
    fn reading_continues_after_a_value_that_is_too_long() {
        let text = "{\"a\": [1,\n2,\n3]} 4";
        let mut cursor = Cursor::new(text.as_bytes(), 1);
        let RawValue::TooLong(prefix) = cursor.value(8).unwrap() else { panic!("whole") };
        assert_eq!(prefix, b"{\"a\": [1");
        let mut inner = cursor.after(&prefix, 1);
        assert_eq!(inner.value(100).unwrap(), RawValue::Whole("{\"a\": [1,\n2,\n3]}".to_owned()));
        assert_eq!(inner.line(), 3);
        drop(inner);
        assert_eq!(cursor.value(100).unwrap(), RawValue::Whole("4".to_owned()));
        assert!(matches!(cursor.value(100), Err(CursorFault::Syntax(..))));
    }
}
