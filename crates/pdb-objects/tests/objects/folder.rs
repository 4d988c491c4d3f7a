//! What only a folder can do: have links, files of others, and a disk that is full.

use std::fs;
use std::io::{self, Read, Write};

use pdb_objects::{FolderObjects, ObjectError, ObjectStore};

use super::stores::in_folder;
use super::{keys, listed, noise};

#[test]
fn the_folder_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = FolderObjects::open(folder.path().join("missing")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(FolderObjects::open(&file).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    let store = in_folder(folder.path());
    assert!(matches!(store.open("file", "k"), Err(ObjectError::NoSuchBucket { .. })));
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_a_bucket() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let (bucket, outside) = (folder.path().join("bkt"), folder.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, bucket.join("folder")).unwrap();
    symlink(outside.join("secret"), bucket.join("file")).unwrap();
    symlink(&outside, folder.path().join("linked")).unwrap();
    symlink(&bucket, bucket.join("circle")).unwrap();
    fs::write(bucket.join("mine"), "mine").unwrap();

    assert_eq!(keys(&store, "bkt", ""), ["mine"]);
    assert_eq!(keys(&store, "bkt", "folder/"), [""; 0]);
    for key in ["file", "folder", "folder/secret", "folder/new/new", "circle/mine"] {
        let refusals = [
            store.open("bkt", key).err().unwrap(),
            store.put("bkt", key, b"changed").unwrap_err(),
            store.delete("bkt", key).unwrap_err(),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, ObjectError::Denied { .. }), "{key}: {refusal:?}");
        }
    }
    assert!(matches!(listed(&store, "linked", ""), Err(ObjectError::Denied { .. })));
    assert!(matches!(store.open("linked", "secret"), Err(ObjectError::Denied { .. })));
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

/// A path can be longer than a key: the file system takes 4,096 bytes.
#[test]
fn a_file_whose_path_is_longer_than_a_key_is_no_object() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let names = vec!["x".repeat(199); 5].join("/");
    let (longest, longer) = (format!("{names}/{}", "y".repeat(24)), format!("{names}/{}", "y".repeat(25)));
    assert_eq!(longest.len(), 1_024);
    fs::create_dir_all(folder.path().join("bkt").join(&names)).unwrap();
    for key in [&longest, &longer] {
        fs::write(folder.path().join("bkt").join(key), "1").unwrap();
    }
    assert_eq!(keys(&store, "bkt", ""), [longest.as_str()]);
    assert!(store.open("bkt", &longest).is_ok());
    assert!(store.open("bkt", &longer).is_err());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_object_and_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let pipe = folder.path().join("bkt/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(keys(&store, "bkt", ""), [""; 0]);
    assert!(matches!(store.open("bkt", "pipe"), Err(ObjectError::Denied { .. })));
    assert!(matches!(store.put("bkt", "pipe", b""), Err(ObjectError::Denied { .. })));
}

#[test]
fn files_of_others_are_objects_and_unfinished_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let bucket = folder.path().join("bkt");
    fs::create_dir_all(bucket.join("data/empty")).unwrap();
    fs::write(bucket.join("data/1.json"), "{}").unwrap();
    // What a process leaves that was killed while it wrote.
    fs::write(bucket.join("data/2.json#1"), "{").unwrap();
    let mut writer = store.create("bkt", "data/2.json").unwrap();
    writer.write_all(&noise(3 << 20)).unwrap();
    assert!(bucket.join("data/2.json#2").is_file(), "this is what a kill would leave now");
    assert_eq!(keys(&store, "bkt", ""), ["data/1.json"]);
    writer.finish().unwrap();
    assert_eq!(keys(&store, "bkt", ""), ["data/1.json", "data/2.json"]);
    assert!(!bucket.join("data/2.json#2").exists());
    assert!(store.open("bkt", "data/2.json#1").is_err());
    assert!(matches!(store.open("bkt", "data"), Err(ObjectError::NoSuchKey { .. })));
    assert!(matches!(store.open("bkt", "data/1.json/x"), Err(ObjectError::NoSuchKey { .. })));
}

#[test]
fn a_key_cannot_be_a_file_and_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    store.put("bkt", "a", b"a").unwrap();
    store.put("bkt", "c/d", b"d").unwrap();
    for key in ["a/b", "c"] {
        assert!(matches!(store.put("bkt", key, b""), Err(ObjectError::Failed { .. })), "{key}");
    }
    assert_eq!(keys(&store, "bkt", ""), ["a", "c/d"]);
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    store.put("bkt", "k", &noise(1 << 20)).unwrap();
    let mut reader = store.open("bkt", "k").unwrap();
    let mut content = vec![0; 1000];
    reader.read_exact(&mut content).unwrap();
    fs::OpenOptions::new().write(true).open(folder.path().join("bkt/k")).unwrap().set_len(5000).unwrap();
    let error = reader.read_to_end(&mut content).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(content.len(), 5000);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let bucket = folder.path().join("bkt");
    store.put("bkt", "k", b"x").unwrap();
    fs::set_permissions(&bucket, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&bucket).is_err() {
        assert!(matches!(listed(&store, "bkt", ""), Err(ObjectError::Denied { .. })));
        assert!(matches!(store.open("bkt", "k"), Err(ObjectError::Denied { .. })));
        assert!(matches!(store.put("bkt", "k", b""), Err(ObjectError::Denied { .. })));
    }
    // Root may do all of that.
    fs::set_permissions(&bucket, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn it_can_be_used_within_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        store.put("bkt", "k", &noise(3 << 20)).unwrap();
        assert_eq!(store.get("bkt", "k", 3 << 20).unwrap().unwrap().len(), 3 << 20);
        store.delete("bkt", "k").unwrap();
    });
    assert_eq!(keys(&store, "bkt", ""), [""; 0]);
}
