//! HMAC-SHA256 and the signing key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Returns the key that signs requests of one date, region and service: each part of the scope is signed with the key before it,
/// beginning with the secret.
pub(super) fn signing_key(secret: &[u8], scope: [&str; 4]) -> [u8; 32] {
    let [date, rest @ ..] = scope;
    let first = hmac(&[b"AWS4", secret].concat(), date.as_bytes());
    rest.into_iter().fold(first, |key, part| hmac(&key, part.as_bytes()))
}

pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns hexadecimal digits, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_the_documentation() {
        // "Deriving the signing key", AWS General Reference.
        let secret = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let key = signing_key(secret, ["20150830", "us-east-1", "iam", "aws4_request"]);
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }
}
