//! A JSON reader that keeps numbers as they are written, and refuses repeated names. `serde_json` can do neither for untyped values.

use std::collections::BTreeMap;

use serde::de::{Error, IgnoredAny};

use super::PlainJsonError;
use crate::value::MAX_NESTING;

/// The most levels of JSON. The deepest item in DynamoDB JSON has two levels for each of its own, and a few around them. The limit bounds the
/// recursion.
const MAX_LEVELS: usize = 2 * MAX_NESTING + 4;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Json<'t> {
    Null,
    Bool(bool),
    /// The number as it is written.
    Number(&'t str),
    Text(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

/// Parses a text.
pub(super) fn read(text: &str) -> Result<Json<'_>, PlainJsonError> {
    // This checks the syntax, so that the reader below need not. It knows that the text is JSON.
    let _: IgnoredAny = serde_json::from_str(text)?;
    Reader { text, at: 0 }.value(MAX_LEVELS)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, levels: usize) -> Result<Json<'t>, PlainJsonError> {
        let Some(levels) = levels.checked_sub(1) else { return Err(PlainJsonError::TooDeep) };
        match self.next() {
            Some(b'{') => self.map(levels),
            Some(b'[') => self.list(levels),
            Some(b'"') => self.string().map(Json::Text),
            Some(_) => Ok(self.bare_word()),
            None => Err(incomplete_value()),
        }
    }

    /// Skips white space and returns the next byte.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += space;
        rest.get(space).copied()
    }

    fn map(&mut self, levels: usize) -> Result<Json<'t>, PlainJsonError> {
        let mut members = BTreeMap::new();
        let mut has_more = self.open(b'}');
        while has_more {
            self.next();
            let name = self.string()?;
            // The colon.
            self.next();
            self.at += 1;
            let value = self.value(levels)?;
            if members.contains_key(&name) {
                return Err(PlainJsonError::DuplicateName(name));
            }
            members.insert(name, value);
            has_more = self.skip_separator();
        }
        Ok(Json::Map(members))
    }

    fn list(&mut self, levels: usize) -> Result<Json<'t>, PlainJsonError> {
        let mut elements = Vec::new();
        let mut has_more = self.open(b']');
        while has_more {
            elements.push(self.value(levels)?);
            has_more = self.skip_separator();
        }
        Ok(Json::List(elements))
    }

    /// Skips the opening bracket, and the closing one if nothing is between. Returns whether there are elements.
    fn open(&mut self, end: u8) -> bool {
        self.at += 1;
        let is_empty = self.next() == Some(end);
        self.at += usize::from(is_empty);
        !is_empty
    }

    /// Skips a comma or a closing bracket. Returns whether it was a comma.
    fn skip_separator(&mut self) -> bool {
        let is_comma = self.next() == Some(b',');
        self.at += 1;
        is_comma
    }

    fn string(&mut self) -> Result<String, PlainJsonError> {
        let rest = self.text.get(self.at..).ok_or_else(incomplete_value)?;
        let mut is_escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let whole = end.and_then(|end| rest.get(..end + 2)).ok_or_else(incomplete_value)?;
        self.at += whole.len();
        Ok(serde_json::from_str(whole)?)
    }

    /// Reads a number, `true`, `false` or `null`. It ends before punctuation or white space.
    fn bare_word(&mut self) -> Json<'t> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let word = &rest[..rest.bytes().position(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            number => Json::Number(number),
        }
    }
}

fn incomplete_value() -> PlainJsonError {
    PlainJsonError::Json(serde_json::Error::custom("the value is not complete"))
}
