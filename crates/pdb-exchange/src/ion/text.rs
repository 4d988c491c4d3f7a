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
    let records = match std::mem::take(scan).check() {
        Ok(()) => super::records(piece, needs_wrapper),
        Err(reason) => vec![Err(RecordFault::new(reason))],
    };
    records.into_iter().try_for_each(|record| {
        let entry = Entry { line: Some(line), ordinal: *ordinal, record };
        *ordinal += 1;
        each(entry)
    })
}

/// What is wrong with a text whose closing mark is missing.
const OPEN_TEXT: &str = "a text goes on behind the end of its line";

/// Where a line has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    /// In quotation marks of this kind. They go over several lines if the ends of the lines are escaped.
    Quoted(u8),
    /// In a text between triple quotation marks, which can go over several lines.
    Long,
    Comment,
    /// Behind `{{`, before it is known whether a text follows.
    BlobOrClob,
    /// In Base64, in which `//` is not a comment.
    Blob,
}

/// Looks through text for the ends of values, and for what must not be parsed.
///
/// It must take for a text or a comment exactly what the parser takes for one: brackets that only the parser sees would overflow its stack. Where
/// Ion does not allow what it finds, it does not guess: [`check`](Self::check) refuses the piece.
#[derive(Debug, Default)]
struct Scan {
    state: State,
    depth: usize,
    /// What was found of the value so far.
    size: Size,
    /// Whether the byte before belongs to a number, a symbol or the like.
    is_in_token: bool,
    /// Whether the marks of a text stand between the braces of a clob, where there are no comments.
    is_in_clob: bool,
    /// What is not allowed in Ion, so that the parser may see something else.
    fault: Option<&'static str>,
}

impl Scan {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.state != State::Outside
    }

    /// Returns why the piece must not be parsed.
    fn check(self) -> Result<(), String> {
        self.size.check()?;
        self.fault.map_or(Ok(()), |fault| Err(format!("this is not Ion: {fault}")))
    }

    /// Takes a line, from `at` on. Returns where a value ends that has brackets around it, if one does. Then the line has to be taken from there.
    fn value_end(&mut self, line: &[u8], mut at: usize) -> Option<usize> {
        let mut is_end_escaped = false;
        while let Some(byte) = line.get(at) {
            let rest = &line[at..];
            at += 1;
            match self.state {
                State::Quoted(_) | State::Long if *byte == b'\\' => {
                    // An escaped carriage return and the end of the line behind it are one end of a line.
                    is_end_escaped = rest.len() == 1 || rest == b"\\\r";
                    at += 1;
                }
                State::Quoted(mark) if *byte == mark => self.state = State::Outside,
                State::Quoted(_) if *byte == b'\r' => self.fault = Some(OPEN_TEXT),
                State::Long if rest.starts_with(b"'''") => {
                    self.state = State::Outside;
                    at += 2;
                }
                State::Comment if rest.starts_with(b"*/") => {
                    self.state = State::Outside;
                    at += 1;
                }
                State::BlobOrClob if byte.is_ascii_whitespace() => {}
                State::BlobOrClob if matches!(byte, b'"' | b'\'') => {
                    // Its braces count like others.
                    self.is_in_clob = true;
                    self.state = State::Outside;
                    self.depth += 2;
                    self.size.add_depth(self.depth);
                    at -= 1;
                }
                State::BlobOrClob | State::Blob if rest.starts_with(b"}}") => {
                    self.state = State::Outside;
                    at += 1;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                State::BlobOrClob => self.state = State::Blob,
                State::Quoted(_) | State::Long | State::Comment | State::Blob => {}
                State::Outside if rest.starts_with(b"//") || rest.starts_with(b"/*") => {
                    if self.is_in_clob {
                        self.fault = Some("a clob has a comment inside");
                    }
                    self.is_in_token = false;
                    at += 1;
                    if rest[1] == b'*' {
                        self.state = State::Comment;
                    } else {
                        // A carriage return ends the comment, too.
                        at += rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len()) - 2;
                    }
                }
                State::Outside if rest.starts_with(b"'''") => {
                    self.size.add_token();
                    self.state = State::Long;
                    at += 2;
                }
                State::Outside if rest.starts_with(b"{{") => {
                    self.size.add_token();
                    self.state = State::BlobOrClob;
                    at += 1;
                }
                State::Outside => {
                    if self.outside(*byte) {
                        return Some(at);
                    }
                }
            }
        }
        self.is_in_token = false;
        if matches!(self.state, State::Quoted(_)) && !is_end_escaped {
            self.fault = Some(OPEN_TEXT);
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
                self.is_in_clob = false;
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
}

#[cfg(test)]
mod tests {
    use ion_rs::{Element, Value};
    use proptest::prelude::*;

    use super::*;

    /// The levels of values within values, and whether one is an S-expression.
    fn levels(value: &Element) -> (usize, bool) {
        let of_all = |values: &mut dyn Iterator<Item = &Element>, is_expression: bool| {
            values
                .map(levels)
                .fold((1, is_expression), |(deepest, any), (deep, is)| (deepest.max(deep + 1), any || is))
        };
        match value.value() {
            Value::List(list) => of_all(&mut list.iter(), false),
            Value::SExp(values) => of_all(&mut values.iter(), true),
            Value::Struct(members) => of_all(&mut members.iter().map(|(_, value)| value), false),
            _ => (0, false),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// What the parser sees within brackets, the scan has seen as well.
        #[test]
        fn the_scan_hides_nothing(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "[]", "[[1]]", "{a:[1]}", "\"", "\"a\"", "'", "'a'", "''", "'''", "'''a'''", "\\", "\\\n", "\\\r\n",
                "\\\r", "\r", "\n", "\r\n", "//", "//\r", "/*", "*/", "/", "*", "{{", "}}", "{{\"a\"}}", "{{\n//8=\n}}", "{{AA==}}",
                ",", ":", "::", "a", "a:", "a::", "1", " ", "(", ")",
            ]), 1..9),
        ) {
            let text = format!("[{}]", pieces.concat());
            let (mut scan, mut lines) = (Scan::default(), Lines::new(text.as_bytes()));
            while let Some(Line::Whole(line)) = lines.next().unwrap() {
                let mut at = 0;
                while let Some(end) = scan.value_end(line, at) {
                    at = end;
                }
            }
            let parsed = std::panic::catch_unwind(|| Element::read_all(text.as_bytes()));
            if let (Ok(Ok(values)), None) = (parsed, scan.fault) {
                for value in values {
                    let (depth, has_expression) = levels(&value);
                    prop_assert!(depth <= scan.size.depth(), "{depth} levels in {text:?}, of which the scan saw {:?}", scan.size);
                    prop_assert!(!has_expression || scan.size.has_expression, "an expression in {text:?}");
                }
            }
        }
    }
}
