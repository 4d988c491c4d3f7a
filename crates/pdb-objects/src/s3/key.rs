//! Keys of any form, past a library that knows paths only.
//!
//! The paths of object_store have no empty parts, so they cannot be `a//b`, or `a/`: the marker of a folder, which buckets often have. Keys go
//! through it as hexadecimal digits, and [`Transport`](super::transport::Transport) turns these into keys, and those of a list into digits.

use std::borrow::Cow;
use std::fmt::Write;

use crate::names::MAX_KEY_BYTES;

/// Returns the digits of a key.
pub(super) fn token(key: &str) -> String {
    key.bytes().fold(String::with_capacity(key.len() * 2), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// Returns the key with these digits. `None` if there is none.
pub(super) fn of_token(token: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = token.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    String::from_utf8(pairs.collect::<Option<Vec<u8>>>()?).ok()
}

/// Checks that the key arrives at the service as it is.
pub(super) fn check(key: &str) -> Result<(), &'static str> {
    if key.is_empty() {
        return Err("the key is empty");
    }
    if key.len() > MAX_KEY_BYTES {
        return Err("the key has more than 1,024 bytes");
    }
    if key.split('/').any(|part| part == "." || part == "..") {
        return Err("an HTTP client cannot send a key with `.` or `..` between its `/`");
    }
    Ok(())
}

/// Appends the key to the path of a URL, encoded as a signature needs it.
pub(super) fn append_to_path(path: &mut String, key: &str) {
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

/// Returns a list of objects with digits in the place of keys.
pub(super) fn tokens_for_keys(list: &str) -> String {
    let mut out = String::with_capacity(list.len() * 2);
    let mut rest = list;
    while let Some((before, from_key)) = rest.split_once("<Key>") {
        let Some((key, after)) = from_key.split_once("</Key>") else { break };
        out.push_str(before);
        out.push_str("<Key>");
        out.push_str(&token(&unescaped(key)));
        out.push_str("</Key>");
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Returns text of XML without its escapes.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        out.push_str(before);
        let found = from.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        if let Some((character, after)) = found {
            out.push(character);
            rest = after;
        } else {
            out.push('&');
            rest = from;
        }
    }
    out.push_str(rest);
    out.into()
}

/// Returns the character that an escape stands for.
fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_that_a_client_would_change_are_refused() {
        for key in ["", ".", "..", "a/..", "./a", "a/./b", &"x".repeat(1025)] {
            assert!(check(key).is_err(), "{key}");
        }
        for key in ["/", "a//b", "a/", "/a", "...", "a..b", "\0", "a b", &"x".repeat(1024)] {
            assert!(check(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn keys_in_a_list_become_digits() {
        let list = "<L><Key>a//b</Key><Size>1</Size><Key>&lt;&amp;&#38;&#x26;amp;&nbsp;</Key></L>";
        let changed = tokens_for_keys(list);
        let expected = format!(
            "<L><Key>{}</Key><Size>1</Size><Key>{}</Key></L>",
            token("a//b"),
            token("<&&&amp;&nbsp;")
        );
        assert_eq!(changed, expected);
        assert_eq!(tokens_for_keys("<Key>cut short"), "<Key>cut short");
    }

    #[test]
    fn a_path_has_the_characters_of_a_signature() {
        let mut path = "/b/".to_owned();
        append_to_path(&mut path, "a b+c/é%?#");
        assert_eq!(path, "/b/a%20b%2Bc/%C3%A9%25%3F%23");
    }

    proptest! {
        #[test]
        fn digits_are_read_again(key in ".*", noise in "[0-9a-g]{0,9}") {
            prop_assert_eq!(of_token(&token(&key)), Some(key));
            let _ = of_token(&noise);
        }

        #[test]
        fn any_text_is_unescaped_without_a_panic(text in "[&;#xamplt0-9é]{0,40}") {
            let _ = tokens_for_keys(&format!("<Key>{text}</Key>"));
        }
    }
}
