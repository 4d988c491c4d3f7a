//! What a source file names, without its comments, texts and tests.

use std::collections::BTreeSet;

/// The paths of a file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Paths that the file uses. What it exports is not among them.
    pub(super) paths: Vec<Vec<String>>,
    /// Names that others may take from this file and that lead elsewhere: all that it imports, as modules below see these, too.
    pub(super) exports: Vec<Export>,
    /// Names of items that are defined here.
    pub(super) definitions: BTreeSet<String>,
}

/// A name, or `*`, and where it leads.
#[derive(Debug, PartialEq)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) path: Vec<String>,
}

/// Words behind which the name of a new item stands.
const DEFINING: &[&str] = &["struct", "enum", "trait", "fn", "type", "const", "static", "union", "mod"];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

impl Source {
    pub(super) fn parse(text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut source = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let Token::Word(word) = &tokens[at] else {
                at += 1;
                continue;
            };
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            if word == "use" {
                let is_export = matches!(before, Some(Token::Sign(')')))
                    || before == Some(&Token::Word("pub".to_owned()));
                at = source.add_use(&tokens, at + 1, is_export);
                continue;
            }
            if DEFINING.contains(&word.as_str())
                && let Some(Token::Word(name)) = tokens.get(at + 1)
            {
                source.definitions.insert(name.clone());
            }
            let is_start = !matches!(before, Some(Token::Colons | Token::Sign('.')));
            let (path, behind) = path(&tokens, at);
            if is_start && path.len() > 1 {
                source.paths.push(path);
            }
            at = behind;
        }
        source
    }

    /// Adds what another file of the same module name holds.
    pub(super) fn add(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.exports.extend(other.exports);
        self.definitions.extend(other.definitions);
    }

    /// Reads the tree behind `use`; returns the place behind it.
    fn add_use(&mut self, tokens: &[Token], at: usize, is_export: bool) -> usize {
        let mut found = Vec::new();
        let behind = tree(tokens, at, &[], &mut found);
        for (path, alias) in found {
            if let Some(name) = alias.or_else(|| path.last().cloned()) {
                self.exports.push(Export { name, path: path.clone() });
            }
            if !is_export {
                self.paths.push(path);
            }
        }
        behind
    }
}

/// Reads a path without groups; returns the place behind it.
fn path(tokens: &[Token], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(Token::Word(word)) = tokens.get(at) {
        path.push(word.clone());
        at += 1;
        if tokens.get(at) != Some(&Token::Colons) || !matches!(tokens.get(at + 1), Some(Token::Word(_))) {
            break;
        }
        at += 1;
    }
    (path, at)
}

/// Reads a tree of imports, each with the name it gets if that is another one; returns the place behind the tree.
fn tree(
    tokens: &[Token],
    at: usize,
    above: &[String],
    found: &mut Vec<(Vec<String>, Option<String>)>,
) -> usize {
    let (names, mut at) = path(tokens, at);
    let mut path = [above, &names].concat();
    if tokens.get(at) == Some(&Token::Colons) {
        at += 1;
    }
    match tokens.get(at) {
        Some(Token::Sign('{')) => {
            at += 1;
            while !matches!(tokens.get(at), None | Some(Token::Sign('}' | ';'))) {
                let before = at;
                at = tree(tokens, at, &path, found);
                if tokens.get(at) == Some(&Token::Sign(',')) || at == before {
                    at += 1;
                }
            }
            at + 1
        }
        Some(Token::Sign('*')) => {
            path.push("*".to_owned());
            found.push((path, None));
            at + 1
        }
        _ => {
            // `a::{self}` names `a`.
            if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let mut alias = None;
            // `as` is a word like others, behind which the path ends.
            if tokens.get(at) == Some(&Token::Word("as".to_owned())) {
                if let Some(Token::Word(name)) = tokens.get(at + 1) {
                    alias = Some(name.clone());
                }
                at += 2;
            }
            found.push((path, alias));
            at
        }
    }
}

