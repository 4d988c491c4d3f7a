//! From text to tokens.

use crate::ExprError;

/// A token and its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// The offset of its first byte.
    pub(crate) start: usize,
}

impl Token<'_> {
    /// The offset after its last byte.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Identifier,
    Keyword(Keyword),
    /// `#name`.
    Name,
    /// `:value`.
    Value,
    /// Digits.
    Number,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Dot,
    Comma,
    Plus,
    Minus,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// A character that begins no token.
    Unknown,
    End,
}

/// Words of the grammar; their case does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    And,
    Or,
    Not,
    Between,
    In,
    Set,
    Remove,
    Add,
    Delete,
}

const KEYWORDS: [(&str, Keyword); 9] = [
    ("AND", Keyword::And),
    ("OR", Keyword::Or),
    ("NOT", Keyword::Not),
    ("BETWEEN", Keyword::Between),
    ("IN", Keyword::In),
    ("SET", Keyword::Set),
    ("REMOVE", Keyword::Remove),
    ("ADD", Keyword::Add),
    ("DELETE", Keyword::Delete),
];

/// Returns the tokens of an expression; the last one is [`Kind::End`].
pub(crate) fn tokenize(source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::with_capacity(16);
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            at += 1;
        }
        let Some(&first) = bytes.get(at) else { break };
        let (kind, length) = scan(source, at, first);
        tokens.push(Token { kind, text: &source[at..at + length], start: at });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, text: "<EOF>", start: source.len() });
    tokens
}

/// Returns the kind and the length of the token that begins at `at`.
fn scan(source: &str, at: usize, first: u8) -> (Kind, usize) {
    let rest = &source.as_bytes()[at..];
    let second = rest.get(1).copied();
    match first {
        b'A'..=b'Z' | b'a'..=b'z' => {
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            (word_kind(&source[at..at + length]), length)
        }
        b'0'..=b'9' => (Kind::Number, rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        b'#' | b':' => {
            let length = 1 + rest[1..].iter().take_while(|byte| is_word(**byte)).count();
            match (length, first) {
                (1, _) => (Kind::Unknown, 1),
                (_, b'#') => (Kind::Name, length),
                _ => (Kind::Value, length),
            }
        }
        b'<' if second == Some(b'>') => (Kind::NotEqual, 2),
        b'<' if second == Some(b'=') => (Kind::LessOrEqual, 2),
        b'>' if second == Some(b'=') => (Kind::GreaterOrEqual, 2),
        b'<' => (Kind::Less, 1),
        b'>' => (Kind::Greater, 1),
        b'=' => (Kind::Equal, 1),
        b'(' => (Kind::Open, 1),
        b')' => (Kind::Close, 1),
        b'[' => (Kind::OpenBracket, 1),
        b']' => (Kind::CloseBracket, 1),
        b'.' => (Kind::Dot, 1),
        b',' => (Kind::Comma, 1),
        b'+' => (Kind::Plus, 1),
        b'-' => (Kind::Minus, 1),
        _ => (Kind::Unknown, source[at..].chars().next().map_or(1, char::len_utf8)),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn word_kind(word: &str) -> Kind {
    KEYWORDS
        .iter()
        .find(|(keyword, _)| keyword.eq_ignore_ascii_case(word))
        .map_or(Kind::Identifier, |(_, keyword)| Kind::Keyword(*keyword))
}

/// Returns the error for the token at `position`: its text, and the source from the token before to the token after it.
pub(crate) fn syntax_error(source: &str, tokens: &[Token<'_>], position: usize) -> ExprError {
    let token = &tokens[position];
    let near = if token.kind == Kind::End {
        position.checked_sub(1).map_or("", |last| tokens[last].text)
    } else {
        let from = position.checked_sub(1).map_or(token.start, |previous| tokens[previous].start);
        let to = match tokens.get(position + 1) {
            Some(next) if next.kind != Kind::End => next.end(),
            _ => token.end(),
        };
        &source[from..to]
    };
    ExprError::Syntax { token: token.text.to_owned(), near: near.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let texts: Vec<_> = tokenize(source).iter().map(|token| token.text).collect();
        assert_eq!(texts.join(" "), expected, "{source}");
    }

    #[test]
    fn texts_split_as_documented() {
        check("hi-there", "hi - there <EOF>");
        check("a<=b<>c>=d<e>f=g", "a <= b <> c >= d < e > f = g <EOF>");
        check("_123 1a #1_a :_", "_ 123 1 a #1_a :_ <EOF>");
        check("a.b[10]\t,\r\n#a.#b", "a . b [ 10 ] , #a . #b <EOF>");
        check("!!é# :", "! ! é # : <EOF>");
        check("", "<EOF>");
    }

    #[test]
    fn keywords_have_no_case() {
        assert_eq!(tokenize("bEtween")[0].kind, Kind::Keyword(Keyword::Between));
        assert_eq!(tokenize("between_")[0].kind, Kind::Identifier);
    }
}
