//! A disk that is full: an error of its kind, the object that was there before, and no file that is left over.
//!
//! A program of its own, because the limit on the size of files that stands for the disk is one of the process.
#![cfg(unix)]

use std::io::Write;

use pdb_objects::{FolderObjects, ObjectError, ObjectStore};

#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let store = FolderObjects::open(folder.path()).unwrap();
    store.put("b", "a/k", b"old").unwrap();

    // The signal that comes with it would end the process.
    let unread = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread).unwrap();
    let (soft, hard) = rlimit::Resource::FSIZE.get().unwrap();
    rlimit::Resource::FSIZE.set(3 << 20, hard).unwrap();
    let megabyte = vec![b'x'; 1 << 20];
    for key in ["a/k", "new/folder/k"] {
        let mut writer = store.create("b", key).unwrap();
        let error = (0..9).find_map(|_| writer.write_all(&megabyte).err()).unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::Other, "an ObjectError is within");
        match ObjectError::from_io("b", key, error) {
            ObjectError::Failed { source, .. } => assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge),
            error => panic!("{error:?}"),
        }
        // The space is free at once, and the object cannot be finished without the part that is missing.
        assert!(!folder.path().join(format!("b/{key}#1")).exists());
        assert!(writer.write_all(&megabyte).and_then(|()| writer.write_all(&megabyte)).is_err());
        assert!(writer.finish().is_err());
    }
    rlimit::Resource::FSIZE.set(soft, hard).unwrap();

    assert_eq!(store.get("b", "a/k", 9).unwrap().unwrap(), b"old");
    assert!(!folder.path().join("b/new").exists());
    store.put("b", "a/k", &megabyte).unwrap();
}
