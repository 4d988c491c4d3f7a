//! From text to tokens.

use super::error::PartiqlError;
use super::keywords::keyword;

/// A token and its position, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// A name without quotes that is not a keyword.
    Identifier(&'a str),
    /// A name in double quotes, without them.
    Quoted(String),
    /// A keyword, in upper case.
    Keyword(&'static str),
    /// A text in single quotes, without them.
    Text(String),
    Number(&'a str),
    /// `?`, counted from 0.
    Parameter(usize),
    /// `= <> < <= > >= + - * / % ||`; `!=` is `<>`.
    Operator(&'static str),
    /// `( ) [ ] { } << >> . , : ;`.
    Punctuation(&'static str),
    End,
}

/// Longer ones first, so that the first match is the right one. `>>` closes a bag, and no comparison has it.
const PUNCTUATION: [&str; 12] = ["<<", ">>", "(", ")", "[", "]", "{", "}", ".", ",", ":", ";"];
const OPERATORS: [(&str, &str); 13] = [
    ("<>", "<>"),
    ("!=", "<>"),
    ("<=", "<="),
    (">=", ">="),
    ("||", "||"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
];

/// Returns the tokens of a statement; the last one is [`Kind::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<Token<'_>>, PartiqlError> {
    let mut tokens = Vec::with_capacity(24);
    let mut parameters = 0;
    let mut at = 0;
    loop {
        at = skip_blanks(text, at)?;
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let (kind, length) = match first {
            '\'' => quoted(rest, '\'').map(|(content, length)| (Kind::Text(content), length))?,
            '"' => quoted(rest, '"').map(|(content, length)| (Kind::Quoted(content), length))?,
            '?' => {
                parameters += 1;
                (Kind::Parameter(parameters - 1), 1)
            }
            '0'..='9' => number(rest)?,
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => number(rest)?,
            _ if is_word_start(first) => {
                let length = rest.find(|next: char| !is_word(next)).unwrap_or(rest.len());
                let word = &rest[..length];
                (keyword(word).map_or(Kind::Identifier(word), Kind::Keyword), length)
            }
            _ => symbol(rest)?,
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, start: text.len(), end: text.len() });
    Ok(tokens)
}

/// Lexical errors have no text of their own.
fn lexical_error() -> PartiqlError {
    PartiqlError::Malformed("")
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || character == '$'
}

fn is_word(character: char) -> bool {
    is_word_start(character) || character.is_ascii_digit()
}

/// Returns the start of the next token, after white space and comments.
fn skip_blanks(text: &str, mut at: usize) -> Result<usize, PartiqlError> {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            at += comment.find("*/").ok_or_else(lexical_error)? + 4;
        } else {
            return Ok(at);
        }
    }
}

/// Returns the quoted text at the start of `rest`, and its length with the quotes. A doubled quote is a part of the text.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), PartiqlError> {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            content.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, at + 1));
        }
    }
    Err(lexical_error())
}

fn number(rest: &str) -> Result<(Kind<'_>, usize), PartiqlError> {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    let mut places = 0;
    if rest[length..].starts_with('.') {
        length += 1;
        places = digits(length);
        length += places;
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let count = digits(length + 1 + sign);
        if count == 0 {
            return Err(lexical_error());
        }
        let end = length + 1 + sign + count;
        // The exponent must fit 32 bits, also as it counts from the last digit.
        let exponent: i32 = rest[length + 1..end].parse().map_err(|_| lexical_error())?;
        if i32::try_from(places as i64 - i64::from(exponent)).is_err() {
            return Err(lexical_error());
        }
        length = end;
    }
    // A number does not run into a word.
    if rest[length..].starts_with(is_word) {
        return Err(lexical_error());
    }
    Ok((Kind::Number(&rest[..length]), length))
}

fn symbol(rest: &str) -> Result<(Kind<'static>, usize), PartiqlError> {
    if let Some(punctuation) = PUNCTUATION.into_iter().find(|punctuation| rest.starts_with(punctuation)) {
        return Ok((Kind::Punctuation(punctuation), punctuation.len()));
    }
    OPERATORS
        .into_iter()
        .find(|(written, _)| rest.starts_with(written))
        .map(|(written, operator)| (Kind::Operator(operator), written.len()))
        .ok_or_else(lexical_error)
}
