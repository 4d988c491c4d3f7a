//! A checksum of rows that does not depend on their order, which two databases may see differently.

use crate::transfer::rows::{Rows, Value};

/// How many rows a part has, and a sum over what is in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many rows.
    pub rows: u64,
    /// The sum of their 128-bit hashes.
    pub sum: u128,
}

impl Digest {
    /// Takes some more rows in.
    pub fn add(&mut self, rows: &Rows) {
        self.rows += rows.len() as u64;
        self.sum = rows.0.iter().fold(self.sum, |sum, row| sum.wrapping_add(hash(row)));
    }
}

/// FNV-1a, 128 bits. Each value is preceded by its kind and length.
fn hash(row: &[Value]) -> u128 {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut mix = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    };
    for value in row {
        match value {
            Value::Null => mix(&[0]),
            Value::Integer(number) => {
                mix(&[1]);
                mix(&number.to_be_bytes());
            }
            // A zero byte in a text that people read is written as a picture of it, where the database has none in texts.
            Value::Text(text) if text.contains('\0') => {
                mix_bytes(&mut mix, text.replace('\0', "\u{2400}").as_bytes())
            }
            Value::Text(_) | Value::Blob(_) => mix_bytes(&mut mix, value.bytes()),
        }
    }
    hash
}

fn mix_bytes(mix: &mut impl FnMut(&[u8]), bytes: &[u8]) {
    mix(&[2]);
    mix(&(bytes.len() as u64).to_be_bytes());
    mix(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        for row in rows {
            digest.add(&Rows(vec![row.to_vec()]));
        }
        digest
    }

    #[test]
    fn only_the_order_of_rows_does_not_matter() {
        let (a, b) = (Value::Text("a".into()), Value::Text("b".into()));
        let whole = digest(&[&[a.clone(), b.clone()], &[Value::Integer(1), Value::Null]]);
        assert_eq!(whole, digest(&[&[Value::Integer(1), Value::Null], &[a.clone(), b.clone()]]));
        for other in [
            digest(&[&[a.clone(), b.clone()]]),
            digest(&[&[b.clone(), a.clone()], &[Value::Integer(1), Value::Null]]),
            digest(&[
                &[Value::Text("ab".into()), Value::Text(String::new())],
                &[Value::Integer(1), Value::Null],
            ]),
            digest(&[&[a.clone(), b.clone()], &[Value::Integer(2), Value::Null]]),
            digest(&[&[a.clone(), b.clone()], &[Value::Integer(1), Value::Integer(0)]]),
            digest(&[&[a.clone(), b.clone()], &[Value::Integer(1), Value::Null], &[]]),
        ] {
            assert_ne!(whole, other);
        }
    }
}
