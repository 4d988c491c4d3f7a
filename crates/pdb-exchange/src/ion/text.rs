//! Cutting text Ion into records: lines, and more lines as long as a value is open.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::size::Size;
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
    let (mut ordinal, mut number) = (0, 0);
    let (mut piece, mut scan, mut first_line) = (Vec::new(), Scan::default(), 1);
    while let Some(line) = lines.next()? {
        number += 1;
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
                let entry = Entry { line: Some(number), ordinal, record };
                ordinal += 1;
                if each(entry).is_break() {
                    return Ok(());
                }
                continue;
            }
        };
        let mut begin = 0;
        while let Some(end) = scan.value_end(bytes, begin) {
            piece.extend_from_slice(&bytes[begin..end]);
            begin = end;
            if pass_on(&piece, &mut scan, first_line, &mut ordinal, needs_wrapper, each).is_break() {
                return Ok(());
            }
            piece.clear();
            first_line = number;
        }
        piece.extend_from_slice(&bytes[begin..]);
        piece.push(b'\n');
        if scan.is_open() {
            continue;
        }
        // What is left is no struct: a version, a comment, or a fault.
        if !piece.trim_ascii().is_empty()
            && pass_on(&piece, &mut scan, first_line, &mut ordinal, needs_wrapper, each).is_break()
        {
            return Ok(());
        }
        piece.clear();
        first_line = number + 1;
    }
    if scan.is_open() {
        return Err(ReadError::at_line(
            first_line,
            "the value that begins here is not complete: the file is cut short",
        ));
    }
    Ok(())
}

/// Passes on the records of a piece of text that has whole values.
fn pass_on(
    piece: &[u8],
    scan: &mut Scan,
    line: u64,
    ordinal: &mut u64,
    needs_wrapper: bool,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let records = match std::mem::take(scan).size.check() {
        Ok(()) => super::records(piece, needs_wrapper),
        Err(reason) => vec![Err(RecordFault::new(reason))],
    };
    records.into_iter().try_for_each(|record| {
        let entry = Entry { line: Some(line), ordinal: *ordinal, record };
        *ordinal += 1;
        each(entry)
    })
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
    /// What was found of the value so far.
    size: Size,
    /// Whether the byte before belongs to a number, a symbol or the like.
    is_in_token: bool,
}

impl Scan {
    fn is_open(&self) -> bool {
        self.depth > 0 || matches!(self.state, State::Long | State::Comment)
    }

    /// Takes a line, from `at` on. Returns where a value ends that has brackets around it, if one does. Then the line has to be taken from there.
    fn value_end(&mut self, line: &[u8], mut at: usize) -> Option<usize> {
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
                    self.is_in_token = false;
                    self.state = State::Comment;
                    at += 1;
                }
                State::Outside if rest.starts_with(b"'''") => {
                    self.size.add_token();
                    self.state = State::Long;
                    at += 2;
                }
                State::Outside if rest.starts_with(b"{{") => {
                    self.size.add_token();
                    at = at.max(self.blob(line, at));
                }
                State::Outside => {
                    if self.outside(*byte) {
                        return Some(at);
                    }
                }
            }
        }
        self.is_in_token = false;
        // A text in single marks ends with its line; if it does not, the parser says so.
        if matches!(self.state, State::Quoted(_)) {
            self.state = State::Outside;
        }
        None
    }

    /// Takes a byte that is in no text and in no comment. Returns whether a value ends with it.
    fn outside(&mut self, byte: u8) -> bool {
        let was_in_token = std::mem::replace(&mut self.is_in_token, false);
        match byte {
            b'"' | b'\'' => {
                self.size.add_token();
                self.state = State::Quoted(byte);
            }
            b'{' | b'[' | b'(' => {
                self.size.has_expression |= byte == b'(';
                self.size.add_token();
                self.depth += 1;
                self.size.add_depth(self.depth);
            }
            b'}' | b']' | b')' => {
                let was_open = self.depth > 0;
                self.depth = self.depth.saturating_sub(1);
                return was_open && self.depth == 0;
            }
            b',' | b':' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                self.is_in_token = true;
                if !was_in_token {
                    self.size.add_token();
                }
            }
        }
        false
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
