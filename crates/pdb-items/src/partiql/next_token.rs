//! `NextToken`: where a page of a `SELECT` ended.
//!
//! A token is bound to the statement it came from: the hash of the statement, the range the page ended in, and the key of
//! its last item. It is text of hexadecimal digits, behind the number of its version.

use pdb_model::{AttributeValue, Item};

use crate::ItemsError;
use crate::transaction::Fingerprint;

const VERSION: &str = "1";

/// A position in the ranges that a statement reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PagePosition {
    /// Which range, counted from 0.
    pub(super) range: usize,
    /// The key of the last item read of it; nothing if the page ended before it.
    pub(super) key: Option<Item>,
}

/// Tells the pages of one statement from those of others.
pub(super) fn fingerprint(statement: &str, parameters: &[AttributeValue]) -> Vec<u8> {
    let mut fingerprint = Fingerprint::new("ExecuteStatement");
    fingerprint.text(statement);
    parameters.iter().for_each(|parameter| fingerprint.text(&parameter.to_string()));
    fingerprint.finish()
}

impl PagePosition {
    /// Returns the token of this position.
    pub(super) fn to_token(&self, fingerprint: &[u8]) -> String {
        let range = u32::try_from(self.range).unwrap_or(u32::MAX).to_be_bytes();
        let key = self.key.as_ref().map(Item::to_string).unwrap_or_default();
        let bytes = fingerprint.iter().chain(&range).chain(key.as_bytes());
        let mut token = VERSION.to_owned();
        bytes.for_each(|byte| token.push_str(&format!("{byte:02x}")));
        token
    }

    /// Returns the position of a token that came from the statement with this fingerprint.
    pub(super) fn of_token(token: &str, fingerprint: &[u8]) -> Result<Self, ItemsError> {
        Self::parse(token, fingerprint)
            .ok_or_else(|| ItemsError::validation("The provided NextToken is invalid for this statement"))
    }

    fn parse(token: &str, fingerprint: &[u8]) -> Option<Self> {
        let digits = token.strip_prefix(VERSION)?;
        if digits.len() % 2 != 0 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let bytes: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
            .collect::<Option<_>>()?;
        let (range, key) = bytes.strip_prefix(fingerprint)?.split_first_chunk::<4>()?;
        let key = match std::str::from_utf8(key).ok()? {
            "" => None,
            key => Some(Item::from_json(key).ok()?),
        };
        Some(Self { range: usize::try_from(u32::from_be_bytes(*range)).ok()?, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_place() {
        let here = fingerprint("SELECT * FROM t WHERE p = ?", &["a".into()]);
        let mut token = String::new();
        for key in [None, Some(Item::new().with("p", "a").with("s", 1))] {
            let position = PagePosition { range: 3, key };
            token = position.to_token(&here);
            assert_eq!(PagePosition::of_token(&token, &here).unwrap(), position);
        }
        let elsewhere = fingerprint("SELECT * FROM t WHERE p = ?", &["b".into()]);
        for (token, fingerprint) in
            [(token.as_str(), &elsewhere), ("", &here), ("1zz", &here), ("1é", &here), (&token[..9], &here)]
        {
            assert_eq!(
                PagePosition::of_token(token, fingerprint).unwrap_err().to_string(),
                "The provided NextToken is invalid for this statement"
            );
        }
    }
}
