//! One table of cases for all stores.

use std::io::{Read, Write};
use std::ops::ControlFlow;

use pdb_objects::{ObjectError, ObjectStore};

use super::stores::{self, Stored};
use super::{keys, listed, noise};

/// A case, for a store with an empty bucket.
type Case = fn(&Stored);

/// What is asked of a store with the empty bucket `bkt`.
const CASES: &[(&str, Case)] = &[
    ("an object is there when its writer is finished", finished),
    ("a writer that is dropped leaves what was there", dropped),
    ("an object is replaced as a whole", replaced),
    ("an object is read as it was when it was opened", read_while_replaced),
    ("a list has the keys with the prefix in byte order", list_in_order),
    ("a list ends when it is told to", list_breaks_off),
    ("a list has all pages", list_of_pages),
    ("deleting what is not there is no error", delete_twice),
    ("an empty object is an object", empty),
    ("large objects come back as they were", large),
    ("keys have any characters", odd_keys),
    ("keys that are no paths are kept or refused", keys_that_are_no_paths),
    ("a bucket that is missing is not an object that is missing", missing_bucket),
    ("names of buckets do not lead elsewhere", hostile_buckets),
    ("an object is not read beyond what is wanted", get_of_too_much),
    ("the tag is that of S3", tag),
];

#[test]
fn every_store_keeps_the_contract() {
    for stored in stores::all() {
        for (name, case) in CASES {
            eprintln!("{}: {name}", stored.name);
            case(&stored);
            for key in keys(&*stored.store, "bkt", "") {
                stored.store.delete("bkt", &key).unwrap();
            }
            assert_eq!(keys(&*stored.store, "bkt", ""), [""; 0], "{}: {name}", stored.name);
        }
    }
}

fn is_missing(store: &dyn ObjectStore, key: &str) -> bool {
    match store.open("bkt", key) {
        Err(ObjectError::NoSuchKey { bucket, key: missing }) => {
            (bucket.as_str(), missing.as_str()) == ("bkt", key)
        }
        Err(error) => panic!("{key}: {error:?}"),
        Ok(_) => false,
    }
}

fn finished(Stored { store, .. }: &Stored) {
    let mut writer = store.create("bkt", "x/1").unwrap();
    writer.write_all(b"one").unwrap();
    writer.flush().unwrap();
    assert!(is_missing(&**store, "x/1"));
    assert_eq!(keys(&**store, "bkt", ""), [""; 0]);
    writer.finish().unwrap();
    assert_eq!(store.get("bkt", "x/1", 3).unwrap().unwrap(), b"one");
    assert_eq!(listed(&**store, "bkt", "").unwrap(), [("x/1".to_owned(), 3)]);
}

fn dropped(Stored { store, .. }: &Stored) {
    store.put("bkt", "old", b"old").unwrap();
    for key in ["old", "new", "folder/new"] {
        let mut writer = store.create("bkt", key).unwrap();
        writer.write_all(&noise(20 << 20)).unwrap();
        drop(writer);
    }
    assert_eq!(listed(&**store, "bkt", "").unwrap(), [("old".to_owned(), 3)]);
    // Nothing is left of a folder either, in which there is no object.
    store.put("bkt", "folder", b"").unwrap();
}

fn replaced(Stored { store, .. }: &Stored) {
    store.put("bkt", "k", &noise(9 << 20)).unwrap();
    store.put("bkt", "k", b"short").unwrap();
    assert_eq!(store.get("bkt", "k", 100).unwrap().unwrap(), b"short");
    store.put("bkt", "k", &noise(17 << 20)).unwrap();
    assert_eq!(store.get("bkt", "k", 17 << 20).unwrap().unwrap(), noise(17 << 20));
    assert_eq!(keys(&**store, "bkt", ""), ["k"]);
}

fn read_while_replaced(Stored { store, .. }: &Stored) {
    let old = noise(1 << 20);
    store.put("bkt", "k", &old).unwrap();
    let mut reader = store.open("bkt", "k").unwrap();
    let mut content = vec![0; 1000];
    reader.read_exact(&mut content).unwrap();
    store.put("bkt", "k", b"new").unwrap();
    reader.read_to_end(&mut content).unwrap();
    assert!(content == old);
}

