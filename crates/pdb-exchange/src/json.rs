//! A JSON parser that keeps numbers as they are written, and the lines of errors.

use crate::node::{Budget, MAX_DEPTH, Node, SyntaxFault, repeated_name};

/// Parses a JSON text that begins in line `first_line` of its file.
///
/// # Errors
///
/// [`SyntaxFault`] with the line in the file.
pub fn parse(text: &str, first_line: u64) -> Result<Node, SyntaxFault> {
    let mut parser = Parser { text, at: 0, budget: Budget::new() };
    let parsed = parser.document();
    parsed.map_err(|reason| {
        let before = text.as_bytes().get(..parser.at).unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        SyntaxFault::new(first_line + lines as u64, reason)
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    budget: Budget,
}

impl<'t> Parser<'t> {
    fn document(&mut self) -> Result<Node, String> {
        let node = self.value(MAX_DEPTH)?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err("there is more text after the JSON value".to_owned()),
        }
    }

    /// Skips white space and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn value(&mut self, levels: usize) -> Result<Node, String> {
        if levels == 0 {
            return Err(format!("lists and maps are nested deeper than {MAX_DEPTH} levels"));
        }
        if !self.budget.take(2 * size_of::<Node>()) {
            return Err("the file is too large for a schema or an item".to_owned());
        }
        match self.peek() {
            Some(b'{') => self.map(levels),
            Some(b'[') => self.list(levels),
            Some(b'"') => self.string().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(_) => Err("this is not JSON: a value is missing".to_owned()),
            None => Err("the JSON value is not complete".to_owned()),
        }
    }

    fn map(&mut self, levels: usize) -> Result<Node, String> {
        self.at += 1;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Map(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err("this is not JSON: a name in quotes is missing".to_owned());
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(format!("this is not JSON: a colon is missing after \"{name}\""));
            }
            self.at += 1;
            members.push((name, self.value(levels - 1)?));
            if !self.goes_on(b'}')? {
                break;
            }
        }
        match repeated_name(&members) {
            Some(name) => Err(format!("\"{name}\" appears twice in one object")),
            None => Ok(Node::Map(members)),
        }
    }

    fn list(&mut self, levels: usize) -> Result<Node, String> {
        self.at += 1;
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(elements));
        }
        loop {
            elements.push(self.value(levels - 1)?);
            if !self.goes_on(b']')? {
                return Ok(Node::List(elements));
            }
        }
    }

    /// Skips a comma or the end of a list or map.
    fn goes_on(&mut self, end: u8) -> Result<bool, String> {
        let found = self.peek();
        if found == Some(b',') || found == Some(end) {
            self.at += 1;
            return Ok(found == Some(b','));
        }
        Err(match found {
            None => "the JSON value is not complete".to_owned(),
            Some(_) => format!("this is not JSON: a comma or `{}` is missing", char::from(end)),
        })
    }

    fn string(&mut self) -> Result<String, String> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut end = start + 1;
        let mut is_plain = true;
        loop {
            match bytes.get(end) {
                None => return Err("the JSON value is not complete".to_owned()),
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    end += 1;
                }
                Some(0..=0x1f) => return Err("a string contains a control character".to_owned()),
                Some(_) => {}
            }
            end += 1;
        }
        // A backslash at the end of the text can have led beyond it.
        let whole = self.text.get(start..=end).ok_or("the JSON value is not complete")?;
        if !self.budget.take(whole.len()) {
            return Err("the file is too large for a schema or an item".to_owned());
        }
        let text = if is_plain {
            whole[1..whole.len() - 1].to_owned()
        } else {
            serde_json::from_str(whole).map_err(|_| "a string contains an invalid escape")?
        };
        self.at = end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Node, String> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|character: char| !matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        if !is_number(number) {
            return Err(format!("`{number}` is not a number in JSON"));
        }
        self.at += length;
        Ok(Node::Number(number.to_owned()))
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, String> {
        if !self.text[self.at..].starts_with(word) {
            return Err("this is not JSON: a value is missing".to_owned());
        }
        self.at += word.len();
        Ok(node)
    }
}

/// Returns whether a text is a number in JSON.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && exponent.is_none_or(are_digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let text =
            r#"{"n": 12345678901234567890123456789012345678, "f": 1.50, "e": -1E-7, "t": "a\u00e4\n"}"#;
        let node = parse(text, 1).unwrap();
        assert_eq!(node.get("n"), Some(&Node::Number("12345678901234567890123456789012345678".to_owned())));
        assert_eq!(node.get("f"), Some(&Node::Number("1.50".to_owned())));
        assert_eq!(node.get("e"), Some(&Node::Number("-1E-7".to_owned())));
        assert_eq!(node.get("t"), Some(&Node::Text("aä\n".to_owned())));
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line, reason) in [
            ("{\n\"a\": }", 8, "a value is missing"),
            ("{\"a\": 1,\n\n \"a\": 2}", 9, "\"a\" appears twice"),
            ("[1, 01]", 7, "`01` is not a number"),
            ("[1 2]", 7, "a comma or `]` is missing"),
            ("[\"\\", 7, "not complete"),
            ("[\"\\x\"]", 7, "an invalid escape"),
            ("[\"a\nb\"]", 7, "control character"),
            ("{\"a\"", 7, "a colon is missing"),
            ("[1", 7, "not complete"),
            ("", 7, "not complete"),
            ("nul", 7, "a value is missing"),
            ("[] []", 7, "more text after"),
        ] {
            let fault = parse(text, 7).unwrap_err();
            assert!(fault.line == line && fault.reason.contains(reason), "{text}: {fault:?}");
        }
        assert!(parse(&"[".repeat(100_000), 1).unwrap_err().reason.contains("nested deeper"));
    }

    proptest! {
        /// Every text either is read as serde_json reads it, or refused by both; our limits aside.
        #[test]
        fn it_agrees_with_serde(text in r#"[\[\]{}:,"\\0-9eE.+\-a-z \n]{0,24}"#) {
            let ours = parse(&text, 1);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (&ours, &theirs) {
                (Ok(node), Ok(value)) => prop_assert_eq!(&node.to_json(), value),
                (Err(fault), Ok(_)) => prop_assert!(fault.reason.contains("appears twice"), "{:?}", fault),
                (Ok(node), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{node:?}"),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
