//! The control token.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The secret that every command under `/_pretender/` must carry: one or more visible ASCII characters.
///
/// `Debug` does not show it, and it is compared in constant time.
///
/// # Examples
///
/// ```
/// use pdb_server::ControlToken;
///
/// let token: ControlToken = "correct-horse".parse()?;
/// assert_eq!(format!("{token:?}"), "ControlToken(..)");
/// assert!("two words".parse::<ControlToken>().is_err());
/// # Ok::<(), pdb_server::NotAToken>(())
/// ```
#[derive(Clone)]
pub struct ControlToken(String);

/// The error for a text that cannot be a token. The message does not contain the text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: expected one or more visible ASCII characters, without spaces")]
pub struct NotAToken;

impl ControlToken {
    /// Returns the secret itself, to be sent.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Returns whether the given bytes are the token. The time this takes reveals nothing about the token.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        // Hashes all have the same length, so the length of the token is not revealed either.
        Sha256::digest(self.0.as_bytes()).as_slice().ct_eq(Sha256::digest(given).as_slice()).into()
    }
}

impl FromStr for ControlToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token { Ok(Self(text.to_owned())) } else { Err(NotAToken) }
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_the_token() {
        let token: ControlToken = "correct-horse".parse().unwrap();
        assert!(token.is(b"correct-horse"));
        for other in ["", "correct-hors", "correct-horse ", "Correct-horse", "correct-horsf"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn tokens_fit_into_headers() {
        for bad in ["", " ", "a b", "a\n", "b\u{fc}ro"] {
            assert!(bad.parse::<ControlToken>().is_err(), "{bad:?}");
        }
    }
}