fn list_in_order(Stored { store, .. }: &Stored) {
    let unordered = ["a/2", "b", "a-", "a/10", "a/b/c", "a0", "B", "é", "a/b-"];
    for key in unordered {
        store.put("bkt", key, key.as_bytes()).unwrap();
    }
    assert_eq!(keys(&**store, "bkt", ""), ["B", "a-", "a/10", "a/2", "a/b-", "a/b/c", "a0", "b", "é"]);
    assert_eq!(keys(&**store, "bkt", "a/"), ["a/10", "a/2", "a/b-", "a/b/c"]);
    assert_eq!(keys(&**store, "bkt", "a/b"), ["a/b-", "a/b/c"]);
    assert_eq!(keys(&**store, "bkt", "a/b/c"), ["a/b/c"]);
    for none in ["c", "a/b/c/", "/", "..", "../", "a//", "a/../b", "\0"] {
        assert_eq!(keys(&**store, "bkt", none), [""; 0], "{none:?}");
    }
    assert!(listed(&**store, "bkt", "").unwrap().iter().all(|(key, size)| *size == key.len() as u64));
}

fn list_breaks_off(Stored { store, .. }: &Stored) {
    for key in ["1", "2", "3"] {
        store.put("bkt", key, b"").unwrap();
    }
    let mut seen = Vec::new();
    let each = &mut |object: pdb_objects::Object| {
        // The store can be used meanwhile.
        assert!(store.get("bkt", &object.key, 0).unwrap().is_some());
        seen.push(object.key);
        if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.list("bkt", "", each).unwrap();
    assert_eq!(seen, ["1", "2"]);
}

fn list_of_pages(Stored { store, .. }: &Stored) {
    // A page of S3 has 1,000 keys.
    let expected: Vec<String> = (0..1003).map(|number| format!("n/{number:04}")).collect();
    for key in expected.iter().rev() {
        store.put("bkt", key, b"").unwrap();
    }
    assert_eq!(keys(&**store, "bkt", "n/"), expected);
}

fn delete_twice(Stored { store, .. }: &Stored) {
    store.put("bkt", "a/b/c", b"").unwrap();
    store.delete("bkt", "a/b").unwrap();
    store.delete("bkt", "a").unwrap();
    assert_eq!(keys(&**store, "bkt", ""), ["a/b/c"]);
    store.delete("bkt", "a/b/c").unwrap();
    store.delete("bkt", "a/b/c").unwrap();
    store.put("bkt", "a", b"").unwrap();
    assert_eq!(keys(&**store, "bkt", ""), ["a"]);
}

fn empty(Stored { store, .. }: &Stored) {
    store.create("bkt", "e").unwrap().finish().unwrap();
    assert_eq!(store.get("bkt", "e", 0).unwrap().unwrap(), b"");
    assert_eq!(listed(&**store, "bkt", "").unwrap(), [("e".to_owned(), 0)]);
}

fn large(Stored { store, .. }: &Stored) {
    // One byte less and more than a part of an upload, or than a buffer.
    for length in [(1 << 20) - 1, 1 << 20, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 16 << 20, (16 << 20) + 1] {
        let content = noise(length);
        let mut writer = store.create("bkt", "large").unwrap();
        for piece in content.chunks(100_003) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap();
        assert!(store.get("bkt", "large", length as u64).unwrap().unwrap() == content, "{length}");
    }
}

fn odd_keys(Stored { store, .. }: &Stored) {
    let mut odd = vec![
        " ",
        "!'()*",
        "%",
        "%2F",
        "%2e%2e",
        "&lt;a&gt;",
        "+",
        "...",
        "<Key>a</Key>",
        "?x=1&y",
        "@:,;=$",
        "[a]{b}|^`",
        "a b/ c",
        "a\"b",
        "x#",
        "x#1y",
        "~",
        "é/日本/🦀",
    ];
    if !cfg!(windows) {
        odd.push("\\");
    }
    odd.sort_unstable();
    for key in &odd {
        store.put("bkt", key, key.as_bytes()).unwrap();
    }
    assert_eq!(keys(&**store, "bkt", ""), odd);
    for key in &odd {
        assert_eq!(store.get("bkt", key, 100).unwrap().unwrap(), key.as_bytes(), "{key}");
        assert_eq!(keys(&**store, "bkt", key).first().map(String::as_str), Some(*key));
        store.delete("bkt", key).unwrap();
        assert!(is_missing(&**store, key));
    }
}

fn keys_that_are_no_paths(stored: &Stored) {
    let store = &*stored.store;
    for key in ["a//b", "a/", "/a", "//", "x#1"] {
        match store.put("bkt", key, key.as_bytes()) {
            Ok(()) => {
                assert!(!stored.is_folder(), "{key}");
                assert_eq!(keys(store, "bkt", ""), [key]);
                assert_eq!(store.get("bkt", key, 100).unwrap().unwrap(), key.as_bytes());
            }
            Err(ObjectError::Failed { source, .. }) => {
                assert!(stored.is_folder(), "{key}: {source}");
                assert_eq!(source.kind(), std::io::ErrorKind::InvalidFilename);
                assert!(is_missing(store, key));
            }
            Err(error) => panic!("{key}: {error}"),
        }
        store.delete("bkt", key).unwrap();
    }
    for key in ["..", ".", "../bkt/x", "a/../../x", "a/./b", "", &"x".repeat(1025)] {
        // Memory takes them, as the names that they are there.
        let outcome = store.put("bkt", key, b"");
        assert!(outcome.is_err() || stored.name == "memory", "{key}");
        assert!(outcome.is_ok() || store.open("bkt", key).is_err(), "{key}");
    }
}

fn missing_bucket(Stored { store, .. }: &Stored) {
    let is_no_bucket = |error: ObjectError| match error {
        ObjectError::NoSuchBucket { bucket } => assert_eq!(bucket, "nowhere"),
        error => panic!("{error:?}"),
    };
    is_no_bucket(listed(&**store, "nowhere", "").unwrap_err());
    is_no_bucket(listed(&**store, "nowhere", "a/").unwrap_err());
    is_no_bucket(store.open("nowhere", "k").err().unwrap());
    is_no_bucket(store.get("nowhere", "k", 1).unwrap_err());
    is_no_bucket(store.put("nowhere", "k", b"x").unwrap_err());
    is_no_bucket(store.put("nowhere", "k", &noise(9 << 20)).unwrap_err());
    is_no_bucket(store.delete("nowhere", "k").unwrap_err());
    assert_eq!(store.get("bkt", "k", 1).unwrap(), None);
}

fn hostile_buckets(Stored { store, .. }: &Stored) {
    let long = "x".repeat(5000);
    for bucket in [
        "",
        ".",
        "..",
        "/",
        "bkt/",
        "./bkt",
        "../bkt",
        "bkt/../bkt",
        "/tmp",
        "bkt\0",
        "B:",
        "bkt?x",
        "bkt#",
        "bkt%2f",
        "é",
        &long,
    ] {
        let refusals = [
            listed(&**store, bucket, "").unwrap_err(),
            store.open(bucket, "k").err().unwrap(),
            store.put(bucket, "k", b"").unwrap_err(),
            store.delete(bucket, "k").unwrap_err(),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, ObjectError::NoSuchBucket { .. }), "{bucket}: {refusal:?}");
        }
    }
}

fn get_of_too_much(Stored { store, .. }: &Stored) {
    store.put("bkt", "k", b"12345").unwrap();
    assert_eq!(store.get("bkt", "k", 5).unwrap().unwrap(), b"12345");
    assert!(matches!(store.get("bkt", "k", 4), Err(ObjectError::Failed { .. })));
}

fn tag(stored: &Stored) {
    let tag_of = |content: &[u8]| {
        let mut writer = stored.store.create("bkt", "k").unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    };
    let (small, large) = (tag_of(b"hello"), tag_of(&noise(9 << 20)));
    if stored.name == "s3" {
        assert_eq!(small.unwrap(), "5d41402abc4b2a76b9719d911017c592", "printf hello | md5sum");
        assert!(large.unwrap().ends_with("-2"));
    } else {
        assert_eq!((small, large), (None, None));
    }
}
