//! Lays out JSON for people without reading its values, so that no number loses a digit.

/// The longest array or object that stays on one line, in bytes.
const MAX_LINE: usize = 72;

/// Returns a valid JSON text on several lines: what is short stays on one line.
pub(crate) fn pretty_json(json: &str) -> String {
    let mut layout = Layout { out: String::with_capacity(json.len() * 2), depth: 0, inline: 0 };
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let token = &rest[..token_length(rest, first)];
        layout.write(token, rest);
        rest = &rest[token.len()..];
    }
    layout.out
}

struct Layout {
    out: String,
    depth: usize,
    /// How many arrays and objects that stay on one line are open.
    inline: usize,
}

impl Layout {
    /// Appends a token, the first of the rest of the text.
    fn write(&mut self, token: &str, rest: &str) {
        match token {
            "{" | "[" => self.open(token, rest),
            "}" | "]" => self.close(token),
            "," if self.inline > 0 => self.out.push_str(", "),
            "," => {
                self.out.push(',');
                self.new_line();
            }
            ":" => self.out.push_str(": "),
            token if token.trim().is_empty() => {}
            token => self.out.push_str(token),
        }
    }

    fn open(&mut self, token: &str, rest: &str) {
        self.out.push_str(token);
        if self.inline > 0 || is_short(rest) {
            self.inline += 1;
        } else {
            self.depth += 1;
            self.new_line();
        }
    }

    fn close(&mut self, token: &str) {
        if self.inline > 0 {
            self.inline -= 1;
        } else {
            self.depth = self.depth.saturating_sub(1);
            self.new_line();
        }
        self.out.push_str(token);
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }
}

/// Returns whether the array or object at the beginning of a text ends before the line is full.
fn is_short(text: &str) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while at <= MAX_LINE {
        let Some(first) = text[at..].chars().next() else { return true };
        match first {
            '{' | '[' => depth += 1,
            '}' | ']' if depth <= 1 => return true,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        at += token_length(&text[at..], first);
    }
    false
}

/// Returns the length of the token at the beginning of a text, which is not empty.
fn token_length(text: &str, first: char) -> usize {
    match first {
        '"' => string_length(text),
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => text.find(['"', '{', '}', '[', ']', ',', ':']).unwrap_or(text.len()),
    }
}

fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_stay_on_one_line() {
        let long = "x".repeat(80);
        for (json, pretty) in [
            (r#"{"a":{"S":"x"},"b":[1,2]}"#.to_owned(), r#"{"a": {"S": "x"}, "b": [1, 2]}"#.to_owned()),
            (
                format!(r#"{{"a":{{"S":"x"}},"b":"{long}"}}"#),
                format!("{{\n  \"a\": {{\"S\": \"x\"}},\n  \"b\": \"{long}\"\n}}"),
            ),
            (
                format!(r#"{{"l":[{{"m":"{long}"}},[]]}}"#),
                format!("{{\n  \"l\": [\n    {{\n      \"m\": \"{long}\"\n    }},\n    []\n  ]\n}}"),
            ),
            ("{}".to_owned(), "{}".to_owned()),
            (
                "12345678901234567890.123456789012345678".to_owned(),
                "12345678901234567890.123456789012345678".to_owned(),
            ),
            (r#"{"\"{,:\\":"ä]\\\""}"#.to_owned(), r#"{"\"{,:\\": "ä]\\\""}"#.to_owned()),
        ] {
            assert_eq!(pretty_json(&json), pretty);
        }
    }

    #[test]
    fn what_is_not_json_causes_no_panic() {
        for text in ["", "\"", "\"\\", "]]}}", "{[", "ä\"ä", "{\"ä"] {
            let _ = pretty_json(text);
        }
    }
}
