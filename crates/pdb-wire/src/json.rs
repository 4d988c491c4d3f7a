//! Writing JSON by hand into one buffer.
//!
//! Answers are built from stored text (items are kept as the JSON that clients get) and a few members around it; a tree of values
//! in between would cost more than everything else.

/// Room for what follows a list of items in an answer.
const END_BYTES: usize = 256;

/// A buffer in which one JSON value is written. It adds the commas.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: Vec<u8>,
}

impl JsonWriter {
    /// Returns an empty writer with room for an answer of this size.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// Writes an object and returns the bytes.
    pub(crate) fn object_of(members: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::with_capacity(256);
        json.object(members);
        json.into_bytes()
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Makes room for so many more bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// The finished text.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Puts a comma where the next element or name needs one.
    fn separate(&mut self) {
        if let Some(last) = self.out.last()
            && !matches!(last, b'{' | b'[' | b':')
        {
            self.out.push(b',');
        }
    }

    /// Writes `{...}`.
    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.begin_object();
        members(self);
        self.end_object();
    }

    /// Writes `[...]`.
    pub(crate) fn list<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.begin_list();
        for element in elements {
            write(self, element);
        }
        self.end_list();
    }

    /// Begins an object that [`end_object`](Self::end_object) ends, where a closure will not do.
    pub(crate) fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
    }

    /// Ends an object.
    pub(crate) fn end_object(&mut self) {
        self.out.push(b'}');
    }

    /// Begins a list that [`end_list`](Self::end_list) ends, where a closure will not do.
    pub(crate) fn begin_list(&mut self) {
        self.separate();
        self.out.push(b'[');
    }

    /// Ends a list.
    pub(crate) fn end_list(&mut self) {
        self.out.push(b']');
    }

    /// Writes `[...]` around the elements' JSON, and takes their buffer over instead of copying them if they are all but the
    /// beginning of the answer: they may be many megabytes.
    pub(crate) fn list_from(&mut self, elements: String) {
        self.begin_list();
        let begun = self.out.len();
        if begun < elements.len() {
            let length = elements.len();
            let mut out = elements.into_bytes();
            out.reserve_exact(begun + END_BYTES);
            out.resize(begun + length, 0);
            out.copy_within(..length, begun);
            out[..begun].copy_from_slice(&self.out);
            self.out = out;
        } else {
            self.out.extend_from_slice(elements.as_bytes());
        }
        self.end_list();
    }

    /// Writes the name of a member that needs no escapes; its value must follow.
    pub(crate) fn name(&mut self, name: &'static str) -> &mut Self {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self
    }

    /// Writes a name that came from outside; its value must follow.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.out.push(b':');
        self
    }

    /// Writes a string.
    pub(crate) fn text(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        let bytes = text.as_bytes();
        let mut from = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.extend_from_slice(&bytes[from..at]);
            from = at + 1;
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                control => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    let (high, low) = (usize::from(control >> 4), usize::from(control & 15));
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[high], HEX[low]]);
                }
            }
        }
        self.out.extend_from_slice(&bytes[from..]);
        self.out.push(b'"');
    }

    /// Writes text that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.separate();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Writes a piece of JSON unchanged. The caller adds commas and escapes.
    pub(crate) fn verbatim(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Writes a value by its `Display`, which must need no escapes. The caller adds the quotes.
    pub(crate) fn formatted(&mut self, value: impl std::fmt::Display) {
        use std::io::Write;
        // Writing to memory does not fail.
        let _ = write!(self.out, "{value}");
    }

    /// Writes an integer.
    pub(crate) fn integer(&mut self, value: impl itoa::Integer) {
        self.raw(itoa::Buffer::new().format(value));
    }

    /// Writes a boolean.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// Writes a number with as few decimals as it needs; `NaN` and infinity, which JSON lacks, as 0.
    pub(crate) fn decimal(&mut self, value: f64) {
        if value.is_finite() { self.raw(&value.to_string()) } else { self.raw("0") }
    }

    /// Writes a number, always with a fraction or an exponent; `NaN` and infinity, which JSON lacks, as 0.
    pub(crate) fn double(&mut self, value: f64) {
        self.raw(&format!("{:?}", if value.is_finite() { value } else { 0.0 }));
    }

    /// Writes epoch milliseconds as epoch seconds with up to three decimals.
    pub(crate) fn timestamp(&mut self, millis: i64) {
        let (seconds, fraction) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        if fraction == 0 {
            self.integer(seconds);
        } else {
            self.raw(format!("{seconds}.{fraction:03}").trim_end_matches('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_parses_back() {
        let text = "a\"b\\c\nd\u{1}é😀/\u{7f}\t\r";
        let json = JsonWriter::object_of(|json| json.key(text).text(text));
        let read: std::collections::BTreeMap<String, String> = serde_json::from_slice(&json).unwrap();
        assert_eq!(read[text], text);
    }

    #[test]
    fn commas_fall_between_members_and_elements() {
        let json = JsonWriter::object_of(|json| {
            json.name("a").list([1, 2], |json, n| json.integer(n));
            json.name("b").object(|_| ());
            json.name("c").list([(), ()], |json, ()| json.object(|json| json.name("d").boolean(true)));
            json.name("e").text("");
            json.name("f").decimal(0.5);
        });
        let expected = r#"{"a":[1,2],"b":{},"c":[{"d":true},{"d":true}],"e":"","f":0.5}"#;
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }

    #[test]
    fn lists_take_their_elements_over() {
        for elements in ["", "1", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"] {
            let json = JsonWriter::object_of(|json| {
                json.name("first").list_from(elements.to_owned());
                json.name("second").list_from(elements.to_owned());
                json.name("end").boolean(true);
            });
            let expected = format!(r#"{{"first":[{elements}],"second":[{elements}],"end":true}}"#);
            assert_eq!(String::from_utf8(json).unwrap(), expected);
        }
    }

    #[test]
    fn timestamps_have_millisecond_fractions() {
        for (millis, expected) in
            [(1_772_356_542_017, "1772356542.017"), (1_500, "1.5"), (2_000, "2"), (0, "0")]
        {
            let mut json = JsonWriter::default();
            json.timestamp(millis);
            assert_eq!(String::from_utf8(json.into_bytes()).unwrap(), expected);
        }
    }
}
