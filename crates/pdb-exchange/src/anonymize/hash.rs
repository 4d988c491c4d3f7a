//! Keyed hashes of values. Equal values get equal hashes, in all tables and runs with the same key.

use hmac::{Hmac, KeyInit, Mac};
use pdb_model::{AttributeValue, Number, ValueMap};
use sha2::Sha256;

/// How many bytes of a hash a text shows, as twice as many hexadecimal digits.
const TEXT_BYTES: usize = 16;

pub(super) struct Hasher {
    keyed: Hmac<Sha256>,
}

impl Hasher {
    pub(super) fn new(key: &[u8]) -> Self {
        Self { keyed: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// Replaces a value by a hash of the same type. In lists, maps and sets, every value is hashed. Booleans and nulls stay: they have too few
    /// values to hide anything.
    pub(super) fn hash(&self, value: &mut AttributeValue) {
        match value {
            AttributeValue::S(text) => *text = self.text(text),
            AttributeValue::N(number) => *number = self.number(number),
            AttributeValue::B(bytes) => *bytes = self.digest(b"B", bytes).to_vec(),
            AttributeValue::Bool(_) | AttributeValue::Null => {}
            AttributeValue::Ss(set) => *set = set.iter().map(|text| self.text(text)).collect(),
            AttributeValue::Ns(set) => *set = set.iter().map(|number| self.number(number)).collect(),
            AttributeValue::Bs(set) => {
                *set = set.iter().map(|bytes| self.digest(b"B", bytes).to_vec()).collect()
            }
            AttributeValue::L(elements) => elements.iter_mut().for_each(|value| self.hash(value)),
            AttributeValue::M(map) => {
                let members = std::mem::take(map).into_iter().map(|(name, mut value)| {
                    self.hash(&mut value);
                    (name, value)
                });
                *map = members.collect::<ValueMap>();
            }
        }
    }

    fn digest(&self, kind: &[u8], bytes: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(kind);
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    fn text(&self, text: &str) -> String {
        self.digest(b"S", text.as_bytes())[..TEXT_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Replaces the digits of a number. Sign, number of digits, point and zeros at the end stay, so that ages stay small and prices keep
    /// their cents.
    fn number(&self, number: &Number) -> Number {
        let text = number.to_string();
        let significant = text.trim_end_matches('0').len();
        let mut block = self.digest(b"N", text.as_bytes());
        let mut used = 0;
        let mut first = true;
        let mut hashed = String::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            let is_kept = !character.is_ascii_digit() || at >= significant || (first && character == '0');
            if is_kept {
                hashed.push(character);
                continue;
            }
            if used == block.len() {
                block = self.digest(b"n", &block);
                used = 0;
            }
            let byte = block[used];
            used += 1;
            // The first and the last digit are not zero: the number would become shorter.
            let is_end = first || at + 1 == significant;
            hashed.push(char::from(if is_end { b'1' + byte % 9 } else { b'0' + byte % 10 }));
            first = false;
        }
        // It has as many digits as before, in the same places.
        hashed.parse().unwrap_or(*number)
    }
}

/// Shows no secret.
impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}
