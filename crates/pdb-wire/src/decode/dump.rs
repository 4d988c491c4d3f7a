//! Printing a value as AWS's validation texts show it: Java's `toString`, more or less.

use super::{Blob, Entries, Text};

/// How much of a value a text shows. AWS's limit, if it has one, is not known.
const MAX_SHOWN_BYTES: usize = 128 * 1024;

/// Returns what a text shows of a value.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_SHOWN_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether as much is printed as will be shown.
pub(crate) fn is_long(out: &str) -> bool {
    out.len() > MAX_SHOWN_BYTES
}

/// Prints a value inside `Value '...' at ...`.
pub(crate) trait Dump {
    /// Appends the value to `out`; may leave out what is behind the part that is shown.
    fn dump(&self, out: &mut String);

    /// The value alone.
    fn dumped(&self) -> String {
        let mut out = String::new();
        self.dump(&mut out);
        out
    }
}

/// Appends `member=value`, with the member's first letter in lower case; an absent member is `null`.
pub(crate) fn dump_member<T: Dump>(wire_name: &str, value: Option<&T>, out: &mut String) {
    let mut letters = wire_name.chars();
    out.extend(letters.next().map(|first| first.to_ascii_lowercase()));
    out.push_str(letters.as_str());
    out.push('=');
    match value {
        Some(value) => value.dump(out),
        None => out.push_str("null"),
    }
}

impl Dump for str {
    fn dump(&self, out: &mut String) {
        out.push_str(cut(self));
    }
}

impl Dump for Text<'_> {
    fn dump(&self, out: &mut String) {
        out.push_str(cut(self));
    }
}

impl Dump for Blob {
    fn dump(&self, out: &mut String) {
        out.push_str("java.nio.HeapByteBuffer[pos=0 lim=");
        out.push_str(&self.0.len().to_string());
        out.push_str(" cap=");
        out.push_str(&self.0.len().to_string());
        out.push(']');
    }
}

macro_rules! dump_display {
    ($($type:ty),*) => {
        $(impl Dump for $type {
            fn dump(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        })*
    };
}
dump_display!(bool, i32, i64, usize, f64);

impl<T: Dump> Dump for Vec<T> {
    fn dump(&self, out: &mut String) {
        out.push('[');
        for (index, element) in self.iter().enumerate() {
            if is_long(out) {
                break;
            }
            if index > 0 {
                out.push_str(", ");
            }
            element.dump(out);
        }
        out.push(']');
    }
}

impl<T: Dump> Dump for Entries<'_, T> {
    fn dump(&self, out: &mut String) {
        out.push('{');
        for (index, (name, value)) in self.iter().enumerate() {
            if is_long(out) {
                break;
            }
            if index > 0 {
                out.push_str(", ");
            }
            out.push_str(name);
            out.push('=');
            value.dump(out);
        }
        out.push('}');
    }
}
