//! Lists the files of a bucket in the order of their keys, one folder in memory at a time.

use std::ops::ControlFlow;
use std::path::Path;
use std::{fs, io, vec};

use super::key;
use crate::Object;
use crate::names::MAX_KEY_BYTES;

/// A file or a folder.
struct Entry {
    /// Its key. That of a folder ends with `/`, like the beginning of the keys in it, and so the entries of a folder are in the order of keys.
    key: String,
    /// The size of a file.
    size: u64,
}

/// Passes on the objects whose keys begin with the prefix.
pub(super) fn walk(
    bucket: &Path,
    prefix: &str,
    each: &mut dyn FnMut(Object) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut open = vec![entries(bucket, "", prefix)?];
    while let Some(folder) = open.last_mut() {
        let Some(entry) = folder.next() else {
            open.pop();
            continue;
        };
        if entry.key.ends_with('/') {
            open.push(entries(bucket, &entry.key, prefix)?);
        } else if each(Object { key: entry.key, size: entry.size }).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Returns the entries of a folder that are, or may have, objects with the prefix, in order.
fn entries(bucket: &Path, folder: &str, prefix: &str) -> io::Result<vec::IntoIter<Entry>> {
    let mut entries = Vec::new();
    let files = match fs::read_dir(bucket.join(folder)) {
        Ok(files) => files,
        // It was removed since its name was read.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => {
            return Ok(entries.into_iter());
        }
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        // A name that is not UTF-8 is no key.
        let Ok(name) = file.file_name().into_string() else { continue };
        let kind = file.file_type()?;
        let key = format!("{folder}{name}");
        if key.len() > MAX_KEY_BYTES {
            // Like all names that are no keys: nobody could open it.
            continue;
        }
        if kind.is_dir() && key::check_name(&name).is_ok() {
            let key = key + "/";
            if key.starts_with(prefix) || prefix.starts_with(&key) {
                entries.push(Entry { key, size: 0 });
            }
        } else if kind.is_file() && key::is_object_name(&name) && key.starts_with(prefix) {
            match file.metadata() {
                Ok(metadata) => entries.push(Entry { key, size: metadata.len() }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(entries.into_iter())
}
