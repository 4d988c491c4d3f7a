//! Which keys are paths of files.

use object_store::path::Path as Location;

use crate::names::MAX_KEY_BYTES;

/// The longest name in a path: some bytes less than file systems take, because an object that is being written has a longer name.
const MAX_NAME_BYTES: usize = 250;

/// Returns a key as a path of object_store, or else why it is none.
pub(super) fn location(key: &str) -> Result<Location, &'static str> {
    if key.len() > MAX_KEY_BYTES {
        return Err("the key has more than 1,024 bytes");
    }
    for name in key.split('/') {
        check_name(name)?;
    }
    if is_unfinished(key.rsplit('/').next().unwrap_or_default()) {
        return Err("a folder cannot hold a key that ends in `#` and a number");
    }
    Location::parse(key).map_err(|_| "a folder cannot hold this key")
}

/// Returns whether a file can have this name and be an object.
pub(super) fn is_object_name(name: &str) -> bool {
    check_name(name).is_ok() && !is_unfinished(name)
}

/// Returns whether a folder can have this name and have objects in it.
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("a folder cannot hold a key that is empty, that begins or ends with `/`, or that has `//`"),
        "." | ".." => Err("a folder cannot hold a key with `.` or `..` between its `/`"),
        name if name.chars().any(char::is_control) => {
            Err("a folder cannot hold a key with control characters")
        }
        name if name.len() > MAX_NAME_BYTES => {
            Err("a folder cannot hold a key with more than 250 bytes between its `/`")
        }
        // A separator, a drive or a stream of a file there.
        name if cfg!(windows) && name.contains(['\\', ':']) => {
            Err("a folder on Windows cannot hold a key with `\\` or `:`")
        }
        _ => Ok(()),
    }
}

/// Returns whether a file with this name is one that object_store has begun to write: `NAME#1`.
fn is_unfinished(name: &str) -> bool {
    name.split_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_leave_the_bucket_are_refused() {
        let (long_name, long_key) = ("x".repeat(251), "x/".repeat(512) + "x");
        let refused = [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/./b", "a\0b", "a\n", "\u{7f}",
            "\u{85}", "a#1", "b/a#12", &long_name, &long_key,
        ];
        for key in refused {
            assert!(location(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn other_keys_are_kept_as_they_are() {
        let (long_name, long_key) = ("x".repeat(250), "x/".repeat(511) + "x");
        for key in [
            "a", "a/b", "...", "a#", "a#1x", "a#1/b", "a b", "a%2Fb", "é/ü", "a+b&c=d", "~", "\"'",
            &long_name, &long_key,
        ] {
            assert_eq!(location(key).unwrap().as_ref(), key);
        }
    }
}
