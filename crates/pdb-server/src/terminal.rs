//! Text that is safe to print on a terminal.
//!
//! Names and values come from clients, and a terminal interprets control characters in them: they can clear the screen,
//! hide a line, or show text backwards. Everything that commands print for people, error messages and log lines pass
//! through here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Escapes the control characters of a line as in JSON (`\n`, `\u001b`).
///
/// Control characters are those of C0 and C1, DEL, and those that change the direction of text. In JSON, where they
/// occur only in strings, the result has the same meaning.
pub(crate) fn visible(line: &str) -> Cow<'_, str> {
    escaped(line, is_control)
}

/// Variant of [`visible`] for a text of several lines.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character != '\n' && is_control(character))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            plain if !is_escaped(plain) => shown.push(plain),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{:04x}", u32::from(other));
            }
        }
    }
    Cow::Owned(shown)
}

/// Returns the width of the terminal in columns; `None` if standard output is not a terminal.
pub(crate) fn width() -> Option<usize> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width).max(20))
}

/// Cuts a text to a width in columns. A text that was cut ends in `…`.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut room = width.saturating_sub(1);
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        shown.push(character);
    }
    shown.push('…');
    Cow::Owned(shown)
}

fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints a line for people on standard error.
pub(crate) fn warn(line: &str) {
    let line = line.replace(['\r', '\n'], " ");
    // If standard error is closed, there is no other place for the line.
    let _ = writeln!(io::stderr(), "pretender: {}", visible(&line));
}

/// A writer that escapes control characters of lines.
///
/// Each call of `write` must contain whole lines, as those of the log do: a character is not assembled from two calls.
pub(crate) struct VisibleLines<W>(pub(crate) W);

impl<W: io::Write> io::Write for VisibleLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(visible_lines(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, shown) in [
            ("plain äöü 漢字 \u{1f600}", "plain äöü 漢字 \u{1f600}"),
            ("\u{1b}[2J", "\\u001b[2J"),
            ("a\nb\rc\td\0", "a\\nb\\rc\\td\\u0000"),
            ("\u{7f}\u{80}\u{9b}31m\u{9f}\u{a0}", "\\u007f\\u0080\\u009b31m\\u009f\u{a0}"),
            ("\u{202a}\u{202e}\u{2066}\u{2069}", "\\u202a\\u202e\\u2066\\u2069"),
            ("\u{200e}\u{200f}\u{61c}\u{2028}", "\\u200e\\u200f\\u061c\\u2028"),
        ] {
            assert_eq!(visible(text), shown);
            assert_eq!(visible_lines(text), shown.replace("\\n", "\n"));
        }
    }

    #[test]
    fn texts_are_cut_by_columns() {
        for (text, width, expected) in [
            ("orders", 6, "orders"),
            ("orders", 5, "orde…"),
            ("漢字漢字", 6, "漢字…"),
            ("ab", 1, "…"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected);
        }
    }

    #[test]
    fn a_writer_keeps_lines() {
        let mut out = Vec::new();
        VisibleLines(&mut out).write_all("one\u{9b}\ntwo\u{7}\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "one\\u009b\ntwo\\u0007\n");
    }
}
