//! Which names buckets and keys may have. Clients choose them, so nothing is taken for granted.

/// The longest key, as for S3.
pub(crate) const MAX_KEY_BYTES: usize = 1024;

/// Returns whether a bucket can have this name: letters, digits, `.`, `-` and `_`, with a letter or digit in front. Such a name is the name of
/// a folder, and a segment of a URL.
pub(crate) fn is_bucket(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    name.len() <= 255
        && name.bytes().all(is_plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_plain() {
        for name in ["b", "exports", "My.Bucket_1-x", &"x".repeat(255)] {
            assert!(is_bucket(name), "{name}");
        }
        let long = "x".repeat(256);
        for name in [
            "", ".", "..", ".hidden", "-x", "a/b", "../b", "/etc", "a\\b", "a\0", "a b", "é", "a%2f", "a?b",
            &long,
        ] {
            assert!(!is_bucket(name), "{name}");
        }
    }
}