/// Leaves out every item that is compiled for tests only.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut left = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match attribute(tokens, at) {
            Some((true, behind)) => at = behind_item(tokens, behind),
            Some((false, behind)) => at = behind,
            None => {
                left.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    left
}

/// Reads an attribute; tells whether it is `#[cfg(test)]`, and the place behind it.
fn attribute(tokens: &[Token], at: usize) -> Option<(bool, usize)> {
    if tokens.get(at..at + 2)? != [Token::Sign('#'), Token::Sign('[')] {
        return None;
    }
    let length = tokens[at..].iter().position(|token| *token == Token::Sign(']'))?;
    let inside = &tokens[at..at + length];
    let has = |word: &str| inside.contains(&Token::Word(word.to_owned()));
    Some((has("cfg") && has("test") && !has("not"), at + length + 1))
}

/// Returns the place behind the item, the field or the variant that begins here.
fn behind_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    let mut angles = 0_usize;
    while at < tokens.len() {
        let follows_a_dash = at > 0 && matches!(tokens[at - 1], Token::Sign('-' | '='));
        match &tokens[at] {
            Token::Sign('{' | '(' | '[') => depth += 1,
            Token::Sign('}') if depth == 1 => return at + 1,
            Token::Sign('}' | ')' | ']') if depth == 0 => return at,
            Token::Sign('}' | ')' | ']') => depth -= 1,
            Token::Sign('<') => angles += 1,
            Token::Sign('>') if !follows_a_dash => angles = angles.saturating_sub(1),
            Token::Sign(';') if depth == 0 => return at + 1,
            Token::Sign(',') if depth == 0 && angles == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Splits a text into words and signs; comments and literals are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if c.is_alphanumeric() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            tokens.push(Token::Colons);
            2
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Returns the length of the literal that begins here, if one does: a text, raw or not, a character, or what looks like one.
fn literal(text: &str) -> Option<usize> {
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix('r'));
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
            return Some(text.len() - inside.len() + length);
        }
    }
    let inside = text.strip_prefix('b').unwrap_or(text);
    let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if quote == '\'' && !is_character(inside) {
        return None;
    }
    let mut escaped = false;
    for (at, c) in inside.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some(text.len() - inside.len() + at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    Some(text.len())
}

/// Tells a character from a lifetime.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    let first = characters.next();
    first == Some('\\') || characters.next() == Some('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Source::parse(text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn imports_and_paths_are_read() {
        for (text, expected) in [
            (
                "use crate::a::{self, B, c::{D as E, *}};",
                vec!["crate::a", "crate::a::B", "crate::a::c::D", "crate::a::c::*"],
            ),
            (
                "fn f(x: super::super::g::H<'_>) -> crate::I { b'\\'' ; 'x'; j::<K>() }",
                vec!["super::super::g::H", "crate::I"],
            ),
            ("pub use a::B; pub(crate) use c::D; use e::F;", vec!["e::F"]),
            ("let a = r#\"crate::b\"#; c.d::<E>(); \"\\\"crate::f\"; x.crate_::y", vec![]),
            (
                "#[cfg(test)]\nuse crate::A;\n#[cfg(not(test))]\nuse crate::B;\nstruct S { #[cfg(test)] c: crate::C, d: crate::D }",
                vec!["crate::B", "crate::D"],
            ),
            ("#[cfg(test)]\nmod tests;\nmod a;\nuse a::B;", vec!["a::B"]),
        ] {
            assert_eq!(paths(text), expected, "{text}");
        }
    }

    #[test]
    fn names_lead_on() {
        let source = Source::parse("pub use a::{B as C, d::*}; use e::F; struct G;");
        let exports: Vec<_> = source
            .exports
            .iter()
            .map(|export| format!("{}={}", export.name, export.path.join("::")))
            .collect();
        assert_eq!(exports, ["C=a::B", "*=a::d::*", "F=e::F"]);
        assert!(source.definitions.contains("G"));
    }
}
