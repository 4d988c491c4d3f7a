//! The tag that S3 gives to an object that was uploaded in parts.

use std::fmt::Write;

use md5::{Digest, Md5};

/// Returns the tag, with quotes, from the tags of the parts: the digest of their digests, and their number. `None` if one is not a digest, as
/// with some kinds of encryption.
pub(super) fn of_parts<'t>(parts: impl IntoIterator<Item = &'t str>) -> Option<String> {
    let mut digest = Md5::new();
    let mut count = 0;
    for part in parts {
        let part = unquoted(part);
        if part.len() != 32 {
            return None;
        }
        for at in (0..32).step_by(2) {
            digest.update([u8::from_str_radix(part.get(at..at + 2)?, 16).ok()?]);
        }
        count += 1;
    }
    let mut tag = String::from("\"");
    for byte in digest.finalize() {
        let _ = write!(tag, "{byte:02x}");
    }
    let _ = write!(tag, "-{count}\"");
    Some(tag)
}

/// Returns a tag without its quotes.
pub(super) fn unquoted(tag: &str) -> &str {
    tag.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_of_digests() {
        // The digest of no bytes, twice: `printf 'd41d8cd98f00b204e9800998ecf8427e%.0s' 1 2 | xxd -r -p | md5sum`.
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        assert_eq!(of_parts([empty, empty]).as_deref(), Some("\"5873dd45edd01f09c1ef2e7819369e8e-2\""));
        assert_eq!(of_parts(["\"no digest\""]), None);
        assert_eq!(of_parts(["ééééééééééééééééx"]), None);
    }
}
