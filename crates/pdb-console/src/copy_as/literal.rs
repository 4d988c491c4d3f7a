//! Literals that three languages have in common: quoted texts, and groups that are broken into lines if they are long.

use std::borrow::Cow;

/// The longest group that stays on one line, in bytes.
const MAX_LINE: usize = 90;

/// An expression in some language.
pub(super) enum Literal {
    /// A text that stays as it is.
    Atom(String),
    /// Members between an opening and a closing text, each with what stands before it, such as its name.
    Group { open: Cow<'static, str>, members: Vec<(String, Literal)>, close: &'static str },
}

impl Literal {
    pub(super) fn group(
        open: impl Into<Cow<'static, str>>,
        members: impl IntoIterator<Item = (String, Self)>,
        close: &'static str,
    ) -> Self {
        Self::Group { open: open.into(), members: members.into_iter().collect(), close }
    }

    /// Returns a group whose members have no names.
    pub(super) fn list(
        open: impl Into<Cow<'static, str>>,
        members: impl IntoIterator<Item = Self>,
        close: &'static str,
    ) -> Self {
        Self::group(open, members.into_iter().map(|member| (String::new(), member)), close)
    }

    /// Returns the literal as a text. Its first line is indented already, by `indent` spaces.
    pub(super) fn text(&self, indent: usize) -> String {
        let mut out = String::new();
        self.write(indent, &mut out);
        out
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Atom(text) => out.push_str(text),
            Self::Group { .. } if self.fits(&mut MAX_LINE.saturating_sub(indent)) => self.write_line(out),
            Self::Group { open, members, close } => {
                out.push_str(open.trim_end());
                for (prefix, member) in members {
                    new_line(indent + 4, out);
                    out.push_str(prefix);
                    member.write(indent + 4, out);
                    out.push(',');
                }
                new_line(indent, out);
                out.push_str(close.trim_start());
            }
        }
    }

    fn write_line(&self, out: &mut String) {
        match self {
            Self::Atom(text) => out.push_str(text),
            Self::Group { open, members, close } => {
                out.push_str(open);
                for (index, (prefix, member)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(prefix);
                    member.write_line(out);
                }
                out.push_str(close);
            }
        }
    }

    /// Returns whether the literal fits into what is left of a line, and takes it from there.
    fn fits(&self, left: &mut usize) -> bool {
        let (own, members) = match self {
            Self::Atom(text) => (text.len(), &[][..]),
            Self::Group { open, members, close } => (open.len() + close.len(), &members[..]),
        };
        take(left, own)
            && members.iter().all(|(prefix, member)| take(left, prefix.len() + 2) && member.fits(left))
    }
}

fn take(left: &mut usize, bytes: usize) -> bool {
    let fits = bytes <= *left;
    *left = left.saturating_sub(bytes);
    fits
}

fn new_line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Returns a text in double quotes, for Python, JavaScript and Rust. What cannot be seen, or changes how what follows is seen, is
/// escaped as `escape` says; all these characters have four hexadecimal digits or fewer.
pub(super) fn quoted(text: &str, escape: fn(u32) -> String) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) => out.push_str(&escape(u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns whether a character cannot be seen, or turns the direction of others. Rust refuses some of these in literals.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns the escape of Python and JavaScript: `\u00e4`.
pub(super) fn four_digits(code: u32) -> String {
    format!("\\u{code:04x}")
}
