//! Percent-encoding, as signatures want it: everything but letters, digits, `-`, `.`, `_` and `~` is encoded, in upper case.

/// Encodes bytes. `keeps_slash` leaves `/` as it is, as in paths.
pub(super) fn encode(bytes: &[u8], keeps_slash: bool, into: &mut String) {
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte.into()),
            b'/' if keeps_slash => into.push('/'),
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Decodes a part of a query. `+` is a space, as in forms. A `%` without two digits stands for itself.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code =
            (byte == b'%').then(|| Some((digit(bytes.get(at + 1))?, digit(bytes.get(at + 2))?))).flatten();
        match code {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                at += 2;
            }
            None => decoded.push(if byte == b'+' { b' ' } else { byte }),
        }
        at += 1;
    }
    decoded
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_and_encoded() {
        for (text, encoded, in_path) in [
            ("a-Z.0_9~", "a-Z.0_9~", "a-Z.0_9~"),
            ("a b", "a%20b", "a%20b"),
            ("a+b", "a%20b", "a%20b"),
            ("a%2fb", "a%2Fb", "a/b"),
            ("%2B%3d", "%2B%3D", "%2B%3D"),
            ("100%", "100%25", "100%25"),
            ("%zz%2", "%25zz%252", "%25zz%252"),
            ("\u{fc}", "%C3%BC", "%C3%BC"),
            ("%ff", "%FF", "%FF"),
            ("", "", ""),
        ] {
            let (mut all, mut path) = (String::new(), String::new());
            encode(&decode(text), false, &mut all);
            encode(&decode(text), true, &mut path);
            assert_eq!((all.as_str(), path.as_str()), (encoded, in_path), "{text}");
        }
    }
}
