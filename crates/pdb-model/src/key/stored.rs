//! Decoding the values of stored keys.

use super::{KeyBytes, KeyValue, PrimaryKey, ScalarType, TOKEN_BYTES};
use crate::Number;

impl KeyBytes {
    /// Decodes the key at the start of these bytes, and returns it with the bytes that follow it. The attributes of the key have these types.
    ///
    /// Returns `None` if the bytes do not start with a valid key. The value of the token is not checked.
    #[must_use]
    pub fn read(
        bytes: &[u8],
        hash: impl IntoIterator<Item = ScalarType>,
        range: impl IntoIterator<Item = ScalarType>,
    ) -> Option<(PrimaryKey, &[u8])> {
        let mut rest = bytes.get(TOKEN_BYTES..)?;
        let mut next = |scalar_type| {
            let (value, behind) = read_value(rest, scalar_type)?;
            rest = behind;
            Some(value)
        };
        let hash = hash.into_iter().map(&mut next).collect::<Option<_>>()?;
        let range = range.into_iter().map(&mut next).collect::<Option<_>>()?;
        Some((PrimaryKey { hash, range }, rest))
    }
}

fn read_value(bytes: &[u8], scalar_type: ScalarType) -> Option<(KeyValue, &[u8])> {
    if scalar_type == ScalarType::N {
        let (number, rest) = Number::from_key_bytes(bytes)?;
        return Some((KeyValue::N(number), rest));
    }
    let (value, rest) = read_escaped(bytes)?;
    let value = match scalar_type {
        ScalarType::S => KeyValue::S(String::from_utf8(value).ok()?),
        ScalarType::B | ScalarType::N => KeyValue::B(value),
    };
    Some((value, rest))
}

/// Decodes bytes in which each zero is `00 ff`, up to `00 00`.
fn read_escaped(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut value, mut rest) = (Vec::new(), bytes);
    loop {
        let zero = rest.iter().position(|&byte| byte == 0)?;
        value.extend_from_slice(&rest[..zero]);
        let (&mark, behind) = rest[zero + 1..].split_first()?;
        rest = behind;
        match mark {
            0 => return Some((value, rest)),
            0xff => value.push(0),
            _ => return None,
        }
    }
}
