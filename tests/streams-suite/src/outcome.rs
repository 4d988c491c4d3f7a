//! The outcome of a case, and the macros that end a case.

use std::fmt;

/// Why a case ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The endpoint did not do what the case demands; the text says what it did instead.
    Failed(String),
    /// The case cannot tell anything here; the text says why.
    Skipped(String),
}

/// What a case returns.
pub type Outcome<T = ()> = Result<T, Stop>;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "{why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

impl Stop {
    /// Returns the same end with `what` said before it.
    pub fn during(self, what: &str) -> Stop {
        match self {
            Self::Failed(why) => Self::Failed(format!("{what}: {why}")),
            Self::Skipped(why) => Self::Skipped(format!("{what}: {why}")),
        }
    }
}

/// Ends the case as failed.
#[macro_export]
macro_rules! fail {
    ($($text:tt)*) => { return Err($crate::Stop::Failed(format!($($text)*))) };
}

/// Ends the case as failed unless the condition holds.
#[macro_export]
macro_rules! check {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err($crate::Stop::Failed(format!($($text)*)));
        }
    };
}

/// Ends the case as failed unless both sides are equal; the text says what is compared.
#[macro_export]
macro_rules! check_eq {
    ($actual:expr, $expected:expr, $($text:tt)*) => {{
        let (actual, expected) = (&$actual, &$expected);
        if actual != expected {
            return Err($crate::Stop::Failed(format!(
                "{}: expected {}, got {}",
                format!($($text)*),
                $crate::shown(expected),
                $crate::shown(actual),
            )));
        }
    }};
}

/// Returns a value as failure texts print it: nearly as JSON, and cut, so that a large item does not fill the screen.
pub fn shown(value: &(impl fmt::Debug + ?Sized)) -> String {
    let text = without_type_names(&format!("{value:?}"));
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// Takes the names of JSON's types out of a debug text: `Object {"a": String("b")}` becomes `{"a": "b"}`.
fn without_type_names(debug: &str) -> String {
    const WRAPPERS: [&str; 6] = ["String(", "Number(", "Bool(", "Some(", "Record(", "Shard("];
    let mut text = String::with_capacity(debug.len());
    let mut drops_closing: Vec<bool> = Vec::new();
    let mut rest = debug;
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        if first == '"' {
            // A literal is taken over whole, whatever is in it.
            let mut escaped = false;
            let ends = |c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            };
            taken = rest[1..].find(ends).map_or(rest.len(), |end| end + 2);
            text.push_str(&rest[..taken]);
        } else if let Some(wrapper) = WRAPPERS.into_iter().find(|wrapper| rest.starts_with(wrapper)) {
            drops_closing.push(true);
            taken = wrapper.len();
        } else if let Some(name) = ["Object ", "Array "].into_iter().find(|name| rest.starts_with(name)) {
            taken = name.len();
        } else if first == ')' && drops_closing.pop() == Some(true) {
        } else {
            if first == '(' {
                drops_closing.push(false);
            }
            text.push(first);
        }
        rest = &rest[taken..];
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prints_nearly_json() {
        let value = json!({"a": [{"S": "x)(\"y"}, 1, true, null]});
        assert_eq!(shown(&value), r#"{"a": [{"S": "x)(\"y"}, 1, true, Null]}"#);
        assert_eq!(shown(&(Some("a"), 2)), r#"("a", 2)"#);
    }
}
