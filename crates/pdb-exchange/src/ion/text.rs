//! Cutting text Ion into records: lines, and more lines as long as a value is open.

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::MAX_RECORD_TEXT;
use crate::lines::{Line, Lines};
use crate::record::{Entry, ReadError, RecordFault};

/// Reads all records.
pub(super) fn read(
    reader: impl BufRead,
    needs_wrapper: bool,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut lines = Lines::new(reader);
    let mut ordinal = 0;
    let (mut piece, mut scan, mut first_line) = (Vec::new(), Scan::default(), 1);
    while let Some(line) = lines.next()? {
        let bytes = match line {
            Line::Whole(bytes) if piece.len() + bytes.len() < MAX_RECORD_TEXT => bytes,
            _ if scan.is_open() => {
                return Err(ReadError::at_line(
                    first_line,
                    "a value is longer than an item can be, or has no end",
                ));
            }
            _ => {
                let record = Err(RecordFault::new("the line is longer than an item can be"));
                let entry = Entry { line: Some(lines.number()), ordinal, record };
                ordinal += 1;
                if each(entry).is_break() {
                    return Ok(());
                }
                continue;
            }
        };
        scan.take(bytes);
        piece.extend_from_slice(bytes);
        piece.push(b'\n');
        if scan.is_open() {
            continue;
        }
        for record in super::records(&piece, needs_wrapper) {
            let entry = Entry { line: Some(first_line), ordinal, record };
            ordinal += 1;
            if each(entry).is_break() {
                return Ok(());
            }
        }
        piece.clear();
        scan = Scan::default();
        first_line = lines.number() + 1;
    }
    if scan.is_open() {
        return Err(ReadError::at_line(
            first_line,
            "the value that begins here is not complete: the file is cut short",
        ));
    }
    Ok(())
}

/// Where a line has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    /// In quotation marks of this kind.
    Quoted(u8),
    /// In a text between triple quotation marks, which can go over several lines.
    Long,
    Comment,
}

#[derive(Debug, Default)]
struct Scan {
    state: State,
    depth: usize,
}

impl Scan {
    fn is_open(&self) -> bool {
        self.depth > 0 || matches!(self.state, State::Long | State::Comment)
    }

    /// Takes a line.
    fn take(&mut self, line: &[u8]) {
        let mut at = 0;
        while let Some(byte) = line.get(at) {
            let rest = &line[at..];
            at += 1;
            match self.state {
                State::Quoted(_) | State::Long if *byte == b'\\' => at += 1,
                State::Quoted(mark) if *byte == mark => self.state = State::Outside,
                State::Long if rest.starts_with(b"'''") => {
                    self.state = State::Outside;
                    at += 2;
                }
                State::Comment if rest.starts_with(b"*/") => {
                    self.state = State::Outside;
                    at += 1;
                }
                State::Quoted(_) | State::Long | State::Comment => {}
                State::Outside if rest.starts_with(b"//") => break,
                State::Outside if rest.starts_with(b"/*") => {
                    self.state = State::Comment;
                    at += 1;
                }
                State::Outside if rest.starts_with(b"'''") => {
                    self.state = State::Long;
                    at += 2;
                }
                State::Outside if rest.starts_with(b"{{") => at = at.max(self.blob(line, at)),
                State::Outside => match byte {
                    b'"' | b'\'' => self.state = State::Quoted(*byte),
                    b'{' | b'[' | b'(' => self.depth += 1,
                    b'}' | b']' | b')' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                },
            }
        }
        // A text in single marks ends with its line; if it does not, the parser says so.
        if matches!(self.state, State::Quoted(_)) {
            self.state = State::Outside;
        }
    }

    /// Skips the Base64 of a blob, in which `//` is not a comment. Returns where the line goes on.
    fn blob(&mut self, line: &[u8], at: usize) -> usize {
        let inside = &line[at + 1..];
        let text = inside.trim_ascii_start();
        let is_clob = text.starts_with(b"\"") || text.starts_with(b"'''");
        if !is_clob && let Some(end) = inside.windows(2).position(|pair| pair == b"}}") {
            return at + 1 + end + 2;
        }
        // A clob, or a blob over several lines: its braces count like others.
        self.depth += 1;
        at
    }
}
